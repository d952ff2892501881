CREATE TABLE ${table} (
  record_text STRING,
  proctime AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = '${topic}',
  'properties.bootstrap.servers' = '${kafka_bootstrap}',
  'properties.group.id' = 'pulse-detect',
  'properties.fetch.max.bytes' = '4194304',
  'properties.max.partition.fetch.bytes' = '1048576',
  'properties.fetch.min.bytes' = '262144',
  'properties.fetch.max.wait.ms' = '100',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
)
