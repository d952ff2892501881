"""Runs `pulse` as people do, against the stack of the test run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PULSE = str(Path(sys.executable).parent / "pulse")
BOUND_S = 540


def pulse(
    *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One command, run to its end."""
    return subprocess.run(
        [PULSE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        env=environment or dict(os.environ),
    )


def drained_demo(*files: Path, report: Path) -> dict[str, Any]:
    """The report of a demo of these files that must be exact."""
    inputs = [argument for file in files for argument in ("--input", str(file))]
    result = pulse("demo", *inputs, "--speed", "max", "--exit-when-drained", "--report", report)
    assert result.returncode == 0, result.stderr[-3_000:]
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def recording(path: Path, lines: list[dict[str, object] | bytes]) -> Path:
    """Write recorded chat; bytes are lines as they stand."""
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(written) + b"\n")
    return path


def chat(stream: str, offset_ms: int, author: str, text: str) -> dict[str, object]:
    """One recorded line."""
    return {"stream": stream, "offset_ms": offset_ms, "author": author, "text": text}
