"""JSON lines: one line out per line in, whatever comes."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.scorer.fast import FastScorer
from serving.scorer.lines import MAX_LINE_BYTES, read_lines, score_lines


def _answers(scorer: FastScorer, *lines: bytes) -> list[dict[str, object]]:
    return [json.loads(answer) for answer, _ in score_lines(scorer, lines)]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.fixed_dictionaries(
    {}, optional={"id": JSON_VALUES, "text": JSON_VALUES, "lang": JSON_VALUES, "emotes": JSON_VALUES}
)
LINES = st.one_of(
    st.binary(max_size=40).filter(lambda line: b"\n" not in line),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda text: json.dumps({"id": 1, "text": text}).encode(), st.text(max_size=20)),
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=10))
def test_exactly_one_object_out_per_line_in(scorer: FastScorer, lines: list[bytes]) -> None:
    answers = list(score_lines(scorer, lines))
    assert len(answers) == len(lines)
    for answer, valid in answers:
        assert b"\n" not in answer
        value = json.loads(answer)
        assert ("error" in value) != valid
        assert "id" in value
        assert valid == ("toxicity" in value)


def test_ids_come_back_as_they_were_and_in_order(scorer: FastScorer) -> None:
    ids = ["a", 1, 1.5, None, True, 2**80, "\ud800", {"x": [1]}, "ü", "", -0.0]
    lines = [json.dumps({"id": identity, "text": "hello"}).encode() for identity in ids]
    assert [answer["id"] for answer in _answers(scorer, *lines)] == ids


@pytest.mark.parametrize(
    ("line", "identity", "reason"),
    [
        (b"", None, "empty"),
        (b"  \t\r", None, "empty"),
        (b"not json", None, "not JSON"),
        (b'{"id": 7, "text": "cut o', 7, "not JSON"),
        (b'{"text": "x", "id": 7', None, "not JSON"),
        (b'{"id": "a"}', "a", "text is missing"),
        (b'{"id": "a", "text": 5}', "a", "text must be"),
        (b'{"id": "a", "text": "x", "lang": 5}', "a", "lang must be"),
        (b'{"id": "a", "text": "x", "emotes": "LUL"}', "a", "emotes must be"),
        (b'{"id": "a", "text": "x", "emotes": [1]}', "a", "emotes must be"),
        (b'{"id": "a", "text": "\xff\xfe"}', "a", "not UTF-8"),
        (b"[1]", None, "not a JSON object"),
        (b'"text"', None, "not a JSON object"),
        (b"[" * 100_000, None, "not JSON"),
        (b'{"id": 3, "text": "' + b"x" * MAX_LINE_BYTES + b'"}', 3, "longer than"),
    ],
)
def test_invalid_lines_say_why_and_keep_a_readable_id(
    scorer: FastScorer, line: bytes, identity: object, reason: str
) -> None:
    (answer,) = _answers(scorer, line)
    assert answer["id"] == identity
    assert reason in str(answer["error"])


def test_an_answer_has_every_figure(scorer: FastScorer) -> None:
    (answer,) = _answers(scorer, b'\xef\xbb\xbf{"id": 1, "text": "hello", "extra": 1, "lang": null}\r')
    assert list(answer) == [
        "id", "emotions", "basic", "sentiment", "toxicity", "hate", "sarcasm", "lang", "abstained",
    ]  # fmt: skip
    assert len(answer["emotions"]) == 28  # type: ignore[arg-type]
    assert len(answer["basic"]) == 7  # type: ignore[arg-type]


def test_lone_surrogates_in_a_text_are_left_out(scorer: FastScorer) -> None:
    one, other = _answers(
        scorer, b'{"id": 1, "text": "hello \\ud83d you"}', b'{"id": 1, "text": "hello  you"}'
    )
    assert one == other


class Trickle(io.RawIOBase):
    """A pipe that hands on the pieces as they are, one a read."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read1(self, size: int = -1, /) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


@given(st.lists(st.binary(max_size=6)))
def test_lines_are_those_of_the_whole_however_it_is_cut(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    expected = whole.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert [line for batch in read_lines(Trickle(pieces), most=2) for line in batch] == expected


def test_what_has_arrived_is_handed_on_before_the_pipe_goes_on() -> None:
    stream = Trickle([b"one\ntwo\nthr", b"ee\n"])
    batches = read_lines(stream)
    assert next(batches) == [b"one", b"two"]
    assert next(batches) == [b"three"]


def test_an_endless_line_is_bounded_and_the_next_one_is_read() -> None:
    piece = b"x" * (1 << 20)
    batches = list(read_lines(Trickle([piece] * 20 + [b"y\nnext\n"])))
    lines = [line for batch in batches for line in batch]
    assert [len(lines[0]), lines[1]] == [MAX_LINE_BYTES + 1, b"next"]
