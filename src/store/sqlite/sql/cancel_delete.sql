-- cancel_delete.sql: It has ended: nothing to stop.
-- hot
DELETE FROM errand_cancels WHERE job = ?1;
