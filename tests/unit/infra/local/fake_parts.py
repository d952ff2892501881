"""Parts for tests: small Python processes that say that they live by a file."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil

from infra.local.blueprint import Blueprint
from infra.local.jobs import Submission
from infra.local.parts.part import Part
from infra.local.settings import Stack, StackSettings
from infra.local.supervisor import Supervisor, lock
from schemas.endpoints import Endpoints

LIVE = """
import os, pathlib, signal, subprocess, sys
signs, stubborn, children = pathlib.Path(sys.argv[1]), sys.argv[2] == "stubborn", int(sys.argv[3])
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(children):
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    (signs.parent / f"{signs.name}.child{number}").write_text(str(child.pid))
signs.write_text(str(os.getpid()))
while True:
    signal.pause()
"""

DIE = "import sys; sys.stderr.write('cannot open the pod bay doors\\n'); sys.exit(7)"


def fake_stack(home: Path, **settings: float) -> Stack:
    quick = {"probe_interval_s": 0.05, "start_timeout_s": 20.0, "backoff_max_s": 0.1, "probe_failures": 3}
    stack = Stack(Endpoints(pulse_home=home, pulse_port_base=61_000), StackSettings(**(quick | settings)))
    stack.make_folders()
    return stack


def sign(home: Path, name: str) -> Path:
    return home / f"{name}.pid"


def fake_part(home: Path, name: str, *, stubborn: bool = False, children: int = 0, **options: object) -> Part:
    """Healthy as long as the process that wrote the sign lives and nobody wrote `name.sick`."""

    async def probe() -> None:
        if (home / f"{name}.sick").exists() or not psutil.pid_exists(int(sign(home, name).read_text())):
            raise ConnectionError(f"{name} does not answer")

    kind = "stubborn" if stubborn else "meek"
    return Part(
        name=name,
        command=(sys.executable, "-c", LIVE, str(sign(home, name)), kind, str(children)),
        probe=probe,
        stop_grace_s=0.5,
        **options,
    )


def plan(*parts: Part) -> Blueprint:
    return Blueprint(parts=parts, jobs=(), submission=Submission(command=()))


async def run(stack: Stack, blueprint: Blueprint) -> None:
    supervisor = Supervisor(stack, blueprint)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, supervisor.stop_requested.set)
    await supervisor.run()


def main() -> None:
    """A supervisor with two fake parts, as a process of its own: one obeys, one ignores SIGTERM."""
    home = Path(sys.argv[1])
    stack = fake_stack(home)
    with lock(stack.run):
        asyncio.run(
            run(stack, plan(fake_part(home, "meek", children=1), fake_part(home, "stubborn", stubborn=True)))
        )


if __name__ == "__main__":
    main()
