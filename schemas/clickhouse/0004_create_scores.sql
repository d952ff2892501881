-- Scores without ids, author or text; they outlive the texts by the derived span. score_key is a keyed one-way
-- hash of the message id: it removes doubles and leads back to no message.
CREATE TABLE scores
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    sent_second DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    score_key UInt128 CODEC(NONE),
    channel LowCardinality(String),
    platform LowCardinality(String),
    expires_at DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    lang LowCardinality(String),
    emotions Array(Float32) CODEC(ZSTD(1)),
    basic Array(Float32) CODEC(ZSTD(1)),
    sentiment Float32 CODEC(ZSTD(1)),
    toxicity Float32 CODEC(ZSTD(1)),
    hate Float32 CODEC(ZSTD(1)),
    sarcasm Float32 CODEC(ZSTD(1)),
    abstained Bool,
    model LowCardinality(String),
    model_version LowCardinality(String)
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMM(sent_second)
ORDER BY (workspace, stream_id, sent_second, score_key)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_scores TO scores AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans,
    (SELECT (k0, k1) FROM score_keys ORDER BY made_at LIMIT 1) AS hash_key
SELECT
    workspace, stream_id, toDateTime(intDiv(sent_at, 1000), 'UTC') AS sent_second,
    reinterpretAsUInt128(sipHash128Keyed((assumeNotNull(hash_key.1), assumeNotNull(hash_key.2)), message_id)) AS score_key,
    channel, splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(sent_at, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at,
    ifNull(lang, '') AS lang,
    [
        emotions.admiration, emotions.amusement, emotions.anger, emotions.annoyance, emotions.approval,
        emotions.caring, emotions.confusion, emotions.curiosity, emotions.desire, emotions.disappointment,
        emotions.disapproval, emotions.disgust, emotions.embarrassment, emotions.excitement, emotions.fear,
        emotions.gratitude, emotions.grief, emotions.joy, emotions.love, emotions.nervousness,
        emotions.optimism, emotions.pride, emotions.realization, emotions.relief, emotions.remorse,
        emotions.sadness, emotions.surprise, emotions.neutral
    ] AS emotions,
    [
        basic.joy, basic.sadness, basic.anger, basic.fear, basic.surprise, basic.disgust, basic.neutral
    ] AS basic,
    sentiment, toxicity, hate, sarcasm, abstained, model, model_version
FROM landing_messages
WHERE kind = 'message' AND scored_at > 0;
