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


def test_an_ab_test_is_off_by_default_and_a_choice_starts_and_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (ServeSettings.read().model_b, ServeSettings.read().share_b) == (None, 0)
    monkeypatch.setenv("PULSE_SCORER_MODEL_B", "other")
    monkeypatch.setenv("PULSE_SCORER_SHARE_B", "0.2")
    assert (ServeSettings.read().model_b, ServeSettings.read().share_b) == ("other", 0.2)
    assert ServeSettings.read(choice=Choice(share_b=0.0)).share_b == 0
    assert ServeSettings.read(choice=Choice(model_b="third", share_b=0.5)).model_b == "third"
    with pytest.raises(ValidationError, match="share_b"):
        Choice(share_b=1.5)
