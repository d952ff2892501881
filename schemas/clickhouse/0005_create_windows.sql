CREATE TABLE landing_windows
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    size_ms UInt32,
    start_ms Int64,
    messages UInt64,
    scored UInt64,
    abstained UInt64,
    authors_in_window UInt64,
    new_authors UInt64,
    emotion_sum Array(Int64),
    emotion_sumsq Array(Int64),
    basic_sum Array(Int64),
    basic_sumsq Array(Int64),
    sentiment_sum Int64,
    sentiment_sumsq Int64,
    toxicity_sum Int64,
    toxicity_sumsq Int64,
    hate_sum Int64,
    sarcasm_sum Int64,
    sample_rate Float64,
    max_lag_ms Int64
)
ENGINE = Null;

-- The row that counted most messages wins; of equals the newest. After a crash the job may send smaller partial
-- windows again: they change nothing.
CREATE TABLE window_sums
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    size_ms UInt32 CODEC(T64, ZSTD(1)),
    start_ms Int64 CODEC(DoubleDelta, ZSTD(1)),
    channel LowCardinality(String),
    platform LowCardinality(String),
    expires_at DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    messages UInt64 CODEC(T64, ZSTD(1)),
    scored UInt64 CODEC(T64, ZSTD(1)),
    abstained UInt64 CODEC(T64, ZSTD(1)),
    authors_in_window UInt64 CODEC(T64, ZSTD(1)),
    new_authors UInt64 CODEC(T64, ZSTD(1)),
    emotion_sum Array(Int64) CODEC(T64, ZSTD(1)),
    emotion_sumsq Array(Int64) CODEC(T64, ZSTD(1)),
    basic_sum Array(Int64) CODEC(T64, ZSTD(1)),
    basic_sumsq Array(Int64) CODEC(T64, ZSTD(1)),
    sentiment_sum Int64 CODEC(T64, ZSTD(1)),
    sentiment_sumsq Int64 CODEC(T64, ZSTD(1)),
    toxicity_sum Int64 CODEC(T64, ZSTD(1)),
    toxicity_sumsq Int64 CODEC(T64, ZSTD(1)),
    hate_sum Int64 CODEC(T64, ZSTD(1)),
    sarcasm_sum Int64 CODEC(T64, ZSTD(1)),
    sample_rate Float64,
    max_lag_ms Int64 CODEC(T64, ZSTD(1))
)
ENGINE = ${REPLICATED}ReplacingMergeTree(messages)
PARTITION BY toYYYYMM(toDateTime(intDiv(start_ms, 1000), 'UTC'))
ORDER BY (workspace, stream_id, size_ms, start_ms)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_window_sums TO window_sums AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    * EXCEPT (size_ms, start_ms), size_ms, start_ms, splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(start_ms, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at
FROM landing_windows;

CREATE VIEW windows AS
SELECT
    workspace, channel, platform, stream_id, fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
    start_ms, size_ms, messages, scored, abstained, if(messages = 0, NULL, scored / messages) AS coverage,
    authors_in_window, new_authors,
    if(scored = 0, NULL, sentiment_sum / scored / 10000) AS sentiment,
    if(scored = 0, NULL, toxicity_sum / scored / 10000) AS toxicity,
    if(scored = 0, NULL, hate_sum / scored / 10000) AS hate,
    if(scored = 0, NULL, sarcasm_sum / scored / 10000) AS sarcasm,
    mapFromArrays(if(scored = 0, [], [
        'admiration', 'amusement', 'anger', 'annoyance', 'approval', 'caring', 'confusion', 'curiosity',
        'desire', 'disappointment', 'disapproval', 'disgust', 'embarrassment', 'excitement', 'fear',
        'gratitude', 'grief', 'joy', 'love', 'nervousness', 'optimism', 'pride', 'realization', 'relief',
        'remorse', 'sadness', 'surprise', 'neutral'
    ]), if(scored = 0, [], arrayMap(x -> x / scored / 10000, emotion_sum))) AS emotions,
    mapFromArrays(if(scored = 0, [], [
        'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'
    ]), if(scored = 0, [], arrayMap(x -> x / scored / 10000, basic_sum))) AS basic,
    emotion_sum, emotion_sumsq, basic_sum, basic_sumsq, sentiment_sum, sentiment_sumsq,
    toxicity_sum, toxicity_sumsq, hate_sum, sarcasm_sum, sample_rate, max_lag_ms
FROM window_sums FINAL
WHERE expires_at > now('UTC');
