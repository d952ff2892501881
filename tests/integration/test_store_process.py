"""The store process by itself, without Kafka: started, asked, killed, started again."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli.migrate import app as migrate_app
from infra.cli.sql import app as sql_app

DEADLINE_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("PULSE_API_TOKEN", raising=False)
    ours = {
        "PULSE_HOME": str(tmp_path),
        "API_URL": f"http://127.0.0.1:{free_port()}",
        "KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "CLICKHOUSE_URL": "",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return os.environ | ours


@contextmanager
def store_process(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.store_process"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + DEADLINE_S
        while True:
            assert process.poll() is None, "the store process ended"
            assert time.monotonic() < until, "the store process is not ready"
            try:
                httpx.get(f"{environment['API_URL']}/healthz").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def sql(query: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(sql_app, [query, "--format", "json"])
    return done.exit_code, done.stdout, done.stderr


def test_up_down_killed_and_locked(environment: dict[str, str], tmp_path: Path) -> None:
    code, _, trouble = sql("SELECT 1 AS x")
    assert code == 1
    assert "no store" in trouble
    with store_process(environment) as process:
        token = tmp_path / "run" / "token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert sql("SELECT count() AS n FROM messages") == (0, '{"n":0}\n', "")
        assert sql("DROP TABLE chat_lines")[0] == 1
        locked = CliRunner().invoke(migrate_app, [])
        assert locked.exit_code == 1
        assert "another process holds the store" in locked.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    # Down: the command opens the store itself, in a process of its own, for chDB stays open in one.
    run = [
        sys.executable,
        "-m",
        "infra.cli.main",
        "sql",
        "SELECT count() AS n FROM windows",
        "--format",
        "json",
    ]
    done = subprocess.run(run, env=environment, capture_output=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stdout) == (0, b'{"n":0}\n'), done.stderr
    with store_process(environment) as process:
        process.kill()
        process.wait(30)
    with store_process(environment):
        assert sql("SELECT count() AS n FROM schema_migrations WHERE version = 1") == (0, '{"n":1}\n', "")
