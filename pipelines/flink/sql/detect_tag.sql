-- The first character says which topic a record came from. The channel is read from the value, not from the key:
-- whoever writes to the topic may have chosen another key. Records of ours have it behind a few plain fields;
-- the JSON parser, several times as dear, is for all others.
SELECT tag || record_text AS tagged, ABS(MOD(HASH_CODE(
    CASE WHEN near_channel IS NULL OR near_channel = '' THEN JSON_VALUE(record_text, '$$.channel') ELSE near_channel END
  ), ${buckets})) AS bucket, proctime
FROM (
SELECT *, REGEXP_EXTRACT(record_text, '^\{(?:"\w+":(?:"[^"\\]*"|\d+),){0,8}"channel":"([^"\\]*)"', 1) AS near_channel
FROM (
  SELECT 'm' AS tag, record_text, proctime FROM messages_text
  UNION ALL SELECT 'e' AS tag, record_text, proctime FROM events_text
  UNION ALL SELECT 'w' AS tag, record_text, proctime FROM windows_text
)
WHERE record_text IS NOT NULL
)
