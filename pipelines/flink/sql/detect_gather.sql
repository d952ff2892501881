-- The JVM gathers what belongs to a bucket of channels for one tick; Python then sees one row a bucket and tick.
-- The record separator (0x1E) cannot occur in valid JSON. ARRAY_AGG appends where LISTAGG would copy the whole
-- text for each record; bytes, as text would be copied to UTF-16 and back.
SELECT bucket, CAST(ARRAY_JOIN(ARRAY_AGG(tagged), U&'\001E') AS BYTES) AS records
FROM TABLE(TUMBLE(TABLE tagged_records, DESCRIPTOR(proctime), INTERVAL '${tick_s}' SECOND))
GROUP BY bucket, window_start, window_end
