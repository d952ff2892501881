"""Ray Serve in the foreground: `python -m serving.scorer.serve`. Loopback, no dashboard, no telemetry.

SIGTERM or SIGINT ends replicas, proxy, controller, raylet and GCS. SIGHUP, and a change of the file CHOICE in
PULSE_HOME, sends the model, `user_config` and the number of replicas to the running deployment: nothing
restarts.
"""

import contextlib
import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, NoReturn
from urllib.parse import urlsplit

import psutil
from pydantic import ValidationError
from yaml import YAMLError

from schemas.endpoints import Endpoints
from serving.scorer.lean_ray import start_ray
from serving.scorer.settings import CHOICE, SERVE_YAML, Choice, ServeSettings

CHOICE_POLL_S: Final = 1.0


def main(path: Path = SERVE_YAML) -> NoReturn:
    """Run until a signal."""
    hangups: SimpleQueue[int] = SimpleQueue()
    signal.signal(signal.SIGHUP, lambda number, _: hangups.put(number))
    _leave_on_signal()
    choice = Endpoints().pulse_home.expanduser().resolve() / CHOICE
    seen: int | None = _stamp(choice)
    settings = ServeSettings.read(path, Choice.read(choice))
    try:
        start_ray(settings.ray_cpus, settings.object_store_bytes)
        _leave_on_signal()  # Ray has put its own handler, which exits with the signal's number
        _serve(settings)
        while True:
            with contextlib.suppress(Empty):
                hangups.get(timeout=CHOICE_POLL_S)
                seen = None
            if (stamp := _stamp(choice)) != seen:
                seen = stamp
                _redeploy(path, choice)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _shut_down()


def _redeploy(path: Path, choice: Path) -> None:
    """Deploy what the files say now; what cannot be read is told, and all stays as it was."""
    try:
        settings = ServeSettings.read(path, Choice.read(choice))
    except (ValidationError, YAMLError, OSError) as error:
        sys.stderr.write(f"the scorer stays as it is: {error}\n")
    else:
        _deploy(settings)


def _stamp(path: Path) -> int:
    """Changes when the file does; 0 while there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _leave_on_signal() -> None:
    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def _serve(settings: ServeSettings) -> None:
    """Start the proxy and deploy; returns when requests are answered."""
    # Ray is imported in functions: it reads the environment that start_ray sets when it is imported.
    from ray import serve
    from ray.serve.config import HTTPOptions

    address = urlsplit(Endpoints().scorer_url)
    serve.start(
        http_options=HTTPOptions(host=address.hostname or "127.0.0.1", port=address.port or 80, num_cpus=0)
    )
    _deploy(settings)
    sys.stderr.write(f"scorer ready at {address.geturl()}\n")


def _deploy(settings: ServeSettings) -> None:
    """Deploy, or change what runs: Serve sends new knobs to running replicas."""
    from ray import serve

    from serving.scorer.deployment import build

    serve.run(build(settings), name="scorer", route_prefix="/")


def _shut_down() -> None:
    """End every process that Ray started."""
    import ray
    from ray import serve

    children = psutil.Process().children(recursive=True)
    if ray.is_initialized():
        serve.shutdown()  # type: ignore[no-untyped-call]
    ray.shutdown()
    _end(children)


def _end(processes: list[psutil.Process]) -> None:
    """End what Ray leaves behind for a while: its agents notice the end of the raylet only later."""
    _, alive = psutil.wait_procs(processes, timeout=1)
    for process in alive:
        process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=3)
    for process in alive:
        process.kill()


if __name__ == "__main__":
    main()
