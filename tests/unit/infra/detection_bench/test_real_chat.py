import json
from pathlib import Path
from typing import Any

from infra.detection_bench.real_chat import measure

NOTICE = "somebody just raided the channel with 40 viewers! Say hi!"


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=lambda x: x["offset_ms"])))
    return path


def line(at_s: float, author: str, text: str, *, badges: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "stream": "chan/1",
        "offset_ms": int(1000 * at_s),
        "author": author,
        "text": text,
        "badges": list(badges),
    }


def regulars(end_s: int) -> list[dict[str, Any]]:
    return [line(2 * n, f"r{n % 20}", f"what do you think of number {n * 7}") for n in range(end_s // 2)]


def guests(at_s: float, count: int) -> list[dict[str, Any]]:
    return [line(at_s + n, f"guest{at_s}-{n}", f"hello from the raid {n}") for n in range(count)]


def test_hours_and_alerts_of_untouched_chat(tmp_path: Path) -> None:
    found = measure(write(tmp_path / "chat.jsonl", regulars(7_200)), None)
    assert found["stream_hours"] == 2.0
    assert found["hostile"] == []


def test_announced_raids_with_guests_are_counted_with_and_without_their_line(tmp_path: Path) -> None:
    notices = [line(at, "bot", NOTICE, badges=("moderator/1",)) for at in (600, 1_200)]
    chat = regulars(1_800) + notices + guests(605, 12)
    found = measure(write(tmp_path / "chat.jsonl", chat), None)["friendly_raids"]
    assert found["raids"] == 1, "after the second announcement nobody came"
    assert found["with_announcement"] == {"recognised": 1.0, "called_attacks": 0}
    assert found["without"]["called_attacks"] == 0


def test_a_recording_without_announcements_has_no_figure(tmp_path: Path) -> None:
    assert measure(write(tmp_path / "chat.jsonl", regulars(100)), None)["friendly_raids"] is None
