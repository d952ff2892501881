"""Scored records: the bytes written in bulk say what the struct says."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.scored import SCORE_COLUMNS, scored_message, scored_payloads
from schemas.codecs import encode
from schemas.labels import SCALE
from schemas.records import ChatMessage, Emote, ScoredMessage

SENTIMENT = SCORE_COLUMNS.index("sentiment")
TTL_MS = 1_000
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SCORES = st.lists(st.integers(0, SCALE), min_size=len(SCORE_COLUMNS), max_size=len(SCORE_COLUMNS))
ROWS = st.lists(
    st.tuples(TEXT, st.none() | TEXT, st.booleans(), st.integers(0, 2 * TTL_MS), SCORES, st.booleans()),
    max_size=5,
)
SOURCE: dict[str, Any] = {
    "model": 'a "model"', "model_version": "0.1", "scored_at": 1_763_851_000_000, "state_ttl_ms": TTL_MS,
}  # fmt: skip


def message(text: str) -> ChatMessage:
    return ChatMessage(
        channel="replay:a", stream_id="r/a/1", message_id="r/a/1/1", kind="message", sent_at=1, received_at=2,
        expires_at=3, text=text, emotes=(Emote("Kappa"),), lang="xx",
    )  # fmt: skip


@given(ROWS)
def test_payloads_in_bulk_say_what_each_record_says(rows: list[tuple[Any, ...]]) -> None:
    messages = [message(row[0]) for row in rows]
    integers = np.array([row[4] for row in rows], np.int32).reshape(len(rows), len(SCORE_COLUMNS))
    integers[[row[5] for row in rows], SENTIMENT] *= -1
    langs, abstained, late = ([row[place] for row in rows] for place in (1, 2, 3))
    payloads = scored_payloads(messages, integers, langs=langs, abstained=abstained, late_ms=late, **SOURCE)
    for row, payload in enumerate(payloads):
        record = scored_message(
            messages[row], integers[row].tolist(), lang=langs[row], abstained=abstained[row],
            late_ms=late[row], **SOURCE,
        )  # fmt: skip
        assert msgspec.json.decode(payload, type=ScoredMessage) == record
        assert json.loads(payload, object_pairs_hook=list) == json.loads(
            encode(record), object_pairs_hook=list
        )
    assert len(payloads) == len(rows)


@pytest.mark.parametrize(("column", "value"), [(0, -1), (0, SCALE + 1), (SENTIMENT, -SCALE - 1)])
def test_scores_outside_their_range_are_refused(column: int, value: int) -> None:
    integers = np.zeros((1, len(SCORE_COLUMNS)), np.int32)
    integers[0, column] = value
    with pytest.raises(ValueError, match="outside its range"):
        scored_payloads([message("a")], integers, langs=[None], abstained=[False], late_ms=[0], **SOURCE)
