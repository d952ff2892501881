"""Moderation actions between proposal and decision, and their audit log, in one SQLite file."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from connectors.core.clock import Clock
from connectors.core.pseudonyms import Pseudonyms
from connectors.core.sealing import Sealer
from connectors.twitch.moderation import ACTION, Action

VALID_MS: Final = 24 * 3_600_000
"""A proposal lapses then: no longer may a connector keep a person's name (see the design's privacy rules)."""


class ApprovalError(ValueError):
    """An action cannot be decided on; the message says why."""


class Proposal(NamedTuple):
    """An action that waits."""

    id: str
    workspace: str
    proposed_at: int
    action: Action


class Entry(NamedTuple):
    """One line of the audit log."""

    at: int
    action_id: str
    workspace: str
    who: str
    event: str
    detail: str


class Approvals:
    """The file. An action is sent at most once: it is claimed first, and nothing is claimed twice.

    Of a process that died while sending, the action stays `sending`: whether Twitch took it is not known.
    """

    def __init__(self, path: Path, sealer: Sealer, clock: Clock) -> None:
        """Open the file, or create it for its owner alone."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(Path(__file__).with_name("approvals.sql").read_text(encoding="utf-8"))
        self._sealer = sealer
        self._clock = clock
        self._expire()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def propose(self, workspace: str, action: Action, who: str, pseudonyms: Pseudonyms) -> str:
        """Keep an action for a decision; returns its id."""
        action_id = secrets.token_hex(4)
        told = action.model_dump(exclude={"user"}, exclude_none=True)
        for words in told.keys() & {"reason", "text"}:
            told[words] = pseudonyms.text(told[words], known={action.target})
        if action.target:
            told["target"] = pseudonyms.author(action.target)
        with self._transaction():
            self._db.execute(
                "INSERT INTO actions VALUES (?,?,?,'proposed',?)",
                (action_id, workspace, self._clock.now_ms(), self._sealer.seal(ACTION.dump_json(action))),
            )
            self._note(action_id, workspace, who, "proposed", json.dumps(told, ensure_ascii=False))
        return action_id

    def waiting(self) -> list[Proposal]:
        """What waits for a decision, oldest first."""
        rows = self._db.execute(
            "SELECT id, workspace, proposed_at, sealed FROM actions WHERE state = 'proposed'"
            " ORDER BY proposed_at"
        )
        return [
            Proposal(identity, workspace, at, ACTION.validate_json(self._sealer.open(sealed)))
            for identity, workspace, at, sealed in rows
        ]

    def proposal(self, action_id: str) -> Proposal:
        """One that waits.

        Raises:
            ApprovalError: there is none of that id, or it is decided already.
        """
        for found in self.waiting():
            if found.id == action_id:
                return found
        row = self._db.execute("SELECT state FROM actions WHERE id = ?", (action_id,)).fetchone()
        raise ApprovalError(f"action {action_id} is {row[0]} already" if row else f"no action {action_id}")

    def previewed(self, proposal: Proposal, who: str) -> None:
        """Note that somebody saw what would be sent."""
        with self._transaction():
            self._note(proposal.id, proposal.workspace, who, "previewed", "")

    def claim(self, proposal: Proposal, who: str) -> None:
        """Approve it: from now on it counts as being sent.

        Raises:
            ApprovalError: somebody else decided meanwhile.
        """
        self._decide(proposal, "sending", who, "approved")

    def reject(self, proposal: Proposal, who: str, why: str) -> None:
        """Refuse it.

        Raises:
            ApprovalError: somebody else decided meanwhile.
        """
        self._decide(proposal, "rejected", who, "rejected", why)
        self._forget(proposal.id)

    def settle(self, proposal: Proposal, who: str, error: str | None) -> None:
        """What became of one that was claimed; `error` is None where Twitch did it."""
        state = "done" if error is None else "failed"
        with self._transaction():
            self._db.execute("UPDATE actions SET state = ? WHERE id = ?", (state, proposal.id))
            self._note(proposal.id, proposal.workspace, who, state, error or "")
        self._forget(proposal.id)

    def log(self, limit: int) -> list[Entry]:
        """The newest lines of the audit log, oldest first."""
        rows = self._db.execute(
            "SELECT at, action_id, workspace, who, event, detail FROM audit ORDER BY seq DESC LIMIT ?",
            (limit,),
        ).fetchall()
        return [Entry(*row) for row in reversed(rows)]

    def _decide(self, proposal: Proposal, state: str, who: str, event: str, detail: str = "") -> None:
        with self._transaction():
            changed = self._db.execute(
                "UPDATE actions SET state = ? WHERE id = ? AND state = 'proposed'", (state, proposal.id)
            )
            if changed.rowcount == 0:
                raise ApprovalError(f"action {proposal.id} was decided on meanwhile")
            self._note(proposal.id, proposal.workspace, who, event, detail)

    def _expire(self) -> None:
        oldest = self._clock.now_ms() - VALID_MS
        with self._transaction():
            lapsed = self._db.execute(
                "UPDATE actions SET state = 'expired' WHERE state = 'proposed' AND proposed_at < ?"
                " RETURNING id, workspace",
                (oldest,),
            ).fetchall()
            for action_id, workspace in lapsed:
                self._note(action_id, workspace, "", "expired", "")
            self._db.execute("UPDATE actions SET sealed = NULL WHERE proposed_at < ?", (oldest,))

    def _forget(self, action_id: str) -> None:
        self._db.execute("UPDATE actions SET sealed = NULL WHERE id = ?", (action_id,))

    def _note(self, action_id: str, workspace: str, who: str, event: str, detail: str) -> None:
        self._db.execute(
            "INSERT INTO audit (at, action_id, workspace, who, event, detail) VALUES (?,?,?,?,?,?)",
            (self._clock.now_ms(), action_id, workspace, who, event, detail),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
