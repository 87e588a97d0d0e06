-- starts_add.sql: Starts that are not recent any more, under the time of the last of them. Where that is taken, because the clock went
-- back, behind all that are there: it only says how long they are kept.
-- hot
INSERT INTO errand_starts(bucket, at_ms, n, times)
    VALUES(?1, max(?2, coalesce((SELECT max(at_ms) + 1 FROM errand_starts WHERE bucket = ?1), 0)), ?3, ?4);
