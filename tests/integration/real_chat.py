"""Recordings of real chat lines for tests on the whole stack."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from infra.cli.demo import BUNDLED


def real_recording(folder: Path, shared: Path | None, lines: int) -> Path:
    """A file of so many recorded lines: from two shared logs, else the bundled texts, again and again."""
    source = _shared_lines(shared, lines) if shared else _bundled_lines(lines)
    path = folder / "recording.jsonl"
    with path.open("wb") as file:
        file.writelines(source)
    return path


def length_ms(path: Path) -> int:
    """How long the longest channel of a recording lasts, its broadcasts one after another."""
    ends: dict[str, int] = {}
    for line in path.read_bytes().splitlines():
        value = json.loads(line)
        ends[value["stream"]] = max(ends.get(value["stream"], 0), value["offset_ms"])
    channels: dict[str, int] = {}
    for stream, end in ends.items():
        channel = stream.split("/")[0]
        channels[channel] = channels.get(channel, 0) + end
    return max(channels.values())


def _shared_lines(shared: Path, lines: int) -> Iterator[bytes]:
    logs = shared / "data" / "logs"
    for name, share in (("channel_b", lines - lines // 3), ("channel_e_en", lines // 3)):
        with gzip.open(logs / f"{name}.jsonl.gz") as file:
            for _, line in zip(range(share), file, strict=False):
                yield line


def _bundled_lines(lines: int) -> Iterator[bytes]:
    with gzip.open(BUNDLED) as file:
        recorded = [json.loads(line) for line in file]
    for number in range(lines):
        turn, place = divmod(number, len(recorded))
        value = dict(recorded[place])
        value["stream"] = f"{value['stream']}-{turn}"
        yield json.dumps(value).encode() + b"\n"
