-- Keep-first per message id. A bad record's id is its position, so a bad record never hides a good one.
SELECT record_bytes, kafka_partition, kafka_offset, appended_ms, workspace, stream_id, kind, sent_at, proctime
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY workspace, message_id ORDER BY proctime) AS repeat_number
  FROM read_messages
)
WHERE repeat_number = 1
