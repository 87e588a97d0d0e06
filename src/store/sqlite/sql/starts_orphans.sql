-- starts_orphans.sql: Starts of buckets that are gone.
DELETE FROM errand_starts WHERE bucket NOT IN (SELECT id FROM errand_buckets);
