"""The installed script's first moments."""

import signal
import subprocess
import sys
from pathlib import Path

PULSE = Path(sys.executable).parent / "pulse"


def test_ctrl_c_while_python_imports_ends_without_a_traceback() -> None:
    program = (
        "import os, runpy, signal, sys\n"
        "import importlib.abc\n"
        "class Interrupt(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'infra.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        f"runpy.run_path({str(PULSE)!r}, run_name='__main__')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""
