import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection.word_scan import ANYWHERE, AT_WORD, WHOLE_WORD, build_trie, scan
from pipelines.core.text.batch import code_points, normalise_all

RAID, INSULT, LOSER, HELLO, LOW = 1, 2, 4, 8, 16
TRIE = build_trie(
    {
        ANYWHERE: [("raid", RAID), ("рейд", RAID)],
        AT_WORD: [("get out", INSULT), ("get", INSULT << 4), ("lox ", LOSER)],
        WHOLE_WORD: [("hello ", HELLO), ("o/ ", HELLO)],
    }
)
WORDS = [
    "raid",
    "xraids",
    "get",
    "out",
    "get out",
    "lox",
    "loxx",
    "hello",
    "hellos",
    "o/",
    "рейд",
    "(get",
    "out!",
]


def flags(texts: list[str]) -> list[int]:
    found: list[int] = scan(*code_points(texts), TRIE, LOW).tolist()
    return found


def expected(text: str) -> int:
    lenient = "".join(" " if sign in ",.!?;:\"'()[]-*~" else sign for sign in text) + " "
    distinct = set(text.split())
    letters = sum(map(len, distinct))
    few = letters < 12 or len(distinct) < 3
    return (
        RAID * ("raid" in text or "рейд" in text)
        | INSULT * (" get out" in f" {lenient}")
        | (INSULT << 4) * (" get" in f" {lenient}")
        | LOSER * (" lox " in f" {lenient}")
        | HELLO * bool(distinct & {"hello", "o/"})
        | LOW * few
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=8))
def test_words_are_found_where_they_may_stand(texts: list[str]) -> None:
    assert flags(texts) == [expected(text) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_canonical_text_can_be_scanned(texts: list[str]) -> None:
    texts = normalise_all(texts).texts
    assert flags(texts) == [flags([text])[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "low"), [("你好你好", True), ("今天的直播太好看了吧", False), ("lol lol lol lol lol", True)]
)
def test_what_says_little(text: str, low: bool) -> None:
    assert bool(flags([text])[0] & LOW) is low
