"""The lexicon of emotes: every entry can be reached, and no emote is harmless and sarcastic at once."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

import pipelines.core.text.prepare as lexicon
from pipelines.core.text.normalise import normalise
from pipelines.core.text.plain import prepare_texts
from pipelines.core.text.prepare import prepare
from serving.scorer.fast import FastScorer

_ROOT = Path(__file__).parents[5]
_SECTIONS = yaml.safe_load((Path(lexicon.__file__).parent / "emotes.yaml").read_text("utf-8"))


@pytest.mark.parametrize("section", ["names", "endings"])
def test_each_entry_stands_once_and_as_canonical_text_has_it(section: str) -> None:
    entries = [str(entry) for members in _SECTIONS[section].values() for entry in members]
    assert [entry for entry, count in Counter(entries).items() if count > 1] == []
    assert [entry for entry in entries if normalise(entry) != entry] == []


def test_endings_are_long_enough_to_be_looked_up() -> None:
    assert all(len(str(ending)) >= 2 for endings in _SECTIONS["endings"].values() for ending in endings)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PogChamp", "🔥 amazing"),
        ("xyzHype", "🔥 amazing"),
        ("abcCry", "😢 sad"),
        ("abcHeadpat", "❤ 😘"),
        (":(", "😢 sad"),
        ("D:", "😳 😱"),
        ("abcBweh", "☺ happy"),  # not "weh", which is sad
        ("hugothWeh", "😢 sad"),
    ],
)
def test_a_marked_emote_is_explained_by_its_name_or_its_ending(name: str, said: str) -> None:
    assert prepare(name, [name]).endswith(f" {said}")


@pytest.mark.parametrize(
    "name", ["TriHard", "cmonBruh", "ANELE", "MingLee", "BabyRage", "Kreygasm", "GIGACHAD"]
)
def test_an_emote_of_mixed_use_says_nothing(name: str) -> None:
    assert prepare(name, [name]) == f":{name.lower()}:"


@pytest.mark.parametrize(
    "name", ["Pog", "PogChamp", "catJAM", "Sadge", "monkaS", "peepoHappy", "NODDERS", "<3"]
)
def test_a_harmless_emote_is_neither_sarcastic_nor_toxic_however_often_it_stands(name: str) -> None:
    scorer = FastScorer.load(_ROOT / "serving/models/fast")
    heads = scorer.forward(prepare_texts([name, " ".join([name] * 4), " ".join([name] * 12)]))
    assert (heads["sarcasm"] < scorer.config.thresholds["sarcasm@en"]).all()
    assert (heads["toxicity"] < scorer.config.thresholds["toxicity@en"]).all()
