-- What people said of alerts: right, wrong or muted. Each mark stays; the newest counts. A mark carries what it needs
-- of its alert, because an alert may get further revisions and people look at marks by kind and time.
CREATE TABLE alert_marks
(
    workspace LowCardinality(String),
    alert_id String,
    marked_at DateTime64(3, 'UTC'),
    verdict LowCardinality(String),
    note String CODEC(ZSTD(1)),
    mute_until Nullable(DateTime64(3, 'UTC')),
    channel LowCardinality(String),
    kind LowCardinality(String),
    severity LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(marked_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (workspace, alert_id, marked_at, verdict)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW marks AS
SELECT workspace, alert_id, marked_at, verdict, note, mute_until, channel, kind, severity, started_at
FROM alert_marks FINAL
WHERE expires_at > now64(3, 'UTC');

-- One row per alert that somebody called right (label 1) or wrong (label 0): for training and for precision.
CREATE VIEW alert_labels AS
SELECT
    alerts.workspace AS workspace, alerts.alert_id AS alert_id, alerts.channel AS channel, alerts.platform AS platform,
    alerts.stream_id AS stream_id, alerts.kind AS kind, alerts.severity AS severity,
    alerts.started_at AS started_at, alerts.detected_at AS detected_at, alerts.ended_at AS ended_at,
    alerts.why AS why, alerts.authors AS authors, alerts.messages AS messages,
    toUInt8(said.verdict = 'right') AS label, said.note AS note, said.at AS marked_at
FROM alerts
INNER JOIN
(
    SELECT
        workspace, alert_id, argMax(marks.verdict, marks.marked_at) AS verdict,
        argMax(marks.note, marks.marked_at) AS note, max(marks.marked_at) AS at
    FROM marks
    WHERE marks.verdict IN ('right', 'wrong')
    GROUP BY workspace, alert_id
) AS said ON said.workspace = alerts.workspace AND said.alert_id = alerts.alert_id;
