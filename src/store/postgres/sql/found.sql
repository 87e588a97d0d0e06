-- found.sql: the jobs that a filter means, in order of insertion.
--
-- The statement is put together from the parts that the filter needs, so that a page of failed jobs reads those that
-- have ended and not a million that wait. Values never become text: $1 states as stored, $2 jobs under leases, $3 queue,
-- $4 name, $5 tag, $6 batch, $7 what to search, $8 since, $9 until, $10 after, $11 how many, $12 the search as text, $13 the
-- store's salt.
CREATE OR REPLACE FUNCTION @.found_sql(p_states bigint, p_queue text, p_name text, p_tag text, p_batch bigint, p_search text,
                                       p_since bigint, p_until bigint, p_after bigint, p_newest boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    states constant bigint := CASE WHEN p_states = 0 THEN 127 ELSE p_states END;
    direction constant text := CASE WHEN p_newest THEN 'DESC' ELSE 'ASC' END;
    common constant text := CASE WHEN p_queue IS NOT NULL THEN ' AND j.queue = $3' ELSE '' END
        || CASE WHEN p_name IS NOT NULL THEN ' AND j.name = $4' ELSE '' END
        || CASE WHEN p_tag IS NOT NULL THEN ' AND $5 = ANY(j.tags)' ELSE '' END
        || CASE WHEN p_batch IS NOT NULL THEN ' AND j.batch = $6' ELSE '' END
        || CASE WHEN p_after IS NULL THEN '' WHEN p_newest THEN ' AND j.key < $10' ELSE ' AND j.key > $10' END;
    living text := common;
    ended text := common;
    source text := '@.jobs AS j';
    parts text[] := '{}';
    -- Computed ids are made of these alone: who searches for a word is spared computing them.
    in_id constant text := CASE WHEN p_search ~ '^[0-9a-f-]+$'
        THEN ' OR strpos(coalesce(j.uid, @.id_of(j.created_at, j.key, $13)), $12) > 0)' ELSE ' OR strpos(j.uid, $12) > 0)' END;
BEGIN
    IF p_since > 0 THEN
        living := living || ' AND CASE WHEN j.state >= 5 THEN j.ended_at ELSE j.created_at END >= $8';
        ended := ended || ' AND j.created_at >= $8';
    END IF;
    IF p_until > 0 THEN
        living := living || ' AND CASE WHEN j.state >= 5 THEN j.ended_at ELSE j.created_at END < $9';
        ended := ended || ' AND j.created_at < $9';
    END IF;
    IF p_search IS NOT NULL THEN
        living := living || ' AND (position($7 IN j.data) > 0 OR position($7 IN j.error) > 0'
                         || in_id;
        ended := ended || ' AND (position($7 IN j.data) > 0' || in_id;
    END IF;

    -- RUNNING is READY as stored, and named by a lease.
    IF states & 111 <> 111 THEN
        living := living || ' AND j.state = ANY($1)';
        IF states & 12 = 4 THEN
            living := living || ' AND (j.state <> 2 OR j.key <> ALL($2))';
        ELSIF states & 12 = 8 THEN
            living := living || ' AND (j.state <> 2 OR j.key = ANY($2))';
        END IF;
    END IF;
    IF p_batch IS NOT NULL THEN
        source := '@.members AS m JOIN @.jobs AS j ON m.batch = $6 AND j.key = m.key';
    ELSIF states & 111 = 8 THEN
        source := 'unnest($2) AS r(key) JOIN @.jobs AS j ON j.key = r.key';
    ELSIF states & 111 = 2 THEN
        source := '@.scheduled AS s JOIN @.jobs AS j ON j.key = s.key';
    ELSIF states & 15 = 0 THEN
        source := '@.finished AS f JOIN @.jobs AS j ON j.key = f.key';
    END IF;
    IF states & 111 <> 0 THEN
        parts := parts || format('(SELECT j.key FROM %s WHERE true%s ORDER BY j.key %s LIMIT $11)', source, living, direction);
    END IF;

    IF states & 16 <> 0 THEN
        source := CASE WHEN p_batch IS NOT NULL THEN '@.members AS m JOIN @.history AS j ON m.batch = $6 AND j.key = m.key'
                       ELSE '@.history AS j' END;
        parts := parts || format('(SELECT j.key FROM %s WHERE true%s ORDER BY j.key %s LIMIT $11)', source, ended, direction);
    END IF;
    RETURN format('SELECT key FROM (%s) AS f ORDER BY key %s LIMIT $11', array_to_string(parts, ' UNION ALL '), direction);
END $$;

-- The keys; p_max NULL: all. A batch that is not there has no members.
CREATE OR REPLACE FUNCTION @.found(p_states bigint, p_queue text, p_name text, p_tag text, p_batch text, p_search text,
                                   p_since bigint, p_until bigint, p_after bigint, p_newest boolean, p_max bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    stored constant smallint[] := ARRAY(SELECT s FROM unnest(ARRAY[0, 1, 2, 5, 6]) AS s
                                         WHERE p_states >> s & 1 = 1 OR (s = 2 AND p_states & 8 <> 0));
    running constant bigint[] := CASE WHEN p_states & 12 IN (4, 8) THEN ARRAY(SELECT unnest(keys) FROM @.leases) END;
    batch bigint;
BEGIN
    IF p_batch IS NOT NULL THEN
        SELECT b.key INTO batch FROM @.batches AS b WHERE b.uid = p_batch;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY EXECUTE @.found_sql(p_states, p_queue, p_name, p_tag, batch, p_search, p_since, p_until, p_after, p_newest)
        USING stored, running, p_queue, p_name, p_tag, batch, convert_to(p_search, 'UTF8'), p_since, p_until, p_after, p_max, p_search,
              (SELECT salt FROM @.root);
END $$;

-- How many. What queues count themselves is not counted again.
CREATE OR REPLACE FUNCTION @.count(p_states bigint, p_queue text, p_name text, p_tag text, p_batch text, p_search text,
                                   p_since bigint, p_until bigint)
RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    states constant bigint := CASE WHEN p_states = 0 THEN 127 ELSE p_states END;
    n bigint;
BEGIN
    IF p_name IS NULL AND p_tag IS NULL AND p_batch IS NULL AND p_search IS NULL AND p_since = 0 AND p_until = 0 THEN
        SELECT coalesce(sum((states & 1) * held + (states >> 1 & 1) * scheduled + (states >> 2 & 1) * ready
                            + (states >> 3 & 1) * running + (states >> 4 & 1) * completed + (states >> 5 & 1) * failed
                            + (states >> 6 & 1) * cancelled), 0)
          INTO n FROM @.counts WHERE p_queue IS NULL OR queue = p_queue;
    ELSE
        SELECT count(*) INTO n
          FROM @.found(p_states, p_queue, p_name, p_tag, p_batch, p_search, p_since, p_until, NULL, false, NULL);
    END IF;
    RETURN n;
END $$;
