"""The parts that are ours, in Python: model server, store, and the one-shot that reconciles topics."""

import shutil

from infra.local.parts.http import HttpProbe
from infra.local.parts.part import Part, Probe
from infra.local.settings import ROOT, Stack

SOCKET_PATH_LIMIT = 107
"""Bytes of a UNIX socket's path (linux/un.h)."""

RAY_SOCKET = "session_2000-01-01_00-00-00_000000_0000000/sockets/plasma_store"
"""What Ray adds to its folder for its longest socket path."""


def ray(stack: Stack) -> Part:
    """Ray Serve with the scoring model. Ray's session goes below the stack's home where sockets fit there."""
    sessions = stack.home / "ray"
    fits = len(f"{sessions}/ray/{RAY_SOCKET}") <= SOCKET_PATH_LIMIT

    def prepare() -> None:
        if fits:
            shutil.rmtree(sessions, ignore_errors=True)  # sessions of earlier starts, with their logs
            sessions.mkdir(parents=True)

    return Part(
        name="ray",
        command=(str(stack.python), "-m", "serving.scorer.serve"),
        probe=_health(stack.endpoints.scorer_url),
        prepare=prepare,
        environment={"RAY_TMPDIR": str(sessions)} if fits else {},
        ports=("scorer",),
        address=stack.endpoints.scorer_url,
        stop_grace_s=15.0,
        working_folder=ROOT,
    )


def store(stack: Stack) -> Part:
    """The store process: chDB, the sink, and the API on top of it."""
    return Part(
        name="store",
        command=(str(stack.python), "-m", "infra.local.store_process"),
        probe=_health(stack.endpoints.api_url),
        needs=("topics",),
        ports=("api",),
        address=stack.endpoints.api_url,
        stop_grace_s=20.0,
        working_folder=ROOT,
    )


def topics(stack: Stack) -> Part:
    """Create and reconcile the topics; ends by itself."""

    async def nothing() -> None:
        return None

    return Part(
        name="topics",
        command=(str(stack.python), "-m", "infra.cli.main", "topics", "apply"),
        probe=nothing,
        needs=("kafka",),
        working_folder=ROOT,
        one_shot=True,
    )


def _health(url: str) -> Probe:
    server = HttpProbe(url)

    async def probe() -> None:
        await server.get("/healthz")

    return probe
