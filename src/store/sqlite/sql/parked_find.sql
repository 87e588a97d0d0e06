-- parked_find.sql: Is it parked at a limit?
-- hot
-- plan: INDEX errand_parked_id
SELECT line FROM errand_parked WHERE id = ?1;
