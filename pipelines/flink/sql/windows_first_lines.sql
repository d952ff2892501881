-- The first counted line of each author in a stream, in arrival order. Keep-first writes its state once an
-- author; a running count would write it on every line.
SELECT workspace, channel, stream_id, author, sent_at
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY workspace, stream_id, author ORDER BY proctime) AS line_number
  FROM counted_lines
)
WHERE line_number = 1
