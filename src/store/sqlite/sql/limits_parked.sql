-- limits_parked.sql: Parked jobs, to say which limits hold them.
SELECT id FROM errand_parked LIMIT ?1;
