CREATE VIEW pulse.activity
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `second` DateTime64(3, 'UTC'),
    `second_ms` Int64,
    `messages` UInt64,
    `authors` UInt64,
    `first_time_authors` UInt64,
    `duplicates` UInt64,
    `links` UInt64,
    `emotes` UInt64,
    `sample_rate` Float64
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    fromUnixTimestamp64Milli(second_ms, 'UTC') AS second,
    second_ms,
    messages,
    authors,
    first_time_authors,
    duplicates,
    links,
    emotes,
    sample_rate
FROM pulse.activity_seconds
FINAL
WHERE expires_at > now('UTC')

CREATE TABLE pulse.activity_seconds
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `second_ms` Int64 CODEC(DoubleDelta, ZSTD(1)),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `expires_at` DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    `messages` UInt64 CODEC(T64, ZSTD(1)),
    `authors` UInt64 CODEC(T64, ZSTD(1)),
    `first_time_authors` UInt64 CODEC(T64, ZSTD(1)),
    `duplicates` UInt64 CODEC(T64, ZSTD(1)),
    `links` UInt64 CODEC(T64, ZSTD(1)),
    `emotes` UInt64 CODEC(T64, ZSTD(1)),
    `sample_rate` Float64
)
ENGINE = ReplacingMergeTree(messages)
PARTITION BY toYYYYMM(toDateTime(intDiv(second_ms, 1000), 'UTC'))
ORDER BY (workspace, stream_id, second_ms)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192, merge_selector_base = 10, auto_statistics_types = ''

CREATE VIEW pulse.alert_labels
(
    `workspace` LowCardinality(String),
    `alert_id` String,
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `kind` LowCardinality(String),
    `severity` LowCardinality(String),
    `started_at` DateTime64(3, 'UTC'),
    `detected_at` DateTime64(3, 'UTC'),
    `ended_at` Nullable(DateTime64(3, 'UTC')),
    `why` String,
    `authors` UInt64,
    `messages` UInt64,
    `label` UInt8,
    `note` String,
    `marked_at` DateTime64(3, 'UTC')
)
AS SELECT
    alerts.workspace AS workspace,
    alerts.alert_id AS alert_id,
    alerts.channel AS channel,
    alerts.platform AS platform,
    alerts.stream_id AS stream_id,
    alerts.kind AS kind,
    alerts.severity AS severity,
    alerts.started_at AS started_at,
    alerts.detected_at AS detected_at,
    alerts.ended_at AS ended_at,
    alerts.why AS why,
    alerts.authors AS authors,
    alerts.messages AS messages,
    toUInt8(said.verdict = 'right') AS label,
    said.note AS note,
    said.at AS marked_at
FROM pulse.alerts
INNER JOIN
(
    SELECT
        workspace,
        alert_id,
        argMax(marks.verdict, marks.marked_at) AS verdict,
        argMax(marks.note, marks.marked_at) AS note,
        max(marks.marked_at) AS at
    FROM pulse.marks
    WHERE marks.verdict IN ('right', 'wrong')
    GROUP BY
        workspace,
        alert_id
) AS said ON (said.workspace = alerts.workspace) AND (said.alert_id = alerts.alert_id)

CREATE TABLE pulse.alert_marks
(
    `workspace` LowCardinality(String),
    `alert_id` String,
    `marked_at` DateTime64(3, 'UTC'),
    `verdict` LowCardinality(String),
    `note` String CODEC(ZSTD(1)),
    `mute_until` Nullable(DateTime64(3, 'UTC')),
    `channel` LowCardinality(String),
    `kind` LowCardinality(String),
    `severity` LowCardinality(String),
    `started_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(marked_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (workspace, alert_id, marked_at, verdict)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE TABLE pulse.alert_revisions
(
    `workspace` LowCardinality(String),
    `alert_id` String,
    `revision` UInt64,
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `kind` LowCardinality(String),
    `severity` LowCardinality(String),
    `state` LowCardinality(String),
    `started_at` DateTime64(3, 'UTC'),
    `detected_at` DateTime64(3, 'UTC'),
    `ended_at` Nullable(DateTime64(3, 'UTC')),
    `expires_at` DateTime64(3, 'UTC'),
    `evidence_expires_at` DateTime64(3, 'UTC'),
    `why` String CODEC(ZSTD(1)),
    `evidence` Array(String) TTL toDateTime(evidence_expires_at),
    `clusters` Array(String),
    `authors` UInt64,
    `messages` UInt64,
    `playbook` Nullable(String),
    `channels` Array(String),
    `recovered` Nullable(Bool),
    `recovery_s` Nullable(Float64)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(started_at)
ORDER BY (workspace, alert_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE VIEW pulse.alerts
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `alert_id` String,
    `revision` UInt64,
    `kind` LowCardinality(String),
    `severity` LowCardinality(String),
    `state` LowCardinality(String),
    `started_at` DateTime64(3, 'UTC'),
    `detected_at` DateTime64(3, 'UTC'),
    `ended_at` Nullable(DateTime64(3, 'UTC')),
    `summary` String,
    `why` String,
    `evidence` Array(String),
    `clusters` Array(String),
    `authors` UInt64,
    `messages` UInt64,
    `playbook` Nullable(String),
    `channels` Array(String),
    `recovered` Nullable(Bool),
    `recovery_s` Nullable(Float64)
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    alert_id,
    revision,
    kind,
    severity,
    state,
    started_at,
    detected_at,
    ended_at,
    JSONExtractString(why, 'summary') AS summary,
    why,
    if(evidence_expires_at > now64(3, 'UTC'), evidence, []) AS evidence,
    clusters,
    authors,
    messages,
    playbook,
    channels,
    recovered,
    recovery_s
FROM pulse.alert_revisions
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE TABLE pulse.channel_events
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `event_id` String,
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `kind` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `source` Nullable(String),
    `viewers` Nullable(Int64),
    `target_message_id` Nullable(String),
    `target_author` Nullable(String),
    `span_from` Nullable(DateTime64(3, 'UTC')),
    `span_to` Nullable(DateTime64(3, 'UTC')),
    `cause` Nullable(String),
    `recovered` Nullable(Int64),
    `state` Nullable(String)
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY (toYYYYMM(received_at), toYYYYMMDD(expires_at))
ORDER BY (workspace, stream_id, event_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600, index_granularity = 8192

CREATE VIEW pulse.channel_norms
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `name` String,
    `mean` Float64,
    `within` Float64,
    `between` Float64
)
AS SELECT
    workspace,
    channel,
    name,
    multiIf(usable, total / lines, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS mean,
    multiIf(usable, greatest(raw_within, 0.0001), name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
    multiIf(usable, greatest(raw_between, 0.0001), name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between
FROM
(
    SELECT
        workspace,
        channel,
        name,
        count() AS window_count,
        sum(n) AS lines,
        sum(n * n) AS lines_sq,
        sum(x) AS total,
        sum(xx) AS total_sq,
        sum((x * x) / n) AS means_sq,
        (window_count >= 30) AND (lines > window_count) AS usable,
        (total_sq - means_sq) / (lines - window_count) AS raw_within,
        ((means_sq - ((total * total) / lines)) - ((window_count - 1) * raw_within)) / (lines - (lines_sq / lines)) AS raw_between
    FROM
    (
        SELECT
            workspace,
            channel,
            toFloat64(scored) AS n,
            arrayJoin(arrayZip(['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'], arrayConcat([sentiment_sum, toxicity_sum], basic_sum), arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq))) AS index,
            index.1 AS name,
            (index.2) / 10000 AS x,
            (index.3) / 100000000 AS xx
        FROM pulse.window_sums
        FINAL
        WHERE (size_ms = 10000) AND (scored > 0) AND (expires_at > now('UTC'))
    )
    GROUP BY
        workspace,
        channel,
        name
)

CREATE TABLE pulse.chat_lines
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `message_hash` UInt128 CODEC(NONE),
    `version` UInt8,
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `message_id` String CODEC(ZSTD(1)),
    `sent_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `expires_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `author` String CODEC(ZSTD(1)),
    `author_flags` Tuple(
        subscriber Nullable(Bool),
        moderator Nullable(Bool),
        vip Nullable(Bool),
        first_message Nullable(Bool),
        account_age_s Nullable(Int64)),
    `text` String CODEC(ZSTD(1)),
    `emotes` Array(Tuple(
        name String,
        provider LowCardinality(String),
        start Nullable(Int32),
        end Nullable(Int32))),
    `reply_to` String CODEC(ZSTD(1)),
    `amount` Nullable(Float64),
    `lang` LowCardinality(String),
    `emotions` Array(Float32) CODEC(ZSTD(1)),
    `basic` Array(Float32) CODEC(ZSTD(1)),
    `sentiment` Float32 CODEC(ZSTD(1)),
    `toxicity` Float32 CODEC(ZSTD(1)),
    `hate` Float32 CODEC(ZSTD(1)),
    `sarcasm` Float32 CODEC(ZSTD(1)),
    `model` LowCardinality(String),
    `model_version` LowCardinality(String),
    `scored_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `abstained` Bool,
    `late_ms` Int64 CODEC(T64, ZSTD(1)),
    `counted` Bool,
    INDEX by_sent_at sent_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (toYYYYMM(received_at), toYYYYMMDD(expires_at))
ORDER BY (workspace, stream_id, message_hash)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600, index_granularity = 8192, merge_selector_base = 10, auto_statistics_types = ''

CREATE TABLE pulse.dead_letter_rows
(
    `workspace` LowCardinality(String),
    `dlq_id` String,
    `stage` LowCardinality(String),
    `source` LowCardinality(String),
    `partition` Int32,
    `position` Int64,
    `error_class` LowCardinality(String),
    `error` String CODEC(ZSTD(1)),
    `raw` String CODEC(ZSTD(1)),
    `seen_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(expires_at)
ORDER BY (workspace, dlq_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, merge_with_ttl_timeout = 3600, index_granularity = 8192

CREATE VIEW pulse.dead_letters
(
    `workspace` LowCardinality(String),
    `dlq_id` String,
    `stage` LowCardinality(String),
    `source` LowCardinality(String),
    `partition` Int32,
    `position` Int64,
    `error_class` LowCardinality(String),
    `error` String,
    `raw` String,
    `seen_at` DateTime64(3, 'UTC')
)
AS SELECT
    workspace,
    dlq_id,
    stage,
    source,
    partition,
    position,
    error_class,
    error,
    raw,
    seen_at
FROM pulse.dead_letter_rows
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE TABLE pulse.erasures
(
    `workspace` LowCardinality(String),
    `author` String,
    `requested_at` DateTime64(3, 'UTC'),
    `erase_before` DateTime64(3, 'UTC'),
    `opted_out` Bool,
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(requested_at)
ORDER BY (workspace, author)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE VIEW pulse.events
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `event_id` String,
    `kind` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `source` Nullable(String),
    `viewers` Nullable(Int64),
    `target_message_id` Nullable(String),
    `target_author` Nullable(String),
    `span_from` Nullable(DateTime64(3, 'UTC')),
    `span_to` Nullable(DateTime64(3, 'UTC')),
    `cause` Nullable(String),
    `recovered` Nullable(Int64),
    `state` Nullable(String)
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    event_id,
    kind,
    at,
    received_at,
    source,
    viewers,
    target_message_id,
    target_author,
    span_from,
    span_to,
    cause,
    recovered,
    state
FROM pulse.channel_events
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE MATERIALIZED VIEW pulse.feed_activity_seconds TO pulse.activity_seconds
(
    `workspace` String,
    `channel` String,
    `stream_id` String,
    `messages` UInt64,
    `authors` UInt64,
    `first_time_authors` UInt64,
    `duplicates` UInt64,
    `links` UInt64,
    `emotes` UInt64,
    `sample_rate` Float64,
    `second_ms` Int64,
    `platform` String,
    `expires_at` DateTime('UTC')
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans
SELECT
    * EXCEPT second_ms,
    second_ms,
    splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(second_ms, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at
FROM pulse.landing_activity

CREATE MATERIALIZED VIEW pulse.feed_alert_revisions TO pulse.alert_revisions
(
    `workspace` String,
    `alert_id` String,
    `revision` UInt64,
    `channel` String,
    `platform` String,
    `stream_id` String,
    `kind` String,
    `severity` String,
    `state` String,
    `started_at` DateTime64(3, 'UTC'),
    `detected_at` DateTime64(3, 'UTC'),
    `ended_at` Nullable(DateTime64(3, 'UTC')),
    `expires_at` DateTime64(3, 'UTC'),
    `evidence_expires_at` DateTime64(3, 'UTC'),
    `why` String,
    `evidence` Array(String),
    `clusters` Array(String),
    `authors` UInt64,
    `messages` UInt64,
    `playbook` Nullable(String),
    `channels` Array(String),
    `recovered` Nullable(Bool),
    `recovery_s` Nullable(Float64)
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans
SELECT
    workspace,
    alert_id,
    revision,
    channel,
    splitByChar(':', channel)[1] AS platform,
    stream_id,
    kind,
    severity,
    state,
    fromUnixTimestamp64Milli(landing_alerts.started_at, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(landing_alerts.detected_at, 'UTC') AS detected_at,
    fromUnixTimestamp64Milli(landing_alerts.ended_at, 'UTC') AS ended_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + (toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000), 4102444800000), 'UTC') AS expires_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + (toInt64(if(mapContains(spans, concat(platform, '/text')), spans[concat(platform, '/text')], spans['*/text'])) * 1000), 4102444800000), 'UTC') AS evidence_expires_at,
    why,
    evidence,
    clusters,
    authors,
    messages,
    playbook,
    channels,
    recovered,
    recovery_s
FROM pulse.landing_alerts

CREATE MATERIALIZED VIEW pulse.feed_channel_events TO pulse.channel_events
(
    `workspace` String,
    `stream_id` String,
    `event_id` String,
    `channel` String,
    `platform` String,
    `kind` String,
    `at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `source` Nullable(String),
    `viewers` Nullable(Int64),
    `target_message_id` Nullable(String),
    `target_author` Nullable(String),
    `span_from` Nullable(DateTime64(3, 'UTC')),
    `span_to` Nullable(DateTime64(3, 'UTC')),
    `cause` Nullable(String),
    `recovered` Nullable(Int64),
    `state` Nullable(String)
)
AS SELECT
    workspace,
    stream_id,
    event_id,
    channel,
    splitByChar(':', channel)[1] AS platform,
    kind,
    fromUnixTimestamp64Milli(landing_events.at, 'UTC') AS at,
    fromUnixTimestamp64Milli(landing_events.received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at,
    source,
    viewers,
    target_message_id,
    target_author,
    fromUnixTimestamp64Milli(`from`, 'UTC') AS span_from,
    fromUnixTimestamp64Milli(to, 'UTC') AS span_to,
    cause,
    recovered,
    state
FROM pulse.landing_events

CREATE MATERIALIZED VIEW pulse.feed_chat_lines TO pulse.chat_lines
(
    `workspace` String,
    `stream_id` String,
    `message_hash` UInt128,
    `version` UInt8,
    `channel` String,
    `platform` String,
    `message_id` String,
    `sent_at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `author` String,
    `author_flags` Tuple(
        subscriber Nullable(Bool),
        moderator Nullable(Bool),
        vip Nullable(Bool),
        first_message Nullable(Bool),
        account_age_s Nullable(Int64)),
    `text` String,
    `emotes` Array(Tuple(
        name String,
        provider String,
        start Nullable(Int32),
        end Nullable(Int32))),
    `reply_to` String,
    `amount` Nullable(Float64),
    `lang` String,
    `emotions` Array(Float32),
    `basic` Array(Float32),
    `sentiment` Float32,
    `toxicity` Float32,
    `hate` Float32,
    `sarcasm` Float32,
    `model` String,
    `model_version` String,
    `scored_at` DateTime64(3, 'UTC'),
    `abstained` Bool,
    `late_ms` Int64,
    `counted` Bool
)
AS SELECT
    workspace,
    stream_id,
    reinterpretAsUInt128(sipHash128(message_id)) AS message_hash,
    toUInt8(multiIf(scored_at = 0, 0, counted, 2, 1)) AS version,
    channel,
    splitByChar(':', channel)[1] AS platform,
    message_id,
    fromUnixTimestamp64Milli(sent_at, 'UTC') AS sent_at,
    fromUnixTimestamp64Milli(received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(expires_at, 4102444800000), 'UTC') AS expires_at,
    author,
    author_flags,
    text,
    emotes,
    ifNull(reply_to, '') AS reply_to,
    amount,
    ifNull(lang, '') AS lang,
    if(scored_at = 0, [], [emotions.admiration, emotions.amusement, emotions.anger, emotions.annoyance, emotions.approval, emotions.caring, emotions.confusion, emotions.curiosity, emotions.desire, emotions.disappointment, emotions.disapproval, emotions.disgust, emotions.embarrassment, emotions.excitement, emotions.fear, emotions.gratitude, emotions.grief, emotions.joy, emotions.love, emotions.nervousness, emotions.optimism, emotions.pride, emotions.realization, emotions.relief, emotions.remorse, emotions.sadness, emotions.surprise, emotions.neutral]) AS emotions,
    if(scored_at = 0, [], [basic.joy, basic.sadness, basic.anger, basic.fear, basic.surprise, basic.disgust, basic.neutral]) AS basic,
    sentiment,
    toxicity,
    hate,
    sarcasm,
    model,
    model_version,
    fromUnixTimestamp64Milli(scored_at, 'UTC') AS scored_at,
    abstained,
    late_ms,
    counted
FROM pulse.landing_messages
WHERE kind = 'message'

CREATE MATERIALIZED VIEW pulse.feed_dead_letter_rows TO pulse.dead_letter_rows
(
    `workspace` String,
    `dlq_id` String,
    `stage` String,
    `source` String,
    `partition` Int32,
    `position` Int64,
    `error_class` String,
    `error` String,
    `raw` String,
    `seen_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
AS WITH
    (
        SELECT max(span_s)
        FROM pulse.retention
        FINAL
        WHERE what = 'dead_letters'
    ) AS span
SELECT
    workspace,
    dlq_id,
    stage,
    source,
    partition,
    position,
    error_class,
    error,
    tryBase64Decode(raw) AS raw,
    fromUnixTimestamp64Milli(landing_dead_letters.seen_at, 'UTC') AS seen_at,
    fromUnixTimestamp64Milli(least(landing_dead_letters.seen_at + (toInt64(assumeNotNull(span)) * 1000), 4102444800000), 'UTC') AS expires_at
FROM pulse.landing_dead_letters

CREATE MATERIALIZED VIEW pulse.feed_erasures TO pulse.erasures
(
    `workspace` String,
    `author` String,
    `requested_at` DateTime64(3, 'UTC'),
    `erase_before` DateTime64(3, 'UTC'),
    `opted_out` Bool
)
AS SELECT
    workspace,
    author,
    fromUnixTimestamp64Milli(landing_erasures.requested_at, 'UTC') AS requested_at,
    fromUnixTimestamp64Milli(landing_erasures.erase_before, 'UTC') AS erase_before,
    opted_out
FROM pulse.landing_erasures

CREATE MATERIALIZED VIEW pulse.feed_opinion_lines TO pulse.opinion_lines
(
    `workspace` String,
    `stream_id` String,
    `message_hash` UInt128,
    `opinion_model` String,
    `given_at` DateTime64(3, 'UTC'),
    `channel` String,
    `platform` String,
    `message_id` String,
    `sent_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `reason` String,
    `lang` String,
    `model` String,
    `model_version` String,
    `sentiment` Float32,
    `toxicity` Float32,
    `sarcasm` Float32,
    `prompt_version` String,
    `opinion_sentiment` Float32,
    `opinion_toxicity` Float32,
    `opinion_sarcasm` Float32,
    `cached` Bool
)
AS SELECT
    workspace,
    stream_id,
    reinterpretAsUInt128(sipHash128(message_id)) AS message_hash,
    opinion_model,
    fromUnixTimestamp64Milli(landing_opinions.given_at, 'UTC') AS given_at,
    channel,
    splitByChar(':', channel)[1] AS platform,
    message_id,
    fromUnixTimestamp64Milli(landing_opinions.sent_at, 'UTC') AS sent_at,
    fromUnixTimestamp64Milli(least(landing_opinions.expires_at, 4102444800000), 'UTC') AS expires_at,
    reason,
    ifNull(landing_opinions.lang, '') AS lang,
    model,
    model_version,
    sentiment,
    toxicity,
    sarcasm,
    prompt_version,
    opinion_sentiment,
    opinion_toxicity,
    opinion_sarcasm,
    cached
FROM pulse.landing_opinions

CREATE MATERIALIZED VIEW pulse.feed_removal_orders TO pulse.removal_orders
(
    `workspace` String,
    `scope` String,
    `channel` String,
    `target` String,
    `before` DateTime64(3, 'UTC'),
    `ordered_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
AS SELECT
    workspace,
    multiIf(target_message_id != '', 'line', target_author != '', 'author', 'channel') AS scope,
    channel,
    coalesce(nullIf(target_message_id, ''), target_author, '') AS target,
    fromUnixTimestamp64Milli(at, 'UTC') AS before,
    fromUnixTimestamp64Milli(received_at, 'UTC') AS ordered_at,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at
FROM pulse.landing_events
WHERE kind IN ('deletion', 'ban')

CREATE MATERIALIZED VIEW pulse.feed_removed_lines TO pulse.removed_lines
(
    `workspace` String,
    `channel` String,
    `message_hash` UInt128,
    `expires_at` DateTime64(3, 'UTC')
)
AS SELECT
    workspace,
    channel,
    reinterpretAsUInt128(sipHash128(assumeNotNull(target_message_id))) AS message_hash,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at
FROM pulse.landing_events
WHERE (kind IN ('deletion', 'ban')) AND (target_message_id != '')

CREATE MATERIALIZED VIEW pulse.feed_scores TO pulse.scores
(
    `workspace` String,
    `stream_id` String,
    `sent_second` DateTime('UTC'),
    `score_key` UInt128,
    `channel` String,
    `platform` String,
    `expires_at` DateTime('UTC'),
    `lang` String,
    `emotions` Array(Float32),
    `basic` Array(Float32),
    `sentiment` Float32,
    `toxicity` Float32,
    `hate` Float32,
    `sarcasm` Float32,
    `abstained` Bool,
    `model` String,
    `model_version` String
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans,
    (
        SELECT (k0, k1)
        FROM pulse.score_keys
        ORDER BY made_at ASC
        LIMIT 1
    ) AS hash_key
SELECT
    workspace,
    stream_id,
    toDateTime(intDiv(sent_at, 1000), 'UTC') AS sent_second,
    reinterpretAsUInt128(sipHash128Keyed((assumeNotNull(hash_key.1), assumeNotNull(hash_key.2)), message_id)) AS score_key,
    channel,
    splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(sent_at, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at,
    ifNull(lang, '') AS lang,
    [emotions.admiration, emotions.amusement, emotions.anger, emotions.annoyance, emotions.approval, emotions.caring, emotions.confusion, emotions.curiosity, emotions.desire, emotions.disappointment, emotions.disapproval, emotions.disgust, emotions.embarrassment, emotions.excitement, emotions.fear, emotions.gratitude, emotions.grief, emotions.joy, emotions.love, emotions.nervousness, emotions.optimism, emotions.pride, emotions.realization, emotions.relief, emotions.remorse, emotions.sadness, emotions.surprise, emotions.neutral] AS emotions,
    [basic.joy, basic.sadness, basic.anger, basic.fear, basic.surprise, basic.disgust, basic.neutral] AS basic,
    sentiment,
    toxicity,
    hate,
    sarcasm,
    abstained,
    model,
    model_version
FROM pulse.landing_messages
WHERE (kind = 'message') AND (scored_at > 0)

CREATE MATERIALIZED VIEW pulse.feed_source_gaps TO pulse.source_gaps
(
    `workspace` String,
    `channel` String,
    `event_id` String,
    `platform` String,
    `stream_id` String,
    `at` DateTime64(3, 'UTC'),
    `span_from` DateTime64(3, 'UTC'),
    `span_to` DateTime64(3, 'UTC'),
    `cause` String,
    `recovered` UInt64,
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans
SELECT
    workspace,
    channel,
    event_id,
    splitByChar(':', channel)[1] AS platform,
    stream_id,
    fromUnixTimestamp64Milli(landing_events.at, 'UTC') AS at,
    fromUnixTimestamp64Milli(ifNull(`from`, landing_events.at), 'UTC') AS span_from,
    fromUnixTimestamp64Milli(ifNull(to, landing_events.at), 'UTC') AS span_to,
    ifNull(cause, '') AS cause,
    toUInt64(greatest(ifNull(recovered, 0), 0)) AS recovered,
    fromUnixTimestamp64Milli(landing_events.received_at, 'UTC') AS received_at,
    fromUnixTimestamp64Milli(least(landing_events.at + (toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000), 4102444800000), 'UTC') AS expires_at
FROM pulse.landing_events
WHERE kind = 'gap'

CREATE MATERIALIZED VIEW pulse.feed_source_states TO pulse.source_states
(
    `workspace` String,
    `channel` String,
    `platform` String,
    `state` String,
    `reason` String,
    `since` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans
SELECT
    workspace,
    channel,
    splitByChar(':', channel)[1] AS platform,
    ifNull(state, '') AS state,
    ifNull(cause, '') AS reason,
    fromUnixTimestamp64Milli(at, 'UTC') AS since,
    fromUnixTimestamp64Milli(least(at + (toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000), 4102444800000), 'UTC') AS expires_at
FROM pulse.landing_events
WHERE kind = 'source_state'

CREATE MATERIALIZED VIEW pulse.feed_stream_spans TO pulse.stream_spans
(
    `workspace` String,
    `stream_id` String,
    `channel` String,
    `first_at` DateTime64(3, 'UTC'),
    `last_message_at` DateTime64(3, 'UTC'),
    `last_seen_at` DateTime64(3, 'UTC'),
    `last_received_at` DateTime64(3, 'UTC'),
    `closed_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans,
    splitByChar(':', landing_messages.channel)[1] AS platform
SELECT
    workspace,
    stream_id,
    any(landing_messages.channel) AS channel,
    fromUnixTimestamp64Milli(min(sent_at), 'UTC') AS first_at,
    fromUnixTimestamp64Milli(max(if(kind = 'message', sent_at, 0)), 'UTC') AS last_message_at,
    fromUnixTimestamp64Milli(max(greatest(sent_at, ifNull(to, 0))), 'UTC') AS last_seen_at,
    fromUnixTimestamp64Milli(max(received_at), 'UTC') AS last_received_at,
    fromUnixTimestamp64Milli(max(if(closing, greatest(sent_at, ifNull(to, 0)), 0)), 'UTC') AS closed_at,
    max(fromUnixTimestamp64Milli(least(received_at + (toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000), 4102444800000), 'UTC')) AS expires_at
FROM pulse.landing_messages
WHERE scored_at = 0
GROUP BY
    workspace,
    stream_id

CREATE MATERIALIZED VIEW pulse.feed_window_sums TO pulse.window_sums
(
    `workspace` String,
    `channel` String,
    `stream_id` String,
    `messages` UInt64,
    `scored` UInt64,
    `abstained` UInt64,
    `authors_in_window` UInt64,
    `new_authors` UInt64,
    `emotion_sum` Array(Int64),
    `emotion_sumsq` Array(Int64),
    `basic_sum` Array(Int64),
    `basic_sumsq` Array(Int64),
    `sentiment_sum` Int64,
    `sentiment_sumsq` Int64,
    `toxicity_sum` Int64,
    `toxicity_sumsq` Int64,
    `hate_sum` Int64,
    `sarcasm_sum` Int64,
    `sample_rate` Float64,
    `max_lag_ms` Int64,
    `size_ms` UInt32,
    `start_ms` Int64,
    `platform` String,
    `expires_at` DateTime('UTC')
)
AS WITH
    (
        SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s))
        FROM pulse.retention
        FINAL
    ) AS spans
SELECT
    * EXCEPT (size_ms, start_ms),
    size_ms,
    start_ms,
    splitByChar(':', channel)[1] AS platform,
    toDateTime(least(intDiv(start_ms, 1000) + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])), 4102444800), 'UTC') AS expires_at
FROM pulse.landing_windows

CREATE VIEW pulse.gaps
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `event_id` String,
    `at` DateTime64(3, 'UTC'),
    `span_from` DateTime64(3, 'UTC'),
    `span_to` DateTime64(3, 'UTC'),
    `cause` LowCardinality(String),
    `recovered` UInt64
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    event_id,
    at,
    span_from,
    span_to,
    cause,
    recovered
FROM pulse.source_gaps
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE VIEW pulse.index_steps
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    fromUnixTimestamp64Milli(step_start_ms, 'UTC') AS step_start,
    name,
    messages,
    scored,
    plain,
    usual,
    greatest(shrunk - half, if(name = 'sentiment', -1, 0)) AS low,
    shrunk AS mean,
    least(shrunk + half, 1) AS high,
    z
FROM
(
    SELECT
        steps.workspace AS workspace,
        steps.channel AS channel,
        platform,
        stream_id,
        step_start_ms,
        steps.name AS name,
        messages,
        scored,
        n,
        norms.within > 0 AS known,
        multiIf(known, norms.mean, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS usual,
        multiIf(known, norms.within, name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
        multiIf(known, norms.between, name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between,
        within / between AS k,
        x / n AS plain,
        ((k * usual) + x) / (k + n) AS shrunk,
        1.959963984540054 * sqrt((((k * within) + greatest(xx - ((x * x) / n), 0)) / (k + n)) / (k + n)) AS half,
        (plain - usual) / sqrt(between + (within / n)) AS z
    FROM
    (
        SELECT
            workspace,
            channel,
            platform,
            stream_id,
            step_start_ms,
            messages,
            scored,
            toFloat64(scored) AS n,
            arrayJoin(arrayZip(['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'], totals, squares)) AS index,
            index.1 AS name,
            (index.2) / 10000 AS x,
            (index.3) / 100000000 AS xx
        FROM
        (
            SELECT
                workspace,
                any(window_sums.channel) AS channel,
                any(window_sums.platform) AS platform,
                stream_id,
                if({step_ms:UInt64} < 10000, 1000, 10000) AS size,
                intDiv((greatest({step_ms:UInt64}, 1) + size) - 1, size) * size AS step,
                toInt64(start_ms - (start_ms % step)) AS step_start_ms,
                sum(window_sums.messages) AS messages,
                sum(window_sums.scored) AS scored,
                sumForEach(arrayConcat([sentiment_sum, toxicity_sum], basic_sum)) AS totals,
                sumForEach(arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq)) AS squares
            FROM pulse.window_sums
            FINAL
            WHERE (workspace = {workspace:String}) AND (stream_id IN ({stream_ids:Array(String)})) AND (size_ms = if({step_ms:UInt64} < 10000, 1000, 10000)) AND (start_ms >= {from_ms:Int64}) AND (start_ms <= {to_ms:Int64}) AND (window_sums.scored > 0) AND (expires_at > now('UTC'))
            GROUP BY
                workspace,
                stream_id,
                step_start_ms
        )
    ) AS steps
    LEFT JOIN
    (
        SELECT
            workspace,
            channel,
            name,
            multiIf(usable, total / lines, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS mean,
            multiIf(usable, greatest(raw_within, 0.0001), name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
            multiIf(usable, greatest(raw_between, 0.0001), name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between
        FROM
        (
            SELECT
                workspace,
                channel,
                name,
                count() AS window_count,
                sum(n) AS lines,
                sum(n * n) AS lines_sq,
                sum(x) AS total,
                sum(xx) AS total_sq,
                sum((x * x) / n) AS means_sq,
                (window_count >= 30) AND (lines > window_count) AS usable,
                (total_sq - means_sq) / (lines - window_count) AS raw_within,
                ((means_sq - ((total * total) / lines)) - ((window_count - 1) * raw_within)) / (lines - (lines_sq / lines)) AS raw_between
            FROM
            (
                SELECT
                    workspace,
                    channel,
                    toFloat64(scored) AS n,
                    arrayJoin(arrayZip(['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'], arrayConcat([sentiment_sum, toxicity_sum], basic_sum), arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq))) AS index,
                    index.1 AS name,
                    (index.2) / 10000 AS x,
                    (index.3) / 100000000 AS xx
                FROM pulse.window_sums
                FINAL
                WHERE (workspace = {workspace:String}) AND (stream_id IN (
                    SELECT stream_id
                    FROM pulse.stream_spans
                    WHERE (workspace = {workspace:String}) AND (channel IN (
                        SELECT channel
                        FROM pulse.window_sums
                        WHERE (workspace = {workspace:String}) AND (stream_id IN ({stream_ids:Array(String)})) AND (size_ms = 10000)
                    ))
                    UNION ALL
                    SELECT arrayJoin({stream_ids:Array(String)})
                )) AND (size_ms = 10000) AND (scored > 0) AND (expires_at > now('UTC'))
            )
            GROUP BY
                workspace,
                channel,
                name
        )
    ) AS norms ON (norms.workspace = steps.workspace) AND (norms.channel = steps.channel) AND (norms.name = steps.name)
)

CREATE VIEW pulse.indices
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `window_start` DateTime64(3, 'UTC'),
    `size_ms` UInt32,
    `name` String,
    `scored` UInt64,
    `plain` Float64,
    `low` Float64,
    `mean` Float64,
    `high` Float64,
    `z` Float64
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    window_start,
    size_ms,
    name,
    scored,
    plain,
    greatest(shrunk - half, if(name = 'sentiment', -1, 0)) AS low,
    shrunk AS mean,
    least(shrunk + half, 1) AS high,
    z
FROM
(
    SELECT
        windowed.workspace AS workspace,
        windowed.channel AS channel,
        platform,
        stream_id,
        window_start,
        size_ms,
        windowed.name AS name,
        scored,
        n,
        norms.within > 0 AS known,
        multiIf(known, norms.mean, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS usual,
        multiIf(known, norms.within, name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
        multiIf(known, norms.between, name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between,
        within / between AS k,
        x / n AS plain,
        ((k * usual) + x) / (k + n) AS shrunk,
        1.959963984540054 * sqrt((((k * within) + greatest(xx - ((x * x) / n), 0)) / (k + n)) / (k + n)) AS half,
        (plain - usual) / sqrt(between + (within / n)) AS z
    FROM
    (
        SELECT
            workspace,
            channel,
            platform,
            stream_id,
            fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
            size_ms,
            scored,
            toFloat64(scored) AS n,
            arrayJoin(arrayZip(['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'], arrayConcat([sentiment_sum, toxicity_sum], basic_sum), arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq))) AS index,
            index.1 AS name,
            (index.2) / 10000 AS x,
            (index.3) / 100000000 AS xx
        FROM pulse.window_sums
        FINAL
        WHERE (scored > 0) AND (expires_at > now('UTC'))
    ) AS windowed
    LEFT JOIN pulse.channel_norms AS norms ON (norms.workspace = windowed.workspace) AND (norms.channel = windowed.channel) AND (norms.name = windowed.name)
)

CREATE TABLE pulse.landing_activity
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `second_ms` Int64,
    `messages` UInt64,
    `authors` UInt64,
    `first_time_authors` UInt64,
    `duplicates` UInt64,
    `links` UInt64,
    `emotes` UInt64,
    `sample_rate` Float64 DEFAULT 1
)
ENGINE = `Null`

CREATE TABLE pulse.landing_alerts
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `alert_id` String,
    `revision` UInt64,
    `kind` String,
    `severity` String,
    `state` String,
    `started_at` Int64,
    `detected_at` Int64,
    `ended_at` Nullable(Int64),
    `why` String,
    `evidence` Array(String),
    `clusters` Array(String),
    `authors` UInt64,
    `messages` UInt64,
    `playbook` Nullable(String),
    `channels` Array(String),
    `recovered` Nullable(Bool),
    `recovery_s` Nullable(Float64)
)
ENGINE = `Null`

CREATE TABLE pulse.landing_dead_letters
(
    `dlq_id` String,
    `workspace` String DEFAULT 'default',
    `stage` String,
    `source` String,
    `partition` Int32,
    `position` Int64,
    `error_class` String,
    `error` String,
    `raw` String,
    `seen_at` Int64
)
ENGINE = `Null`

CREATE TABLE pulse.landing_erasures
(
    `workspace` String DEFAULT 'default',
    `author` String,
    `requested_at` Int64,
    `erase_before` Int64,
    `opted_out` Bool
)
ENGINE = `Null`

CREATE TABLE pulse.landing_events
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `event_id` String,
    `kind` String,
    `at` Int64,
    `received_at` Int64,
    `expires_at` Int64,
    `source` Nullable(String),
    `viewers` Nullable(Int64),
    `target_message_id` Nullable(String),
    `target_author` Nullable(String),
    `from` Nullable(Int64),
    `to` Nullable(Int64),
    `cause` Nullable(String),
    `recovered` Nullable(Int64),
    `state` Nullable(String)
)
ENGINE = `Null`

CREATE TABLE pulse.landing_messages
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `message_id` String,
    `kind` String,
    `sent_at` Int64,
    `received_at` Int64,
    `expires_at` Int64,
    `author` String,
    `author_flags` Tuple(
        subscriber Nullable(Bool),
        moderator Nullable(Bool),
        vip Nullable(Bool),
        first_message Nullable(Bool),
        account_age_s Nullable(Int64)),
    `text` String,
    `emotes` Array(Tuple(
        name String,
        provider String,
        start Nullable(Int32),
        end Nullable(Int32))),
    `reply_to` Nullable(String),
    `amount` Nullable(Float64),
    `lang` Nullable(String),
    `to` Nullable(Int64),
    `closing` Bool,
    `emotions` Tuple(
        admiration Float32,
        amusement Float32,
        anger Float32,
        annoyance Float32,
        approval Float32,
        caring Float32,
        confusion Float32,
        curiosity Float32,
        desire Float32,
        disappointment Float32,
        disapproval Float32,
        disgust Float32,
        embarrassment Float32,
        excitement Float32,
        fear Float32,
        gratitude Float32,
        grief Float32,
        joy Float32,
        love Float32,
        nervousness Float32,
        optimism Float32,
        pride Float32,
        realization Float32,
        relief Float32,
        remorse Float32,
        sadness Float32,
        surprise Float32,
        neutral Float32),
    `basic` Tuple(
        joy Float32,
        sadness Float32,
        anger Float32,
        fear Float32,
        surprise Float32,
        disgust Float32,
        neutral Float32),
    `sentiment` Float32,
    `toxicity` Float32,
    `hate` Float32,
    `sarcasm` Float32,
    `model` String,
    `model_version` String,
    `scored_at` Int64,
    `abstained` Bool,
    `late_ms` Int64,
    `counted` Bool DEFAULT true
)
ENGINE = `Null`

CREATE TABLE pulse.landing_opinions
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `message_id` String,
    `sent_at` Int64,
    `expires_at` Int64,
    `given_at` Int64,
    `reason` String,
    `lang` Nullable(String),
    `model` String,
    `model_version` String,
    `sentiment` Float32,
    `toxicity` Float32,
    `sarcasm` Float32,
    `opinion_model` String,
    `prompt_version` String,
    `opinion_sentiment` Float32,
    `opinion_toxicity` Float32,
    `opinion_sarcasm` Float32,
    `cached` Bool
)
ENGINE = `Null`

CREATE TABLE pulse.landing_windows
(
    `workspace` String DEFAULT 'default',
    `channel` String,
    `stream_id` String,
    `size_ms` UInt32,
    `start_ms` Int64,
    `messages` UInt64,
    `scored` UInt64,
    `abstained` UInt64,
    `authors_in_window` UInt64,
    `new_authors` UInt64,
    `emotion_sum` Array(Int64),
    `emotion_sumsq` Array(Int64),
    `basic_sum` Array(Int64),
    `basic_sumsq` Array(Int64),
    `sentiment_sum` Int64,
    `sentiment_sumsq` Int64,
    `toxicity_sum` Int64,
    `toxicity_sumsq` Int64,
    `hate_sum` Int64,
    `sarcasm_sum` Int64,
    `sample_rate` Float64,
    `max_lag_ms` Int64
)
ENGINE = `Null`

CREATE VIEW pulse.late_rows
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `message_id` String,
    `sent_at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `author` String,
    `author_flags` Tuple(
        subscriber Nullable(Bool),
        moderator Nullable(Bool),
        vip Nullable(Bool),
        first_message Nullable(Bool),
        account_age_s Nullable(Int64)),
    `text` String,
    `emotes` Array(Tuple(
        name String,
        provider LowCardinality(String),
        start Nullable(Int32),
        end Nullable(Int32))),
    `reply_to` Nullable(String),
    `amount` Nullable(Float64),
    `lang` LowCardinality(Nullable(String)),
    `scored` Bool,
    `abstained` Bool,
    `counted` Bool,
    `late_ms` Int64,
    `emotions` Map(String, Float32),
    `basic` Map(String, Float32),
    `sentiment` Nullable(Float32),
    `toxicity` Nullable(Float32),
    `hate` Nullable(Float32),
    `sarcasm` Nullable(Float32),
    `model` LowCardinality(Nullable(String)),
    `model_version` LowCardinality(Nullable(String)),
    `scored_at` Nullable(DateTime64(3, 'UTC'))
)
AS SELECT *
FROM pulse.messages
WHERE scored AND (NOT counted)

CREATE VIEW pulse.marks
(
    `workspace` LowCardinality(String),
    `alert_id` String,
    `marked_at` DateTime64(3, 'UTC'),
    `verdict` LowCardinality(String),
    `note` String,
    `mute_until` Nullable(DateTime64(3, 'UTC')),
    `channel` LowCardinality(String),
    `kind` LowCardinality(String),
    `severity` LowCardinality(String),
    `started_at` DateTime64(3, 'UTC')
)
AS SELECT
    workspace,
    alert_id,
    marked_at,
    verdict,
    note,
    mute_until,
    channel,
    kind,
    severity,
    started_at
FROM pulse.alert_marks
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE VIEW pulse.messages
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `message_id` String,
    `sent_at` DateTime64(3, 'UTC'),
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC'),
    `author` String,
    `author_flags` Tuple(
        subscriber Nullable(Bool),
        moderator Nullable(Bool),
        vip Nullable(Bool),
        first_message Nullable(Bool),
        account_age_s Nullable(Int64)),
    `text` String,
    `emotes` Array(Tuple(
        name String,
        provider LowCardinality(String),
        start Nullable(Int32),
        end Nullable(Int32))),
    `reply_to` Nullable(String),
    `amount` Nullable(Float64),
    `lang` LowCardinality(Nullable(String)),
    `scored` Bool,
    `abstained` Bool,
    `counted` Bool,
    `late_ms` Int64,
    `emotions` Map(String, Float32),
    `basic` Map(String, Float32),
    `sentiment` Nullable(Float32),
    `toxicity` Nullable(Float32),
    `hate` Nullable(Float32),
    `sarcasm` Nullable(Float32),
    `model` LowCardinality(Nullable(String)),
    `model_version` LowCardinality(Nullable(String)),
    `scored_at` Nullable(DateTime64(3, 'UTC'))
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    message_id,
    sent_at,
    received_at,
    expires_at,
    author,
    author_flags,
    text,
    emotes,
    nullIf(reply_to, '') AS reply_to,
    amount,
    nullIf(lang, '') AS lang,
    toBool(version > 0) AS scored,
    abstained,
    counted,
    late_ms,
    mapFromArrays(if(empty(emotions), [], ['admiration', 'amusement', 'anger', 'annoyance', 'approval', 'caring', 'confusion', 'curiosity', 'desire', 'disappointment', 'disapproval', 'disgust', 'embarrassment', 'excitement', 'fear', 'gratitude', 'grief', 'joy', 'love', 'nervousness', 'optimism', 'pride', 'realization', 'relief', 'remorse', 'sadness', 'surprise', 'neutral']), emotions) AS emotions,
    mapFromArrays(if(empty(basic), [], ['joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral']), basic) AS basic,
    if(version > 0, sentiment, NULL) AS sentiment,
    if(version > 0, toxicity, NULL) AS toxicity,
    if(version > 0, hate, NULL) AS hate,
    if(version > 0, sarcasm, NULL) AS sarcasm,
    nullIf(model, '') AS model,
    nullIf(model_version, '') AS model_version,
    if(version > 0, scored_at, NULL) AS scored_at
FROM pulse.chat_lines
FINAL
WHERE (expires_at > now64(3, 'UTC')) AND ((workspace, channel, message_hash) NOT IN (
    SELECT
        workspace,
        channel,
        message_hash
    FROM pulse.removed_lines
))

CREATE TABLE pulse.opinion_lines
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `message_hash` UInt128 CODEC(NONE),
    `opinion_model` LowCardinality(String),
    `given_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `message_id` String CODEC(ZSTD(1)),
    `sent_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `expires_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `reason` LowCardinality(String),
    `lang` LowCardinality(String),
    `model` LowCardinality(String),
    `model_version` LowCardinality(String),
    `sentiment` Float32,
    `toxicity` Float32,
    `sarcasm` Float32,
    `prompt_version` LowCardinality(String),
    `opinion_sentiment` Float32,
    `opinion_toxicity` Float32,
    `opinion_sarcasm` Float32,
    `cached` Bool
)
ENGINE = ReplacingMergeTree(given_at)
PARTITION BY toYYYYMMDD(expires_at)
ORDER BY (workspace, stream_id, message_hash, opinion_model)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE VIEW pulse.opinions
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `message_id` String,
    `sent_at` DateTime64(3, 'UTC'),
    `text` String,
    `lang` LowCardinality(Nullable(String)),
    `reason` LowCardinality(String),
    `model` LowCardinality(String),
    `model_version` LowCardinality(String),
    `sentiment` Float32,
    `toxicity` Float32,
    `sarcasm` Float32,
    `opinion_model` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `opinion_sentiment` Float32,
    `opinion_toxicity` Float32,
    `opinion_sarcasm` Float32,
    `cached` Bool,
    `given_at` DateTime64(3, 'UTC')
)
AS SELECT
    said.workspace AS workspace,
    said.channel AS channel,
    said.platform AS platform,
    said.stream_id AS stream_id,
    said.message_id AS message_id,
    said.sent_at AS sent_at,
    line.text AS text,
    nullIf(said.lang, '') AS lang,
    said.reason AS reason,
    said.model AS model,
    said.model_version AS model_version,
    said.sentiment AS sentiment,
    said.toxicity AS toxicity,
    said.sarcasm AS sarcasm,
    said.opinion_model AS opinion_model,
    said.prompt_version AS prompt_version,
    said.opinion_sentiment AS opinion_sentiment,
    said.opinion_toxicity AS opinion_toxicity,
    said.opinion_sarcasm AS opinion_sarcasm,
    said.cached AS cached,
    said.given_at AS given_at
FROM
(
    SELECT *
    FROM pulse.opinion_lines
    FINAL
    WHERE (expires_at > now64(3, 'UTC')) AND ((workspace, channel, message_hash) NOT IN (
        SELECT
            workspace,
            channel,
            message_hash
        FROM pulse.removed_lines
    ))
) AS said
INNER JOIN
(
    SELECT
        workspace,
        stream_id,
        message_hash,
        any(text) AS text
    FROM pulse.chat_lines
    WHERE (expires_at > now64(3, 'UTC')) AND ((workspace, stream_id, message_hash) IN (
        SELECT
            workspace,
            stream_id,
            message_hash
        FROM pulse.opinion_lines
    ))
    GROUP BY
        workspace,
        stream_id,
        message_hash
) AS line ON (line.workspace = said.workspace) AND (line.stream_id = said.stream_id) AND (line.message_hash = said.message_hash)

CREATE TABLE pulse.removal_orders
(
    `workspace` LowCardinality(String),
    `scope` LowCardinality(String),
    `channel` LowCardinality(String),
    `target` String,
    `before` DateTime64(3, 'UTC'),
    `ordered_at` DateTime64(3, 'UTC'),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(before)
ORDER BY (workspace, scope, channel, target)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE TABLE pulse.removed_lines
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `message_hash` UInt128 CODEC(NONE),
    `removed_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(removed_at)
ORDER BY (workspace, channel, message_hash)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE TABLE pulse.retention
(
    `platform` LowCardinality(String),
    `what` LowCardinality(String),
    `span_s` UInt64,
    `written_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (platform, what)
SETTINGS index_granularity = 8192

CREATE TABLE pulse.schema_migrations
(
    `version` UInt32,
    `md5` String,
    `script` String,
    `created_at` DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY tuple(created_at)
SETTINGS index_granularity = 8192

CREATE TABLE pulse.score_keys
(
    `k0` UInt64,
    `k1` UInt64,
    `made_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY made_at
SETTINGS index_granularity = 8192

CREATE TABLE pulse.scores
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `sent_second` DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    `score_key` UInt128 CODEC(NONE),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `expires_at` DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    `lang` LowCardinality(String),
    `emotions` Array(Float32) CODEC(ZSTD(1)),
    `basic` Array(Float32) CODEC(ZSTD(1)),
    `sentiment` Float32 CODEC(ZSTD(1)),
    `toxicity` Float32 CODEC(ZSTD(1)),
    `hate` Float32 CODEC(ZSTD(1)),
    `sarcasm` Float32 CODEC(ZSTD(1)),
    `abstained` Bool,
    `model` LowCardinality(String),
    `model_version` LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(sent_second)
ORDER BY (workspace, stream_id, sent_second, score_key)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192, merge_selector_base = 10, auto_statistics_types = ''

CREATE TABLE pulse.source_gaps
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `event_id` String,
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `span_from` DateTime64(3, 'UTC'),
    `span_to` DateTime64(3, 'UTC'),
    `cause` LowCardinality(String),
    `recovered` UInt64,
    `received_at` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(received_at)
ORDER BY (workspace, channel, event_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE TABLE pulse.source_states
(
    `workspace` LowCardinality(String),
    `channel` String,
    `platform` LowCardinality(String),
    `state` LowCardinality(String),
    `reason` String,
    `since` DateTime64(3, 'UTC'),
    `expires_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(since)
ORDER BY (workspace, channel)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE VIEW pulse.sources
(
    `workspace` LowCardinality(String),
    `channel` String,
    `platform` LowCardinality(String),
    `state` LowCardinality(String),
    `reason` String,
    `since` DateTime64(3, 'UTC'),
    `gaps_24h` UInt64,
    `missed_s_24h` Float64,
    `recovered_24h` UInt64,
    `last_gap_at` Nullable(DateTime64(3, 'UTC'))
)
AS SELECT
    states.workspace AS workspace,
    states.channel AS channel,
    states.platform AS platform,
    state,
    reason,
    since,
    missed.gaps AS gaps_24h,
    missed.seconds AS missed_s_24h,
    missed.lines AS recovered_24h,
    nullIf(missed.newest, fromUnixTimestamp64Milli(0, 'UTC')) AS last_gap_at
FROM
(
    SELECT *
    FROM pulse.source_states
    FINAL
    WHERE expires_at > now64(3, 'UTC')
) AS states
LEFT JOIN
(
    SELECT
        workspace,
        channel,
        count() AS gaps,
        sum(dateDiff('millisecond', span_from, span_to)) / 1000 AS seconds,
        sum(recovered) AS lines,
        max(span_to) AS newest
    FROM pulse.source_gaps
    FINAL
    WHERE span_to > (now64(3, 'UTC') - toIntervalHour(24))
    GROUP BY
        workspace,
        channel
) AS missed ON (missed.workspace = states.workspace) AND (missed.channel = states.channel)

CREATE TABLE pulse.stream_spans
(
    `workspace` LowCardinality(String),
    `stream_id` String,
    `channel` SimpleAggregateFunction(any, String),
    `first_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_message_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `last_seen_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `last_received_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `closed_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `expires_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (workspace, stream_id)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192

CREATE VIEW pulse.streams
(
    `workspace` LowCardinality(String),
    `channel` SimpleAggregateFunction(any, String),
    `platform` String,
    `stream_id` String,
    `first_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_message_at` Nullable(SimpleAggregateFunction(max, DateTime64(3, 'UTC'))),
    `last_seen_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `last_received_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `ended` Bool
)
AS SELECT
    workspace,
    channel,
    splitByChar(':', channel)[1] AS platform,
    stream_id,
    first_at,
    if(last_message_at = fromUnixTimestamp64Milli(0, 'UTC'), NULL, last_message_at) AS last_message_at,
    last_seen_at,
    last_received_at,
    toBool(closed_at >= last_seen_at) AS ended
FROM pulse.stream_spans
FINAL
WHERE expires_at > now64(3, 'UTC')

CREATE TABLE pulse.window_sums
(
    `workspace` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `size_ms` UInt32 CODEC(T64, ZSTD(1)),
    `start_ms` Int64 CODEC(DoubleDelta, ZSTD(1)),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `expires_at` DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    `messages` UInt64 CODEC(T64, ZSTD(1)),
    `scored` UInt64 CODEC(T64, ZSTD(1)),
    `abstained` UInt64 CODEC(T64, ZSTD(1)),
    `authors_in_window` UInt64 CODEC(T64, ZSTD(1)),
    `new_authors` UInt64 CODEC(T64, ZSTD(1)),
    `emotion_sum` Array(Int64) CODEC(T64, ZSTD(1)),
    `emotion_sumsq` Array(Int64) CODEC(T64, ZSTD(1)),
    `basic_sum` Array(Int64) CODEC(T64, ZSTD(1)),
    `basic_sumsq` Array(Int64) CODEC(T64, ZSTD(1)),
    `sentiment_sum` Int64 CODEC(T64, ZSTD(1)),
    `sentiment_sumsq` Int64 CODEC(T64, ZSTD(1)),
    `toxicity_sum` Int64 CODEC(T64, ZSTD(1)),
    `toxicity_sumsq` Int64 CODEC(T64, ZSTD(1)),
    `hate_sum` Int64 CODEC(T64, ZSTD(1)),
    `sarcasm_sum` Int64 CODEC(T64, ZSTD(1)),
    `sample_rate` Float64,
    `max_lag_ms` Int64 CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(messages)
PARTITION BY toYYYYMM(toDateTime(intDiv(start_ms, 1000), 'UTC'))
ORDER BY (workspace, stream_id, size_ms, start_ms)
TTL expires_at
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192, merge_selector_base = 10, auto_statistics_types = ''

CREATE VIEW pulse.windows
(
    `workspace` LowCardinality(String),
    `channel` LowCardinality(String),
    `platform` LowCardinality(String),
    `stream_id` LowCardinality(String),
    `window_start` DateTime64(3, 'UTC'),
    `start_ms` Int64,
    `size_ms` UInt32,
    `messages` UInt64,
    `scored` UInt64,
    `abstained` UInt64,
    `coverage` Nullable(Float64),
    `authors_in_window` UInt64,
    `new_authors` UInt64,
    `sentiment` Nullable(Float64),
    `toxicity` Nullable(Float64),
    `hate` Nullable(Float64),
    `sarcasm` Nullable(Float64),
    `emotions` Map(String, Float64),
    `basic` Map(String, Float64),
    `emotion_sum` Array(Int64),
    `emotion_sumsq` Array(Int64),
    `basic_sum` Array(Int64),
    `basic_sumsq` Array(Int64),
    `sentiment_sum` Int64,
    `sentiment_sumsq` Int64,
    `toxicity_sum` Int64,
    `toxicity_sumsq` Int64,
    `hate_sum` Int64,
    `sarcasm_sum` Int64,
    `sample_rate` Float64,
    `max_lag_ms` Int64
)
AS SELECT
    workspace,
    channel,
    platform,
    stream_id,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
    start_ms,
    size_ms,
    messages,
    scored,
    abstained,
    if(messages = 0, NULL, scored / messages) AS coverage,
    authors_in_window,
    new_authors,
    if(scored = 0, NULL, (sentiment_sum / scored) / 10000) AS sentiment,
    if(scored = 0, NULL, (toxicity_sum / scored) / 10000) AS toxicity,
    if(scored = 0, NULL, (hate_sum / scored) / 10000) AS hate,
    if(scored = 0, NULL, (sarcasm_sum / scored) / 10000) AS sarcasm,
    mapFromArrays(if(scored = 0, [], ['admiration', 'amusement', 'anger', 'annoyance', 'approval', 'caring', 'confusion', 'curiosity', 'desire', 'disappointment', 'disapproval', 'disgust', 'embarrassment', 'excitement', 'fear', 'gratitude', 'grief', 'joy', 'love', 'nervousness', 'optimism', 'pride', 'realization', 'relief', 'remorse', 'sadness', 'surprise', 'neutral']), if(scored = 0, [], arrayMap(x -> ((x / scored) / 10000), emotion_sum))) AS emotions,
    mapFromArrays(if(scored = 0, [], ['joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral']), if(scored = 0, [], arrayMap(x -> ((x / scored) / 10000), basic_sum))) AS basic,
    emotion_sum,
    emotion_sumsq,
    basic_sum,
    basic_sumsq,
    sentiment_sum,
    sentiment_sumsq,
    toxicity_sum,
    toxicity_sumsq,
    hate_sum,
    sarcasm_sum,
    sample_rate,
    max_lag_ms
FROM pulse.window_sums
FINAL
WHERE expires_at > now('UTC')
