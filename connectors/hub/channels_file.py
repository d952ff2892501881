"""Keeps the list of channels equal to a channels file, while the file changes."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from connectors.core.channels import ChannelsError, load_channels
from connectors.core.clock import Clock
from connectors.core.journal import JournalError
from connectors.hub.book import ChannelBook

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0


class ChannelsFile:
    """Looks at a file's time and size; one that cannot be used changes nothing and is told once."""

    def __init__(self, path: Path, book: ChannelBook) -> None:
        self._path, self._book = path, book
        self._applied: tuple[int, int] | None = None

    async def watch(self, clock: Clock) -> None:
        """Apply the file now and after each change, until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Apply the file where it has changed; where Kafka did not answer, the next look tries again."""
        try:
            stat = self._path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            version = (0, 0)
        if version == self._applied:
            return
        try:
            came, went = self._book.apply(load_channels(self._path))
        except (ChannelsError, ValueError) as error:
            log.error("the list of channels stays as it is: %s", error)
        except JournalError as error:
            log.warning("%s is not applied yet: %s", self._path, error)
            return
        else:
            log.info("%s applied: %d channels came, %d went", self._path, len(came), len(went))
        self._applied = version
