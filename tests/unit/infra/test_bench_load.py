import json
import os
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from infra.local.acceptance.load import Channel, Load, run
from infra.local.acceptance.load_texts import NoTextsError, distinct_texts, real_texts
from schemas.codecs import decode_message


def _recording(folder: Path, texts: list[str]) -> Path:
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts) + "not json\n[1]\n")
    return path


def test_texts_are_those_of_two_words_each_once(tmp_path: Path) -> None:
    path = _recording(tmp_path, ["so good", "gg", "so good", "!!! ?", "привет всем"])
    assert real_texts([path]) == ["so good", "привет всем"]


def test_no_usable_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoTextsError):
        real_texts([_recording(tmp_path, ["gg"])])


def test_texts_stay_distinct_long_after_the_first_pass() -> None:
    texts = [f"word{chr(97 + i)} other{chr(97 + i)}" for i in range(20)]
    taken = list(islice(distinct_texts(texts), 20 * 20))
    assert len(set(taken)) == len(taken)
    assert taken[:20] == texts


def test_a_message_of_the_load_is_valid_and_carries_its_text() -> None:
    channel = Channel.build("bench", "run-1", 3)
    first = decode_message(channel.message(b'"a \\"quoted\\" text"', 1_790_000_000_000))
    second = decode_message(channel.message(b'"next"', 1_790_000_000_001))
    assert first.text == 'a "quoted" text'
    assert (first.workspace, first.channel, first.stream_id) == (
        "bench",
        "simulator:bench-03",
        "run-1/bench-03",
    )
    assert first.sent_at == first.received_at == 1_790_000_000_000
    assert first.expires_at == first.received_at + 24 * 3_600_000
    assert first.message_id != second.message_id
    assert first.author != second.author
    assert channel.key == b"bench|simulator:bench-03"


def test_the_end_closes_the_stream() -> None:
    closing = decode_message(Channel.build("bench", "run-1", 0).end(1_790_000_000_000))
    assert closing.kind == "heartbeat"
    assert closing.closing
    assert closing.stream_id == "run-1/bench-00"


class _Producer:
    """Reports failed messages alone, as the load's real one."""

    def __init__(self, room: int, fails: int = 0) -> None:
        self.room, self.fails, self.queue, self.produced = room, fails, [], 0

    def __len__(self) -> int:
        return len(self.queue)

    def produce(self, topic: str, *, key: bytes, value: bytes, on_delivery: object) -> None:
        if len(self.queue) >= self.room:
            raise BufferError
        self.queue.append(on_delivery)
        self.produced += 1

    def poll(self, _: float) -> None:
        for lost in self.queue[: self.fails]:
            lost("refused", None)
        self.fails = max(0, self.fails - len(self.queue))
        self.queue.clear()

    flush = lambda self: self.poll(0)  # noqa: E731


def test_a_full_queue_is_waited_for_and_nothing_is_dropped() -> None:
    producer = _Producer(room=7)
    load = Load(producer, [Channel.build("bench", "r", n) for n in range(3)], distinct_texts(["a word"] * 2))
    load.send(50)
    load.close()
    assert producer.produced == 53
    assert (load.sent, load.acked, load.failed) == (50, 50, 0)


def test_messages_that_the_broker_refuses_are_not_taken_for_acknowledged() -> None:
    load = Load(_Producer(room=7, fails=9), [Channel.build("bench", "r", 0)], iter(["a b"] * 50))
    load.send(50)
    load.close()
    assert (load.sent, load.acked, load.failed) == (50, 41, 9)


def test_the_load_process_explains_itself() -> None:
    import sys

    result = subprocess.run(
        [sys.executable, "-m", "infra.local.acceptance.load", "--help"], capture_output=True, text=True
    )
    assert result.returncode == 0
    assert "--run-id" in result.stdout


def test_commands_that_come_together_are_all_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    os.write(write, b"rate 50\nstop\n")
    with os.fdopen(read) as commands, os.fdopen(write, "w"):
        monkeypatch.setattr("sys.stdin", commands)
        load = Load(_Producer(room=100), [Channel.build("bench", "r", 0)], iter(["a b"] * 1_000))
        run(load, 100.0)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rate"] == 0.0
