-- They cost every insert of lines a tenth of its time, orders or not. The passes of
-- connectors/clickhouse/removals.py find lines that come after their removal just as well, some seconds later.
DROP VIEW feed_removed_late_lines;
DROP VIEW feed_erased_late_lines;
