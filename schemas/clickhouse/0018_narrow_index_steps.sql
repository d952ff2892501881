-- `index_steps` took what is usual on a channel from `channel_norms`, which reads the windows of every channel: a second
-- on ten million lines. The same formula over the windows of the channels of the asked streams alone; their broadcasts are
-- found in stream_spans, because the sorting key of the windows begins with the stream.
CREATE OR REPLACE VIEW index_steps AS
SELECT
    workspace, channel, platform, stream_id, fromUnixTimestamp64Milli(step_start_ms, 'UTC') AS step_start, name, messages,
    scored, plain, usual, greatest(shrunk - half, if(name = 'sentiment', -1, 0)) AS low, shrunk AS mean,
    least(shrunk + half, 1) AS high, z
FROM
(
    SELECT
        steps.workspace AS workspace, steps.channel AS channel, platform, stream_id, step_start_ms, steps.name AS name,
        messages, scored, n,
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
            workspace, channel, platform, stream_id, step_start_ms, messages, scored, toFloat64(scored) AS n,
            arrayJoin(arrayZip(
                ['sentiment', 'toxicity', 'joy', 'sadness', 'anger', 'fear', 'surprise', 'disgust', 'neutral'],
                totals, squares)) AS index,
            index.1 AS name, index.2 / 10000 AS x, index.3 / 100000000 AS xx
        FROM
        (
            SELECT
                workspace, any(window_sums.channel) AS channel, any(window_sums.platform) AS platform, stream_id,
                if({step_ms:UInt64} < 10000, 1000, 10000) AS size,
                intDiv(greatest({step_ms:UInt64}, 1) + size - 1, size) * size AS step,
                toInt64(start_ms - start_ms % step) AS step_start_ms,
                sum(window_sums.messages) AS messages, sum(window_sums.scored) AS scored,
                sumForEach(arrayConcat([sentiment_sum, toxicity_sum], basic_sum)) AS totals,
                sumForEach(arrayConcat([sentiment_sumsq, toxicity_sumsq], basic_sumsq)) AS squares
            FROM window_sums FINAL
            WHERE workspace = {workspace:String} AND stream_id IN {stream_ids:Array(String)}
                AND size_ms = if({step_ms:UInt64} < 10000, 1000, 10000)
                AND start_ms >= {from_ms:Int64} AND start_ms <= {to_ms:Int64}
                AND window_sums.scored > 0 AND expires_at > now('UTC')
            GROUP BY workspace, stream_id, step_start_ms
        )
    ) AS steps
    LEFT JOIN
    (
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
                WHERE workspace = {workspace:String} AND stream_id IN (
                        SELECT stream_id FROM stream_spans WHERE workspace = {workspace:String} AND channel IN (
                            SELECT channel FROM window_sums
                            WHERE workspace = {workspace:String} AND stream_id IN {stream_ids:Array(String)} AND size_ms = 10000)
                        UNION ALL SELECT arrayJoin({stream_ids:Array(String)}))
                    AND size_ms = 10000 AND scored > 0 AND expires_at > now('UTC')
            )
            GROUP BY workspace, channel, name
        )
    ) AS norms
        ON norms.workspace = steps.workspace AND norms.channel = steps.channel AND norms.name = steps.name
);
