-- dispatch.sql: SELECT errand.dispatch('send-email', '{"to": "ann@example.com"}', '{"delay": 60}'), in whatever transaction the
-- application has, also inside a trigger. Answers the id of the job, or of the one that stands for it (unique).
--
-- Options have the words of the command and of job files, - and _ are one, and null is not said (options.sql). What the job's
-- owner has published about it counts where the call says nothing; keys that it makes of the data are made when the attempt starts.

CREATE OR REPLACE FUNCTION @.dispatch(name text, data json DEFAULT 'null', options jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    known constant text[] := '{queue,tries,timeout,backoff,backoff_strategy,backoff_cap,backoff_jitter,priority,unique,unique_for,unique_until,unique_policy,tags,retry_until,retry_for,memory,trace,rate,rate_name,rate_key,concurrency,concurrency_name,concurrency_key,id,delay,at}';
    v_now bigint := @.clock_ms();
    v_data constant text := coalesce(data::text, 'null');
    o jsonb := '{}';
    v_spec jsonb;
    v_id text;
    v_queue text;
    v_run_at bigint := 0;
    v_tags jsonb;
    v_asks jsonb;
    v_kept jsonb := '{}';
    r record;
BEGIN
    PERFORM @.checked_name(dispatch.name, 'job name', dispatch.name);
    IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
        PERFORM @.dispatch_error(dispatch.name, format('options are %s: an object', options));
    END IF;
    FOR r IN SELECT replace(e.key, '-', '_') AS option, e.key, e.value FROM jsonb_each(options) AS e LOOP
        IF NOT r.option = ANY (known) THEN
            PERFORM @.dispatch_error(dispatch.name, format('there is no option ''%s'': %s', r.key, array_to_string(known, ' ')));
        ELSIF r.value <> 'null' THEN
            o := o || jsonb_build_object(r.option, r.value);
        END IF;
    END LOOP;
    SELECT convert_from(d.spec, 'UTF8')::jsonb INTO v_spec FROM @.definitions AS d WHERE d.key = @.name_key(dispatch.name);
    IF v_spec->'encrypted' = 'true' THEN
        PERFORM @.dispatch_error(dispatch.name, 'its data is to be encrypted, and the server has no key: dispatch it from a program', 'ER013');
    END IF;
    PERFORM @.data_check(dispatch.name, v_data, least(coalesce((v_spec->>'max_data')::bigint, 1048576), 16777216),
                         coalesce((v_spec->>'max_depth')::int, 64));
    IF o <> '{}' THEN
        v_id := @.option_name(dispatch.name, 'id', o->'id');
        IF length(v_id) > 63 THEN
            PERFORM @.dispatch_error(dispatch.name, format('id ''%s...'' has %s bytes, more than the 63 allowed', left(v_id, 40), length(v_id)));
        END IF;
        v_queue := @.option_name(dispatch.name, 'queue', o->'queue');
        IF o ?& '{delay,at}' THEN
            PERFORM @.dispatch_error(dispatch.name, 'delay and at are both given; say one');
        END IF;
        v_run_at := greatest(coalesce(v_now + @.option_ms(dispatch.name, 'delay', o->'delay', 0, 36525),
                                      @.option_instant(dispatch.name, 'at', o->'at')), 0);
        v_tags := @.option_tags(dispatch.name, o->'tags');
        v_asks := @.option_asks(dispatch.name, o);
        v_kept := @.options_kept(dispatch.name, o);
    END IF;
    SELECT * INTO r FROM @.push(
        0, (SELECT t.salt FROM @.root AS t), false, CASE WHEN v_id IS NOT NULL THEN ARRAY[v_id] END,
        ARRAY[dispatch.name], ARRAY[coalesce(v_queue, v_spec->>'queue', 'default')], ARRAY[convert_to(v_data, 'UTF8')],
        CASE WHEN v_kept <> '{}' THEN ARRAY[convert_to(v_kept::text, 'UTF8')] END,
        ARRAY[@.option_int(dispatch.name, 'priority', o->'priority', -2147483648, 2147483647, coalesce((v_spec->>'priority')::bigint, 0))],
        ARRAY[@.option_int(dispatch.name, 'tries', o->'tries', 1, 1000, coalesce((v_spec->>'tries')::bigint, 3))],
        ARRAY[v_run_at], ARRAY[CASE WHEN v_spec IS NULL OR v_spec->'hooks' ? 'failed' THEN 32 ELSE 0 END::bigint],
        CASE WHEN v_tags IS NOT NULL THEN ARRAY[v_tags] END, CASE WHEN v_asks IS NOT NULL THEN ARRAY[v_asks] END,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS p;
    RETURN @.id_text(r.created_at, r.key, r.uid);
END
$$;

-- It runs with its owner's rights, so these are given to nobody who was not named: see docs/stores/postgres.md.
REVOKE EXECUTE ON FUNCTION @.dispatch(text, json, jsonb) FROM PUBLIC;
