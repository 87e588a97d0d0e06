-- buckets_forget.sql: Buckets that nobody uses: nothing runs, waits or was started lately.
DELETE FROM errand_buckets
 WHERE id IN (SELECT b.id FROM errand_buckets AS b
               WHERE b.running = 0 AND NOT EXISTS(SELECT 1 FROM errand_lines AS l WHERE l.bucket = b.id)
                 AND NOT EXISTS(SELECT 1 FROM errand_starts AS s WHERE s.bucket = b.id AND s.at_ms > ?1 - b.longest_ms)
               LIMIT ?2);
