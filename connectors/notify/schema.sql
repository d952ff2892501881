-- State of the notifier: what is owed to which target, and what became of it.
CREATE TABLE IF NOT EXISTS deliveries (
  id          INTEGER PRIMARY KEY,
  target      TEXT    NOT NULL,
  workspace   TEXT    NOT NULL,
  alert_id    TEXT    NOT NULL,
  revision    INTEGER NOT NULL,
  severity    TEXT    NOT NULL,
  news        TEXT    NOT NULL,
  group_key   TEXT    NOT NULL,
  -- waiting, sending, sent, replaced (by a newer revision before it was sent), quiet (dropped), dead
  status      TEXT    NOT NULL,
  appended_at INTEGER NOT NULL,   -- ms: when the alert was in Kafka
  not_before  INTEGER NOT NULL,   -- ms
  held        INTEGER NOT NULL,   -- 1 where quiet hours hold it
  settled_at  INTEGER,            -- ms
  reason      TEXT,               -- of a dead one
  record      BLOB,               -- the alert as JSON, without message ids; null once sent
  UNIQUE (target, workspace, alert_id, revision)
);
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (target, not_before)
  WHERE status IN ('waiting', 'sending');
CREATE INDEX IF NOT EXISTS deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
-- Records of the topic that are no alerts.
CREATE TABLE IF NOT EXISTS refused (
  topic       TEXT    NOT NULL,
  "partition" INTEGER NOT NULL,
  "offset"    INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  record      BLOB    NOT NULL,
  PRIMARY KEY (topic, "partition", "offset")
);
