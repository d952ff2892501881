"""Objects of the Bot API as its documentation describes them, with other names."""

from typing import Any, Final

AT: Final = 1_767_225_600
"""Seconds."""
ROOM: Final = -1001234567890
CHAT: Final = {"id": ROOM, "type": "supergroup", "title": "Room", "username": "room"}
ALICE: Final = {
    "id": 11,
    "is_bot": False,
    "first_name": "Alice",
    "last_name": "Liddell",
    "username": "alice_l",
}
BOB: Final = {"id": 22, "is_bot": False, "first_name": "Bob"}


def message(text: str | None = None, *, number: int = 1, at: int = AT, **more: Any) -> dict[str, Any]:
    said = {"text": text} if text is not None else {}
    return {"message_id": number, "date": at, "chat": CHAT, "from": ALICE, **said, **more}


def entity(kind: str, text: str, part: str, **more: Any) -> dict[str, Any]:
    """An entity over a part of the text, counted as Telegram counts: in UTF-16 code units."""
    before = text[: text.index(part)]
    return {"type": kind, "offset": _units(before), "length": _units(part), **more}


def standing(
    status: str, *, before: str = "member", user: dict[str, Any] = BOB, **more: Any
) -> dict[str, Any]:
    return {
        "chat": CHAT,
        "from": ALICE,
        "date": AT,
        "old_chat_member": {"status": before, "user": user},
        "new_chat_member": {"status": status, "user": user, **more},
    }


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
