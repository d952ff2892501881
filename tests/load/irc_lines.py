"""How many IRC lines a second of one core are parsed and turned into records; prints one JSON line.

Seconds are CPU seconds of this process (user and system), so other work on the machine does not count.

    python tests/load/irc_lines.py [FILE.irc[.gz]] [--seconds S]

Three figures: `bare` (lines of the file, or made-up ones, to recorded chat, as `pulse import` reads them),
`tagged` (the same texts with all tags of a live PRIVMSG, a tenth with emotes, mentions or escapes, to
`ChatMessage` with pseudonyms, as the live source does), `tagged_encoded` (and to JSON bytes for Kafka).
"""

import argparse
import gzip
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from connectors.core.pseudonyms import Pseudonyms
from connectors.imports.line import Said
from connectors.twitch.irc import parse_irc, without_action
from connectors.twitch.normalise import ChannelNormaliser
from schemas.codecs import encode
from schemas.retention import load_retention

AT = 1_767_225_600_000
CHANNEL = "room"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0, help="least length of each measurement")
    options = parser.parse_args()
    bare = read(options.file) if options.file else made_up()
    live = [line.encode() for line in tagged(bare)]
    channel = ChannelNormaliser(
        CHANNEL, "twitch:room/2026-01-01", Pseudonyms("k1", bytes(32), "twitch"), load_retention()
    )
    to_json = msgspec.json.Encoder().encode

    def import_line(raw: bytes) -> None:
        message = parse_irc(raw.decode())
        to_json(Said(author=message.nick, text=without_action(message.text)))

    def live_line(raw: bytes) -> None:
        channel.records(parse_irc(raw.decode()), AT)

    def live_line_encoded(raw: bytes) -> None:
        for record in channel.records(parse_irc(raw.decode()), AT):
            encode(record)

    found = {
        "bare_lines_per_s": rate(import_line, [line.encode() for line in bare], options.seconds),
        "tagged_lines_per_s": rate(live_line, live, options.seconds),
        "tagged_encoded_lines_per_s": rate(live_line_encoded, live, options.seconds),
        "lines": len(bare),
        "file": options.file.name if options.file else "made up",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }
    print(json.dumps(found))  # noqa: T201 - the result


def rate(work: Callable[[bytes], None], lines: list[bytes], seconds: float) -> int:
    """Lines a second over at least that long, in whole passes, after one pass to warm up."""
    for line in lines:
        work(line)
    began, done = time.process_time(), 0
    while (spent := time.process_time() - began) < seconds:
        for line in lines:
            work(line)
        done += len(lines)
    return round(done / spent)


def read(path: Path) -> list[str]:
    """The lines of a file."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode().splitlines()


def made_up() -> list[str]:
    """Lines of usual lengths by 400 people."""
    texts = (
        "hello chat",
        "LUL",
        "what a song, play it again please!",
        "안녕하세요 ㅋㅋㅋ",
        "привет всем",
        "🔥🔥🔥",
    )
    return [
        f":user{n % 400}!user{n % 400}@user{n % 400}.tmi.twitch.tv PRIVMSG #room :{texts[n % len(texts)]}"
        for n in range(5_000)
    ]


def tagged(bare: list[str]) -> list[str]:
    """The lines with the tags of a live chat."""
    lines = []
    for number, line in enumerate(bare):
        head, _, text = line.partition(" :")
        nick = head[1:].partition("!")[0]
        emotes, more = "", ""
        match number % 30:
            case 0:
                text, emotes = f"Kappa {text}", "25:0-4"
            case 10:
                text = f"@user{number % 400} {text}"
            case 20:
                more = "reply-parent-msg-body=so\\strue\\:\\sreally;reply-parent-msg-id=p1;"
        lines.append(
            f"@badge-info=subscriber/8;badges=subscriber/6,premium/1;client-nonce=0123456789abcdef;"
            f"color=#0000FF;display-name={nick};emotes={emotes};first-msg=0;flags=;id={number:032x};mod=0;"
            f"{more}returning-chatter=0;room-id=12345;subscriber=1;tmi-sent-ts={AT + number};turbo=0;"
            f"user-id=1;user-type= :{nick}!{nick}@{nick}.tmi.twitch.tv PRIVMSG #{CHANNEL} :{text}"
        )
    return lines


if __name__ == "__main__":
    main()
