"""Message ids that came already: by two connections that overlap, or by one that repeats itself."""


class SeenIds:
    """Remembers the newest `most` ids."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def is_new(self, identity: str) -> bool:
        """Whether it was not seen yet; it is now."""
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True
