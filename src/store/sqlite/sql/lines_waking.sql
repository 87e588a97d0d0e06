-- lines_waking.sql: Lines that wait for a time, the earliest first.
-- plan: USING INDEX errand_lines_wake
SELECT id, wake_at FROM errand_lines WHERE wake_at IS NOT NULL ORDER BY wake_at;
