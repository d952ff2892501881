-- Bytes as the broker holds them: whatever cannot be read is a dead letter, never a failed job.
CREATE TABLE messages_raw (
  record_bytes BYTES,
  kafka_partition INT METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  appended_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  proctime AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = 'chat.messages.v1',
  'properties.bootstrap.servers' = '${kafka_bootstrap}',
  'properties.group.id' = 'pulse-score',
  'properties.fetch.max.bytes' = '4194304',
  'properties.max.partition.fetch.bytes' = '1048576',
  'properties.fetch.min.bytes' = '131072',
  'properties.fetch.max.wait.ms' = '25',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
)
