"""Where the sources of a workspace stand: what is heard, and what was missed."""

from typing import Final

from serving.api.models import Source
from serving.api.store import Store

_SOURCES: Final = """
SELECT channel, platform, state, reason, toUnixTimestamp64Milli(s.since) AS since,
    gaps_24h, missed_s_24h, recovered_24h, toUnixTimestamp64Milli(s.last_gap_at) AS last_gap_at
FROM sources AS s
WHERE workspace = {workspace:String}
ORDER BY channel
LIMIT 2000
"""


class Sources:
    """Reads the sources of a workspace; any number of threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, workspace: str) -> list[Source]:
        """Every channel that was ever listened to, by name, at most 2,000."""
        return [Source.model_validate(row) for row in self._store.rows(_SOURCES, {"workspace": workspace})]
