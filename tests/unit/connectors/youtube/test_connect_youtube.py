import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.core.testing import FakeKafka
from connectors.youtube.broadcasts import target_name
from infra.cli import connect
from tests.unit.connectors.running import playing, until
from tests.unit.connectors.youtube.fake_youtube import KEY, FakeYouTube
from tests.unit.connectors.youtube.items import CHANNEL, SUPER_CHAT, VIDEO, text

runner = CliRunner()


async def scene(ready: Callable[[str], None]) -> None:
    """Two lines; once they were handed over twice round, this process is asked to end."""
    async with FakeYouTube() as server:
        server.go_live(VIDEO)
        server.interval_ms = 0
        server.say(text("one"), SUPER_CHAT)
        ready(server.url)
        await until(lambda: len(server.pages) == 2)
        os.kill(os.getpid(), signal.SIGTERM)


def test_it_brings_chat_to_kafka_and_drains_on_sigterm(
    kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULSE_YOUTUBE_API_KEY", KEY)
    monkeypatch.setenv("PULSE_YOUTUBE_STREAM_ADDRESS", "")
    with playing(scene) as url:
        monkeypatch.setenv("PULSE_YOUTUBE_URL", f"{url}/youtube/v3")
        result = runner.invoke(connect.app, ["youtube", f"https://youtu.be/{VIDEO}?t=1"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["messages"] == 2
    assert f"default|youtube:{CHANNEL}".encode() in {key for _, key, _ in kafka.sent}
    sent = b"".join(value for _, _, value in kafka.sent)
    assert b"alice" not in sent.lower()
    (noted,) = tmp_path.glob("youtube-quota-*.json")
    assert json.loads(noted.read_text())["spent"] == 11
    assert "s3cret" not in result.output


@pytest.mark.parametrize("target", ["bad name", "abc", "https://example.com/watch?v=abcdefghijk", "@x"])
def test_a_name_that_cannot_be_is_refused(target: str) -> None:
    result = runner.invoke(connect.app, ["youtube", target])
    assert result.exit_code == 2
    assert "is neither a video" in " ".join(result.stderr.replace("│", " ").split())


def test_without_a_key_it_says_what_is_missing(kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_YOUTUBE_API_KEY", raising=False)
    result = runner.invoke(connect.app, ["youtube", VIDEO])
    assert result.exit_code == 1
    assert "PULSE_YOUTUBE_API_KEY" in result.stderr


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (VIDEO, VIDEO),
        (CHANNEL, CHANNEL),
        ("@Label", "@label"),
        (f"https://www.youtube.com/watch?v={VIDEO}&t=5", VIDEO),
        (f"youtube.com/live/{VIDEO}", VIDEO),
        (f"https://youtu.be/{VIDEO}", VIDEO),
        (f"https://www.youtube.com/channel/{CHANNEL}/live", CHANNEL),
        ("https://www.youtube.com/@Label/streams", "@label"),
        ("https://www.youtube.com/@Label", "@label"),
    ],
)
def test_addresses(text: str, name: str) -> None:
    assert target_name(text) == name
