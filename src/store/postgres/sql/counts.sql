-- counts.sql: jobs a queue and state.
--
-- A change inserts how the numbers change; who reads adds up. Folding takes those rows and leaves one a queue.

-- One move of n jobs; a state NULL: from nowhere, or to nowhere.
CREATE OR REPLACE FUNCTION @.count_move(p_queue text, p_from int, p_to int, p_n bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c bigint[] := '{0,0,0,0,0,0,0}';
BEGIN
    IF p_from IS NOT NULL THEN
        c[p_from + 1] := -p_n;
    END IF;
    IF p_to IS NOT NULL THEN
        c[p_to + 1] := c[p_to + 1] + p_n;
    END IF;
    INSERT INTO @.counts(queue, held, scheduled, ready, running, completed, failed, cancelled)
        VALUES(p_queue, c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
END
$$;

-- At most p_max rows, so that it never takes long; nobody waits for one who does it already.
CREATE OR REPLACE FUNCTION @.counts_fold(p_max int) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('errand fold @.', 0)) THEN
        RETURN;
    END IF;
    WITH gone AS (
        DELETE FROM @.counts WHERE ctid = ANY (ARRAY(SELECT ctid FROM @.counts LIMIT p_max FOR UPDATE SKIP LOCKED))
        RETURNING *)
    INSERT INTO @.counts(queue, held, scheduled, ready, running, completed, failed, cancelled)
    SELECT queue, sum(held), sum(scheduled), sum(ready), sum(running), sum(completed), sum(failed), sum(cancelled)
      FROM gone GROUP BY queue;
END
$$;
