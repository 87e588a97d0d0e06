-- wake.sql: who sleeps is woken after the commit, and NOTIFY is spared while nobody does.
--
-- NOTIFY makes commits wait for each other: the server holds one lock of the whole database from there until the commit
-- is on the disk, so that eight pushers who all notify share no fsync. Therefore a sleeper holds, on the connection it
-- listens with, the advisory keys of what it waits for, shared, 16 a kind; a writer tries one of the 16, exclusively
-- and until its commit. Got: nobody sleeps, and who wants to sleep now waits for this commit before it looks. Not got:
-- somebody does (or a writer with the same key of 16 commits right now: then one NOTIFY too many). Nothing is missed.
--
-- In a transaction of the caller's (p_is_own false) the key would keep sleepers waiting until its end: there it is
-- NOTIFY always.
CREATE OR REPLACE FUNCTION @.wake(p_bits int, p_is_own boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ns constant int := ('@.root'::regclass::oid::bigint & 2147483647)::int;
    slot constant int := pg_backend_pid() & 15;
BEGIN
    FOR kind IN 0..4 LOOP
        IF p_bits >> kind & 1 = 1
           AND NOT (p_is_own AND pg_try_advisory_xact_lock(ns, kind * 16 + slot)) THEN
            PERFORM pg_notify('errand:' || ns || ':' || kind, '');
        END IF;
    END LOOP;
END $$;

-- The sleeper's side, on its own connection: from now on it holds the keys of p_bits in place of those of p_held, and
-- listens to their channels, one a kind, so that nobody is woken for what it did not ask; p_heard: those it listens to
-- already. It waits for writers that have tried a key and not committed yet. What is told between the key and the
-- beginning of the listening was committed before this answers, and the sleeper looks after that.
CREATE OR REPLACE FUNCTION @.sleep(p_held int, p_bits int, p_heard int) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ns constant int := ('@.root'::regclass::oid::bigint & 2147483647)::int;
BEGIN
    FOR kind IN 0..4 LOOP
        IF p_bits >> kind & 1 = 1 AND p_heard >> kind & 1 = 0 THEN
            EXECUTE format('LISTEN %I', 'errand:' || ns || ':' || kind);
        END IF;
        IF p_bits >> kind & 1 = 1 AND p_held >> kind & 1 = 0 THEN
            PERFORM pg_advisory_lock_shared(ns, kind * 16 + slot) FROM generate_series(0, 15) AS slot;
        ELSIF p_bits >> kind & 1 = 0 AND p_held >> kind & 1 = 1 THEN
            PERFORM pg_advisory_unlock_shared(ns, kind * 16 + slot) FROM generate_series(0, 15) AS slot;
        END IF;
    END LOOP;
END $$;
