"""From recordings to proposals with the shipped model, and the list checked by hand."""

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from serving.scorer.fast import FastScorer
from serving.training.datasets import TRAIN
from serving.training.emotes.checked import (
    CHECKED,
    Agreement,
    Checked,
    agreements,
    read_checked,
    with_learned,
)
from serving.training.emotes.learn import endings_of, learn
from serving.training.emotes.logs import part_of
from serving.training.emotes.marking import group_of
from serving.training.emotes.proposals import Proposal

_MODEL = Path(__file__).parents[5] / "serving/models/fast"
# Emotes of single channels whose meaning no part of their names tells.
_TOO_RARE = {"godtonegod", "arypiewiggy", "nyanncatte", "haruchihueggly", "rayrabcrab"}


def _write(folder: Path, lines: int = 900) -> None:
    random = Random(3)
    (folder / "logs").mkdir()
    (folder / "lists").mkdir()
    (folder / "lists" / "twitch_emote_freq.tsv").write_text("emote\tid\tcount\nzzGrin\t1\t5\n")
    near = {"abcGrin": "LUL", "pqrGrin": "KEKW", "xyzGrin": "OMEGALUL", "abcMope": "Sadge", "pqrMope": ":("}
    near |= {"xyzMope": "BibleThump"}
    stream = next(f"channel/{n}" for n in range(99) if part_of(f"channel/{n}") == TRAIN)
    with gzip.open(folder / "logs" / "channel.jsonl.gz", "wt", encoding="utf-8") as file:
        for number in range(lines):
            emote = random.choice(list(near))
            for text, at_s in ((f"{emote} {number}", 0), (near[emote], 1)):
                record = {"stream": stream, "offset_ms": 1_000 * (60 * number + at_s), "text": text}
                file.write(json.dumps(record | {"emotes": [near[emote], emote]}) + "\n")


def test_names_and_their_common_endings_are_learned_from_recordings(tmp_path: Path) -> None:
    _write(tmp_path)
    learned = learn(tmp_path, FastScorer.load(_MODEL))
    names = {found.unit: found.group for found in learned.names}
    assert names["abcgrin"] == names["pqrgrin"] == group_of("lul")
    assert names["abcmope"] == group_of("sadge")
    assert {found.unit: found.group for found in learned.endings} == {
        "grin": group_of("lul"), "mope": group_of("sadge"),
    }  # fmt: skip


def test_without_recordings_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no recordings in"):
        learn(tmp_path, FastScorer.load(_MODEL))


def test_endings_leave_a_prefix() -> None:
    assert endings_of("nepuLul") == ["lul"]
    assert endings_of("arypieMonkaEyes") == ["eyes", "monkaeyes"]
    assert endings_of("kekw") == []


def test_the_checked_list_is_the_hundred_most_frequent_and_the_lexicon_follows_it() -> None:
    checked = read_checked()
    assert len({entry.name for entry in checked}) == len(checked) == 100
    assert [entry.lines for entry in checked] == sorted((e.lines for e in checked), reverse=True)
    assert {entry.name for entry in checked if group_of(entry.name) != entry.by_hand} == _TOO_RARE
    written = [line.rsplit("\t", 1)[1] for line in CHECKED.read_text("utf-8").splitlines()[1:]]
    assert written == [entry.agreement for entry in checked]


def test_agreement() -> None:
    entries = [Checked("a", 1, "x", "x"), Checked("b", 1, None, "x"), Checked("c", 1, "x", None)]
    entries += [Checked("d", 1, "x", "y"), Checked("e", 1, None, None)]
    assert agreements(entries) == {
        Agreement.SAME: 2, Agreement.MISSED: 1, Agreement.INVENTED: 1, Agreement.DIFFERENT: 1,
    }  # fmt: skip


def test_new_proposals_stand_beside_the_judgements() -> None:
    proposal = Proposal("b", 7, 1, "x", "x", 9.0, 2.0, 1.0, 0.1)
    entries = [Checked("a", 1, "x", "x"), Checked("b", 1, None, "x")]
    assert with_learned(entries, [proposal]) == [Checked("b", 7, "x", "x")]
