import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.text import normalise
from pipelines.core.text.batch import normalise_all

CHAT = st.text(alphabet="aAbBu.@!$1_0 -:/w|,é\x07\t", max_size=14)
SCRIPTS = st.text(alphabet="ad оcсжЖё@ο.1 ", max_size=10)
"""Letters that look alike in several scripts, and some that do not."""


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(CHAT, SCRIPTS, st.text(max_size=60)), max_size=12))
def test_a_batch_gives_what_each_text_gives_alone(texts: list[str]) -> None:
    assert normalise_all(texts).texts == [normalise(text) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "plain words",
        "Two  spaces and CAPITALS ",
        "sooooo hahahaha",
        "i d i o t",
        "a b",
        "y-o-u",
        "1d10t",
        "gr8 win10",
        "$top",
        "@name!a hey",
        "@@name",
        "mail a@b.de",
        "see x.tv/y",
        "end. Next",
        "dots...and",
        "https://x.y",
        "bell\x07",
        "line\nbreak",
        "добрый вечер peepoChat",
        "о да, a dd",
        "\ud800 alone",
        "long " * 900,
        "cafe\u0301 zero\u200bwidth",
        "",
    ],
)
def test_every_kind_of_work(text: str) -> None:
    expected = [normalise(text), "and another", normalise(text)]
    assert normalise_all([text, "and another", text]).texts == expected
