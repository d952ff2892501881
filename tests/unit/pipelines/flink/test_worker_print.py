"""The core can be imported in PyFlink's worker, which replaces `print`."""

import subprocess
import sys


def test_numba_can_be_imported_in_the_worker() -> None:
    program = (
        "import builtins\n"
        "from pyflink.fn_execution.beam.beam_sdk_worker_main import CustomPrint\n"
        "builtins.print = CustomPrint(print).print\n"
        "import pipelines.flink.detect_function\n"
        "import numba\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2_000:]
