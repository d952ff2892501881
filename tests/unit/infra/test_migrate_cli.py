"""`pulse migrate` on an empty folder, and on one that is up to date."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.clickhouse.migrations import MIGRATIONS
from infra.cli import migrate


def test_applies_once_and_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path))
    monkeypatch.setenv("CLICKHOUSE_URL", "")
    names = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    runner = CliRunner()

    pending = runner.invoke(migrate.app, ["--status"])
    assert [line.split()[0] for line in pending.stdout.splitlines()] == ["pending"] * len(names)
    first = runner.invoke(migrate.app, [])
    assert first.stdout.splitlines() == [f"applied {name}" for name in names]
    second = runner.invoke(migrate.app, [])
    assert second.stdout == ""
    assert "up to date" in second.stderr
    shown = runner.invoke(migrate.app, ["--status"])
    assert [line.split()[-1] for line in shown.stdout.splitlines()] == names
    assert all(line.startswith("applied") for line in shown.stdout.splitlines())


def test_a_server_that_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://127.0.0.1:9/pulse")
    done = CliRunner().invoke(migrate.app, [])
    assert done.exit_code == 1
    assert "not migrated" in done.stderr
