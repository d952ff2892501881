-- Second opinions of language models, beside the scores that they are about. No text, no author.
CREATE TABLE landing_opinions
(
    workspace String DEFAULT 'default',
    channel String,
    stream_id String,
    message_id String,
    sent_at Int64,
    expires_at Int64,
    given_at Int64,
    reason String,
    lang Nullable(String),
    model String,
    model_version String,
    sentiment Float32,
    toxicity Float32,
    sarcasm Float32,
    opinion_model String,
    prompt_version String,
    opinion_sentiment Float32,
    opinion_toxicity Float32,
    opinion_sarcasm Float32,
    cached Bool
)
ENGINE = Null;

-- One row a line and language model after merging; the newest opinion counts.
CREATE TABLE opinion_lines
(
    workspace LowCardinality(String),
    stream_id LowCardinality(String),
    message_hash UInt128 CODEC(NONE),
    opinion_model LowCardinality(String),
    given_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    channel LowCardinality(String),
    platform LowCardinality(String),
    message_id String CODEC(ZSTD(1)),
    sent_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    expires_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    reason LowCardinality(String),
    lang LowCardinality(String),
    model LowCardinality(String),
    model_version LowCardinality(String),
    sentiment Float32,
    toxicity Float32,
    sarcasm Float32,
    prompt_version LowCardinality(String),
    opinion_sentiment Float32,
    opinion_toxicity Float32,
    opinion_sarcasm Float32,
    cached Bool
)
ENGINE = ${REPLICATED}ReplacingMergeTree(given_at)
PARTITION BY toYYYYMMDD(expires_at)
ORDER BY (workspace, stream_id, message_hash, opinion_model)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_opinion_lines TO opinion_lines AS
SELECT
    workspace, stream_id, reinterpretAsUInt128(sipHash128(message_id)) AS message_hash, opinion_model,
    fromUnixTimestamp64Milli(landing_opinions.given_at, 'UTC') AS given_at,
    channel, splitByChar(':', channel)[1] AS platform, message_id,
    fromUnixTimestamp64Milli(landing_opinions.sent_at, 'UTC') AS sent_at,
    fromUnixTimestamp64Milli(least(landing_opinions.expires_at, 4102444800000), 'UTC') AS expires_at,
    reason, ifNull(landing_opinions.lang, '') AS lang, model, model_version, sentiment, toxicity, sarcasm,
    prompt_version, opinion_sentiment, opinion_toxicity, opinion_sarcasm, cached
FROM landing_opinions;

-- Both opinions on a line, with its text as long as the line itself is shown.
CREATE VIEW opinions AS
SELECT
    said.workspace AS workspace, said.channel AS channel, said.platform AS platform, said.stream_id AS stream_id,
    said.message_id AS message_id, said.sent_at AS sent_at, line.text AS text, nullIf(said.lang, '') AS lang,
    said.reason AS reason, said.model AS model, said.model_version AS model_version, said.sentiment AS sentiment,
    said.toxicity AS toxicity, said.sarcasm AS sarcasm, said.opinion_model AS opinion_model,
    said.prompt_version AS prompt_version, said.opinion_sentiment AS opinion_sentiment,
    said.opinion_toxicity AS opinion_toxicity, said.opinion_sarcasm AS opinion_sarcasm, said.cached AS cached,
    said.given_at AS given_at
FROM
(
    SELECT * FROM opinion_lines FINAL
    WHERE expires_at > now64(3, 'UTC')
        AND (workspace, channel, message_hash) NOT IN (SELECT workspace, channel, message_hash FROM removed_lines)
) AS said
INNER JOIN
(
    SELECT workspace, stream_id, message_hash, any(text) AS text FROM chat_lines
    WHERE expires_at > now64(3, 'UTC')
        AND (workspace, stream_id, message_hash) IN (SELECT workspace, stream_id, message_hash FROM opinion_lines)
    GROUP BY workspace, stream_id, message_hash
) AS line ON line.workspace = said.workspace AND line.stream_id = said.stream_id
    AND line.message_hash = said.message_hash;
