-- What is usual on each channel and what people see of each window, in tall form: one row per index. The formulas
-- and constants are those of pipelines/core/indices.py; tests/unit/pipelines/core/test_indices.py holds them equal.
CREATE VIEW channel_norms AS
SELECT
    workspace, channel, name,
    multiIf(usable, total / lines, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS mean,
    multiIf(usable, greatest(raw_within, 0.0001), name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
    multiIf(usable, greatest(raw_between, 0.0001), name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between
FROM
(
    SELECT
        workspace, channel, name, count() AS window_count, sum(n) AS lines, sum(n * n) AS lines_sq,
        sum(x) AS total, sum(xx) AS total_sq, sum(x * x / n) AS means_sq,
        window_count >= 30 AND lines > window_count AS usable,
        (total_sq - means_sq) / (lines - window_count) AS raw_within,
        (means_sq - total * total / lines - (window_count - 1) * raw_within) / (lines - lines_sq / lines) AS raw_between
    FROM
    (
        SELECT
            workspace, channel, toFloat64(scored) AS n,
            arrayJoin(arrayZip(
                ['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'],
                arrayConcat([sentiment_sum, toxicity_sum], basic_sum),
                arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq))) AS index,
            index.1 AS name, index.2 / 10000 AS x, index.3 / 100000000 AS xx
        FROM window_sums FINAL
        WHERE size_ms = 10000 AND scored > 0 AND expires_at > now('UTC')
    )
    GROUP BY workspace, channel, name
);

CREATE VIEW indices AS
SELECT
    workspace, channel, platform, stream_id, window_start, size_ms, name, scored, plain,
    greatest(shrunk - half, if(name = 'sentiment', -1, 0)) AS low, shrunk AS mean, least(shrunk + half, 1) AS high, z
FROM
(
    SELECT
        windowed.workspace AS workspace, windowed.channel AS channel, platform, stream_id, window_start, size_ms,
        windowed.name AS name, scored, n,
        norms.within > 0 AS known,
        multiIf(known, norms.mean, name = 'sentiment', 0, name = 'toxicity', 0.05, 1 / 7) AS usual,
        multiIf(known, norms.within, name = 'sentiment', 0.16, name = 'toxicity', 0.02, 0.05) AS within,
        multiIf(known, norms.between, name = 'sentiment', 0.01, name = 'toxicity', 0.002, 0.005) AS between,
        within / between AS k,
        x / n AS plain,
        (k * usual + x) / (k + n) AS shrunk,
        1.959963984540054 * sqrt((k * within + greatest(xx - x * x / n, 0)) / (k + n) / (k + n)) AS half,
        (plain - usual) / sqrt(between + within / n) AS z
    FROM
    (
        SELECT
            workspace, channel, platform, stream_id, fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start, size_ms,
            scored, toFloat64(scored) AS n,
            arrayJoin(arrayZip(
                ['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'],
                arrayConcat([sentiment_sum, toxicity_sum], basic_sum),
                arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq))) AS index,
            index.1 AS name, index.2 / 10000 AS x, index.3 / 100000000 AS xx
        FROM window_sums FINAL
        WHERE scored > 0 AND expires_at > now('UTC')
    ) AS windowed
    LEFT JOIN channel_norms AS norms
        ON norms.workspace = windowed.workspace AND norms.channel = windowed.channel AND norms.name = windowed.name
);
