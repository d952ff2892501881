CREATE TABLE landing_dead_letters
(
    dlq_id String,
    workspace String DEFAULT 'default',
    stage String,
    source String,
    partition Int32,
    position Int64,
    error_class String,
    error String,
    raw String,
    seen_at Int64
)
ENGINE = Null;

CREATE TABLE dead_letter_rows
(
    workspace LowCardinality(String),
    dlq_id String,
    stage LowCardinality(String),
    source LowCardinality(String),
    partition Int32,
    position Int64,
    error_class LowCardinality(String),
    error String CODEC(ZSTD(1)),
    raw String CODEC(ZSTD(1)),
    seen_at DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMMDD(expires_at)
ORDER BY (workspace, dlq_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600;

CREATE MATERIALIZED VIEW feed_dead_letter_rows TO dead_letter_rows AS
WITH
    (SELECT max(span_s) FROM retention FINAL WHERE what = 'dead_letters') AS span
SELECT
    workspace, dlq_id, stage, source, partition, position, error_class, error, tryBase64Decode(raw) AS raw,
    fromUnixTimestamp64Milli(landing_dead_letters.seen_at, 'UTC') AS seen_at,
    fromUnixTimestamp64Milli(
        least(landing_dead_letters.seen_at + toInt64(assumeNotNull(span)) * 1000, 4102444800000), 'UTC') AS expires_at
FROM landing_dead_letters;

CREATE VIEW dead_letters AS
SELECT workspace, dlq_id, stage, source, partition, position, error_class, error, raw, seen_at
FROM dead_letter_rows FINAL
WHERE expires_at > now64(3, 'UTC');
