"""Keys of frozen splits do not follow the lexicon of emotes."""

import pytest

from serving.training.split_key import split_key


@pytest.mark.parametrize(
    ("canonical", "key"),
    [
        ("no emote here", "no emote here"),
        ("pog what a play", "pog 😮 wow what a play"),
        (":nepulul: hi", ":nepulul: 😂 lol hi"),
        ("nepulul", "nepulul"),
        ("@user <url>", "@user <url>"),
        ("", ""),
    ],
)
def test_emotes_are_explained_as_when_the_splits_were_made(canonical: str, key: str) -> None:
    assert split_key(canonical) == key
