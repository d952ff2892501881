import json
import os
import signal
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from connectors.core.testing import FakeKafka
from infra.cli import connect
from tests.unit.connectors.running import playing, until
from tests.unit.connectors.twitch.fake_twitch import FakeTwitch
from tests.unit.connectors.twitch.frames import RAID, privmsg

runner = CliRunner()


async def scene(ready: Callable[[str], None]) -> None:
    """Two lines and a raid, then this process is asked to end."""
    async with FakeTwitch() as server:
        ready(server.url)
        await until(lambda: server.sessions and server.last.joined == {"room"})
        await server.last.say(f"{privmsg('one')}\r\n{privmsg('two', identity='m2')}\r\n{RAID}\r\nPING :x")
        await until(lambda: "PONG :x" in server.last.heard)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: server.last.over)


def test_it_brings_chat_to_kafka_and_drains_on_sigterm(
    kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    with playing(scene) as url:
        monkeypatch.setenv("PULSE_TWITCH_URL", url)
        result = runner.invoke(connect.app, ["twitch", "Room"])
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)
    assert (counts["messages"], counts["dead_letters"]) == (2, 0)
    assert "twitch:room live" in result.stderr
    by_topic: dict[str, list[bytes]] = {}
    for topic, key, value in kafka.sent:
        assert key == b"default|twitch:room"
        by_topic.setdefault(topic, []).append(value)
    texts = [json.loads(value)["text"] for value in by_topic["chat.messages.v1"]]
    assert [text for text in texts if text] == ["one", "two"]
    kinds = [json.loads(value)["kind"] for value in by_topic["chat.events.v1"]]
    assert "raid" in kinds
    assert b"alice" not in b"".join(value for _, _, value in kafka.sent)


@pytest.mark.parametrize("name", ["bad name", "a/b", "x" * 26, "имя"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    result = runner.invoke(connect.app, ["twitch", name])
    assert result.exit_code == 2
    assert "is no Twitch name" in " ".join(result.stderr.replace("│", " ").split())


def test_wrong_settings_are_named_without_their_values(
    kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_TWITCH_TOKEN", "s3cret")
    monkeypatch.setenv("PULSE_TWITCH_CHANNELS_PER_CONNECTION", "9999")
    result = runner.invoke(connect.app, ["twitch", "room"])
    assert result.exit_code == 2
    assert "channels_per_connection" in result.stderr
    assert "s3cret" not in result.output
