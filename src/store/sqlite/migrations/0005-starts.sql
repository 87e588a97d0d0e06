-- 0005-starts.sql: the latest starts under a rate, in the row of their bucket.
--
-- Each had a row of its own, and all of them were added up with every look. Now a bucket keeps its latest ones packed
-- (starts.c has the form), when the newest was, and how many older ones there are in errand_starts; older_ms is the first
-- of those. A row there is many starts, packed, under the time of its last; without `times` one moment, as before.
ALTER TABLE errand_buckets ADD COLUMN recent BLOB;
ALTER TABLE errand_buckets ADD COLUMN newest_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE errand_buckets ADD COLUMN older_n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE errand_buckets ADD COLUMN older_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE errand_starts ADD COLUMN times BLOB;

UPDATE errand_buckets
   SET newest_ms = coalesce((SELECT max(at_ms) FROM errand_starts WHERE bucket = errand_buckets.id), 0),
       older_n = coalesce((SELECT sum(n) FROM errand_starts WHERE bucket = errand_buckets.id), 0),
       older_ms = coalesce((SELECT min(at_ms) FROM errand_starts WHERE bucket = errand_buckets.id), 0);
