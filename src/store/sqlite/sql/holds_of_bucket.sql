-- holds_of_bucket.sql: The holds of a bucket go: they are counted anew.
DELETE FROM errand_holds WHERE bucket = ?1;
