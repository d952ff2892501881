"""Whatever a recording holds: nothing crashes, nothing is lost, times and clocks go forward."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codecs import decode_message, encode
from tests.unit.connectors.replay.recorded import (
    START,
    chat,
    line,
    read,
    write,
)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=400), packed=st.booleans())
def test_any_bytes_as_a_file_never_crash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(gzip.compress(content) if packed else content)
    records, letters = read(path)
    if packed or not content.startswith(b"\x1f\x8b"):
        lines = [part for part in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if part.strip()]
        assert len(chat(records)) + len(letters) == len(lines)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_fields = (
    "stream",
    "offset_ms",
    "author",
    "text",
    "emotes",
    "badges",
    "bits",
    "first_message",
    "account_age_s",
)


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.dictionaries(st.sampled_from(_fields), _json, max_size=3), min_size=1, max_size=5))
def test_any_values_in_a_line_never_crash_and_are_counted(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]]
) -> None:
    lines = [
        json.dumps({"stream": "a/1", "offset_ms": 0, "author": "u", "text": "x"} | change).encode()
        for change in changes
    ]
    records, letters = read(write(tmp_path_factory.mktemp("any"), *lines))
    assert len(chat(records)) + len(letters) == len(lines)
    for record in records:
        assert decode_message(encode(record)) == record


_lines = st.lists(
    st.tuples(st.sampled_from(["a/1", "a/2", "b/1", "c"]), st.integers(0, 20_000)), min_size=1, max_size=25
)


@settings(max_examples=100, deadline=None)
@given(lines=_lines, cut=st.integers(0, 25), step=st.sampled_from([None, 1000, 3000]))
def test_order_times_and_clocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, int]], cut: int, step: int | None
) -> None:
    folder = tmp_path_factory.mktemp("order")
    written = [line(stream, offset, text=str(n)) for n, (stream, offset) in enumerate(lines)]
    paths = [write(folder, *written[:cut], name="1"), write(folder, *written[cut:], name="2")]
    records, letters = read(*paths, heartbeat_step_ms=step)
    assert letters == []
    assert sorted(int(message.text) for message in chat(records)) == list(range(len(lines)))
    assert len({record.message_id for record in records}) == len(records)
    times = [message.sent_at for message in chat(records)]
    assert times == sorted(times)
    assert max(times) <= START
    clocks: dict[str, int] = {}
    for record in records:
        clock = clocks.get(record.stream_id)
        assert clock is None or record.sent_at >= clock
        if clock is not None:
            # no silence of a second or more without a heartbeat
            assert record.sent_at - clock <= max(1000, step or 0) or record.kind == "heartbeat"
        clocks[record.stream_id] = record.sent_at
    assert sorted(record.stream_id for record in records if record.closing) == sorted(clocks)
    last = {record.stream_id: record for record in records}
    assert all(record.closing for record in last.values())
