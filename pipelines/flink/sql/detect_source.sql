-- A fetch brings no more than 96 kB of a partition and, as that is less than it asks for, takes its 50 ms. So after an
-- outage the backlog comes at a bounded pace: what is gathered within one tick lies in the heap, several times over.
CREATE TABLE ${table} (
  record_text STRING,
  proctime AS PROCTIME()
) WITH (
  'connector' = 'kafka',
  'topic' = '${topic}',
  'properties.bootstrap.servers' = '${kafka_bootstrap}',
  'properties.group.id' = 'pulse-detect',
  'properties.max.partition.fetch.bytes' = '98304',
  'properties.fetch.min.bytes' = '4194304',
  'properties.fetch.max.bytes' = '4194304',
  'properties.fetch.max.wait.ms' = '50',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'raw'
)
