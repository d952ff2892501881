-- Whom the store forgets. Lines up to `erase_before` go, and all of an author who opted out; the rows stay, so that
-- copies of the lines (read again after a crash, or scored later) go as well.
CREATE TABLE landing_erasures
(
    workspace String DEFAULT 'default',
    author String,
    requested_at Int64,
    erase_before Int64,
    opted_out Bool
)
ENGINE = Null;

CREATE TABLE erasures
(
    workspace LowCardinality(String),
    author String,
    requested_at DateTime64(3, 'UTC'),
    erase_before DateTime64(3, 'UTC'),
    opted_out Bool,
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(requested_at)
ORDER BY (workspace, author)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW feed_erasures TO erasures AS
SELECT
    workspace, author, fromUnixTimestamp64Milli(landing_erasures.requested_at, 'UTC') AS requested_at,
    fromUnixTimestamp64Milli(landing_erasures.erase_before, 'UTC') AS erase_before, opted_out
FROM landing_erasures;

CREATE MATERIALIZED VIEW feed_erased_late_lines TO removed_lines AS
SELECT late.workspace AS workspace, late.channel AS channel, message_hash, late.expires_at AS expires_at
FROM
(
    SELECT
        workspace, channel, author, reinterpretAsUInt128(sipHash128(message_id)) AS message_hash,
        fromUnixTimestamp64Milli(sent_at, 'UTC') AS sent_time,
        fromUnixTimestamp64Milli(least(landing_messages.expires_at, 4102444800000), 'UTC') AS expires_at
    FROM landing_messages
    WHERE kind = 'message' AND (workspace, author) IN (SELECT workspace, author FROM erasures)
) AS late
INNER JOIN (SELECT workspace, author, erase_before, opted_out FROM erasures FINAL) AS erased
    ON erased.workspace = late.workspace AND erased.author = late.author
WHERE erased.opted_out OR late.sent_time <= erased.erase_before;
