"""Configs of the tier `hf:`: the presets are valid, mistakes are named."""

from pathlib import Path

import pytest

from serving.scorer.backend import ModelNotFoundError
from serving.scorer.hf_config import PRESETS, read_hf_config

NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_presets_are_valid_and_carry_their_own_name(name: str) -> None:
    config = read_hf_config(f"hf:{name}")
    assert config.name == f"hf:{name}"
    assert config.classifiers


def test_every_preset_stands_in_the_readme() -> None:
    readme = (PRESETS / "README.md").read_text()
    assert all(f"`hf:{name}`" in readme for name in NAMES)


def test_a_folder_beside_the_file_goes_before_a_name_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "pulse.yaml").write_text(
        "name: mine\nclassifiers:\n"
        "- model: .\n  labels: {bad: toxicity}\n"
        "- model: org/hub\n  labels: {x: hate}\n"
    )
    config = read_hf_config(f"hf:{tmp_path}")
    assert [part.model for part in config.classifiers] == [str(tmp_path.resolve()), "org/hub"]


def test_includes_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "name: a\ninclude: [xlm-t-sentiment]\nclassifiers:\n- model: m\n  labels: {x: hate}\n"
    )
    models = [part.model for part in read_hf_config(f"hf:{tmp_path / 'a.yaml'}").classifiers]
    assert models == ["cardiffnlp/twitter-xlm-roberta-base-sentiment", "m"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nclassifiers:\n- model: m\n  labels: {x: emotions.mirth}\n", "emotions.mirth is no figure"),
        ("name: a\nclassifiers:\n- model: m\n  labels: {}\n", "labels"),
        ("name: a\nclassifiers:\n- model: m\n  lables: {x: hate}\n", "lables"),
        ("name: a\nrest: hf:b\nclassifiers:\n- model: m\n  labels: {x: hate}\n", "rest"),
        ("name: a\n", "no classifiers"),
        ("[", "no config"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(ModelNotFoundError, match=told):
        read_hf_config(f"hf:{file}")


def test_an_unmapped_model_says_what_to_write() -> None:
    with pytest.raises(ModelNotFoundError, match=r"copy a preset .* and map its labels"):
        read_hf_config("hf:some/model")
