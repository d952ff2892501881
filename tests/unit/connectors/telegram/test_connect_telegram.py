import json
import os
import signal
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from connectors.core.testing import FakeKafka
from infra.cli import connect
from tests.unit.connectors.running import playing, until
from tests.unit.connectors.telegram.fake_bot_api import TOKEN, FakeBotApi
from tests.unit.connectors.telegram.updates import ROOM, message

runner = CliRunner()


async def scene(ready: Callable[[str], None]) -> None:
    """Two lines; once they are confirmed, this process is asked to end."""
    async with FakeBotApi() as server:
        server.add_chat(ROOM, "room")
        ready(server.url)
        server.say(message=message("one"))
        last = server.say(message=message("two", number=2))
        await until(lambda: server.confirmed == last)
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("chat", ["@Room", "https://t.me/room", str(ROOM)])
def test_it_brings_chat_to_kafka_and_drains_on_sigterm(
    kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch, chat: str
) -> None:
    monkeypatch.setenv("PULSE_TELEGRAM_BOT_TOKEN", TOKEN)
    with playing(scene) as url:
        monkeypatch.setenv("PULSE_TELEGRAM_URL", url)
        result = runner.invoke(connect.app, ["telegram", chat])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["messages"] == 2
    name = str(ROOM) if chat.startswith("-") else "room"
    assert {key for _, key, _ in kafka.sent} == {f"default|telegram:{name}".encode()}
    texts = [json.loads(value).get("text") for topic, _, value in kafka.sent if topic == "chat.messages.v1"]
    assert [text for text in texts if text] == ["one", "two"]
    assert b"alice" not in b"".join(value for _, _, value in kafka.sent).lower()


@pytest.mark.parametrize("name", ["bad name", "a/b", "12", "имя", "--workspce"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    result = runner.invoke(connect.app, ["telegram", name])
    assert result.exit_code == 2
    assert "is neither the @NAME" in " ".join(result.stderr.replace("│", " ").split())


def test_without_a_token_it_says_where_to_get_one(kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULSE_TELEGRAM_BOT_TOKEN", raising=False)
    result = runner.invoke(connect.app, ["telegram", "@room"])
    assert result.exit_code == 1
    assert "@BotFather gives tokens" in result.stderr


def test_a_refused_token_is_told_without_it(kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refusing(ready: Callable[[str], None]) -> None:
        async with FakeBotApi() as server:
            server.valid_token = False
            ready(server.url)
            await until(lambda: server.refused)

    monkeypatch.setenv("PULSE_TELEGRAM_BOT_TOKEN", TOKEN)
    with playing(refusing) as url:
        monkeypatch.setenv("PULSE_TELEGRAM_URL", url)
        result = runner.invoke(connect.app, ["telegram", "@room"])
    assert result.exit_code == 1
    assert "does not know the bot's token" in result.stderr
    assert "s3cret" not in result.output
