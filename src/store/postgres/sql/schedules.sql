-- schedules.sql: schedules and their slots.

CREATE OR REPLACE FUNCTION @.schedule_put(p_name text, p_spec bytea, p_paused boolean, p_next bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    INSERT INTO @.schedules(name, spec, paused, next_ms) VALUES(p_name, p_spec, p_paused, p_next)
        ON CONFLICT(name) DO UPDATE SET spec = excluded.spec, next_ms = excluded.next_ms;
    PERFORM @.wake(16, true);
END $$;

CREATE OR REPLACE FUNCTION @.schedule_delete(p_name text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    DELETE FROM @.schedules WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM @.wake(16, true);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION @.schedule_pause(p_name text, p_paused boolean) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
    UPDATE @.schedules SET paused = p_paused WHERE name = p_name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM @.wake(16, true);
    RETURN true;
END $$;

-- Without schedules it is one row whose name is NULL: the salt is wanted in any case.
CREATE OR REPLACE FUNCTION @.schedules_look()
RETURNS TABLE(salt bigint, name text, spec bytea, paused boolean, next_ms bigint, last_slot_ms bigint, last_job text, missed_n bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    SELECT r.salt, s.name, s.spec, s.paused, s.next_ms, s.last_slot_ms, s.last_job, s.missed_n
      FROM @.root AS r LEFT JOIN @.schedules AS s ON true ORDER BY s.name
$$;

-- Whether the job of an earlier slot stands in the way: enum errand_overlap.
CREATE OR REPLACE FUNCTION @.is_overlapping(p_last text, p_overlap bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    j @.jobs;
    v_state int;
BEGIN
    SELECT * INTO j FROM @.jobs WHERE key = @.id_find(p_last);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    v_state := @.state_of(j);
    RETURN v_state <= 3 AND CASE p_overlap WHEN 0 THEN true WHEN 1 THEN false ELSE v_state <> 3 END;
END $$;

-- One row, that of push() and what became of the slot (enum errand_fired); none: there is no such schedule. What stands
-- behind p_has_job goes to push() as it is.
CREATE OR REPLACE FUNCTION @.fire(
    p_schedule text, p_slot bigint, p_next bigint, p_overlap bigint, p_slots bigint, p_has_job boolean,
    p_now bigint, p_salt bigint, p_is_own boolean, p_id text[], p_name text[], p_queue text[], p_data bytea[], p_options bytea[],
    p_priority bigint[], p_tries bigint[], p_run_at bigint[], p_flags bigint[], p_tags jsonb[], p_asks jsonb[], p_batch text[],
    p_edge_child bigint[], p_edge_parent bigint[], p_edge_id text[], p_edge_is_batch bigint[], p_edge_on bigint[],
    p_new_batch text, p_new_name text, p_new_allow boolean, p_new_options bytea)
RETURNS TABLE(pushed int, key bigint, created_at bigint, uid text, state int, hints int, fired int) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    v_now constant bigint := @.now_ms(p_now);
    s @.schedules;
BEGIN
    SELECT * INTO s FROM @.schedules AS x WHERE x.name = p_schedule FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    hints := @.is_followed(v_now)::int;
    fired := CASE WHEN p_slot <= s.last_slot_ms THEN 1 WHEN NOT p_has_job THEN 3
                  WHEN s.paused OR @.is_overlapping(s.last_job, p_overlap) THEN 2 ELSE 0 END;
    IF fired = 0 THEN
        SELECT p.pushed, p.key, p.created_at, p.uid, p.state, p.hints INTO pushed, key, created_at, uid, state, hints
          FROM @.push(v_now, p_salt, p_is_own, p_id, p_name, p_queue, p_data, p_options, p_priority, p_tries, p_run_at, p_flags,
                      p_tags, p_asks, p_batch, p_edge_child, p_edge_parent, p_edge_id, p_edge_is_batch, p_edge_on, p_new_batch,
                      p_new_name, p_new_allow, p_new_options) AS p;
        s.last_job := coalesce(uid, @.id_text(created_at, key, NULL));
    ELSE
        s.missed_n := s.missed_n + CASE WHEN p_has_job OR p_slots = 0 THEN 1 ELSE p_slots END;
    END IF;
    IF fired <> 1 THEN
        UPDATE @.schedules AS x SET last_slot_ms = p_slot, next_ms = p_next, last_job = s.last_job, missed_n = s.missed_n
         WHERE x.name = p_schedule;
    END IF;
    RETURN NEXT;
END $$;
