-- One vectorised call reads and checks every record; a bad one comes out with kind 'invalid'.
SELECT record_bytes, kafka_partition, kafka_offset, appended_ms,
  entry.workspace AS workspace, entry.stream_id AS stream_id, entry.message_id AS message_id,
  entry.kind AS kind, entry.sent_at AS sent_at, proctime
FROM (
  SELECT record_bytes, kafka_partition, kafka_offset, appended_ms, proctime,
    read_message(record_bytes, kafka_partition, kafka_offset, appended_ms) AS entry
  FROM (
    SELECT *, 1000 * EXTRACT(EPOCH FROM appended_at) AS appended_ms
    FROM messages_raw
  )
)
