"""Recordings by streams, and which of their words are emotes."""

import gzip
import json
from pathlib import Path

import pytest

from serving.training.datasets import DEV, TEST, TRAIN
from serving.training.emotes.logs import Line, log_files, part_of, read_lines
from serving.training.emotes.names import emote_names, name_parts


def _line(text: str, *emotes: str) -> Line:
    return Line("channel/1", 1, 0, text, emotes)


def test_streams_are_split_by_a_hash_that_never_changes() -> None:
    parts = [part_of(f"channel/{number}") for number in range(2_000)]
    assert [round(parts.count(part) / len(parts), 1) for part in (TRAIN, DEV, TEST)] == [0.7, 0.1, 0.2]
    assert parts[:6] == [TRAIN, TRAIN, TEST, TRAIN, TEST, TRAIN]


def test_lines_of_other_parts_are_left_out_and_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with gzip.open(tmp_path / "logs" / "channel.jsonl.gz", "wt") as file:
        for number in range(50):
            record = {"stream": f"channel/{number}", "offset_ms": number, "text": "x", "emotes": ["x"]}
            file.write(json.dumps(record) + "\n")
    (file,) = log_files(tmp_path)
    lines = list(read_lines(file, TEST))
    assert [line.number for line in lines] == [n + 1 for n in range(50) if part_of(f"channel/{n}") == TEST]
    assert lines[0].emotes == ("x",)
    assert lines[0].channel == "channel"


def test_no_recordings_is_an_empty_list(tmp_path: Path) -> None:
    assert log_files(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "emotes", "found"),
    [
        ("nice nepuLul", [], {"nepuLul"}),
        ("hello :)", [":)"], {":)"}),
        ("KEKW Kekw kekw", [], {"KEKW", "Kekw"}),
        ("u15a669084d09 hi @uaf79a0d94f5e", [], set()),
        ("a word, iPhone's", [], set()),
        ("Listed listed", ["marked"], {"Listed"}),
    ],
)
def test_emotes_are_marked_listed_or_spelled_like_emotes(
    text: str, emotes: list[str], found: set[str]
) -> None:
    assert emote_names([_line(text, *emotes)], frozenset({"Listed", "listed"})) == found


def test_a_word_in_capitals_is_an_emote_only_if_it_is_never_written_otherwise() -> None:
    lines = [_line("NODDY"), _line("WHAT")] * 50 + [_line("what")] * 5
    assert emote_names(lines) == {"NODDY"}


def test_parts_of_a_name() -> None:
    assert name_parts("arypieMonkaS") == ["arypie", "monka", "s"]
    assert name_parts("veiOMEGALUL") == ["vei", "omegalul"]
    assert name_parts("alices18Kekw") == ["alices", "18", "kekw"]
