"""Feeds broken chat to the parsers for as long as one likes; prints one JSON line, fails at the first crash.

    python tests/load/fuzz_chat_parsers.py [--seconds S] [--seed N]

Valid lines and exports of each format are damaged (bytes changed, cut, doubled, spliced with another's) and
read. Whatever comes, a parser gives records or a typed refusal: anything else ends the run with the input.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from connectors.core.pseudonyms import Pseudonyms
from connectors.imports.conversion import Conversion
from connectors.imports.export import Export
from connectors.imports.formats import READERS, Format, format_of
from connectors.replay.recorded_line import parse_line
from connectors.telegram.normalise import ChatNormaliser as TelegramChat
from connectors.telegram.updates import parse_update
from connectors.twitch.irc import parse_irc
from connectors.twitch.normalise import ChannelNormaliser
from connectors.twitch.notification_records import records_of
from connectors.twitch.notifications import parse_frame
from connectors.youtube.live_chat import parse_item
from connectors.youtube.normalise import ChatNormaliser as YouTubeChat
from schemas.codecs import InvalidRecordError, encode
from schemas.retention import load_retention
from tests.unit.connectors.imports import exports
from tests.unit.connectors.telegram import updates
from tests.unit.connectors.twitch import frames
from tests.unit.connectors.twitch.fake_eventsub import chat, notification
from tests.unit.connectors.youtube import items

AT = 1_767_225_600_000
LIVE = (
    frames.privmsg("hi @Bob 👩‍👩‍👧 Kappa", more="emotes=25:14-18;bits=5;badges=vip/1"),
    *(frames.RAID, frames.RESUB, frames.GIFT, frames.TIMEOUT, frames.CLEARED, frames.DELETED, frames.ROOM),
)
FRAMES = (
    notification(
        "channel.chat.message",
        chat("@Bob 👩‍👩‍👧 Kappa", badges=[{"set_id": "vip", "id": "1"}], cheer={"bits": 5})
        | {"message": {"text": "hi Kappa", "fragments": [{"type": "emote", "text": "Kappa"}]}},
    ),
    notification("channel.raid", {"from_broadcaster_user_login": "someone", "viewers": 15}),
    notification("channel.chat.message_delete", {"message_id": "m1", "target_user_login": "alice"}),
    notification("channel.chat.clear_user_messages", {"target_user_login": "alice"}),
    notification("channel.chat_settings.update", {"slow_mode": True, "slow_mode_wait_time_seconds": 10}),
    notification(
        "channel.chat.notification",
        {"message_id": "u1", "notice_type": "resub", "system_message": "alice resubbed", "badges": []},
    ),
)
_SAID = "🎉 @alice_l and Bob: 🔥"
UPDATES = tuple(
    json.dumps({"update_id": 5, **update}, ensure_ascii=False)
    for update in (
        {
            "message": updates.message(
                _SAID,
                entities=[
                    updates.entity("mention", _SAID, "@alice_l"),
                    updates.entity("text_mention", _SAID, "Bob", user=updates.BOB),
                    updates.entity("custom_emoji", _SAID, "🔥"),
                ],
            )
        },
        {"edited_channel_post": updates.message(caption="b", photo=[], edit_date=updates.AT)},
        {"chat_member": updates.standing("kicked")},
    )
)
ITEMS = tuple(
    json.dumps(value, ensure_ascii=False)
    for value in (items.text("@bob.b 🔥 :_hype:"), *vars(items).values())
    if isinstance(value, dict) and "snippet" in value
)
EXPORTS: dict[Format, bytes] = {
    "twitch-downloader": exports.twitch_downloader(*(exports.comment(n, f"text {n}") for n in range(3))),
    "chat-downloader": json.dumps([exports.chat_downloader_item(n, f"text {n}") for n in range(3)]).encode(),
    "chat-downloader-lines": json.dumps(exports.chat_downloader_item(1, "text")).encode() + b"\n",
    "irc-log": "\n".join((exports.privmsg(AT, "text"), exports.raid(AT))).encode(),
    "irc": b":u!u@u PRIVMSG #c :text\n" * 3,
    "youtube-live-chat": exports.live_chat_action(5, exports.live_chat_text({"text": "text"})) + b"\n",
    "telegram": exports.telegram(*(exports.telegram_message(1_714_586_412, f"text {n}") for n in range(3))),
}
TOKENS = (
    *(bytes([byte]) for byte in b'\\;=:@ \n"{}[]\x00\xff'),
    *(b"null", b"-1", b"1e999", b"9" * 40, b"\\ud800", b"\xed\xa0\x80", b"\xf0\x9f\x99\x82", b"\x01ACTION "),
)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    found: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - began < options.seconds:
            for _ in range(200):
                live_line(damaged(chance.choice(LIVE).encode(), chance), found)
                live_frame(damaged(chance.choice(FRAMES).encode(), chance), found)
                update = damaged(chance.choice(UPDATES).encode(), chance)
                item = damaged(chance.choice(ITEMS).encode(), chance)
                live_json("telegram", lambda raw=update: _telegram(raw), update, found)
                live_json("youtube", lambda raw=item: _youtube(raw), item, found)
            format_ = chance.choice(list(READERS))
            export(damaged(EXPORTS[format_], chance), format_, Path(folder) / "export", found)
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"seconds": seconds, "seed": options.seed, "crashes": 0, **found}))  # noqa: T201 - the result


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one to eight accidents."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(5):
            case 0:
                found[at : at + 1] = chance.randbytes(chance.randrange(3))
            case 1:
                found[at:at] = chance.choice(TOKENS)
            case 2:
                del found[at : at + chance.randrange(1, 20)]
            case 3:
                found[at:at] = found[at : at + chance.randrange(1, 40)]
            case _:
                found[at : at + chance.randrange(1, 8)] = chance.choice(TOKENS)
    return bytes(found)


def live_line(raw: bytes, found: Counter[str]) -> None:
    """Parse and normalise as the live source does."""
    line = raw.decode(errors="replace")
    channel = ChannelNormaliser("room", "twitch:room/x", PSEUDONYMS, RETENTION)
    found["live_lines"] += 1
    try:
        for record in guarded(lambda: channel.records(parse_irc(line), AT), raw):
            encode(record)
            found["live_records"] += 1
    except InvalidRecordError:
        found["live_refused"] += 1


def live_frame(raw: bytes, found: Counter[str]) -> None:
    """Parse and normalise an EventSub frame as the live source does."""
    text = raw.decode(errors="replace")
    channel = ChannelNormaliser("room", "twitch:room/x", PSEUDONYMS, RETENTION)
    found["live_frames"] += 1
    try:
        for record in guarded(lambda: records_of(channel, parse_frame(text), AT), raw):
            encode(record)
            found["live_frame_records"] += 1
    except InvalidRecordError:
        found["live_frames_refused"] += 1


def live_json(platform: str, read: Any, raw: bytes, found: Counter[str]) -> None:
    """Parse and normalise as the live sources of Telegram and YouTube do."""
    found[f"{platform}_objects"] += 1
    try:
        for record in guarded(read, raw):
            encode(record)
            found[f"{platform}_records"] += 1
    except InvalidRecordError:
        found[f"{platform}_refused"] += 1


def _telegram(raw: bytes) -> Any:
    chat = TelegramChat("room", "telegram:room/x", PSEUDONYMS, RETENTION)
    return chat.records(parse_update(raw), AT)


def _youtube(raw: bytes) -> Any:
    chat = YouTubeChat("room", "youtube:room/x", PSEUDONYMS, RETENTION)
    return chat.records(parse_item(raw), AT)


def export(content: bytes, format_: Format, path: Path, found: Counter[str]) -> None:
    """Detect and convert; what comes out must be recorded chat."""
    path.write_bytes(content)
    found["exports"] += 1

    def convert() -> list[bytes]:
        format_of(Export(path))
        with Conversion(lambda _: None) as conversion:
            conversion.read(Export(path), format_)
            found["export_refused"] += conversion.refused
            lines = list(conversion.recorded())
        for line in lines:
            if format_ != "irc":
                parse_line(line)
        return lines

    found["export_lines"] += len(guarded(convert, content))


def guarded(work: Any, raw: bytes) -> Any:
    """The result; any error but a typed refusal tells the input that caused it."""
    try:
        return work()
    except InvalidRecordError:
        raise
    except Exception as error:
        error.add_note(f"input: {raw!r}")
        raise


PSEUDONYMS = Pseudonyms("k1", bytes(32), "twitch")
RETENTION = load_retention()

if __name__ == "__main__":
    main()
