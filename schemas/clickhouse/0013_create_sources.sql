-- Where each source stands now, and where it heard nothing. Neither holds ids or names, so both outlive the texts:
-- a channel that has been live for two days still says so.
CREATE TABLE source_states
(
    workspace LowCardinality(String),
    channel String,
    platform LowCardinality(String),
    state LowCardinality(String),
    reason String,
    since DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(since)
ORDER BY (workspace, channel)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE source_gaps
(
    workspace LowCardinality(String),
    channel LowCardinality(String),
    event_id String,
    platform LowCardinality(String),
    stream_id LowCardinality(String),
    at DateTime64(3, 'UTC'),
    span_from DateTime64(3, 'UTC'),
    span_to DateTime64(3, 'UTC'),
    cause LowCardinality(String),
    recovered UInt64,
    received_at DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(received_at)
ORDER BY (workspace, channel, event_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_source_states TO source_states AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    workspace, channel, splitByChar(':', channel)[1] AS platform, ifNull(state, '') AS state,
    ifNull(cause, '') AS reason, fromUnixTimestamp64Milli(at, 'UTC') AS since,
    fromUnixTimestamp64Milli(least(at + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000, 4102444800000), 'UTC') AS expires_at
FROM landing_events
WHERE kind = 'source_state';

CREATE MATERIALIZED VIEW feed_source_gaps TO source_gaps AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    workspace, channel, event_id, splitByChar(':', channel)[1] AS platform, stream_id,
    fromUnixTimestamp64Milli(landing_events.at, 'UTC') AS at,
    fromUnixTimestamp64Milli(ifNull(`from`, landing_events.at), 'UTC') AS span_from,
    fromUnixTimestamp64Milli(ifNull(`to`, landing_events.at), 'UTC') AS span_to,
    ifNull(cause, '') AS cause, toUInt64(greatest(ifNull(recovered, 0), 0)) AS recovered,
    fromUnixTimestamp64Milli(landing_events.received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(landing_events.at + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000, 4102444800000), 'UTC') AS expires_at
FROM landing_events
WHERE kind = 'gap';

-- Spans in which a source may have lost lines: blind is not calm.
CREATE OR REPLACE VIEW gaps AS
SELECT workspace, channel, platform, stream_id, event_id, at, span_from, span_to, cause, recovered
FROM source_gaps FINAL
WHERE expires_at > now64(3, 'UTC');

-- One row per channel that was ever listened to; gaps and the seconds missed are those of the last 24 hours.
CREATE VIEW sources AS
SELECT
    states.workspace AS workspace, states.channel AS channel, states.platform AS platform, state, reason, since,
    missed.gaps AS gaps_24h, missed.seconds AS missed_s_24h, missed.lines AS recovered_24h,
    nullIf(missed.newest, fromUnixTimestamp64Milli(0, 'UTC')) AS last_gap_at
FROM (SELECT * FROM source_states FINAL WHERE expires_at > now64(3, 'UTC')) AS states
LEFT JOIN
(
    SELECT
        workspace, channel, count() AS gaps, sum(dateDiff('millisecond', span_from, span_to)) / 1000 AS seconds,
        sum(recovered) AS lines, max(span_to) AS newest
    FROM source_gaps FINAL
    WHERE span_to > now64(3, 'UTC') - INTERVAL 24 HOUR
    GROUP BY workspace, channel
) AS missed ON missed.workspace = states.workspace AND missed.channel = states.channel;
