import gzip
import json
from pathlib import Path

from infra.local.acceptance.recording import read_recording


def _line(stream: str, offset_ms: object, author: str = "a", text: str = "hi") -> str:
    return json.dumps({"stream": stream, "offset_ms": offset_ms, "author": author, "text": text})


def test_lines_are_read_with_their_numbers_blank_ones_skipped(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        "\n".join(["\ufeff" + _line("c/1", 5, "b"), "", _line("c/2", 7), _line("c/1", 3.0, "B"), ""])
    )
    recording = read_recording([path])
    assert recording.lines == 3
    stream = recording.streams["c/1"]
    assert stream.message_ids("run/c/1") == ["run/c/1/1", "run/c/1/4"]
    offsets, authors = stream.columns()
    assert offsets.tolist() == [5, 3]
    assert authors[0] == authors[1] != recording.streams["c/2"].authors[0]


def test_a_second_file_of_a_stream_has_ids_of_its_own(tmp_path: Path) -> None:
    paths = [tmp_path / "x.jsonl", tmp_path / "y.jsonl"]
    for path in paths:
        path.write_text(_line("c/1", 5))
    stream = read_recording(paths).streams["c/1"]
    assert stream.message_ids("run/c/1") == ["run/c/1/1", "run/c/1/1:1"]
    assert stream.positions() == [(0, 1), (1, 1)]


def test_garbage_is_listed_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    bad = ["{", "[1]", _line("c/1", "5"), _line("c/1", -1), _line("c/1", True), _line("", 1), "\xff"]
    bad += [_line("c/1", float("nan")), _line("c/1", float("inf")), _line("c/1", 1).replace(" 1", " 1e999")]
    with gzip.open(path, "wt", encoding="latin-1") as file:
        file.write("\n".join([*bad, _line("c/1", 1)]))
    recording = read_recording([path])
    assert recording.unreadable == [(0, n) for n in range(1, len(bad) + 1)]
    assert recording.lines == len(bad) + 1
    assert list(recording.streams) == ["c/1"]


def test_a_broken_off_gzip_file_has_one_unreadable_line_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    whole = gzip.compress("\n".join(_line("c/1", n, text=f"line {n * 7919}") for n in range(999)).encode())
    path.write_bytes(whole[:-200])
    recording = read_recording([path])
    (stream,) = recording.streams.values()
    assert recording.unreadable == [(0, stream.numbers[-1] + 1)]
    assert 0 < len(stream.numbers) < 999
