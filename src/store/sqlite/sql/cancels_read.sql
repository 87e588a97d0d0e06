-- cancels_read.sql: All running jobs that are to stop.
SELECT job FROM errand_cancels;
