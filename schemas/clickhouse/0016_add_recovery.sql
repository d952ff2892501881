-- Whether the audience's index was usual again when an alert closed, and how long after the warning that was.
ALTER TABLE landing_alerts ADD COLUMN recovered Nullable(Bool), ADD COLUMN recovery_s Nullable(Float64);

ALTER TABLE alert_revisions ADD COLUMN recovered Nullable(Bool), ADD COLUMN recovery_s Nullable(Float64);

DROP VIEW feed_alert_revisions;

CREATE MATERIALIZED VIEW feed_alert_revisions TO alert_revisions AS
WITH
    (SELECT mapFromArrays(groupArray(concat(platform, '/', what)), groupArray(span_s)) FROM retention FINAL) AS spans
SELECT
    workspace, alert_id, revision, channel, splitByChar(':', channel)[1] AS platform, stream_id, kind, severity, state,
    fromUnixTimestamp64Milli(landing_alerts.started_at, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(landing_alerts.detected_at, 'UTC') AS detected_at,
    fromUnixTimestamp64Milli(landing_alerts.ended_at, 'UTC') AS ended_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + toInt64(if(mapContains(spans, concat(platform, '/derived')), spans[concat(platform, '/derived')], spans['*/derived'])) * 1000, 4102444800000), 'UTC') AS expires_at,
    fromUnixTimestamp64Milli(least(landing_alerts.started_at + toInt64(if(mapContains(spans, concat(platform, '/text')), spans[concat(platform, '/text')], spans['*/text'])) * 1000, 4102444800000), 'UTC') AS evidence_expires_at,
    why, evidence, clusters, authors, messages, playbook, channels,
    recovered, recovery_s
FROM landing_alerts;

CREATE OR REPLACE VIEW alerts AS
SELECT
    workspace, channel, platform, stream_id, alert_id, revision, kind, severity, state, started_at, detected_at,
    ended_at, JSONExtractString(why, 'summary') AS summary, why,
    if(evidence_expires_at > now64(3, 'UTC'), evidence, []) AS evidence,
    clusters, authors, messages, playbook, channels,
    recovered, recovery_s
FROM alert_revisions FINAL
WHERE expires_at > now64(3, 'UTC');
