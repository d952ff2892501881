-- When each stream was first and last heard of, heartbeats included: the freshness signal. Every column is a
-- minimum or maximum, so a repeated insert changes nothing.
CREATE TABLE stream_spans
(
    workspace LowCardinality(String),
    stream_id String,
    channel SimpleAggregateFunction(any, String),
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_message_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    last_seen_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    last_received_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    closed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    expires_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = ${REPLICATED}AggregatingMergeTree
ORDER BY (workspace, stream_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_stream_spans TO stream_spans AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans,
    splitByChar(':', landing_messages.channel)[1] AS platform
SELECT
    workspace, stream_id, any(landing_messages.channel) AS channel,
    fromUnixTimestamp64Milli(min(sent_at), 'UTC') AS first_at,
    fromUnixTimestamp64Milli(max(if(kind = 'message', sent_at, 0)), 'UTC') AS last_message_at,
    fromUnixTimestamp64Milli(max(greatest(sent_at, ifNull(`to`, 0))), 'UTC') AS last_seen_at,
    fromUnixTimestamp64Milli(max(received_at), 'UTC') AS last_received_at,
    fromUnixTimestamp64Milli(max(if(closing, greatest(sent_at, ifNull(`to`, 0)), 0)), 'UTC') AS closed_at,
    max(fromUnixTimestamp64Milli(least(received_at + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000, 4102444800000), 'UTC')) AS expires_at
FROM landing_messages
WHERE scored_at = 0
GROUP BY workspace, stream_id;

CREATE VIEW streams AS
SELECT
    workspace, channel, splitByChar(':', channel)[1] AS platform, stream_id, first_at,
    if(last_message_at = fromUnixTimestamp64Milli(0, 'UTC'), NULL, last_message_at) AS last_message_at,
    last_seen_at, last_received_at, toBool(closed_at >= last_seen_at) AS ended
FROM stream_spans FINAL
WHERE expires_at > now64(3, 'UTC');
