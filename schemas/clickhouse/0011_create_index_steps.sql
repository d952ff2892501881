-- What people see of a stream over steps of any length: the 10 s windows (1 s ones below 10 s) added up, then the
-- formulas of `indices`; tests/unit/dashboards/test_grafana_index_steps.py holds them equal to pipelines/core/indices.py.
-- Parameters: workspace, stream_ids, from_ms and to_ms (epoch ms), step_ms (rounded up to whole windows).
CREATE VIEW index_steps AS
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
    LEFT JOIN (SELECT * FROM channel_norms WHERE workspace = {workspace:String}) AS norms
        ON norms.workspace = steps.workspace AND norms.channel = steps.channel AND norms.name = steps.name
);
