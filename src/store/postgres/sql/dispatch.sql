-- dispatch.sql: SELECT errand.dispatch('send-email', '{"to": "ann@example.com"}', '{"delay": 60}'), in whatever transaction the
-- application has, also inside a trigger. Answers the id of the job, or of the one that stands for it (unique).
--
-- Options have the words of the command and of job files; - and _ are one. What the job's owner has published about it
-- counts where the call says nothing; keys that it makes of the data are made when the attempt starts.

CREATE OR REPLACE FUNCTION @.dispatch_error(p_name text, p_what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'ER001', MESSAGE = format('dispatching ''%s'': %s', p_name, p_what);
END
$$;

-- A number of seconds, or text such as "10m", in milliseconds.
CREATE OR REPLACE FUNCTION @.option_ms(p_name text, p_option text, p_value jsonb) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_parts text[] := regexp_match(p_value #>> '{}', '^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)?$');
    v_ms numeric;
BEGIN
    v_ms := v_parts[1]::numeric * CASE coalesce(v_parts[2], 's') WHEN 'ms' THEN 1 WHEN 's' THEN 1000 WHEN 'm' THEN 60000
                                       WHEN 'h' THEN 3600000 WHEN 'd' THEN 86400000 ELSE 604800000 END;
    IF v_ms IS NULL OR v_ms > 3153600000000 OR jsonb_typeof(p_value) NOT IN ('number', 'string') THEN
        PERFORM @.dispatch_error(p_name, format('option ''%s'' is %s: seconds, or a time such as "10m", at most a hundred years',
                                                p_option, p_value));
    END IF;
    RETURN ceil(v_ms);
END
$$;

CREATE OR REPLACE FUNCTION @.option_int(p_name text, p_option text, p_value jsonb, p_min bigint, p_max bigint, p_else bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_value IS NULL THEN
        RETURN p_else;
    END IF;
    IF jsonb_typeof(p_value) <> 'number' OR p_value::text !~ '^-?[0-9]{1,18}$' OR p_value::bigint NOT BETWEEN p_min AND p_max THEN
        PERFORM @.dispatch_error(p_name, format('option ''%s'' is %s: a whole number from %s to %s', p_option, p_value, p_min, p_max));
    END IF;
    RETURN p_value::bigint;
END
$$;

CREATE OR REPLACE FUNCTION @.option_text(p_name text, p_option text, p_value jsonb, p_pattern text, p_what text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_value IS NOT NULL AND (jsonb_typeof(p_value) <> 'string' OR p_value #>> '{}' !~ p_pattern) THEN
        PERFORM @.dispatch_error(p_name, format('option ''%s'' is %s: %s', p_option, p_value, p_what));
    END IF;
    RETURN p_value #>> '{}';
END
$$;

-- One limit of the call, as in asks: [kind, n, per, name, hex of the key]. NULL: none.
CREATE OR REPLACE FUNCTION @.option_limit(p_job text, p_kind int, o jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_word text := CASE p_kind WHEN 0 THEN 'rate' ELSE 'concurrency' END;
    v_rate text[];
    v_n bigint;
    v_per bigint := 0;
    v_key text;
BEGIN
    IF NOT o ? v_word THEN
        RETURN NULL;
    END IF;
    IF p_kind = 0 THEN
        v_rate := regexp_match(o->>'rate', '^([0-9]{1,9})/([0-9.]+(?:ms|s|m|h|d)?)$');
        IF v_rate IS NOT NULL THEN
            v_n := v_rate[1]::bigint;
            v_per := @.option_ms(p_job, 'rate', to_jsonb(v_rate[2]));
        END IF;
        IF v_rate IS NULL OR v_n NOT BETWEEN 1 AND 1000000 OR v_per NOT BETWEEN 1 AND 31622400000 THEN
            PERFORM @.dispatch_error(p_job, format('option ''rate'' is %s: so many in so long, such as "100/60s"', o->'rate'));
        END IF;
    ELSE
        v_n := @.option_int(p_job, 'concurrency', o->'concurrency', 1, 1000000, NULL);
    END IF;
    v_key := coalesce(@.option_text(p_job, v_word || '_key', o->(v_word || '_key'), '', 'a text'), '');
    IF octet_length(v_key) > 512 THEN
        PERFORM @.dispatch_error(p_job, format('option ''%s_key'' has over 512 bytes', v_word));
    END IF;
    RETURN jsonb_build_array(p_kind, v_n, v_per,
                             coalesce(@.option_text(p_job, v_word || '_name', o->(v_word || '_name'), '^[A-Za-z0-9_.:/-]{1,128}$',
                                                    'a name of 1 to 128 letters, digits and _ . : / -'),
                                      v_word || ':' || @.name_key(p_job)),
                             encode(convert_to(v_key, 'UTF8'), 'hex'));
END
$$;

CREATE OR REPLACE FUNCTION @.option_asks(p_job text, o jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_asks jsonb := '{}';
    v_limits jsonb := to_jsonb(array_remove(ARRAY[@.option_limit(p_job, 0, o), @.option_limit(p_job, 1, o)], NULL));
    v_ttl bigint := 0;
    v_until int;
    v_key text := @.option_text(p_job, 'unique', o->'unique', '.', 'a key of 1 to 512 bytes');
BEGIN
    IF v_key IS NOT NULL THEN
        IF octet_length(v_key) > 512 THEN
            PERFORM @.dispatch_error(p_job, 'option ''unique'' has over 512 bytes');
        END IF;
        IF o ? 'unique_for' THEN
            v_ttl := @.option_ms(p_job, 'unique_for', o->'unique_for');
        END IF;
        v_until := array_position(ARRAY['ttl', 'done', 'started'],
                                  coalesce(@.option_text(p_job, 'unique_until', o->'unique_until', '^(ttl|done|started)$', 'ttl, done or started'),
                                           'ttl')) - 1;
        v_asks := jsonb_build_object(
            'u', jsonb_build_array(CASE WHEN v_until = 0 AND v_ttl = 0 THEN 1 ELSE v_until END, v_ttl, encode(convert_to(v_key, 'UTF8'), 'hex')),
            'p', array_position(ARRAY['ignore', 'replace', 'extend'],
                                coalesce(@.option_text(p_job, 'unique_policy', o->'unique_policy', '^(ignore|replace|extend)$',
                                                       'ignore, replace or extend'), 'ignore')) - 1);
    END IF;
    IF v_limits <> '[]' THEN
        v_asks := v_asks || jsonb_build_object('l', v_limits);
    END IF;
    RETURN nullif(v_asks, '{}');
END
$$;

CREATE OR REPLACE FUNCTION @.dispatch(name text, data json DEFAULT 'null', options jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    known constant text[] := '{queue,tries,timeout,backoff,backoff_strategy,backoff_cap,backoff_jitter,priority,unique,unique_for,unique_until,unique_policy,tags,retry_until,retry_for,memory,trace,rate,rate_name,rate_key,concurrency,concurrency_name,concurrency_key,id,delay,at}';
    stored constant text[] := '{queue,priority,unique,unique_for,unique_until,unique_policy,tags,rate,rate_name,rate_key,concurrency,concurrency_name,concurrency_key,id,delay,at}';
    v_now bigint := @.clock_ms();
    o jsonb := '{}';
    v_spec jsonb;
    v_queue text;
    v_asks jsonb;
    v_run_at bigint := 0;
    v_tags jsonb;
    v_kept jsonb;
    v_option text;
    r record;
BEGIN
    IF dispatch.name IS NULL OR dispatch.name !~ '^[A-Za-z0-9_.:/-]{1,128}$' THEN
        PERFORM @.dispatch_error(dispatch.name, 'a name has 1 to 128 letters, digits and _ . : / -');
    END IF;
    IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
        PERFORM @.dispatch_error(dispatch.name, format('options are %s: an object', options));
    END IF;
    FOR r IN SELECT key, value FROM jsonb_each(options) LOOP
        v_option := replace(r.key, '-', '_');
        IF NOT v_option = ANY (known) THEN
            PERFORM @.dispatch_error(dispatch.name, format('there is no option ''%s'': %s', r.key, array_to_string(known, ' ')));
        END IF;
        o := o || jsonb_build_object(v_option, r.value);
    END LOOP;
    IF octet_length(coalesce(data::text, 'null')) > 1048576 THEN
        PERFORM @.dispatch_error(dispatch.name, 'data are over 1 MiB');
    END IF;
    SELECT convert_from(d.spec, 'UTF8')::jsonb INTO v_spec FROM @.definitions AS d WHERE d.key = @.name_key(dispatch.name);
    v_queue := coalesce(@.option_text(dispatch.name, 'queue', o->'queue', '^[A-Za-z0-9_.:/-]{1,128}$', 'a name of 1 to 128 letters, digits and _ . : / -'),
                        v_spec->>'queue', 'default');
    IF o ? 'delay' THEN
        v_run_at := v_now + @.option_ms(dispatch.name, 'delay', o->'delay');
    ELSIF o ? 'at' THEN
        BEGIN
            v_run_at := floor(extract(epoch FROM (o->>'at')::timestamptz) * 1000);
        EXCEPTION WHEN others THEN
            PERFORM @.dispatch_error(dispatch.name, format('option ''at'' is %s: an instant such as "2026-11-24T05:00:00Z"', o->'at'));
        END;
    END IF;
    v_tags := o->'tags';
    IF v_tags IS NOT NULL AND (jsonb_typeof(v_tags) <> 'array' OR jsonb_array_length(v_tags) > 32) THEN
        PERFORM @.dispatch_error(dispatch.name, format('option ''tags'' is %s: a list of at most 32', v_tags));
    END IF;
    FOR r IN SELECT value FROM jsonb_array_elements(v_tags) LOOP
        PERFORM @.option_text(dispatch.name, 'tags', r.value, '^[A-Za-z0-9_.:/-]{1,128}$', 'a tag has 1 to 128 letters, digits and _ . : / -');
    END LOOP;
    IF o ? 'timeout' AND @.option_ms(dispatch.name, 'timeout', o->'timeout') NOT BETWEEN 1 AND 2592000000 THEN
        PERFORM @.dispatch_error(dispatch.name, format('option ''timeout'' is %s: more than 0 and at most 30 days', o->'timeout'));
    END IF;
    v_asks := @.option_asks(dispatch.name, o);
    v_kept := o - stored;
    IF octet_length(v_kept::text) > 65536 THEN
        PERFORM @.dispatch_error(dispatch.name, 'options are over 64 KiB');
    END IF;
    SELECT * INTO r FROM @.push(
        0, (SELECT t.salt FROM @.root AS t), false,
        CASE WHEN o ? 'id' THEN ARRAY[@.option_text(dispatch.name, 'id', o->'id', '^[A-Za-z0-9_.:/-]{1,63}$', '1 to 63 letters, digits and _ . : / -')] END,
        ARRAY[dispatch.name], ARRAY[v_queue], ARRAY[convert_to(coalesce(data::text, 'null'), 'UTF8')],
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
