import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from infra.cli import detect as command
from schemas.labels import BASIC, EMOTIONS
from schemas.scoring import RESPONSE

FIELDS = {
    "stream",
    "kind",
    "severity",
    "started_at_ms",
    "detected_at_ms",
    "ended_at_ms",
    "why",
    "authors",
    "messages",
    "channels",
}


def line(at_s: float, author: str, text: str, stream: str = "ours/1") -> dict[str, Any]:
    return {"stream": stream, "offset_ms": round(at_s * 1000), "author": author, "text": text}


def chatter(seed: int) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghiklmnoprstuw", k=6)) for _ in range(3))


def chat_with_flood(at_s: float = 200.0, stream: str = "ours/1") -> list[dict[str, Any]]:
    talk = [line(second, f"viewer{second % 9}", chatter(second), stream) for second in range(0, 300, 2)]
    flood = [line(at_s + i * 0.5, "flooder", "look at my tape", stream) for i in range(40)]
    return sorted([*talk, *flood], key=lambda row: row["offset_ms"])


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    payload = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    path.write_bytes(gzip.compress(payload) if path.suffix == ".gz" else payload)
    return path


def detect(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments], input=stdin)


def episodes(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(row) for row in result.stdout.splitlines()]


def test_an_episode_is_a_line_with_offsets_of_its_stream(tmp_path: Path) -> None:
    (flood,) = episodes(detect("--no-model", write(tmp_path / "chat.jsonl", chat_with_flood())))
    assert set(flood) == FIELDS
    assert (flood["stream"], flood["kind"], flood["authors"], flood["channels"]) == (
        "ours/1",
        "flood.account",
        1,
        ["ours/1"],
    )
    assert flood["started_at_ms"] == 200_000
    assert 201_000 < flood["detected_at_ms"] < 212_000
    assert 219_000 <= flood["ended_at_ms"] <= 221_000
    assert flood["messages"] == 40


def test_a_second_broadcast_counts_from_its_own_start(tmp_path: Path) -> None:
    rows = [*chat_with_flood(), *chat_with_flood(100.0, "ours/2")]
    first, second = episodes(detect("--no-model", write(tmp_path / "chat.jsonl.gz", rows)))
    assert (first["stream"], first["started_at_ms"]) == ("ours/1", 200_000)
    assert (second["stream"], second["started_at_ms"]) == ("ours/2", 100_000)


def test_standard_input_gives_the_same_as_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "chat.jsonl", chat_with_flood())
    from_file = episodes(detect("--no-model", path))
    assert episodes(detect("--no-model", "-", stdin=path.read_bytes())) == from_file
    assert episodes(detect("--no-model", stdin=path.read_bytes())) == from_file


def test_unreadable_lines_are_named_counted_and_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / "chat.jsonl", chat_with_flood())
    path.write_bytes(
        b'{"broken\n' + path.read_bytes() + b'{"stream": "ours/1", "text": "no author"}\n\xff\xfe\n'
    )
    result = detect("--no-model", path)
    assert len(episodes(result)) == 1
    assert "chat.jsonl:1: not_json" in result.stderr
    assert "3 lines could not be read" in result.stderr


def test_no_readable_line_and_a_damaged_file_fail(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.jsonl"
    garbage.write_bytes("{}\n".encode("utf-16"))
    assert detect("--no-model", garbage).exit_code == 1
    whole = gzip.compress(write(tmp_path / "chat.jsonl", chat_with_flood()).read_bytes())
    half = tmp_path / "half.jsonl.gz"
    half.write_bytes(whole[: len(whole) * 3 // 4])
    result = detect("--no-model", half)
    assert result.exit_code == 1
    assert "damaged from here on" in result.stderr


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_nothing_in_nothing_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    assert episodes(detect("--no-model", path)) == []


def test_a_missing_file_and_a_missing_model_are_usage_errors(tmp_path: Path) -> None:
    assert detect("--no-model", tmp_path / "none.jsonl").exit_code == 2
    assert "directory" in detect("--no-model", tmp_path).stderr
    path = write(tmp_path / "chat.jsonl", chat_with_flood())
    result = detect("--model", "no-such-model", path)
    assert result.exit_code == 2
    assert "--no-model" in result.stderr


class SourScorer:
    """Finds lines that say so toxic; remembers how it was called."""

    name, version = "sour", "1"

    def __init__(self) -> None:
        self.scored = 0

    def score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        texts = batch.column("text").to_pylist()
        self.scored += len(texts)
        toxicity = [0.9 if "sour" in text else 0.05 for text in texts]
        rows = [
            {
                "id": id_,
                "emotions": [0.0] * len(EMOTIONS),
                "basic": [0.0] * len(BASIC),
                "sentiment": 0.1,
                "toxicity": score,
                "hate": 0.0,
                "sarcasm": 0.0,
                "lang": "en",
                "abstained": False,
            }
            for id_, score in zip(batch.column("id").to_pylist(), toxicity, strict=True)
        ]
        return pa.RecordBatch.from_pylist(rows, schema=RESPONSE)


def test_the_model_finds_the_mood_with_the_live_lag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = SourScorer()
    monkeypatch.setattr(command, "load_scorer", lambda _: scorer)
    rows = [
        line(at / 2, f"viewer{at % 20}", f"{'sour' if at > 1200 else 'sweet'} {chatter(at)}")
        for at in range(1600)
    ]
    found = episodes(detect(write(tmp_path / "chat.jsonl", rows)))
    assert [row["kind"] for row in found] == ["mood.toxic"]
    assert found[0]["detected_at_ms"] > 600_000 + 4_000
    assert scorer.scored == len(rows)


def test_without_model_none_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_scorer", lambda _: sys.exit("loaded"))
    assert episodes(detect("--no-model", write(tmp_path / "chat.jsonl", chat_with_flood())))
