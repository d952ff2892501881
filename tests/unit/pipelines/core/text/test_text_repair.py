"""What only a vocabulary can undo is undone, and ordinary lines stay as they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.text.lexicon import LONGEST_WORD, lexicon, lexicon_of
from pipelines.core.text.prepare import MAX_CODE_POINTS, model_text, prepare

ORDINARY = (
    "the quick brown fox jumps over the lazy dog",
    "ich habe heute keine lust auf arbeit",
    "bugun hava cok guzel",
    "voce e um amigo muito bom",
    "nie mam dzisiaj czasu",
    "j'ai pas le temps aujourd'hui",
    "ты сегодня очень хорошо играл",
    "що ти сьогодні робиш",
    "i don't know, see you in a day or two",
    "u.s. and u.k.",
    "@user <url> gr8 mp3 한국어 世界",
)


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_stay(line: str) -> None:
    assert prepare(line) == line


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("you stuuuupid idiooot", "you stupid idiot"),
        ("that was sooo good, loook at this book", "that was soo good, look at this book"),
        ("yo u are su ch an id iot", "you are such an idiot"),
        ("fu ck you bi tch", "fuck you bitch"),
        ("i~d~i~o~t", "idiot"),
        ("y o u a r e s u c h a n i d i o t", "you are such an idiot"),
        ("т ы и д и о т", "ты идиот"),
    ],
)
def test_stretched_split_and_merged_words(written: str, read: str) -> None:
    assert prepare(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ty polnyi idiot, ukhodi otsyuda", "ты полный идиот, уходи отсюда"),
        ("ty polnyj idiot, uxodi otsjuda", "ты полный идиот, уходи отсюда"),
        ("suka blyat kakoy zhe ty urod", "сука блять какой же ты урод"),
        ("уоу аре сукх ан идиот, го аваы", "you are such an idiot, go away"),
    ],
)
def test_words_in_the_letters_of_the_other_script(written: str, read: str) -> None:
    assert prepare(written) == read


def test_emotes_stand_once_behind_the_words() -> None:
    assert prepare("Kappa you 😂are KEKW an😂 idiot 🔥") == "you are an idiot kappa 🙄 sarcastic"
    assert prepare("nice ❤ work 😂") == "nice work ❤ 😂"
    assert prepare("😂😂😂 🔥 😂") == "😂 🔥"
    assert prepare("hey nepuLul", ["nepuLul"]) == "hey :nepulul: 😂 😄"


def test_names_that_nobody_knows_but_that_repeat_are_emotes() -> None:
    assert prepare("xqcL you xqcL are xqcL an xqcL idiot") == "you are an idiot xqcl"
    assert prepare("forsenE HYPERx forsenE you are HYPERx forsenE stupid") == "you are stupid forsene"
    assert prepare("you you you are so so bad") == "you you you are so so bad"


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*"abiу 😂.~-'аяшщ", "id ", "iot ", ":kappa:", "shch", "kekw "]), max_size=40)
)
def test_any_line_is_read_within_bounds(pieces: list[str]) -> None:
    line = model_text("".join(pieces), merged=True)
    assert "\n" not in line
    assert len(line) <= 3 * len("".join(pieces)) + 64


@pytest.mark.parametrize(
    "piece", ["a ", "у ", "жж ", "a.", "id iot ", "wxcj", "j", "kekw ", "😂a", ":ab: ", "stuupid ", "xqcl "]
)
def test_hostile_lines_are_read(piece: str) -> None:
    assert prepare(piece * MAX_CODE_POINTS)


def test_the_lexicon_is_ordered_and_bounded() -> None:
    shipped = lexicon()
    assert np.diff(shipped.ends).max() <= LONGEST_WORD
    assert len(shipped.costs) > 100_000
    small = lexicon_of("4 the\n2 и rare")
    assert small.costs[0] < small.costs[2]
