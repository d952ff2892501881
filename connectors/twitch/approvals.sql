-- Actions that wait for a person's decision, and the audit log of all that became of them.
CREATE TABLE IF NOT EXISTS actions (
  id          TEXT    PRIMARY KEY,
  workspace   TEXT    NOT NULL,
  proposed_at INTEGER NOT NULL,   -- ms
  -- proposed, sending, done, failed, rejected, expired
  state       TEXT    NOT NULL,
  sealed      BLOB                -- the action as JSON, encrypted: it may name a person; null once settled
);
CREATE TABLE IF NOT EXISTS audit (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,     -- ms
  action_id TEXT    NOT NULL,
  workspace TEXT    NOT NULL,
  who       TEXT    NOT NULL,     -- who of ours
  event     TEXT    NOT NULL,     -- proposed, previewed, approved, done, failed, rejected, expired
  detail    TEXT    NOT NULL      -- no person's name: targets are pseudonyms
);
CREATE TRIGGER IF NOT EXISTS audit_keeps BEFORE UPDATE ON audit
  BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit
  BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
