-- What must not be shown any more: a line that a moderator deleted, the lines of a banned or timed-out author, a
-- cleared chat. `scope` is line (target = message id), author (target = pseudonym) or channel (no target); the two
-- latter cover what was sent up to `before`. The newest such moment of a target counts.
CREATE TABLE removal_orders
(
    workspace LowCardinality(String),
    scope LowCardinality(String),
    channel LowCardinality(String),
    target String,
    before DateTime64(3, 'UTC'),
    ordered_at DateTime64(3, 'UTC'),
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(before)
ORDER BY (workspace, scope, channel, target)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The lines that the orders cover, as far as they were found: what the views leave out. A row stays until the line
-- would have expired, because copies of the line may still come (scored later, or read again after a crash).
CREATE TABLE removed_lines
(
    workspace LowCardinality(String),
    channel LowCardinality(String),
    message_hash UInt128 CODEC(NONE),
    removed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(removed_at)
ORDER BY (workspace, channel, message_hash)
TTL toDateTime(expires_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_removal_orders TO removal_orders AS
SELECT
    workspace, multiIf(target_message_id != '', 'line', target_author != '', 'author', 'channel') AS scope, channel,
    coalesce(nullIf(target_message_id, ''), target_author, '') AS target,
    fromUnixTimestamp64Milli(at, 'UTC') AS before,
    fromUnixTimestamp64Milli(received_at, 'UTC') AS ordered_at,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at
FROM landing_events
WHERE kind IN ('deletion', 'ban');

-- A single line is hidden by the insert of its event.
CREATE MATERIALIZED VIEW feed_removed_lines TO removed_lines AS
SELECT
    workspace, channel, reinterpretAsUInt128(sipHash128(assumeNotNull(target_message_id))) AS message_hash,
    fromUnixTimestamp64Milli(least(landing_events.expires_at, 4102444800000), 'UTC') AS expires_at
FROM landing_events
WHERE kind IN ('deletion', 'ban') AND target_message_id != '';

-- Lines that come after their removal (the topics of lines and events are read side by side) are hidden by their own
-- insert. Orders of the last 15 minutes are enough here: the pass over the store (connectors/clickhouse/removals.py)
-- finds what came later still.
CREATE MATERIALIZED VIEW feed_removed_late_lines TO removed_lines AS
SELECT late.workspace AS workspace, late.channel AS channel, message_hash, late.expires_at AS expires_at
FROM
(
    SELECT
        workspace, channel, reinterpretAsUInt128(sipHash128(message_id)) AS message_hash,
        fromUnixTimestamp64Milli(sent_at, 'UTC') AS sent_time,
        fromUnixTimestamp64Milli(least(landing_messages.expires_at, 4102444800000), 'UTC') AS expires_at,
        arrayJoin([('line', message_id), ('author', author), ('channel', '')]) AS covered
    FROM landing_messages
    WHERE kind = 'message' AND (workspace, channel) IN (
        SELECT workspace, channel FROM removal_orders WHERE stored_at > now64(3, 'UTC') - INTERVAL 15 MINUTE)
) AS late
INNER JOIN
(
    SELECT workspace, channel, scope, target, before FROM removal_orders
    WHERE stored_at > now64(3, 'UTC') - INTERVAL 15 MINUTE
) AS orders ON orders.workspace = late.workspace AND orders.channel = late.channel
    AND orders.scope = late.covered.1 AND orders.target = late.covered.2
WHERE orders.scope = 'line' OR late.sent_time <= orders.before;

CREATE OR REPLACE VIEW messages AS
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
WHERE expires_at > now64(3, 'UTC')
    AND (workspace, channel, message_hash) NOT IN (SELECT workspace, channel, message_hash FROM removed_lines);
