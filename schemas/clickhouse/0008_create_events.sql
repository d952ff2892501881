CREATE TABLE landing_events
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    event_id String,
    kind String,
    at Int64,
    received_at Int64,
    expires_at Int64,
    source Nullable(String),
    viewers Nullable(Int64),
    target_message_id Nullable(String),
    target_author Nullable(String),
    `from` Nullable(Int64),
    `to` Nullable(Int64),
    cause Nullable(String),
    recovered Nullable(Int64),
    state Nullable(String)
)
ENGINE = Null;

CREATE TABLE channel_events
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    event_id String,
    channel LowCardinality(String),
    platform LowCardinality(String),
    kind LowCardinality(String),
    at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC'),
    source Nullable(String),
    viewers Nullable(Int64),
    target_message_id Nullable(String),
    target_author Nullable(String),
    span_from Nullable(DateTime64(3, 'UTC')),
    span_to Nullable(DateTime64(3, 'UTC')),
    cause Nullable(String),
    recovered Nullable(Int64),
    state Nullable(String)
)
ENGINE = ${REPLICATED}ReplacingMergeTree(received_at)
PARTITION BY (toYYYYMM(received_at), toYYYYMMDD(expires_at))
ORDER BY (workspace, stream_id, event_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600;

CREATE MATERIALIZED VIEW feed_channel_events TO channel_events AS
SELECT
    workspace, stream_id, event_id, channel, splitByChar(':', channel)[1] AS platform, kind,
    fromUnixTimestamp64Milli(landing_events.at, 'UTC') AS at,
    fromUnixTimestamp64Milli(landing_events.received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at,
    source, viewers, target_message_id, target_author,
    fromUnixTimestamp64Milli(`from`, 'UTC') AS span_from, fromUnixTimestamp64Milli(`to`, 'UTC') AS span_to,
    cause, recovered, state
FROM landing_events;

CREATE VIEW events AS
SELECT
    workspace, channel, platform, stream_id, event_id, kind, at, received_at, source, viewers,
    target_message_id, target_author, span_from, span_to, cause, recovered, state
FROM channel_events FINAL
WHERE expires_at > now64(3, 'UTC');

-- Spans in which a source may have lost lines: blind is not calm.
CREATE VIEW gaps AS
SELECT workspace, channel, platform, stream_id, event_id, at, span_from, span_to, cause, recovered
FROM events
WHERE kind = 'gap';
