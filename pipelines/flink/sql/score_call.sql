SELECT s.* FROM (
  SELECT score_message(record_bytes, kafka_partition, kafka_offset, appended_ms, late_ms) AS s FROM messages_clocked
)
