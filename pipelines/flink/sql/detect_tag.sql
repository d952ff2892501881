-- The first character says which topic a record came from. The channel is read from the value, not from the key:
-- whoever writes to the topic may have chosen another key. Of the windows, detection looks at those of one size.
SELECT tag || record_text AS tagged, ABS(MOD(HASH_CODE(JSON_VALUE(record_text, '$$.channel')), ${buckets})) AS bucket, proctime
FROM (
  SELECT 'm' AS tag, record_text, proctime FROM messages_text
  UNION ALL SELECT 'e' AS tag, record_text, proctime FROM events_text
  UNION ALL SELECT 'w' AS tag, record_text, proctime FROM windows_text
    WHERE JSON_VALUE(record_text, '$$.size_ms') = '${window_ms}'
)
WHERE record_text IS NOT NULL
