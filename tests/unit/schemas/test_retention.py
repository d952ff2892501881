"""Retention spans: read once, in seconds, with a default for platforms that nobody named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.records import PLATFORMS
from schemas.retention import NEVER_MS, load_retention

RETENTION = load_retention()


def test_the_platforms_own_rules_hold() -> None:
    assert RETENTION.span_s("twitch", "text") <= 24 * 3_600
    assert RETENTION.span_s("youtube", "text") <= 30 * 86_400
    assert RETENTION.span_s("youtube", "derived") <= 36 * 30.5 * 86_400
    assert RETENTION.expires_at("replay", 1_700_000_000_000) == NEVER_MS


@given(st.sampled_from([*PLATFORMS, "elsewhere"]), st.integers(0, NEVER_MS))
def test_every_line_expires_after_it_came_and_never_later_than_never(platform: str, received_at: int) -> None:
    assert received_at <= RETENTION.expires_at(platform, received_at) <= NEVER_MS


def test_platforms_that_are_not_named_get_the_default() -> None:
    assert RETENTION.span_s("elsewhere", "text") == RETENTION.platforms["*"].text


@pytest.mark.parametrize(
    "text",
    [
        "dead_letters: 7\nplatforms: {'*': {text: 1d, derived: 1d}}",
        "dead_letters: 7d\nplatforms: {'*': {text: soon, derived: 1d}}",
        "dead_letters: 7d\nplatforms: {twitch: {text: 1d, derived: 1d}}",
        "dead_letters: 7d\nplatforms: {'*': {text: 1d, derived: 1d, names: 1d}}",
        "dead_letters: -7d\nplatforms: {'*': {text: 1d, derived: 1d}}",
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "retention.yaml"
    path.write_text(text)
    with pytest.raises(ValidationError):
        load_retention(path)
