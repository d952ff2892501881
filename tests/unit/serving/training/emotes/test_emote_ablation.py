"""What the lexicon is worth: on recordings made for the test, and the lines labelled by hand."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from serving.scorer.fast import FastScorer
from serving.training.datasets import TEST, DataMissingError, data_folder
from serving.training.emotes import ablation as module
from serving.training.emotes.ablation import LABELS, Ablated, ablation, ablation_table
from serving.training.emotes.logs import log_files, part_of, read_lines
from serving.training.emotes.names import emote_names, listed_names

_MODEL = Path(__file__).parents[5] / "serving/models/fast"
_STREAM = next(f"channel/{n}" for n in range(99) if part_of(f"channel/{n}") == TEST)


def _write(folder: Path) -> None:
    (folder / "logs").mkdir()
    (folder / "lists").mkdir()
    (folder / "lists/twitch_emote_freq.tsv").write_text("emote\tid\tcount\n")
    (folder / "lists/emoji_sentiment_ranking.csv").write_text(
        "#Emoji,Occurrences,Negative,Neutral,Positive\n😍,900,20,80,800\n😭,900,500,200,200\n🤔,9,9,0,0\n",
        encoding="utf-8",
    )
    pairs = [("Sadge", "this is so sad"), ("PogChamp", "this is amazing"), ("monkaS", "i am so scared")]
    with gzip.open(folder / "logs/channel.jsonl.gz", "wt", encoding="utf-8") as file:
        for number in range(90):
            emote, text = pairs[number % 3]
            for line in (emote, f"{text} {emote} {number}"):
                record = {"stream": _STREAM, "offset_ms": 60_000 * number, "text": line, "emotes": [emote]}
                file.write(json.dumps(record) + "\n")


def test_the_lexicon_makes_emotes_agree_with_readers_and_with_the_text_near_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path)
    labels = tmp_path / "labels.tsv"
    rows = [("channel.jsonl.gz", 1, -1), ("channel.jsonl.gz", 3, 1), ("gone", 1, 0)]
    written = [f"{file}\t{_STREAM}\t{line}\t{label}\n" for file, line, label in rows]
    labels.write_text("file\tstream\tline\tsentiment\n" + "".join(written))
    monkeypatch.setattr(module, "LABELS", labels)
    found = {entry.name: entry for entry in ablation(FastScorer.load(_MODEL), tmp_path)}
    assert found["labelled by hand: accuracy"].lexicon == 1.0
    assert found["labelled by hand: accuracy"].rows == 2
    beside = found["sentiment of emotes: correlation with the text beside them"]
    assert beside.rows == 90
    assert beside.names is not None
    assert beside.lexicon > max(0.95, beside.names)
    assert found["lines of known emotes alone above the threshold of toxicity"].lexicon == 0.0
    assert found["sentiment of emoji: correlation with annotators'"].rows == 2


def test_without_recordings_the_card_says_so(tmp_path: Path) -> None:
    assert ablation(FastScorer.load(_MODEL), tmp_path) == []
    assert ablation_table([]) == "Not measured: the recordings were missing.\n"


def test_recordings_without_held_out_emotes_and_lists_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with gzip.open(tmp_path / "logs/channel.jsonl.gz", "wt") as file:
        file.write(json.dumps({"stream": _STREAM, "offset_ms": 0, "text": "no emote here"}) + "\n")
    assert ablation(FastScorer.load(_MODEL), tmp_path) == []


def test_the_table_leaves_out_what_is_not_measured() -> None:
    assert "| x | 1,200 | 0.500 | 0.250 |  |" in ablation_table([Ablated("x", 1_200, 0.5, 0.25)])


def test_the_labelled_lines_are_of_held_out_streams() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {part_of(row["stream"]) for row in rows} == {TEST}
    assert len({(row["file"], row["stream"], row["line"]) for row in rows}) == len(rows) == 182
    assert Counter(row["sentiment"] for row in rows) == {"1": 93, "0": 72, "-1": 17}


@pytest.mark.data
def test_the_labelled_lines_hold_emotes() -> None:
    try:
        data = data_folder()
    except DataMissingError as error:
        pytest.skip(str(error))
    of_file = {file.name: list(read_lines(file, TEST)) for file in log_files(data)}
    lines = [line for of_one in of_file.values() for line in of_one]
    names = emote_names(lines, listed_names(data / "lists/twitch_emote_freq.tsv"))
    at = {(file, line.stream, line.number): line for file, of_one in of_file.items() for line in of_one}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            line = at[row["file"], row["stream"], int(row["line"])]
            assert names & set(line.text.split()), row
