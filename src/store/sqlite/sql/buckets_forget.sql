-- buckets_forget.sql: Buckets that nobody uses: nothing runs, waits or was started lately.
DELETE FROM errand_buckets
 WHERE id IN (SELECT b.id FROM errand_buckets AS b
               WHERE b.running = 0 AND b.newest_ms <= ?1 - b.longest_ms
                 AND NOT EXISTS(SELECT 1 FROM errand_lines AS l WHERE l.bucket = b.id)
               LIMIT ?2);
