CREATE TABLE landing_alerts
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    alert_id String,
    revision UInt64,
    kind String,
    severity String,
    state String,
    started_at Int64,
    detected_at Int64,
    ended_at Nullable(Int64),
    why String,
    evidence Array(String),
    clusters Array(String),
    authors UInt64,
    messages UInt64,
    playbook Nullable(String),
    channels Array(String)
)
ENGINE = Null;

-- The newest revision of an episode counts. Evidence holds message ids, so it goes with the texts.
CREATE TABLE alert_revisions
(
    workspace LowCardinality(String),
    alert_id String,
    revision UInt64,
    channel LowCardinality(String),
    platform LowCardinality(String),
    stream_id LowCardinality(String),
    kind LowCardinality(String),
    severity LowCardinality(String),
    state LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    detected_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    expires_at DateTime64(3, 'UTC'),
    evidence_expires_at DateTime64(3, 'UTC'),
    why String CODEC(ZSTD(1)),
    evidence Array(String) TTL toDateTime(evidence_expires_at),
    clusters Array(String),
    authors UInt64,
    messages UInt64,
    playbook Nullable(String),
    channels Array(String)
)
ENGINE = ${REPLICATED}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(started_at)
ORDER BY (workspace, alert_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_alert_revisions TO alert_revisions AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    workspace, alert_id, revision, channel, splitByChar(':', channel)[1] AS platform, stream_id, kind, severity, state,
    fromUnixTimestamp64Milli(landing_alerts.started_at, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(landing_alerts.detected_at, 'UTC') AS detected_at,
    fromUnixTimestamp64Milli(landing_alerts.ended_at, 'UTC') AS ended_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000, 4102444800000), 'UTC') AS expires_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + toInt64(if(mapContains(spans, concat(platform, '/text')), spans[concat(platform, '/text')], spans['*/text'])) * 1000, 4102444800000), 'UTC') AS evidence_expires_at,
    why, evidence, clusters, authors, messages, playbook, channels
FROM landing_alerts;

CREATE VIEW alerts AS
SELECT
    workspace, channel, platform, stream_id, alert_id, revision, kind, severity, state, started_at, detected_at,
    ended_at, JSONExtractString(why, 'summary') AS summary, why,
    if(evidence_expires_at > now64(3, 'UTC'), evidence, []) AS evidence,
    clusters, authors, messages, playbook, channels
FROM alert_revisions FINAL
WHERE expires_at > now64(3, 'UTC');
