"""What a reader of an export gives: a chat line with its time, or the reason why there is none."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from connectors.imports.export import Export
from schemas.codecs import InvalidRecordError
from schemas.records import Emote

NoticeKind = Literal["raid", "sub", "gift"]
_NOT_IN_NAMES: Final = re.compile(r"[\s/\x00-\x1f]+")


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A line's fields as recorded chat has them; what the export does not say stays out of the file."""

    author: str
    text: str
    emotes: tuple[Emote, ...] | msgspec.UnsetType = msgspec.UNSET
    badges: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    bits: int | float | msgspec.UnsetType = msgspec.UNSET
    first_message: bool | msgspec.UnsetType = msgspec.UNSET
    account_age_s: int | msgspec.UnsetType = msgspec.UNSET
    reply_to: str | msgspec.UnsetType = msgspec.UNSET
    notice: NoticeKind | msgspec.UnsetType = msgspec.UNSET
    """This line is the platform's notice of an event, not something that the author typed."""
    viewers: int | msgspec.UnsetType = msgspec.UNSET
    """Of a raid notice: how many came along."""


class TimedLine(NamedTuple):
    """A line of a stream (`channel/broadcast`); `number` is unique in its file and grows.

    `at_ms` counts from the Unix epoch where `absolute`, else from the broadcast's start (negative before it);
    null where the export has no times.
    """

    number: int
    stream: str
    at_ms: int | None
    said: Said
    absolute: bool = False


class RefusedItem(NamedTuple):
    """Part of an export that cannot be read: a line of a file of lines, else an item counted from 1."""

    number: int
    error: InvalidRecordError
    unit: Literal["line", "item"] = "line"


class SkippedItem(NamedTuple):
    """Part of an export that is valid and no chat line: a join, a deletion, a room's settings."""

    number: int


Item = TimedLine | RefusedItem | SkippedItem


class Reader(Protocol):
    """A format's reader: streams the export once through, and never raises for what stands in it."""

    def __call__(self, export: Export) -> Iterator[Item]:
        """Yield what the export holds, in its order.

        Raises:
            OSError: the file cannot be read.
        """


def name_part(text: str, otherwise: str) -> str:
    """A channel's or broadcast's name as part of `channel/broadcast`: without slashes and spaces."""
    return _NOT_IN_NAMES.sub("_", text.strip()).strip("_")[:80] or otherwise


def known(value: str) -> str | msgspec.UnsetType:
    """The value, or nothing where it is empty."""
    return value or msgspec.UNSET
