from pathlib import Path

import pytest
from pydantic import BaseModel

from connectors.core.channels import ChannelsError, load_channels

EXAMPLE = Path(__file__).parents[4] / "infra" / "channels.example.yaml"


def test_the_example_is_valid() -> None:
    channels = load_channels(EXAMPLE)
    assert {source.platform for source in channels.sources} == {"twitch", "youtube", "telegram", "replay"}
    assert [source.name for source in channels.sources if not source.enabled] == ["label-premieres"]


def _write(folder: Path, text: str) -> Path:
    path = folder / "channels.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 2\nsources: []\n", "version"),
        ("version: 1\n", "sources"),
        ("- a\n", "channels.yaml"),
        ("a: [\n", "not YAML"),
        ("version: 1\nsources: [{name: a, platform: mars}]\n", "sources.0.platform"),
        ("version: 1\nsources: [{name: a, platform: twitch}]\n", "needs `channels`"),
        ("version: 1\nsources: [{name: a b, platform: replay}]\n", "sources.0.name"),
        ("version: 1\nsources: [{name: a, platform: replay, tokn: x}]\n", "sources.0.tokn"),
        ("version: 1\nsources: [{name: a, platform: twitch, channels: [x, x]}]\n", "named twice"),
        (
            "version: 1\nsources: [{name: a, platform: replay}, {name: a, platform: replay}]\n",
            "more than once",
        ),
        (
            "version: 1\nsources: [{name: a, platform: twitch, channels: [X]}, "
            "{name: b, platform: twitch, channels: [x]}]\n",
            "stands in `a` and in `b`",
        ),
    ],
)
def test_what_is_wrong_is_told_by_field(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ChannelsError, match=told):
        load_channels(_write(tmp_path, text))


def test_a_missing_file_says_where_an_example_is(tmp_path: Path) -> None:
    with pytest.raises(ChannelsError, match=r"channels\.example\.yaml"):
        load_channels(tmp_path / "none.yaml")


class _Options(BaseModel):
    speed: float


def test_options_are_checked_by_their_connector_and_not_shown(tmp_path: Path) -> None:
    text = "version: 1\nsources: [{name: a, platform: replay, options: {speed: s3cret}}]\n"
    source = load_channels(_write(tmp_path, text)).sources[0]
    with pytest.raises(ChannelsError, match=r"options\.speed") as caught:
        source.typed_options(_Options)
    assert "s3cret" not in str(caught.value)
