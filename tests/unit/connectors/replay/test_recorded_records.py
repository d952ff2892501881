import gzip
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.replay import RecordingError, recorded_records
from connectors.replay.records import GRID_MS
from schemas.codecs import encode
from schemas.records import AuthorFlags, ChatMessage, DeadLetter, Emote
from tests.unit.connectors.replay.recorded import (
    NOW,
    PSEUDONYMS,
    START,
    chat,
    heartbeats,
    line,
    read,
    write,
)


def test_one_line_becomes_one_message(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line(
            "party/7",
            0,
            "Alice",
            "Pog Pog hi @Bob",
            emotes=["Pog", "Pog"],
            badges=["subscriber/3", "vip/1"],
            bits=100,
            first_message=False,
            account_age_s=3600,
        ),
    )
    records, letters = read(path)
    assert letters == []
    assert chat(records) == [
        ChatMessage(
            channel="replay:party",
            stream_id="r/party/7",
            message_id="r/party/7/1",
            kind="message",
            sent_at=START,
            received_at=NOW,
            expires_at=4_102_444_800_000,
            author=PSEUDONYMS.author("alice"),
            author_flags=AuthorFlags(
                subscriber=True, moderator=False, vip=True, first_message=False, account_age_s=3600
            ),
            text=f"Pog Pog hi {PSEUDONYMS.mention('bob')}",
            emotes=(Emote("Pog", "unknown", 0, 3), Emote("Pog", "unknown", 4, 7)),
            amount=100.0,
        )
    ]


def test_what_a_file_does_not_say_is_null_and_an_empty_text_is_valid(tmp_path: Path) -> None:
    (message,) = chat(read(write(tmp_path, line("a/1", 5, "", "", bits=0, badges=[], emotes=[])))[0])
    assert (message.text, message.author, message.amount, message.author_flags) == (
        "",
        "",
        None,
        AuthorFlags(),
    )


def test_broadcasts_follow_one_another_and_channels_run_side_by_side(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line("a/2", 1000, text="first broadcast by first appearance"),
        line("a/2", 5000),
        line("b/1", 0),
        line("b/1", 2500),
        line("a/1", 0),
        line("a/1", 3000),
    )
    records, _ = read(path)
    times = [(message.message_id[2:], message.sent_at - START + GRID_MS) for message in chat(records)]
    # the longest channel lasts 5 s + 3 s and ends on the grid before the start; b begins with it
    assert times == [
        ("b/1/3", 0),
        ("a/2/1", 1000),
        ("b/1/4", 2500),
        ("a/2/2", 5000),
        ("a/1/5", 5000),
        ("a/1/6", 8000),
    ]


def test_files_naming_the_same_stream_merge_and_ids_stay_apart(tmp_path: Path) -> None:
    one = write(tmp_path, line("a/1", 0, text="0"), line("a/1", 2000, text="2"), name="one.jsonl")
    two = write(tmp_path, line("a/1", 1000, text="1"), line("a/1", 2000, text="2b"), name="two.jsonl.gz")
    messages = chat(read(one, two)[0])
    assert [message.text for message in messages] == ["0", "1", "2", "2b"]
    assert [message.message_id for message in messages] == ["r/a/1/1", "r/a/1/1:1", "r/a/1/2", "r/a/1/1:2"]


def test_lines_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, line("a/1", 9000), line("a/1", 1000), line("a/1", 4000))
    messages = chat(read(path)[0])
    assert [message.message_id[-1] for message in messages] == ["2", "3", "1"]


def test_one_heartbeat_covers_a_silence_and_a_closing_one_ends_the_stream(tmp_path: Path) -> None:
    path = write(tmp_path, line("a/1", 2000), line("a/1", 2999), line("a/1", 3999), line("a/1", 10_500))
    records, _ = read(path)
    base = -2 * GRID_MS
    assert heartbeats(records) == [
        ("a/1", base + 0, base + 1000, False),
        ("a/1", base + 3999, base + 9999, False),
        ("a/1", base + 10_500, base + 10_500, True),
    ]
    assert records[-1].closing
    assert len({record.message_id for record in records}) == len(records)


def test_at_speed_one_there_is_a_heartbeat_a_second(tmp_path: Path) -> None:
    path = write(tmp_path, line("a/1", 0), line("b/1", 1500), line("a/1", 3000))
    records, _ = read(path, heartbeat_step_ms=1000)
    base = -GRID_MS
    assert heartbeats(records) == [
        ("a/1", base, base + 1000, False),
        ("b/1", base, base + 1000, False),
        ("b/1", base + 1500, base + 1500, True),
        ("a/1", base + 1000, base + 2000, False),
        ("a/1", base + 3000, base + 3000, True),
    ]
    assert [record.sent_at for record in records] == sorted(record.sent_at for record in records)


def test_names_of_all_authors_are_kept_out_of_texts(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        line("a/1", 0, "u15a669084d09", "u2d2c1c15db53 is live, ask MrBean77 or @someone"),
        line("a/1", 1, "mrbean77", "hi"),
        line("a/1", 2, "u2d2c1c15db53", "hi"),
    )
    written = b"".join(encode(record) for record in read(path)[0])
    for name in (b"u15a669084d09", b"u2d2c1c15db53", b"rbean77", b"someone", b"MrBean"):
        assert name not in written
    assert PSEUDONYMS.mention("mrbean77").encode() in written


@pytest.mark.parametrize(
    ("raw", "error_class"),
    [
        (b"not json", "not_json"),
        (b'{"stream": "a/1"', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"stream":"a/1","offset_ms":0,"author":"u","text":"\xff"}', "not_json"),
        (b'{"stream":"a/1","offset_ms":0,"author":"u","text":"\\ud800"}', "not_json"),
        (b"[1]", "wrong_type"),
        (b"null", "wrong_type"),
        (b'{"stream":"a/1","author":"u","text":"x"}', "missing_field"),
        (b'{"offset_ms":1,"author":"u","text":"x"}', "missing_field"),
        (line("", 1), "missing_field"),
        (line("a/1", None), "wrong_type"),
        (line("a/1", "12"), "wrong_type"),
        (line("a/1", True), "wrong_type"),
        (line("a/1", -1), "absurd_time"),
        (line("a/1", 10**14), "absurd_time"),
        (b'{"stream":"a/1","offset_ms":1e999,"author":"u","text":"x"}', "wrong_type"),
        (line("a/1", 1, emotes="Kappa"), "wrong_type"),
        (line("a/1", 1, badges=[1]), "wrong_type"),
        (line("a/1", 1, bits=-5), "wrong_type"),
        (line("a/1", 1, bits=10**400), "wrong_type"),
        (line("a/1", 1, text="x" * 70_000), "oversized"),
        (line("a/1", 1, text="a " * 2000, emotes=["a"]), "oversized"),
        (b"[" * 200_000, "wrong_type"),
    ],
)
def test_a_bad_line_is_a_dead_letter_with_its_bytes(tmp_path: Path, raw: bytes, error_class: str) -> None:
    path = write(tmp_path, line("a/1", 0), b"", raw, line("a/1", 2))
    records, letters = read(path)
    assert [message.message_id[-1] for message in chat(records)] == ["1", "4"]
    (letter,) = letters
    assert letter == DeadLetter(
        dlq_id="r/chat.jsonl:3",
        stage="replay",
        source="chat.jsonl",
        partition=0,
        position=3,
        error_class=error_class,  # type: ignore[arg-type]
        error=letter.error,
        raw=raw,
        seen_at=NOW,
    )
    assert letter.error
    assert "xxxx" not in letter.error


def test_a_line_too_long_for_kafka_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path, b"z" * 12_000_000, line("a/1", 2))
    records, (letter,) = read(path)
    assert len(chat(records)) == 1
    assert (letter.error_class, len(letter.raw)) == ("oversized", 11 * 1024 * 1024)
    assert len(encode(letter)) < 16 * 1024 * 1024


@pytest.mark.parametrize("cut", [0.5, 0.999])
def test_a_damaged_gzip_gives_what_is_whole(tmp_path: Path, cut: float) -> None:
    noise = random.Random(1)
    lines = [line("a/1", number, text=noise.randbytes(8).hex()) for number in range(5000)]
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path / "a.gz"
    path.write_bytes(whole[: int(len(whole) * cut)])
    records, (letter,) = read(path)
    count = len(chat(records))
    assert 5000 * cut * 0.9 < count < 5000
    assert (letter.error_class, letter.position) == ("source_line", count + 1)
    assert lines[count].startswith(letter.raw)


def test_damage_in_the_middle_of_gzip_data(tmp_path: Path) -> None:
    noise = random.Random(2)
    whole = bytearray(
        gzip.compress(b"\n".join(line("a/1", n, text=noise.randbytes(8).hex()) for n in range(5000)))
    )
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "a.gz"
    path.write_bytes(whole)
    records, letters = read(path, limit=None)
    assert letters[-1].error_class == "source_line"
    assert len(chat(records)) > 2000


def test_gzip_is_known_by_its_bytes_and_other_bytes_by_theirs(tmp_path: Path) -> None:
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(gzip.compress(line("a/1", 0)) + gzip.compress(b"\r\n" + line("a/1", 1) + b"\r\n"))
    plain = write(tmp_path, b"\xef\xbb\xbf" + line("b/1", 0), name="plain.jsonl")
    plain.rename(tmp_path / "plain.gz")
    records, letters = read(packed, tmp_path / "plain.gz")
    assert (len(chat(records)), letters) == (3, [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_is_read_once_through(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = pack(b"\n".join(line("a/1", number) for number in range(500)))
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    records, letters = read(path, on_bytes=pytest.fail)
    writer.join()
    assert (len(chat(records)), letters) == (500, [])


def test_same_file_names_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = []
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        paths.append(write(tmp_path / folder, b"bad"))
    letters = read(*paths)[1]
    assert len({letter.dlq_id for letter in letters}) == 2


def test_limit_reads_as_if_the_files_ended_there(tmp_path: Path) -> None:
    one = write(tmp_path, line("a/1", 0), b"bad", line("a/1", 10), line("a/1", 90_000), name="one.jsonl")
    two = write(tmp_path, line("b/1", 0), name="two.jsonl")
    records, letters = read(one, two, limit=2)
    assert [message.sent_at - START + GRID_MS for message in chat(records)] == [0, 10]
    assert records[-1].closing
    assert len(letters) == 1
    assert len(chat(read(one, two, limit=4)[0])) == 4


def test_an_absurd_length_is_refused_as_a_whole(tmp_path: Path) -> None:
    year = 366 * 24 * 3_600_000
    path = write(tmp_path, *(line(f"a/{number}", year) for number in range(60)))
    with pytest.raises(RecordingError, match="milliseconds"):
        read(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.jsonl")


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert read(path) == ([], [])


def test_received_at_is_asked_for_each_record(tmp_path: Path) -> None:
    ticks = iter(range(NOW, NOW + 100))
    records = list(
        recorded_records(
            [write(tmp_path, line("a/1", 0), line("a/1", 5000))],
            run_id="r",
            started_at_ms=START,
            pseudonyms=PSEUDONYMS,
            dead_letter=pytest.fail,
            now_ms=lambda: next(ticks),
        )
    )
    assert [record.received_at - NOW for record in records] == list(range(len(records)))


def test_progress_counts_the_bytes_on_disk(tmp_path: Path) -> None:
    paths = [
        write(tmp_path, *[line("a/1", n) for n in range(999)], name=name) for name in ("a.gz", "b.jsonl")
    ]
    counted: list[int] = []
    read(*paths, on_bytes=counted.append)
    assert sum(counted) == sum(path.stat().st_size for path in paths)


@pytest.mark.data
def test_the_shared_recordings_replay_whole() -> None:
    shared = Path(os.environ.get("PULSE_SHARED", Path(__file__).parents[5] / "shared"))
    path = shared / "data" / "logs" / "channel_j_ru.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here; set PULSE_SHARED")
    records, letters = read(path)
    assert (len(chat(records)), letters) == (1896, [])
