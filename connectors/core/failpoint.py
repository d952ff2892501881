"""Places at which a test may kill the process, to prove that dying there loses and doubles nothing."""

import os
import signal
from pathlib import Path
from typing import Final

VARIABLE: Final = "PULSE_FAILPOINTS"
"""Names a folder; unset (as everywhere but in kill tests), no failpoint does anything."""


def failpoint(name: str) -> None:
    """Kill this process by SIGKILL if the failpoints' folder holds a file of that name.

    The file is removed first, so each one kills once.
    """
    folder = os.environ.get(VARIABLE)
    if folder and (file := Path(folder) / name).exists():
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
