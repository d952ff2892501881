-- Spans of schemas/retention.yaml, written anew by the runner at each start. `what` is text, derived or
-- dead_letters; platform '*' stands for every platform that is not named.
-- ${REPLICATED}: empty on chDB and a single server, `Replicated` on a cluster (see connectors/clickhouse/migrations.py).
CREATE TABLE retention
(
    platform LowCardinality(String),
    what LowCardinality(String),
    span_s UInt64,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${REPLICATED}ReplacingMergeTree(written_at)
ORDER BY (platform, what);

-- The key under which message ids are hashed into the table of scores; random, made once per store by the runner.
CREATE TABLE score_keys
(
    k0 UInt64,
    k1 UInt64,
    made_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ${REPLICATED}MergeTree
ORDER BY made_at;
