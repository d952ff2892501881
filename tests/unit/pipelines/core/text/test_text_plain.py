"""The compiled preparation of batches says what the plain one says, line by line."""

import gzip
import json
import os
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.core.text.normalise import normalise
from pipelines.core.text.plain import prepare_lines
from pipelines.core.text.prepare import MAX_CODE_POINTS, prepare
from pipelines.core.text.reading import reading_of

LOGS = Path(os.environ.get("PULSE_SHARED", Path(__file__).resolve().parents[6] / "shared")) / "data" / "logs"
LINES_PER_FILE = 500

# What the steps of `normalise` look for, and pieces that meet at their borders.
PIECES = st.sampled_from(
    [*"abцяα@$.:!/0179_-*|,'`´ \t\n<>ßéÉςΣİ…ﬁ１ａ한글中ラ😂\u200b\u0301\u094d\u0653\u0640\u00ad\U000e0000",
     "\u2003", "www.", "://", "aaa", "haha", "abcabcabc", "i d i o t", "@user", "<url>", ":tf:", "lol",
     "kekw", "o7", "g00d", "x.com", "क्षि", "สวัสดี", "привет", "рaура", "о", "хах ", " peepoChat",
     "ﷺ", "ᄏᄏ", "\U00020000", "ᄒ", "ᅡ", "ᆫ"]
)  # fmt: skip
TEXTS = st.one_of(st.text(st.characters(codec="utf-8")), st.lists(PIECES, max_size=12).map("".join))


def check(texts: list[str], emotes: list[list[str] | None]) -> None:
    got = prepare_lines(pa.array(texts, pa.string()), pa.array(emotes, pa.list_(pa.string())))
    lines = got.codes.tobytes().decode("utf-32-le").split("\n")[:-1]
    assert lines == [prepare(text, names or ()) for text, names in zip(texts, emotes, strict=True)]
    canonical = [normalise(t[:MAX_CODE_POINTS], n or ()) for t, n in zip(texts, emotes, strict=True)]
    assert got.readings.tolist() == [int(reading_of(text)) for text in canonical]


@settings(deadline=None, max_examples=400)
@given(st.lists(TEXTS, max_size=6))
@example(["@" * 2_500, "…" * 2_100, "@a " * 900, "lol " * 700, "😂" * 2_001, ""])
@example(["a_b_c_", "_a_b_c", "a b c!", "@user, kek", "x@user", "@@user", "Σας", "K`é", "k`", "e!@me now"])
@example(
    ["haaahaahaa", "lalalala", "1111", "   ", "a\u0301", "\u0301", "कककक", "한 글 자", "www.é", "ab\u0640c"]
)
def test_batches_are_prepared_like_single_lines(texts: list[str]) -> None:
    check(texts, [None] * len(texts))


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(st.sampled_from(["lol", "kekw", "x.com"]), max_size=2))))
def test_lines_with_emotes_stand_in_their_places(rows: list[tuple[str, list[str]]]) -> None:
    check([text for text, _ in rows], [names for _, names in rows])


def test_a_slice_of_a_longer_column_is_read_from_its_own_start() -> None:
    texts = pa.array(["one", "two", "@three https://x.y", "four"])
    got = prepare_lines(texts.slice(1, 2), pa.nulls(4, pa.list_(pa.string())).slice(1, 2))
    assert got.codes.tobytes().decode("utf-32-le") == "two\n@user <url>\n"


@pytest.mark.data
@pytest.mark.skipif(not LOGS.is_dir(), reason=f"no recorded chat in {LOGS}")
@pytest.mark.parametrize("file", sorted(LOGS.glob("*.jsonl.gz")), ids=lambda path: str(path.name))
def test_real_lines_are_prepared_alike(file: Path) -> None:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in islice(lines, LINES_PER_FILE)]
    check([record["text"] for record in records], [record.get("emotes") for record in records])
