"""The canonical form: examples by class of trick, and properties that hold for any string."""

import string
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.text import normalise


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Hello   World\n", "hello world"),
        ("i d i o t", "idiot"),
        ("Y O U  S U C K", "you suck"),
        ("f.u.c.k you", "fuck you"),
        ("1d10t n00b", "idiot noob"),
        ("gr8 win10 mp3 2day", "gr8 win10 mp3 2day"),
        ("$hit a$$hole sh!t", "shit asshole shit"),
        ("п1дор", "пидор"),
        ("yоu аrе ѕtupid", "you are stupid"),
        ("привет, xyй", "привет, хуй"),
        ("сосёт hello", "сосет hello"),
        ("ладно stream", "ладно stream"),
        ("𝓯𝓾𝓬𝓴 ⓨⓞⓤ 🅕🅤🅒🅚", "fuck you fuck"),
        ("fu\u200bck\u2060 y\u00adou", "fuck you"),
        ("z̸̢̛a̶l̵g̷o̵", "zalgo"),
        ("não café schön łódź", "nao cafe schon lodz"),
        ("heLLoooooo hahahahaha !!!!!", "helloo haha !!"),
        ("7777777", "7777777"),
        ("https://x.y/z?a=b foo bit.ly/abc", "<url> foo <url>"),
        ("mail me at Bob.Smith@mail.com", "mail me at <url>"),
        ("end.Start of a sentence.", "end.start of a sentence."),
        ("@Someone hi @u3f4a", "@user hi @user"),
        ("😂😂😂😂 ❤️", "😂😂 ❤"),
        ("हिन्दी में", "हिन्दी में"),
        ("안녕하세요", "안녕하세요"),
        ("مرحباً", "مرحبا"),
        ("don’t", "don't"),
        ("", ""),
        ("\u200b\u200d \U000e0000", ""),
    ],
)
def test_canonical_form(written: str, canonical: str) -> None:
    assert normalise(written) == canonical


def test_named_emotes_become_tokens_and_other_words_do_not() -> None:
    assert normalise("Kappa kappa KappaPride", ["Kappa"]) == ":kappa: kappa kappapride"


HOSTILE_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("aаeе оo10@$!.:/<> \t\n\u0301\u200b\u0e33\u0915\u094d😂ㅋ\u202e\ud800\u0378"),
    )
)


@given(HOSTILE_TEXT, st.lists(st.text(max_size=5), max_size=3))
def test_result_is_one_clean_encodable_line(text: str, emotes: list[str]) -> None:
    result = normalise(text, emotes)
    assert result.encode("utf-8").decode("utf-8") == result
    assert result == " ".join(result.split())
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in result)


@given(HOSTILE_TEXT)
def test_no_character_stands_more_than_twice_in_a_row_unless_a_digit(text: str) -> None:
    result = normalise(text)
    runs = zip(result, result[1:], result[2:], strict=False)
    assert not any(a == b == c and not a.isdigit() for a, b, c in runs)


@given(st.text(string.ascii_letters + " ,?'", max_size=60))
def test_case_does_not_matter(text: str) -> None:
    assert normalise(text.upper()) == normalise(text.lower())


@given(st.text(string.ascii_lowercase + " ", max_size=40), st.integers(0, 40))
def test_an_invisible_character_changes_nothing(text: str, position: int) -> None:
    assert normalise(text[:position] + "\u200b" + text[position:]) == normalise(text)


@pytest.mark.parametrize(
    "unit",
    [
        "a", "a.", "a b ", "1a", "@", "@a", "a@", "$", "!", "http://", "www.", "a-", ":", "<", "x.y.", "аa",
        "e\u0301", "\u0327\u0301", "\u0315\u0300\u05ae", "ab", "aab", "\u200b", "ﷺ", "😂", "0o", "_", "-a-",
        "a1!", "\u1100", "\U0001f1e6", ".com", "a.com/", "\u0e48\u0e38", "\u0f71\u0f72\u0f74",
    ],
)  # fmt: skip
def test_time_is_linear_in_hostile_repeats(unit: str) -> None:
    """Ten times the text may take about ten times as long; a quadratic step would take a hundred."""
    short, long = unit * (20_000 // len(unit)), unit * (200_000 // len(unit))
    normalise(short)
    start = time.perf_counter()
    normalise(short)
    middle = time.perf_counter()
    normalise(long)
    end = time.perf_counter()
    assert end - middle < 40 * (middle - start) + 0.2
