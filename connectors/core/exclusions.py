"""Authors who opted out: their lines end in the connector, before Kafka."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from connectors.core.journal import Entry, Journal
from connectors.core.source import Record
from schemas.records import ChatMessage, DeadLetter, Erasure

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0


class Exclusions:
    """Follows pulse.erasures.v1; `refresh` and `keeps` may be called from two threads."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._decoder = msgspec.json.Decoder(Erasure)
        self._authors: frozenset[tuple[str, str]] = frozenset()

    def load(self) -> None:
        """Read all that was asked for until now. Raises JournalError."""
        self._take(self._journal.read_to_end())

    def refresh(self) -> None:
        """Read what was asked for since; waits a moment for it."""
        self._take(self._journal.read(LOOK_EVERY_S))

    def close(self) -> None:
        """Read no more."""
        self._journal.close()

    @property
    def active(self) -> bool:
        """Whether anybody opted out."""
        return bool(self._authors)

    def keeps(self, record: Record) -> bool:
        """Whether the record may go to Kafka: it is neither by nor about an author who opted out."""
        if isinstance(record, DeadLetter):
            return True
        if isinstance(record, ChatMessage):
            return (record.workspace, record.author) not in self._authors
        about = (record.source, record.target_author)
        return not any((record.workspace, author) in self._authors for author in about if author)

    def _take(self, entries: Sequence[Entry]) -> None:
        authors = set(self._authors)
        for entry in entries:
            try:
                asked = self._decoder.decode(entry.value or b"")
            except msgspec.MsgspecError as error:
                log.warning("a record of %s cannot be read and changes nothing: %s", entry.topic, error)
                continue
            change = authors.add if asked.opted_out else authors.discard
            change((asked.workspace, asked.author))
        self._authors = frozenset(authors)
