"""One stack for all integration tests of a run: its own folder, its own ports, the real parts."""

import os
from collections.abc import Iterator

import pytest

from connectors.core.failpoint import VARIABLE as FAILPOINTS
from infra.local import ports
from infra.local.control import StartOptions, start, stop
from infra.local.settings import Stack
from schemas.endpoints import Endpoints

BASES = range(20_100, 32_000, 1_190)
"""Port bases to try; below the range from which the system takes ports of outgoing connections."""

ADDRESSES = ("KAFKA_BOOTSTRAP", "CLICKHOUSE_URL", "SCORER_URL", "API_URL", "FLINK_URL")
OWN = ("PULSE_HOME", "PULSE_PORT_BASE", "PULSE_FAILURES_TO_REPORT")


def free_stack(home) -> Stack:
    """A stack of its own on ports that nobody listens on, whatever stack the environment points to."""
    for base in BASES:
        with pytest.MonkeyPatch.context() as environment:
            for name in ADDRESSES:
                environment.delenv(name, raising=False)
            found = Stack(Endpoints(pulse_home=home, pulse_port_base=base))
        if not ports.taken(found.ports):
            return found
    raise RuntimeError(f"every port base in {BASES} is taken")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running stack; this process's environment points to it, and so does that of what it starts."""
    before = {
        name: os.environ.pop(name, None) for name in (*ADDRESSES, "PULSE_HOME", "PULSE_PORT_BASE", FAILPOINTS)
    }
    found = free_stack(tmp_path_factory.mktemp("stack"))
    # A busy machine may need several starts of Ray, which gives itself only 30 s for each.
    os.environ.update(found.environment() | {"PULSE_FAILURES_TO_REPORT": "8"})
    os.environ[FAILPOINTS] = str(found.home / "failpoints")
    try:
        start(found, StartOptions(), report=lambda _: None)
        yield found
    finally:
        stop(found)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
