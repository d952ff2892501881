-- Each stream's own clock: the latest time that any of its lines or heartbeats bore so far.
SELECT record_bytes, kafka_partition, kafka_offset, appended_ms, kind, clock_ms - sent_at AS late_ms
FROM (
  SELECT *, MAX(sent_at) OVER (
    PARTITION BY workspace, stream_id ORDER BY proctime ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS clock_ms
  FROM messages_once
)
WHERE kind <> 'heartbeat'
