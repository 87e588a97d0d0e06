-- 0004-tokens.sql: tokens are larger than any of a store that was here before: they begin with the microseconds of the time this
-- one was made, and nobody gives out a million a second.
SELECT setval('@.tokens', greatest((SELECT last_value FROM @.tokens), floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint));

-- They answer the salt as well now.
DROP FUNCTION IF EXISTS @.beat(bigint, text, bytea, bigint, boolean);
DROP FUNCTION IF EXISTS @.schedules_look();
