"""What a text keeps and loses before somebody else may see it."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.text.scrub import scrub


def test_names_links_and_addresses_go_and_the_spelling_stays() -> None:
    told = scrub("Suuure, @k3f9a1c_0c77b0a1f2e9, GREAT  job\nhttps://x.com/Me?id=1 me@mail.com Größe", 500)
    assert told == "Suuure, @user, GREAT job <url> <url> Größe"


def test_invisible_text_goes() -> None:
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    assert scrub(f"hi\u200b{tags} there\u202e", 500) == "hi there"


@given(st.text(), st.integers(1, 50))
def test_it_is_one_bounded_line_without_controls(text: str, limit: int) -> None:
    told = scrub(text, limit)
    assert "\n" not in told
    assert "\x00" not in told
    assert len(told) <= 3 * limit + 5  # a mark may be longer than the address it stands for
