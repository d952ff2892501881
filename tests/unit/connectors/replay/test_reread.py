import json
from pathlib import Path
from typing import Any

import pytest

from connectors.core.pseudonym_keys import load_pseudonyms
from connectors.replay import recorded_line, recorded_records
from connectors.replay.records import GRID_MS
from connectors.replay.reread import reread
from connectors.replay.run_state import RunStates
from schemas.records import ChatMessage, DeadLetter

START = 1_795_000_000_000


def _line(offset: int, author: str, text: str) -> str:
    return json.dumps({"stream": "a/1", "offset_ms": offset, "author": author, "text": text})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RunStates, list[DeadLetter], Path]:
    """A run whose second line was refused for its time, and whose third will never be one."""
    path = tmp_path / "chat.jsonl"
    path.write_text("\n".join([_line(0, "alice1", "hi"), _line(9000, "bob22", "hi alice1"), "not json"]))
    monkeypatch.setattr(recorded_line, "MAX_OFFSET_MS", 5000)
    pseudonyms = load_pseudonyms("default", "replay", tmp_path)
    states = RunStates(tmp_path / "runs")
    states.begin(
        "r1", [path], workspace="default", started_at_ms=START, speed=None, limit=None, kid=pseudonyms.kid
    )
    letters: list[DeadLetter] = []
    list(
        recorded_records(
            [path], run_id="r1", started_at_ms=START, pseudonyms=pseudonyms, dead_letter=letters.append
        )
    )
    assert [letter.error_class for letter in letters] == ["absurd_time", "not_json"]
    return states, letters, tmp_path


def test_a_line_that_can_be_read_now_takes_its_place(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    states, letters, home = run
    monkeypatch.setattr(recorded_line, "MAX_OFFSET_MS", 10_000)
    outcomes = {letter.dlq_id: (record, why) for letter, record, why in reread(states, "r1", letters, home)}
    record, _ = outcomes["r1/chat.jsonl:2"]
    assert isinstance(record, ChatMessage)
    assert (record.message_id, record.sent_at) == ("r1/a/1/2", START - GRID_MS + 9_000)
    assert "alice1" not in record.text
    record, why = outcomes["r1/chat.jsonl:3"]
    assert record is None
    assert why.startswith("not_json")


def test_without_the_file_all_stay_dead_letters(run: Any) -> None:
    states, letters, home = run
    (home / "chat.jsonl").unlink()
    outcomes = list(reread(states, "r1", letters, home))
    assert [record for _, record, _ in outcomes] == [None, None]
    assert all("missing" in why for _, _, why in outcomes)


def test_without_the_run_all_stay_dead_letters(run: Any) -> None:
    states, letters, home = run
    assert all("no replay" in why for _, _, why in reread(states, "r9", letters, home))
