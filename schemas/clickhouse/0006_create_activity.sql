CREATE TABLE landing_activity
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    second_ms Int64,
    messages UInt64,
    authors UInt64,
    first_time_authors UInt64,
    duplicates UInt64,
    links UInt64,
    emotes UInt64,
    sample_rate Float64 DEFAULT 1
)
ENGINE = Null;

CREATE TABLE activity_seconds
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    second_ms Int64 CODEC(DoubleDelta, ZSTD(1)),
    channel LowCardinality(String),
    platform LowCardinality(String),
    expires_at DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    messages UInt64 CODEC(T64, ZSTD(1)),
    authors UInt64 CODEC(T64, ZSTD(1)),
    first_time_authors UInt64 CODEC(T64, ZSTD(1)),
    duplicates UInt64 CODEC(T64, ZSTD(1)),
    links UInt64 CODEC(T64, ZSTD(1)),
    emotes UInt64 CODEC(T64, ZSTD(1)),
    sample_rate Float64
)
ENGINE = ${REPLICATED}ReplacingMergeTree(messages)
PARTITION BY toYYYYMM(toDateTime(intDiv(second_ms, 1000), 'UTC'))
ORDER BY (workspace, stream_id, second_ms)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_activity_seconds TO activity_seconds AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    * EXCEPT (second_ms), second_ms, splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(second_ms, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at
FROM landing_activity;

CREATE VIEW activity AS
SELECT
    workspace, channel, platform, stream_id, fromUnixTimestamp64Milli(second_ms, 'UTC') AS second, second_ms,
    messages, authors, first_time_authors, duplicates, links, emotes, sample_rate
FROM activity_seconds FINAL
WHERE expires_at > now('UTC');
