import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.imports.conversion import Conversion, Refused
from connectors.imports.export import Export
from connectors.imports.formats import READERS, Format
from connectors.replay.recorded_line import parse_line
from tests.unit.connectors.imports.exports import (
    chat_downloader_item,
    comment,
    live_chat_action,
    live_chat_text,
    privmsg,
    telegram,
    telegram_message,
    twitch_downloader,
)

AT = 1_714_586_412_345
WHOLE: dict[Format, bytes] = {
    "twitch-downloader": twitch_downloader(*(comment(n, f"text {n}") for n in range(20))),
    "chat-downloader": json.dumps([chat_downloader_item(n, f"text {n}") for n in range(20)]).encode(),
    "chat-downloader-lines": b"\n".join(
        json.dumps(chat_downloader_item(n, f"text {n}")).encode() for n in range(20)
    ),
    "irc-log": "\n".join(privmsg(AT + n, f"text {n}") for n in range(20)).encode(),
    "irc": b"\n".join(b":u!u@u PRIVMSG #c :text %d" % n for n in range(20)),
    "youtube-live-chat": b"\n".join(
        live_chat_action(n, live_chat_text({"text": f"text {n}"})) for n in range(20)
    ),
    "telegram": telegram(*(telegram_message(1_714_586_412 + n, f"text {n}") for n in range(20))),
}


def convert(content: bytes, format_: Format) -> tuple[list[bytes], list[Refused], int]:
    refused: list[Refused] = []
    with tempfile.TemporaryDirectory() as folder, Conversion(refused.append) as conversion:
        path = Path(folder) / "export"
        path.write_bytes(content)
        conversion.read(Export(path), format_)
        return list(conversion.recorded()), refused, conversion.skipped


@pytest.mark.parametrize("format_", READERS)
def test_whole_exports_are_whole(format_: Format) -> None:
    lines, refused, skipped = convert(WHOLE[format_], format_)
    assert (len(lines), refused, skipped) == (20, [], 0)


@pytest.mark.parametrize("format_", READERS)
@given(cut=st.floats(0.05, 0.97))
@settings(max_examples=25, deadline=None)
def test_an_export_cut_anywhere_gives_what_came_before(format_: Format, cut: float) -> None:
    lines, refused, _ = convert(WHOLE[format_][: int(len(WHOLE[format_]) * cut)], format_)
    assert [json.loads(line)["text"] for line in lines][:-1] == [f"text {n}" for n in range(len(lines) - 1)]
    assert len(lines) >= 20 * cut - 8
    assert len(refused) <= 1
    if format_ in ("twitch-downloader", "chat-downloader", "telegram"):
        assert len(refused) == 1 or len(lines) == 20


@pytest.mark.parametrize("format_", READERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_bytes_changed_anywhere_never_crash(format_: Format, data: st.DataObject) -> None:
    content = bytearray(WHOLE[format_])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 1] = data.draw(st.binary(max_size=3))
    lines, _, _ = convert(bytes(content), format_)
    for line in lines:
        assert line.count(b"\n") == 0
        if format_ != "irc":
            parse_line(line)  # raises where replay or detect would refuse it


ODD_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def _spoil(value: Any, data: st.DataObject) -> Any:
    """The value with one part of it, at any depth, replaced by something odd."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value)))
        return value | {key: _spoil(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [_spoil(value[0], data), *value[1:]]
    return data.draw(ODD_VALUES)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_odd_values_are_refused_one_by_one(data: st.DataObject) -> None:
    format_: Format = data.draw(
        st.sampled_from(["twitch-downloader", "chat-downloader", "youtube-live-chat", "telegram"])
    )
    good, odd, wrap = {
        "twitch-downloader": (comment(5, "good"), comment(1, "odd"), lambda items: twitch_downloader(*items)),
        "chat-downloader": (
            chat_downloader_item(5, "good"),
            chat_downloader_item(1, "odd"),
            lambda items: json.dumps(items).encode(),
        ),
        "youtube-live-chat": (
            json.loads(live_chat_action(5, live_chat_text({"text": "good"}))),
            json.loads(live_chat_action(1, live_chat_text({"text": "odd"}))),
            lambda items: b"\n".join(json.dumps(item).encode() for item in items),
        ),
        "telegram": (
            telegram_message(1_714_586_412, "good"),
            telegram_message(1_714_586_411, "odd"),
            lambda items: telegram(*items),
        ),
    }[format_]
    lines, refused, skipped = convert(wrap([_spoil(odd, data), good]), format_)
    assert "good" in [json.loads(line)["text"] for line in lines]
    assert len(lines) + len(refused) + skipped == 2
    for line in lines:
        parse_line(line)


def test_a_damaged_gzip_gives_what_is_whole(convert, tmp_path: Path) -> None:

    noise = random.Random(1)
    comments = [comment(n, noise.randbytes(40).hex()) for n in range(2000)]
    packed = gzip.compress(twitch_downloader(*comments))
    path = tmp_path / "chat.json.gz"
    path.write_bytes(packed[: len(packed) // 2])
    items = list(READERS["twitch-downloader"](Export(path)))
    assert len(items) > 500
    assert "damaged after item" in str(items[-1].error)  # type: ignore[union-attr]


def test_a_line_of_500_kb_passes_and_one_without_utf8_does_not() -> None:
    content = b":u!u@u PRIVMSG #c :" + b"x" * 500_000 + b"\n:u!u@u PRIVMSG #c :\xff\n"
    lines, refused, _ = convert(content, "irc")
    assert len(lines[0]) > 500_000
    assert [(item.item.number, str(item.item.error)) for item in refused] == [(2, "no UTF-8 at byte 19")]
