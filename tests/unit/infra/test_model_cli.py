"""`pulse model`: what it keeps, what it waits for, what it says when a model is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from infra.cli import model as command

Infos = Callable[..., None]
RUNNER = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command, "_POLL_S", 0.0)
    return tmp_path / "home"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Infos:
    """Sets what the scorer's /info answers, call by call; the last answer stays."""

    def set_answers(*infos: dict[str, Any] | Exception) -> None:
        left = list(infos)

        def info(_endpoints: object) -> dict[str, Any]:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(command, "_info", info)

    return set_answers


def _info(**fields: Any) -> dict[str, Any]:
    standing = {"model": "old", "model_version": "1", "wanted": "old", "loading": False, "failure": None}
    return standing | {"knobs": {}, "trial": None} | fields


def _use(*arguments: str) -> Result:
    return RUNNER.invoke(command.app, ["use", *arguments])


def _kept(home: Path) -> object:
    return yaml.safe_load((home / "scorer.yaml").read_text())


def test_it_waits_until_the_model_is_in_service(home: Path, answers: Infos) -> None:
    loading = _info(wanted="fast", loading=True)
    answers(_info(), _info(), loading, _info(model="fast", model_version="2", wanted="fast"))
    result = _use("fast")
    assert (result.exit_code, result.stdout) == (0, "fast 2\n")
    assert _kept(home) == {"model": "fast"}


def test_a_refusal_is_told_with_the_model_that_goes_on(home: Path, answers: Infos) -> None:
    answers(_info(), _info(wanted="fast", failure="no disk"))
    result = _use("fast")
    assert result.exit_code == 1
    assert "no disk; old 1 goes on" in result.stderr


def test_without_a_scorer_the_choice_is_kept_for_the_next_start(home: Path, answers: Infos) -> None:
    answers(httpx.ConnectError("refused"))
    result = _use("hf:goemotions")
    assert result.exit_code == 0
    assert _kept(home) == {"model": "hf:goemotions"}


def test_a_folder_is_kept_by_its_whole_path(
    home: Path, answers: Infos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    answers(httpx.ConnectError("refused"))
    assert _use("mine").exit_code == 0
    assert _kept(home) == {"model": str(tmp_path / "mine")}


@pytest.mark.parametrize("model", ["nowhere", "hf:nowhere"])
def test_an_unknown_model_changes_nothing(home: Path, answers: Infos, model: str) -> None:
    answers(_info())
    assert _use(model).exit_code == 2
    assert not (home / "scorer.yaml").exists()


def test_a_model_that_never_comes_is_told(home: Path, answers: Infos) -> None:
    answers(_info(), _info(wanted="fast", loading=True))
    result = _use("fast", "--wait", "0")
    assert result.exit_code == 1
    assert "not in service after 0 s" in result.stderr


def test_show_prints_one_object(home: Path, answers: Infos) -> None:
    answers(_info(emotions=["x"]))
    result = RUNNER.invoke(command.app, ["show"])
    assert result.stdout.startswith('{"model":"old"')
    assert "emotions" not in result.stdout


def _ab(*arguments: str) -> Result:
    return RUNNER.invoke(command.app, ["ab", *arguments])


def _trial(**fields: Any) -> dict[str, Any]:
    standing = {"model": "fast", "model_version": "2", "wanted": "fast", "loading": False, "failure": None}
    return _info(trial=standing | {"share": 0.25} | fields)


def test_an_ab_test_is_waited_for_and_kept_beside_the_model_in_service(home: Path, answers: Infos) -> None:
    answers(_info())
    home.mkdir(parents=True)
    (home / "scorer.yaml").write_text("model: chosen\n")
    answers(_info(trial=None), _trial(share=0.1), _trial(model=None, loading=True), _trial())
    result = _ab("fast", "--share", "0.25")
    assert (result.exit_code, result.stdout) == (0, "fast 2 scores 25.0% of the streams\n")
    assert _kept(home) == {"model": "chosen", "model_b": "fast", "share_b": 0.25}
    answers(_trial(), _info(trial=None))
    assert _ab("--off").stdout == "off\n"
    assert _kept(home) == {"model": "chosen", "share_b": 0.0}


def test_a_model_b_that_cannot_be_loaded_is_told(home: Path, answers: Infos) -> None:
    answers(_trial(model=None, failure="no disk", share=0.1))
    result = _ab("fast")
    assert result.exit_code == 1
    assert "no disk; the model in service scores all streams" in result.stderr


def test_a_test_that_never_begins_is_told_and_one_without_a_scorer_is_kept(
    home: Path, answers: Infos
) -> None:
    answers(_info(trial=None))
    assert "not in force after 0 s" in _ab("fast", "--wait", "0").stderr
    answers(httpx.ConnectError("refused"))
    assert "kept for the next" in _ab("fast").stdout


@pytest.mark.parametrize("arguments", [(), ("fast", "--off"), ("nowhere",), ("fast", "--share", "0")])
def test_a_test_of_nothing_changes_nothing(home: Path, answers: Infos, arguments: tuple[str, ...]) -> None:
    answers(_info(trial=None))
    assert _ab(*arguments).exit_code == 2
    assert not (home / "scorer.yaml").exists()
