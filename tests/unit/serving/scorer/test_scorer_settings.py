"""serve.yaml: every field is known, the environment goes first."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.scorer.settings import BatchKnobs, ServeSettings


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
