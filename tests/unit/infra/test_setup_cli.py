"""`pulse setup`, `pulse test` and the jars they bring, without Maven and without the launcher's work."""

import pytest
from typer.testing import CliRunner

from infra.cli import launcher, setup, test
from infra.local import jars
from infra.local.settings import Stack


class HandedOverError(Exception):
    """Stands for the end of this process: exec does not return."""


@pytest.fixture
def execs(monkeypatch):
    """What would have been executed instead of this process."""
    seen = []

    def execute(program, arguments, environment=None):
        seen.append((program, arguments))
        raise HandedOverError

    monkeypatch.setattr(launcher.os, "execv", execute)
    monkeypatch.setattr(launcher.os, "execve", execute)
    monkeypatch.chdir("/")
    return seen


@pytest.fixture
def stack(tmp_path):
    found = Stack()
    found.jars = tmp_path / "jars"
    return found


def fill(folder) -> None:
    for name in ("kafka/kafka_2.13-4.jar", "flink/connector.jar"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / jars.STAMP).write_text(jars.pom_hash())


def test_setup_goes_through_the_launcher(execs, monkeypatch):
    monkeypatch.delenv(launcher.SET_UP, raising=False)
    assert isinstance(CliRunner().invoke(setup.app, []).exception, HandedOverError)
    assert execs[0][1][1:] == [str(launcher.ROOT / "pulse"), "setup"]


def test_setup_after_the_launcher_reports_and_ends_well(execs, monkeypatch):
    monkeypatch.setenv(launcher.SET_UP, "1")
    monkeypatch.setattr(setup, "ensure_jars", lambda *_: False)
    told = CliRunner().invoke(setup.app, [])
    assert told.exit_code == 0
    assert "Set up." in told.stderr
    assert execs == []


def test_fast_tests_leave_out_what_needs_running_parts(execs, monkeypatch):
    monkeypatch.setenv(launcher.SET_UP, "1")
    CliRunner().invoke(test.app, ["--fast", "tests/unit", "-k", "ports"])
    assert execs[0][1][1:] == ["-m", "pytest", "-m", test.FAST, "tests/unit", "-k", "ports"]


def test_complete_jars_are_not_fetched_again(stack, monkeypatch):
    fill(stack.jars)
    monkeypatch.setattr(jars.subprocess, "run", lambda *_, **__: pytest.fail("Maven was called"))
    assert jars.ensure_jars(stack) is False


def test_jars_of_another_pom_are_not_complete(stack):
    fill(stack.jars)
    (stack.jars / jars.STAMP).write_text("another")
    assert not jars.complete(stack.jars)


def test_without_maven_the_error_says_how_to_get_it(stack, monkeypatch):
    monkeypatch.setattr(jars.shutil, "which", lambda _: None)
    with pytest.raises(jars.JarsError, match="apt-get install maven"):
        jars.ensure_jars(stack)


def test_a_failing_maven_leaves_no_stamp_and_its_last_words(stack, tmp_path, monkeypatch):
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho 'Could not resolve host'; exit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(jars.JarsError, match="Could not resolve host"):
        jars.ensure_jars(stack)
    assert not (stack.jars / jars.STAMP).exists()
