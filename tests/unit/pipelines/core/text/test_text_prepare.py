"""What the model reads: bounded, with the meaning of emotes."""

from pipelines.core.text.emotes import without_tokens
from pipelines.core.text.prepare import MAX_CODE_POINTS, prepare
from pipelines.core.text.scripts import Script, script_of


def test_a_known_emote_is_explained_and_an_everyday_word_is_not() -> None:
    assert prepare("KEKW that was close") == "that was close kekw 😂 😄"
    assert prepare("what a wave") == "what a wave"


def test_a_channels_own_emote_is_read_by_the_end_of_its_name() -> None:
    assert prepare("nepuLul", ["nepuLul"]) == ":nepulul: 😂 😄"
    assert prepare("nepuLul") == "nepulul"


def test_text_beyond_the_limit_is_not_read() -> None:
    assert len(prepare("ab " * MAX_CODE_POINTS)) <= MAX_CODE_POINTS
    assert prepare("x y" + " " * MAX_CODE_POINTS + "z") == "x y"


def test_words_of_a_language_are_what_is_left_without_tokens() -> None:
    assert without_tokens("@user :kappa: hello <url> kekw") == "hello"


def test_scripts() -> None:
    assert script_of("hello") is Script.READ
    assert script_of("привет 世界 안녕 مرحبا नमस्ते") is Script.READ
    assert script_of("こんにちは世界") is Script.JAPANESE
    assert script_of("สวัสดี") is Script.OTHER
    assert script_of("γεια σου") is Script.OTHER
    assert script_of("😂 !! 123") is Script.NONE
