-- lines_waking.sql: Lines that wait for a time, the earliest first.
-- plan: INDEX errand_lines_wake (wake_at>?)
SELECT id, wake_at FROM errand_lines WHERE wake_at IS NOT NULL ORDER BY wake_at;
