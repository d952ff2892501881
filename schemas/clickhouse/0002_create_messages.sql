-- Landing of chat.messages.v1 and chat.scored.v1: stores nothing, feeds the views below. Column names are the
-- records' JSON keys; times are integer ms (ClickHouse reads an integer into DateTime64 as seconds).
CREATE TABLE landing_messages
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    message_id String,
    kind String,
    sent_at Int64,
    received_at Int64,
    expires_at Int64,
    author String,
    author_flags Tuple(
        subscriber Nullable(Bool), moderator Nullable(Bool), vip Nullable(Bool),
        first_message Nullable(Bool), account_age_s Nullable(Int64)),
    text String,
    emotes Array(Tuple(name String, provider String, start Nullable(Int32), end Nullable(Int32))),
    reply_to Nullable(String),
    amount Nullable(Float64),
    lang Nullable(String),
    `to` Nullable(Int64),
    closing Bool,
    emotions Tuple(
        admiration Float32, amusement Float32, anger Float32, annoyance Float32, approval Float32,
        caring Float32, confusion Float32, curiosity Float32, desire Float32, disappointment Float32,
        disapproval Float32, disgust Float32, embarrassment Float32, excitement Float32, fear Float32,
        gratitude Float32, grief Float32, joy Float32, love Float32, nervousness Float32, optimism Float32,
        pride Float32, realization Float32, relief Float32, remorse Float32, sadness Float32,
        surprise Float32, neutral Float32),
    basic Tuple(
        joy Float32, sadness Float32, anger Float32, fear Float32, surprise Float32, disgust Float32,
        neutral Float32),
    sentiment Float32,
    toxicity Float32,
    hate Float32,
    sarcasm Float32,
    model String,
    model_version String,
    scored_at Int64,
    abstained Bool,
    late_ms Int64,
    counted Bool DEFAULT true
)
ENGINE = Null;

-- One row per chat line after merging. A line comes unscored (version 0) and scored (2, or 1 where no window
-- counted it); copies of a line may differ in their times, so no time is in the sorting key.
-- message_hash instead of message_id: 128 bits compare fast in FINAL and do not collide.
-- Partitions by expiry day: whole partitions drop; by arrival month: recordings that never expire stay apart.
CREATE TABLE chat_lines
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    message_hash UInt128 CODEC(NONE),
    version UInt8,
    channel LowCardinality(String),
    platform LowCardinality(String),
    message_id String CODEC(ZSTD(1)),
    sent_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    expires_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    author String CODEC(ZSTD(1)),
    author_flags Tuple(
        subscriber Nullable(Bool), moderator Nullable(Bool), vip Nullable(Bool),
        first_message Nullable(Bool), account_age_s Nullable(Int64)),
    text String CODEC(ZSTD(1)),
    emotes Array(Tuple(name String, provider LowCardinality(String), start Nullable(Int32), end Nullable(Int32))),
    reply_to String CODEC(ZSTD(1)),
    amount Nullable(Float64),
    lang LowCardinality(String),
    emotions Array(Float32) CODEC(ZSTD(1)),
    basic Array(Float32) CODEC(ZSTD(1)),
    sentiment Float32 CODEC(ZSTD(1)),
    toxicity Float32 CODEC(ZSTD(1)),
    hate Float32 CODEC(ZSTD(1)),
    sarcasm Float32 CODEC(ZSTD(1)),
    model LowCardinality(String),
    model_version LowCardinality(String),
    scored_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    abstained Bool,
    late_ms Int64 CODEC(T64, ZSTD(1)),
    counted Bool,
    INDEX by_sent_at sent_at TYPE minmax GRANULARITY 1
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
PARTITION BY (toYYYYMM(received_at), toYYYYMMDD(expires_at))
ORDER BY (workspace, stream_id, message_hash)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600;

CREATE MATERIALIZED VIEW feed_chat_lines TO chat_lines AS
SELECT
    workspace, stream_id, reinterpretAsUInt128(sipHash128(message_id)) AS message_hash,
    toUInt8(multiIf(scored_at = 0, 0, counted, 2, 1)) AS version,
    channel, splitByChar(':', channel)[1] AS platform, message_id,
    fromUnixTimestamp64Milli(sent_at, 'UTC') AS sent_at,
    fromUnixTimestamp64Milli(received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(expires_at, 4102444800000), 'UTC') AS expires_at,
    author, author_flags, text, emotes, ifNull(reply_to, '') AS reply_to, amount, ifNull(lang, '') AS lang,
    if(scored_at = 0, [], [
        emotions.admiration, emotions.amusement, emotions.anger, emotions.annoyance, emotions.approval,
        emotions.caring, emotions.confusion, emotions.curiosity, emotions.desire, emotions.disappointment,
        emotions.disapproval, emotions.disgust, emotions.embarrassment, emotions.excitement, emotions.fear,
        emotions.gratitude, emotions.grief, emotions.joy, emotions.love, emotions.nervousness,
        emotions.optimism, emotions.pride, emotions.realization, emotions.relief, emotions.remorse,
        emotions.sadness, emotions.surprise, emotions.neutral
    ]) AS emotions,
    if(scored_at = 0, [], [
        basic.joy, basic.sadness, basic.anger, basic.fear, basic.surprise, basic.disgust, basic.neutral
    ]) AS basic,
    sentiment, toxicity, hate, sarcasm, model, model_version,
    fromUnixTimestamp64Milli(scored_at, 'UTC') AS scored_at, abstained, late_ms, counted
FROM landing_messages
WHERE kind = 'message';

CREATE VIEW messages AS
SELECT
    workspace, channel, platform, stream_id, message_id, sent_at, received_at, expires_at,
    author, author_flags, text, emotes, nullIf(reply_to, '') AS reply_to, amount, nullIf(lang, '') AS lang,
    toBool(version > 0) AS scored, abstained, counted, late_ms,
    mapFromArrays(if(empty(emotions), [], [
        'admiration', 'amusement', 'anger', 'annoyance', 'approval', 'caring', 'confusion', 'curiosity',
        'desire', 'disappointment', 'disapproval', 'disgust', 'embarrassment', 'excitement', 'fear',
        'gratitude', 'grief', 'joy', 'love', 'nervousness', 'optimism', 'pride', 'realization', 'relief',
        'remorse', 'sadness', 'surprise', 'neutral'
    ]), emotions) AS emotions,
    mapFromArrays(if(empty(basic), [], [
        'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'
    ]), basic) AS basic,
    if(version > 0, sentiment, NULL) AS sentiment, if(version > 0, toxicity, NULL) AS toxicity,
    if(version > 0, hate, NULL) AS hate, if(version > 0, sarcasm, NULL) AS sarcasm,
    nullIf(model, '') AS model, nullIf(model_version, '') AS model_version,
    if(version > 0, scored_at, NULL) AS scored_at
FROM chat_lines FINAL
WHERE expires_at > now64(3, 'UTC');

-- Lines that came after the state of their window had gone: stored, in no window.
CREATE VIEW late_rows AS SELECT * FROM messages WHERE scored AND NOT counted;
