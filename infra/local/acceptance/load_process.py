"""The load generator seen from the bench: starts it, sets its rate, reads its counts."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

END_BOUND_S: Final = 120.0
"""The producer's queue must be empty within this after the last message."""


class LoadError(RuntimeError):
    """The load generator failed; the message holds what it said."""


class LoadProcess:
    """One run of `python -m infra.local.acceptance.load`; a context that leaves no process behind."""

    def __init__(
        self,
        bootstrap: str,
        run_id: str,
        workspace: str,
        texts: Sequence[Path],
        *,
        rate: float,
        channels: int,
    ) -> None:
        command = [sys.executable, "-m", "infra.local.acceptance.load", "--bootstrap", bootstrap]
        command += ["--run-id", run_id, "--workspace", workspace, "--rate", str(rate)]
        command += ["--channels", str(channels), *map(str, texts)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, name="load-counts", daemon=True)
        self._errors: list[str] = []
        self._error_reader = threading.Thread(target=self._read_errors, name="load-errors", daemon=True)
        self.sent = 0
        """Messages handed to the producer, as of the last second."""
        self.failed = 0
        self.pid = self._process.pid

    def __enter__(self) -> "LoadProcess":
        self._reader.start()
        self._error_reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._error_reader.join()

    def set_rate(self, rate: float) -> None:
        """Send at so many messages a second from now on."""
        self._say(f"rate {rate}")

    def check(self) -> None:
        """Raise LoadError where the generator has ended."""
        if self._process.poll() is not None:
            raise LoadError(f"the load generator ended: {' '.join(self._errors[-5:])}")

    def stop(self) -> int:
        """End the load in order; the number of messages that the broker has.

        Raises:
            LoadError: it failed, or some messages were refused.
        """
        self._say("stop")
        try:
            status = self._process.wait(END_BOUND_S)
        except subprocess.TimeoutExpired:
            raise LoadError(f"the load generator has not ended within {END_BOUND_S:.0f} s") from None
        self._reader.join()
        if status or self.failed:
            raise LoadError(f"status {status}, {self.failed} messages refused: {' '.join(self._errors[-5:])}")
        return self.sent

    def _say(self, command: str) -> None:
        self.check()
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            counts = json.loads(line)
            self.sent, self.failed = counts["sent"], counts["failed"]

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(line.strip() for line in self._process.stderr)
