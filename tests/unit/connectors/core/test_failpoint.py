import subprocess
import sys
from pathlib import Path

import pytest

from connectors.core.failpoint import VARIABLE, failpoint

PROGRAM = "from connectors.core.failpoint import failpoint; failpoint('a.b'); print('lives')"


def test_without_its_file_it_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failpoint("a.b")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "other").touch()
    failpoint("a.b")
    assert (tmp_path / "other").exists()


def test_its_file_kills_once(tmp_path: Path) -> None:
    (tmp_path / "a.b").touch()
    runs = [
        subprocess.run([sys.executable, "-c", PROGRAM], env={VARIABLE: str(tmp_path)}, capture_output=True)
        for _ in range(2)
    ]
    assert [run.returncode for run in runs] == [-9, 0]
    assert runs[1].stdout == b"lives\n"
