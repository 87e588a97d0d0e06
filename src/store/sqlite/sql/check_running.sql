-- check_running.sql: The counters of running jobs, to be compared with the leases.
SELECT id, name, running FROM errand_queues WHERE id > 0;
