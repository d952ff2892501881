"""serve.yaml: every field is known, the environment goes first."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.scorer.settings import BatchKnobs, Choice, ServeSettings


def test_the_shipped_file_is_valid_with_its_knobs() -> None:
    settings = ServeSettings.read()
    assert settings.device == "cpu"
    assert BatchKnobs(**settings.user_config) == BatchKnobs()


def test_the_environment_overrides_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SCORER_REPLICAS", "3")
    assert ServeSettings.read().replicas == 3


def test_a_misspelt_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("replicsa: 2\n")
    with pytest.raises(ValidationError, match="replicsa"):
        ServeSettings.read(file)


def test_a_choice_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULSE_SCORER_MODEL", "other")
    file = tmp_path / "scorer.yaml"
    assert ServeSettings.read(choice=Choice.read(file)).model == "other"
    file.write_text("model: chosen\n")
    assert ServeSettings.read(choice=Choice.read(file)).model == "chosen"


def test_a_misspelt_choice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scorer.yaml").write_text("modle: x\n")
    with pytest.raises(ValidationError, match="modle"):
        Choice.read(tmp_path / "scorer.yaml")
