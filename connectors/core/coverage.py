"""Which channels are heard, and the gaps in which they were not; pure, the caller tells the time."""

from typing import NamedTuple


class Gap(NamedTuple):
    """A channel of which nothing was heard after `from_ms` and before `to_ms`."""

    channel: str
    from_ms: int
    to_ms: int
    cause: str


class Coverage:
    """Follows which connections hear which channels.

    A channel is covered while at least one connection hears it: a connection that takes over from another
    leaves no gap. The first coverage of a channel ends no gap.
    """

    def __init__(self) -> None:
        self._by: dict[str, set[int]] = {}
        self._lost: dict[str, tuple[int, str]] = {}

    def hear(self, connection: int, channel: str, now_ms: int) -> Gap | None:
        """The connection hears the channel from now on; returns the gap that this ends."""
        self._by.setdefault(channel, set()).add(connection)
        lost = self._lost.pop(channel, None)
        return Gap(channel, lost[0], max(lost[0], now_ms), lost[1]) if lost else None

    def miss(self, channel: str, since_ms: int, cause: str) -> None:
        """Nobody has heard the channel since then, before this process followed it."""
        if not self.covers(channel):
            self._lost[channel] = (since_ms, cause)

    def lose(self, connection: int, last_heard_ms: int, cause: str) -> list[str]:
        """The connection is gone, and was surely alive until then; returns channels that nobody hears now."""
        uncovered = []
        for channel, connections in self._by.items():
            if connection in connections:
                connections.discard(connection)
                if not connections:
                    self._lost[channel] = (last_heard_ms, cause)
                    uncovered.append(channel)
        return uncovered

    def leave(self, connection: int, channel: str, last_heard_ms: int, cause: str) -> bool:
        """The connection hears that channel no more; returns whether nobody does."""
        connections = self._by.get(channel, set())
        if connection not in connections:
            return False
        connections.discard(connection)
        if not connections:
            self._lost[channel] = (last_heard_ms, cause)
        return not connections

    def unheard(self, now_ms: int) -> list[Gap]:
        """The gaps that are open now."""
        return [Gap(name, since, max(since, now_ms), cause) for name, (since, cause) in self._lost.items()]

    def forget(self, channel: str) -> None:
        """The channel is not followed any more: no gap of it is open."""
        self._by.pop(channel, None)
        self._lost.pop(channel, None)

    def covers(self, channel: str) -> bool:
        """Whether anybody hears the channel."""
        return bool(self._by.get(channel))
