"""Another model goes into service while requests go on: none fails, each answer comes from one model."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from infra.local.settings import Stack
from serving.scorer.backend import model_folder

pytestmark = pytest.mark.stack
ROWS = [{"id": str(at), "text": f"what a play number {at}"} for at in range(20)]


class Caller(threading.Thread):
    """Scores over and over; keeps what went wrong and which versions answered, in order of their coming."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self.stop = url, threading.Event()
        self.failures: list[str] = []
        self.versions: list[str] = []
        self.calls = 0

    def run(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self.stop.is_set():
                self.calls += 1
                try:
                    answer = client.post(f"{self._url}/score", json=ROWS)
                    version = answer.raise_for_status().json()["model_version"]
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    self.failures.append(repr(error))
                    continue
                if [row["id"] for row in answer.json()["rows"]] != [row["id"] for row in ROWS]:
                    self.failures.append("rows of another request")
                if not self.versions or self.versions[-1] != version:
                    self.versions.append(version)


def _use(model: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli.main", "model", "use", model],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def test_a_swap_drops_no_request(stack: Stack, tmp_path: Path) -> None:
    url = stack.endpoints.scorer_url
    shipped = httpx.get(f"{url}/info", timeout=30).json()["model_version"]
    candidate = tmp_path / "candidate"
    shutil.copytree(model_folder("fast"), candidate)
    config = json.loads((candidate / "config.json").read_text())
    (candidate / "config.json").write_text(json.dumps(config | {"name": "candidate", "version": "9.9"}))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    callers = [Caller(url) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        swapped = _use(str(candidate))
        refused = _use(str(broken))
        back = _use("fast")
    finally:
        for caller in callers:
            caller.stop.set()
        for caller in callers:
            caller.join(60)
        (stack.home / "scorer.yaml").unlink(missing_ok=True)
    assert (swapped.returncode, swapped.stdout.strip()) == (0, "candidate 9.9"), swapped.stderr
    assert refused.returncode == 1, refused.stdout
    assert "is no model's" in refused.stderr, refused.stderr
    assert "candidate 9.9 goes on" in refused.stderr
    assert (back.returncode, back.stdout.strip()) == (0, f"fast {shipped}"), back.stderr
    for caller in callers:
        assert caller.failures == []
        assert caller.versions == [shipped, "9.9", shipped]
