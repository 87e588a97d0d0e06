-- check_held.sql: Only a job that waits for others is held.
SELECT 'job ' || id || ' is held and waits for nobody' FROM errand_jobs WHERE state = 0 AND waits = 0
UNION ALL
SELECT 'job ' || id || ' waits for others and is not held' FROM errand_jobs WHERE state NOT IN (0, 6) AND waits > 0;
