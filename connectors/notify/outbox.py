"""What is owed to whom, in one SQLite file: written before Kafka's offset is committed, so nothing is lost.

Each (target, workspace, alert, revision) is one row and is sent once; a crash between a target's acceptance
and the note of it sends that one message again (with the same delivery id, see `message.py`).
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connectors.notify.rules import News, Told, Verdict
from schemas.codecs import encode
from schemas.records import Alert

KEEP_MS: Final = 8 * 86_400_000
"""Sent rows are kept so long: a day more than the topic, so nothing that Kafka repeats is sent again."""
KEEP_DEAD_MS: Final = 30 * 86_400_000

_decoder = msgspec.json.Decoder(Alert)


class Due(NamedTuple):
    """One alert to tell."""

    id: int
    news: News
    appended_at: int
    not_before: int
    held: bool
    alert: Alert


class Dead(NamedTuple):
    """One alert that was given up, or (without a target) a record that is no alert."""

    id: str
    target: str | None
    seen_at: int
    reason: str
    record: bytes


class Outbox:
    """The file; one process writes it, others may look."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        # FULL: what is in here must survive a power cut, since Kafka's offset is committed after it
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk at the end."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def recover(self) -> None:
        """Owe again what was being sent when the process ended; only the one that sends may call it."""
        self._db.execute("UPDATE deliveries SET status = 'waiting' WHERE status = 'sending'")

    def told(self, target: str, alert: Alert) -> Told | None:
        """The newest revision of the alert that is known for the target."""
        row = self._db.execute(
            "SELECT revision, severity, status = 'quiet' FROM deliveries"
            " WHERE target = ? AND workspace = ? AND alert_id = ? ORDER BY revision DESC LIMIT 1",
            (target, alert.workspace, alert.alert_id),
        ).fetchone()
        return Told(row[0], row[1], bool(row[2])) if row else None

    def waits(self, target: str, alert: Alert) -> bool:
        """Whether the target is still to be told of an earlier revision."""
        return self._waiting(target, alert) is not None

    def add(
        self, target: str, alert: Alert, news: News, group: str, found: Verdict, appended_at: int, now_ms: int
    ) -> None:
        """Owe a revision; it takes the place of an earlier one that was not sent yet."""
        dropped = found.not_before is None
        not_before = now_ms if found.not_before is None else found.not_before
        held = not dropped and not_before > now_ms
        if (earlier := self._waiting(target, alert)) is not None:
            row_id, first_news, first_appended_at, first_not_before, first_held = earlier
            news, appended_at = first_news, first_appended_at
            if dropped or first_not_before <= not_before:
                dropped, not_before, held = False, first_not_before, bool(first_held)
            self._settle([row_id], "replaced", now_ms)
        self._db.execute(
            "INSERT OR IGNORE INTO deliveries (target, workspace, alert_id, revision, severity, news,"
            " group_key, status, appended_at, not_before, held, settled_at, record)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                target,
                alert.workspace,
                alert.alert_id,
                alert.revision,
                alert.severity,
                news,
                group,
                "quiet" if dropped else "waiting",
                appended_at,
                not_before,
                held,
                now_ms if dropped else None,
                None if dropped else encode(alert),
            ),
        )

    def refuse(
        self, topic: str, partition: int, offset: int, reason: str, record: bytes, now_ms: int
    ) -> None:
        """Keep a record that is no alert."""
        self._db.execute(
            "INSERT OR IGNORE INTO refused VALUES (?,?,?,?,?,?)",
            (topic, partition, offset, now_ms, reason, record),
        )

    def next_at(self, target: str, but: Sequence[str] = ()) -> int | None:
        """When (ms) the target's next alert is due, groups in `but` left out; None: none waits."""
        row = self._db.execute(
            "SELECT min(not_before) FROM deliveries WHERE target = ? AND status = 'waiting'"
            " AND group_key NOT IN (SELECT value FROM json_each(?))",
            (target, json.dumps(but)),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def due_groups(self, target: str, now_ms: int) -> list[str]:
        """Groups of the target with something due, the longest waiting first."""
        rows = self._db.execute(
            "SELECT group_key FROM deliveries WHERE target = ? AND status = 'waiting' AND not_before <= ?"
            " GROUP BY group_key ORDER BY min(not_before), min(id)",
            (target, now_ms),
        )
        return [row[0] for row in rows]

    def claim(self, target: str, group: str, until_ms: int, limit: int) -> list[Due]:
        """Take what is due until then for one message, oldest first; it counts as being sent from now on."""
        rows = self._db.execute(
            "SELECT id, news, appended_at, not_before, held, record FROM deliveries"
            " WHERE target = ? AND group_key = ? AND status = 'waiting' AND not_before <= ?"
            " ORDER BY not_before, id LIMIT ?",
            (target, group, until_ms, limit),
        ).fetchall()
        with self.transaction():
            self._mark([row[0] for row in rows], "status = 'sending'")
        return [
            Due(row_id, news, appended_at, not_before, bool(held), _decoder.decode(record))
            for row_id, news, appended_at, not_before, held, record in rows
        ]

    def sent(self, due: Sequence[Due], now_ms: int) -> None:
        """Note that the target has these."""
        with self.transaction():
            self._settle([item.id for item in due], "sent", now_ms)

    def release(self, due: Sequence[Due]) -> None:
        """Owe these again."""
        with self.transaction():
            self._mark([item.id for item in due], "status = 'waiting'")

    def give_up(self, due: Sequence[Due], reason: str, now_ms: int) -> None:
        """Make these dead letters; they keep their records."""
        with self.transaction():
            self._mark(
                [item.id for item in due], "status = 'dead', settled_at = ?, reason = ?", now_ms, reason
            )

    def waiting(self) -> dict[str, int]:
        """How many alerts are owed, by target."""
        rows = self._db.execute(
            "SELECT target, count(*) FROM deliveries WHERE status IN ('waiting', 'sending') GROUP BY target"
        )
        return dict(rows.fetchall())

    def dead(self) -> list[Dead]:
        """All dead letters, oldest first."""
        rows = self._db.execute(
            "SELECT cast(id AS TEXT), target, settled_at AS seen, reason, record FROM deliveries"
            " WHERE status = 'dead' UNION ALL"
            " SELECT topic || '/' || \"partition\" || '/' || \"offset\", NULL, seen_at, reason, record"
            " FROM refused ORDER BY seen"
        )
        return [Dead(*row) for row in rows]

    def retry(self, ids: Sequence[str] | None, now_ms: int) -> int:
        """Owe dead alerts again, all or those; returns how many."""
        chosen = [int(item.id) for item in self.dead() if item.target and (ids is None or item.id in ids)]
        with self.transaction():
            self._mark(
                chosen,
                "status = 'waiting', settled_at = NULL, reason = NULL, held = 1, not_before = ?",
                now_ms,
            )
        return len(chosen)

    def prune(self, now_ms: int) -> None:
        """Forget what Kafka cannot repeat any more, and dead letters after 30 days."""
        with self.transaction():
            self._db.execute(
                "DELETE FROM deliveries WHERE settled_at < iif(status = 'dead', ?, ?)",
                (now_ms - KEEP_DEAD_MS, now_ms - KEEP_MS),
            )
            self._db.execute("DELETE FROM refused WHERE seen_at < ?", (now_ms - KEEP_DEAD_MS,))

    def _waiting(self, target: str, alert: Alert) -> tuple[int, News, int, int, int] | None:
        row: tuple[int, News, int, int, int] | None = self._db.execute(
            "SELECT id, news, appended_at, not_before, held FROM deliveries WHERE target = ?"
            " AND workspace = ? AND alert_id = ? AND status = 'waiting' ORDER BY revision DESC LIMIT 1",
            (target, alert.workspace, alert.alert_id),
        ).fetchone()
        return row

    def _settle(self, ids: Sequence[int], status: str, now_ms: int) -> None:
        self._mark(ids, "status = ?, settled_at = ?, record = NULL", status, now_ms)

    def _mark(self, ids: Sequence[int], change: str, *values: object) -> None:
        self._db.executemany(
            f"UPDATE deliveries SET {change} WHERE id = ?",  # noqa: S608 - `change` is ours
            [(*values, row_id) for row_id in ids],
        )
