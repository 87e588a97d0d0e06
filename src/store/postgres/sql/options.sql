-- options.sql: what may be said in dispatch(), checked as a program's own dispatch checks it (core/options.c), with its words, and
-- turned into the form in which options travel with a job: seconds are numbers there.

CREATE OR REPLACE FUNCTION @.dispatch_error(p_name text, p_what text, p_code text DEFAULT 'ER001') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = format('dispatching ''%s'': %s', p_name, p_what);
END
$$;

CREATE OR REPLACE FUNCTION @.option_wrong(p_job text, p_option text, p_wanted text, p_value jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM @.dispatch_error(p_job, format('option ''%s'' is not %s: %s%s', p_option, p_wanted, left(p_value::text, 40),
                                           CASE WHEN length(p_value::text) > 40 THEN '...' END));
END
$$;

CREATE OR REPLACE FUNCTION @.checked_name(p_job text, p_what text, p_name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_good text := substring(p_name FROM '^[A-Za-z0-9_.:/-]*');
BEGIN
    IF p_name = '' OR p_name IS NULL THEN
        PERFORM @.dispatch_error(p_job, format('%s is empty', p_what));
    ELSIF length(v_good) < least(length(p_name), 128) THEN
        PERFORM @.dispatch_error(p_job, format('%s ''%s'' has a wrong character at position %s: letters, digits and _ . : / - are allowed',
                                               p_what, left(p_name, 40), length(v_good) + 1));
    ELSIF length(p_name) > 128 THEN
        PERFORM @.dispatch_error(p_job, format('%s ''%s...'' is longer than 128 bytes', p_what, left(p_name, 40)));
    END IF;
    RETURN p_name;
END
$$;

CREATE OR REPLACE FUNCTION @.option_string(p_job text, p_option text, p_value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(p_value) <> 'string' THEN
        PERFORM @.option_wrong(p_job, p_option, 'a string', p_value);
    END IF;
    RETURN p_value #>> '{}';
END
$$;

CREATE OR REPLACE FUNCTION @.option_name(p_job text, p_option text, p_value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN p_value IS NOT NULL THEN @.checked_name(p_job, p_option, @.option_string(p_job, p_option, p_value)) END;
END
$$;

CREATE OR REPLACE FUNCTION @.option_text(p_job text, p_option text, p_value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_text text := CASE WHEN p_value IS NOT NULL THEN @.option_string(p_job, p_option, p_value) END;
BEGIN
    IF v_text = '' THEN
        PERFORM @.dispatch_error(p_job, format('%s is empty', p_option));
    ELSIF octet_length(v_text) > 512 THEN
        PERFORM @.dispatch_error(p_job, format('%s has %s bytes, more than the 512 allowed', p_option, octet_length(v_text)));
    END IF;
    RETURN v_text;
END
$$;

-- The place of a word in the list, from 0.
CREATE OR REPLACE FUNCTION @.option_word(p_job text, p_option text, p_value jsonb, p_words text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_at int := array_position(p_words, p_value #>> '{}');
BEGIN
    IF p_value IS NOT NULL AND (v_at IS NULL OR jsonb_typeof(p_value) <> 'string') THEN
        PERFORM @.dispatch_error(p_job, format('option ''%s'' is %s, which is none of %s', p_option, left(p_value::text, 40),
                                               array_to_string(p_words, ', ')));
    END IF;
    RETURN v_at - 1;
END
$$;

CREATE OR REPLACE FUNCTION @.option_int(p_job text, p_option text, p_value jsonb, p_min bigint, p_max bigint, p_else bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF p_value IS NULL THEN
        RETURN p_else;
    ELSIF jsonb_typeof(p_value) <> 'number' OR trunc(p_value::numeric) <> p_value::numeric THEN
        PERFORM @.option_wrong(p_job, p_option, 'a whole number', p_value);
    ELSIF p_value::numeric NOT BETWEEN p_min AND p_max THEN
        PERFORM @.dispatch_error(p_job, format('option ''%s'' is %s: %s to %s are allowed', p_option, left(p_value::text, 40), p_min, p_max));
    END IF;
    RETURN p_value::numeric;
END
$$;

-- A number of seconds, or text such as "10m", in milliseconds; what is more than 0 does not become 0. NULL: it is neither.
CREATE OR REPLACE FUNCTION @.time_ms(p_value jsonb) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_parts text[] := regexp_match(p_value #>> '{}', '^([0-9]{1,19}(?:\.[0-9]+)?)(ms|s|m|h|d|w)?$');
BEGIN
    IF jsonb_typeof(p_value) = 'number' THEN
        RETURN round(p_value::numeric * 1000, 3);
    ELSIF jsonb_typeof(p_value) <> 'string' THEN
        RETURN NULL;
    END IF;
    RETURN v_parts[1]::numeric * CASE coalesce(v_parts[2], 's') WHEN 'ms' THEN 1 WHEN 's' THEN 1000 WHEN 'm' THEN 60000
                                      WHEN 'h' THEN 3600000 WHEN 'd' THEN 86400000 ELSE 604800000 END;
END
$$;

CREATE OR REPLACE FUNCTION @.option_ms(p_job text, p_option text, p_value jsonb, p_min bigint, p_days int) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_ms numeric := @.time_ms(p_value);
BEGIN
    IF p_value IS NOT NULL AND v_ms IS NULL THEN
        PERFORM @.option_wrong(p_job, p_option, 'seconds, or a time such as "10m"', p_value);
    ELSIF ceil(v_ms) NOT BETWEEN p_min AND p_days * 86400000::numeric OR v_ms < 0 THEN
        PERFORM @.dispatch_error(p_job, format('option ''%s'' is %s: %s to %s days are allowed', p_option, left(p_value::text, 40),
                                               CASE WHEN p_min > 0 THEN 'more than 0' ELSE '0' END, p_days));
    END IF;
    RETURN ceil(v_ms);
END
$$;

-- As RFC 3339 has it; without an offset it is UTC, as everywhere in errand, whatever the session's time zone.
CREATE OR REPLACE FUNCTION @.option_instant(p_job text, p_option text, p_value jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_parts text[] := regexp_match(CASE WHEN jsonb_typeof(p_value) = 'string' THEN p_value #>> '{}' END,
                                   '^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-]\d\d:\d\d))?$');
    v_ms bigint;
BEGIN
    BEGIN
        v_ms := floor(extract(epoch FROM (v_parts[1] || ' ' || coalesce(v_parts[2], '00:00:00') || coalesce(v_parts[3], 'Z'))::timestamptz)
                      * 1000);
    EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN
        NULL;
    END;
    IF p_value IS NOT NULL AND v_ms IS NULL THEN
        PERFORM @.option_wrong(p_job, p_option, 'an instant such as "2026-12-24T18:00:00Z"', p_value);
    ELSIF v_ms > 253402300799999 THEN
        PERFORM @.dispatch_error(p_job, format('option ''%s'' is %s, which is after the year 9999', p_option, p_value));
    END IF;
    RETURN v_ms;
END
$$;

-- One wait, or one for each retry: a number, a text such as "60,5m,1h", or an array. Seconds, or an array of them.
CREATE OR REPLACE FUNCTION @.option_backoff(p_job text, p_value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_list jsonb := CASE jsonb_typeof(p_value) WHEN 'array' THEN p_value
                                               WHEN 'string' THEN to_jsonb(string_to_array(p_value #>> '{}', ','))
                                               ELSE jsonb_build_array(p_value) END;
    v_seconds jsonb := '[]';
    v_ms numeric;
BEGIN
    IF jsonb_array_length(v_list) > 16 THEN
        PERFORM @.dispatch_error(p_job, format('backoff has %s values, more than the 16 allowed', jsonb_array_length(v_list)));
    END IF;
    FOR i IN 0 .. jsonb_array_length(v_list) - 1 LOOP
        v_ms := @.time_ms(v_list->i);
        IF v_ms IS NULL THEN
            PERFORM @.option_wrong(p_job, 'backoff', 'one time or several, such as 60 or "60,5m,1h"', p_value);
        ELSIF v_ms NOT BETWEEN 0 AND 31622400000 THEN
            PERFORM @.dispatch_error(p_job, format('backoff value %s is %s: seconds from 0 to 31,622,400 are allowed', i + 1,
                                                   left((v_list->i)::text, 40)));
        END IF;
        v_seconds := v_seconds || jsonb_build_array(trim_scale(v_ms / 1000));
    END LOOP;
    IF v_seconds = '[]' THEN
        PERFORM @.option_wrong(p_job, 'backoff', 'one time or several, such as 60 or "60,5m,1h"', p_value);
    END IF;
    RETURN CASE WHEN jsonb_typeof(p_value) = 'array' OR jsonb_array_length(v_seconds) > 1 THEN v_seconds ELSE v_seconds->0 END;
END
$$;

CREATE OR REPLACE FUNCTION @.option_share(p_job text, p_option text, p_value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(p_value) <> 'number' OR p_value::numeric NOT BETWEEN 0 AND 1 THEN
        PERFORM @.option_wrong(p_job, p_option, 'a share from 0 to 1', p_value);
    END IF;
    RETURN p_value;
END
$$;

CREATE OR REPLACE FUNCTION @.option_tags(p_job text, p_value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_tag jsonb;
BEGIN
    IF p_value IS NULL THEN
        RETURN NULL;
    ELSIF jsonb_typeof(p_value) <> 'array' THEN
        PERFORM @.option_wrong(p_job, 'tags', 'an array', p_value);
    ELSIF jsonb_array_length(p_value) > 32 THEN
        PERFORM @.dispatch_error(p_job, format('%s tags are more than the 32 allowed', jsonb_array_length(p_value)));
    END IF;
    FOR v_tag IN SELECT e FROM jsonb_array_elements(p_value) AS e LOOP
        PERFORM @.checked_name(p_job, 'tag', @.option_string(p_job, 'tags', v_tag));
    END LOOP;
    RETURN p_value;
END
$$;

-- One limit of the call, as in asks: [kind, n, per, name, hex of the key]. NULL: none.
CREATE OR REPLACE FUNCTION @.option_limit(p_job text, p_kind int, o jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_word constant text := CASE p_kind WHEN 0 THEN 'rate' ELSE 'concurrency' END;
    v_rate text[];
    v_n numeric;
    v_per numeric := 0;
BEGIN
    IF NOT o ? v_word THEN
        IF o ?| ARRAY[v_word || '_key', v_word || '_name'] THEN
            PERFORM @.dispatch_error(p_job, format('%s_key and %s_name need %s', v_word, v_word, v_word));
        END IF;
        RETURN NULL;
    END IF;
    IF p_kind = 0 THEN
        v_rate := regexp_match(@.option_string(p_job, 'rate', o->'rate'), '^([0-9]{1,15})/(.*)$');
        v_n := v_rate[1]::numeric;
        v_per := @.time_ms(to_jsonb(v_rate[2]));
        IF v_n IS NULL OR v_per IS NULL THEN
            PERFORM @.option_wrong(p_job, 'rate', 'a rate such as "100/60s"', o->'rate');
        ELSIF v_n NOT BETWEEN 1 AND 1000000 THEN
            PERFORM @.dispatch_error(p_job, format('rate is %s in a window: 1 to 1000000 are allowed', v_n));
        ELSIF ceil(v_per) NOT BETWEEN 1 AND 31622400000 THEN
            PERFORM @.dispatch_error(p_job, format('rate is per %s ms: more than 0 to 366 days are allowed', v_per));
        END IF;
    ELSE
        v_n := @.option_int(p_job, 'concurrency', o->'concurrency', 1, 1000000, NULL);
    END IF;
    RETURN jsonb_build_array(p_kind, v_n, ceil(v_per),
                             coalesce(@.option_name(p_job, v_word || '_name', o->(v_word || '_name')), v_word || ':' || @.name_key(p_job)),
                             encode(convert_to(coalesce(@.option_text(p_job, v_word || '_key', nullif(o->(v_word || '_key'), '""')), ''),
                                               'UTF8'), 'hex'));
END
$$;

CREATE OR REPLACE FUNCTION @.option_asks(p_job text, o jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_limits jsonb := to_jsonb(array_remove(ARRAY[@.option_limit(p_job, 0, o), @.option_limit(p_job, 1, o)], NULL));
    v_asks jsonb := CASE WHEN v_limits <> '[]' THEN jsonb_build_object('l', v_limits) ELSE '{}' END;
    v_key text := @.option_text(p_job, 'unique', o->'unique');
    v_ttl bigint := coalesce(@.option_ms(p_job, 'unique_for', o->'unique_for', 0, 3660), 0);
    v_until int := coalesce(@.option_word(p_job, 'unique_until', o->'unique_until', '{ttl,done,started}'), 0);
    v_policy int := coalesce(@.option_word(p_job, 'unique_policy', o->'unique_policy', '{ignore,replace,extend}'), 0);
BEGIN
    IF v_key IS NOT NULL THEN
        v_asks := v_asks || jsonb_build_object(
            'u', jsonb_build_array(CASE WHEN v_until = 0 AND v_ttl = 0 THEN 1 ELSE v_until END, v_ttl, encode(convert_to(v_key, 'UTF8'), 'hex')),
            'p', v_policy);
    ELSIF o ?| '{unique_for,unique_until,unique_policy}' THEN
        PERFORM @.dispatch_error(p_job, 'unique_for, unique_until and unique_policy mean nothing without the key in unique');
    END IF;
    RETURN nullif(v_asks, '{}');
END
$$;

-- What travels with the job, in the form that every reader of options takes.
CREATE OR REPLACE FUNCTION @.options_kept(p_job text, o jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_backoff constant text[] := '{default,fixed,linear,exponential}';
    v_cap numeric := @.time_ms(o->'backoff_cap');
BEGIN
    PERFORM @.option_word(p_job, 'backoff_strategy', o->'backoff_strategy', v_backoff);
    IF o ? 'backoff_cap' AND (v_cap > 0 AND v_cap <= 31622400000) IS NOT TRUE THEN
        PERFORM @.option_wrong(p_job, 'backoff_cap', 'a time such as 60, "10m" or "2h", at most 31,622,400 seconds', o->'backoff_cap');
    END IF;
    PERFORM @.option_text(p_job, 'trace', o->'trace');
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'timeout', trim_scale(@.option_ms(p_job, 'timeout', o->'timeout', 1, 30) / 1000.0),
        'backoff', CASE WHEN o ? 'backoff' THEN @.option_backoff(p_job, o->'backoff') END,
        'backoff_strategy', o->'backoff_strategy',
        'backoff_cap', trim_scale(v_cap / 1000),
        'backoff_jitter', CASE WHEN o ? 'backoff_jitter' THEN @.option_share(p_job, 'backoff_jitter', o->'backoff_jitter') END,
        'retry_until', trim_scale(CASE WHEN jsonb_typeof(o->'retry_until') = 'number'
                                       THEN @.option_ms(p_job, 'retry_until', o->'retry_until', 0, 2932896)
                                       ELSE greatest(@.option_instant(p_job, 'retry_until', o->'retry_until'), 0) END / 1000.0),
        'retry_for', trim_scale(@.option_ms(p_job, 'retry_for', o->'retry_for', 1, 3660) / 1000.0),
        'memory', @.option_int(p_job, 'memory', o->'memory', 1, 1048576, NULL),
        'trace', o->'trace'));
END
$$;

-- Data in the limits of the job, or those of everybody. What is no bracket and no colon of the structure goes, and pairs that hold
-- nothing go from the inside, a level at a time; only where so many brackets stand at all.
CREATE OR REPLACE FUNCTION @.data_check(p_job text, p_data text, p_bytes bigint, p_depth int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_left text := translate(p_data, '{}', '[]');
BEGIN
    IF octet_length(p_data) > p_bytes THEN
        PERFORM @.dispatch_error(p_job, format('data has %s bytes, more than the %s allowed', octet_length(p_data), p_bytes),
                                 'ER005');
    END IF;
    IF length(p_data) - length(replace(p_data, ':', '')) <= 10000 AND length(v_left) - length(replace(v_left, '[', '')) <= p_depth THEN
        RETURN;
    END IF;
    v_left := regexp_replace(regexp_replace(v_left, '"(?:[^"\\]|\\.)*"', '', 'g'), '[^:\[\]]+', '', 'g');
    IF length(v_left) - length(replace(v_left, ':', '')) > 10000 THEN
        PERFORM @.dispatch_error(p_job, 'data has more than 10000 keys', 'ER005');
    END IF;
    v_left := replace(v_left, ':', '');
    FOR i IN 1 .. p_depth LOOP
        EXIT WHEN v_left = '';
        v_left := replace(v_left, '[]', '');
    END LOOP;
    IF v_left <> '' THEN
        PERFORM @.dispatch_error(p_job, format('data has more than %s levels of nesting', p_depth), 'ER005');
    END IF;
END
$$;
