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


def test_harmless_emotes_are_hardly_ever_sarcastic_or_toxic_however_often_they_stand() -> None:
    names = ["Pog", "PogChamp", "catJAM", "Sadge", "monkaS", "peepoHappy", "NODDERS", "<3"]
    scorer = FastScorer.load(_ROOT / "serving/models/fast")
    heads = scorer.forward(
        prepare_texts([" ".join([name] * count) for name in names for count in (1, 4, 12)])
    )
    for head in ("sarcasm", "toxicity"):
        threshold = scorer.config.thresholds.get(head, 0.5)
        above = (heads[head][:, 0] >= threshold).reshape(len(names), 3).any(axis=1)
        called = [name for name, called in zip(names, above, strict=True) if called]
        assert len(called) <= 1, f"{head}: {called}"
