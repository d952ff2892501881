"""Records as a connector sends them: repeated ids, late lines, a dead model."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from connectors.core.kafka_producer import producer_config
from infra.cli.demo import BUNDLED
from infra.local import control, process
from infra.local.acceptance.api_rows import ApiRows
from infra.local.acceptance.recording import read_recording
from infra.local.acceptance.stored import of_run
from infra.local.settings import Stack
from schemas.codecs import encode, record_key
from schemas.records import ChatMessage
from schemas.topics import MESSAGES
from tests.integration.commands import PULSE
from tests.integration.victims import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1_200)]

MINUTE_MS = 60_000


class Channel:
    """A channel of its own, on which records are sent by hand."""

    def __init__(self, stack: Stack) -> None:
        self.run = f"t{uuid4().hex[:8]}"
        self.stream_id = f"{self.run}/live"
        self.rows = ApiRows(stack)
        self.now = time.time_ns() // 1_000_000 // 10_000 * 10_000
        self._producer = Producer(producer_config(stack.endpoints.kafka_bootstrap))

    def send(self, message_id: str, sent_at: int, *, text: str = "such a lovely evening") -> None:
        message = ChatMessage(
            channel=f"twitch:{self.run}",
            stream_id=self.stream_id,
            message_id=f"{self.run}-{message_id}",
            kind="message",
            sent_at=sent_at,
            received_at=time.time_ns() // 1_000_000,
            expires_at=time.time_ns() // 1_000_000 + 3_600_000,
            author=f"t.{message_id}",
            text=text,
        )
        self._producer.produce(
            MESSAGES, encode(message), record_key("default", message.channel), on_delivery=_delivered
        )
        assert self._producer.flush(30) == 0

    def one(self, select: str) -> int:
        (row,) = self.rows(f"SELECT {select} AS n")
        return int(row["n"] or 0)

    def lines(self, condition: str = "scored") -> int:
        return self.one(f"(SELECT count() FROM messages WHERE {self.where} AND {condition})")

    def in_window(self, start_ms: int) -> int:
        window = f"size_ms = 10000 AND start_ms = {start_ms}"
        return self.one(f"(SELECT sum(messages) FROM windows WHERE {self.where} AND {window})")

    @property
    def where(self) -> str:
        return of_run("default", self.run)


def _delivered(error: object, _: object) -> None:
    assert error is None, error


@pytest.fixture
def channel(stack: Stack) -> Channel:
    return Channel(stack)


def _until(condition: Callable[[], bool], what: str) -> None:
    wait_for(condition, what)


def test_a_message_that_comes_again_counts_once(channel: Channel) -> None:
    for message_id in ("a", "b", "a", "a", "b"):
        channel.send(message_id, channel.now)
    channel.send("end", channel.now)
    _until(lambda: channel.lines() == 3 and channel.in_window(channel.now) == 3, "three lines")
    assert channel.one(f"(SELECT count() FROM messages WHERE {channel.where})") == 3
    assert channel.one(f"(SELECT count() FROM chat_lines WHERE version > 0 AND {channel.where})") == 3


def test_a_late_line_corrects_its_window_while_its_state_lives(channel: Channel) -> None:
    start = channel.now - 5 * MINUTE_MS
    channel.send("first", start)
    channel.send("newest", channel.now)
    _until(lambda: channel.in_window(start) == 1 and channel.in_window(channel.now) == 1, "two windows")
    channel.send("late", start + 500)
    _until(lambda: channel.in_window(start) == 2, "the corrected window")
    assert channel.lines("late_ms > 0 AND counted") == 1


def test_a_line_later_than_that_is_stored_and_counted_as_late(channel: Channel) -> None:
    start = channel.now - 45 * MINUTE_MS
    channel.send("first", start)
    channel.send("newest", channel.now)
    _until(lambda: channel.in_window(channel.now) == 1, "the newest window")
    channel.send("too-late", start + 500)
    channel.send("after", channel.now + 1)
    _until(lambda: channel.in_window(channel.now) == 2, "the line after the late one")
    _until(lambda: channel.lines() == 4, "all four lines")
    assert channel.in_window(start) == 1
    assert channel.one(f"(SELECT count() FROM late_rows WHERE {channel.where})") == 1


def test_without_the_model_alerts_come_and_nothing_is_lost(stack: Stack) -> None:
    channel, lines = Channel(stack), read_recording([BUNDLED]).lines
    with _frozen_model(stack):
        command = [PULSE, "replay", str(BUNDLED), "--speed", "max", "--run-id", channel.run]
        replayed = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert replayed.returncode == 0, replayed.stderr
        alerts = f"(SELECT count() FROM alerts WHERE kind = 'flood.account' AND {channel.where})"
        _until(lambda: channel.one(alerts) > 0, "an alert without the model")
        scored = channel.lines()
    assert scored < lines, "the model was not dead"
    _until(lambda: channel.lines() == lines, "all lines scored once the model is back")


@contextmanager
def _frozen_model(stack: Stack) -> Iterator[None]:
    """Stop every process of Ray for a while; should the supervisor replace them, the rest are its to end."""
    state = control.running(stack)
    assert state is not None
    members = process.members(stack.home, {state.parts["ray"].pid: "ray"})
    frozen = [member for member, part in members.items() if part == "ray"]
    assert frozen
    for member in frozen:
        os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for member in frozen:
            if member.is_running():
                os.kill(member.pid, signal.SIGCONT)
