/* raise.c: functions of another errand give way to ours, and whose they must be. */
#include "store/postgres/server.h"

static const struct errand_open_params create = {.create = true};
static PGconn *admin;

/* As the administrator; every % stands for the schema. */
static const char *in_schema(const char *text)
{
    static char sql[2000];
    size_t n = 0;

    for (; *text && n < sizeof sql - 16; text++)
        if (*text == '%')
            n += (size_t)snprintf(sql + n, 16, "t%u", schema_n);
        else
            sql[n++] = *text;
    sql[n] = '\0';
    return sql;
}

static void sql(const char *text)
{
    pg_exec(admin, in_schema(text));
}

static int64_t number(const char *text)
{
    return pg_number(admin, in_schema(text));
}

static const char *url_of(const char *role, const char *more)
{
    static char url[400];

    snprintf(url, sizeof url, "postgres://%s@/postgres?host=%s&schema=t%u%s", role,
             server.dir, schema_n, more);
    return url;
}

static int opens(const char *url)
{
    struct er_store *store = NULL;
    int rc = open_at(url, create, &store);

    er_store_close(store);
    return rc;
}

static void begin(void)
{
    admin = pg_plain(&server);
    pg_exec(admin, "DO $$ BEGIN CREATE ROLE jobs LOGIN; CREATE ROLE reader LOGIN; CREATE "
                   "ROLE mallory LOGIN; GRANT CREATE ON DATABASE postgres TO jobs, "
                   "mallory; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
}

static void end(void)
{
    sql("DROP SCHEMA IF EXISTS % CASCADE");
    pg_exec(admin, "DROP OWNED BY reader");
    PQfinish(admin);
}

/* ------------------------------------------------------------------ raising */

/* A set in which one function answers something else, one takes something else, and one
 * was given up; beside them one of the application's. */
static void functions_age(bool is_noted)
{
    sql("DROP FUNCTION %.is_followed(bigint);"
        "CREATE FUNCTION %.is_followed(p_now bigint) RETURNS int LANGUAGE sql AS 'SELECT "
        "1';"
        "DROP FUNCTION %.now_ms(bigint);"
        "CREATE FUNCTION %.now_ms(p_now bigint, p_more int DEFAULT 0) RETURNS bigint "
        "LANGUAGE sql AS 'SELECT 1::bigint';"
        "CREATE FUNCTION %.given_up() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "UPDATE %.meta SET value = 'another' WHERE key = 'functions';"
        "UPDATE %.meta SET value = (SELECT jsonb_agg(p.oid::regprocedure) FROM pg_proc p "
        "WHERE pronamespace = '%'::regnamespace) WHERE key = 'functions_made';"
        "CREATE FUNCTION %.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    if (!is_noted)
        sql("DELETE FROM %.meta WHERE key = 'functions_made'");
}

enum { STARTS = 6 };

static void all_start(const char *url)
{
    pid_t pids[STARTS];
    int status;

    for (int i = 0; i < STARTS; i++)
        if ((pids[i] = fork()) == 0) {
            int rc = opens(url);
            if (rc < 0)
                fprintf(stderr, "%s\n", err.message);
            _exit(rc < 0);
        }
    for (int i = 0; i < STARTS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

static bool has_function(const char *call)
{
    char text[200];

    snprintf(text, sizeof text, "SELECT (to_regprocedure('t%u.%s') IS NOT NULL)::int",
             schema_n, call);
    return pg_number(admin, text);
}

/* Whether a role may call it; `call` with its types. */
static bool may_call(const char *role, const char *call)
{
    char text[200];

    snprintf(text, sizeof text,
             "SELECT has_function_privilege('%s', 't%u.%s', 'EXECUTE')::int", role,
             schema_n, call);
    return pg_number(admin, text);
}

static void raise_aged(bool is_noted)
{
    begin();
    assert_ok(opens(url_with("")));
    sql("GRANT EXECUTE ON FUNCTION %.dispatch TO reader WITH GRANT OPTION;"
        "GRANT EXECUTE ON FUNCTION %.is_followed TO reader;"
        "REVOKE EXECUTE ON FUNCTION %.id_find FROM PUBLIC");
    functions_age(is_noted);
    sql("GRANT EXECUTE ON FUNCTION %.now_ms TO reader;"
        "REVOKE EXECUTE ON FUNCTION %.now_ms FROM PUBLIC");
    all_start(url_with(""));
    assert_int_equal(number("SELECT %.is_followed(1)::int"), 0);
    assert_true(has_function("now_ms(bigint)"));
    assert_false(has_function("now_ms(bigint,int)"));
    assert_true(has_function("mine()"));
    assert_int_equal(has_function("given_up()"), !is_noted);
    assert_true(may_call("reader", "dispatch(text,json,jsonb)"));
    assert_true(may_call("reader", "now_ms(bigint)"));
    assert_false(may_call("mallory", "now_ms(bigint)"));
    assert_false(may_call("mallory", "id_find(text)"));
    assert_false(may_call("mallory", "dispatch(text,json,jsonb)"));
    assert_false(may_call("reader", "complete(text,int,json)"));
    assert_true(may_call("mallory", "id_of(bigint,bigint,bigint)"));
    assert_int_equal(number("SELECT count(*) FROM %.meta WHERE key LIKE "
                            "'functions_granted'"),
                     0);
    /* What is noted now is what is there, without what is not ours. */
    assert_int_equal(number("SELECT jsonb_array_length(value::jsonb) FROM %.meta WHERE "
                            "key = 'functions_made'"),
                     number("SELECT count(*) FROM pg_proc WHERE pronamespace = "
                            "'%'::regnamespace") -
                         1 - !is_noted);
    end();
}

TEST(functions_that_have_changed_are_replaced_and_what_was_granted_stays)
{
    raise_aged(true);
}

TEST(those_of_a_store_that_noted_none_are_known_by_name)
{
    raise_aged(false);
}

/* A view, a default or a function of the application's with a body that is parsed. */
TEST(what_the_application_hangs_on_a_function_stays)
{
    begin();
    assert_ok(opens(url_with("")));
    sql("CREATE VIEW %_ids AS SELECT %.dispatch('a') AS id;"
        "GRANT EXECUTE ON FUNCTION %.dispatch TO reader");
    functions_age(true);
    assert_ok(opens(url_with("")));
    assert_int_equal(number("SELECT length(id) FROM %_ids"), 36);
    assert_true(may_call("reader", "dispatch(text,json,jsonb)"));
    assert_false(may_call("mallory", "dispatch(text,json,jsonb)"));
    end();
}

static const char others[] =
    "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = '%'::regnamespace AND "
    "proowner <> 'jobs'::regrole) + (SELECT count(*) FROM pg_class WHERE relnamespace = "
    "'%'::regnamespace AND relowner <> 'jobs'::regrole)";

/* Else functions that run with the rights of their owner would run with a superuser's. */
TEST(who_raises_a_store_does_not_become_its_owner)
{
    const char *url;

    begin();
    sql("CREATE SCHEMA % AUTHORIZATION jobs");
    url = url_with("&owner=jobs");
    assert_ok(opens(url));
    assert_int_equal(number(others), 0);
    functions_age(true);
    sql("DROP FUNCTION %.mine(); ALTER FUNCTION %.given_up() OWNER TO jobs; ALTER "
        "FUNCTION %.now_ms OWNER TO jobs; ALTER FUNCTION %.is_followed OWNER TO jobs");
    assert_ok(opens(url));
    assert_int_equal(number(others), 0);
    end();
}

TEST(who_may_not_raise_is_told_who_may)
{
    begin();
    assert_ok(opens(url_with("")));
    sql("GRANT USAGE ON SCHEMA % TO reader; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "
        "TABLES IN SCHEMA % TO reader");
    functions_age(true);
    assert_refused(opens(url_of("reader", "")), ERRAND_ESCHEMA,
                   "only its owner, the role errand, may");
    assert_ok(opens(url_with("")));
    assert_ok(opens(url_of("reader", "")));
    end();
}

/* ------------------------------------------------------------------ answers */

/* A function that answers less in place of the one there is, or the longest of them. */
static void spoil(const char *function, const char *how)
{
    char text[1024];

    snprintf(
        text, sizeof text,
        "DO $do$ DECLARE f oid := (SELECT oid FROM pg_proc WHERE proname = '%s' AND "
        "pronamespace = 't%u'::regnamespace ORDER BY pronargs DESC LIMIT 1); d text; "
        "BEGIN SELECT format('CREATE FUNCTION t%u.%s(%%s) RETURNS %%s LANGUAGE sql AS "
        "$$ SELECT * FROM t%u.%s_whole(%%s) %s $$', oidvectortypes(proargtypes), "
        "pg_get_function_result(oid), (SELECT string_agg('$' || i, ',') FROM "
        "generate_series(1, pronargs) AS i)) INTO d FROM pg_proc WHERE oid = f; "
        "EXECUTE format('ALTER FUNCTION %%s RENAME TO %s_whole', f::regprocedure); "
        "EXECUTE d; END $do$",
        function, schema_n, schema_n, function, schema_n, function, how, function);
    pg_exec(admin, text);
}

/* What is not answered would read as inserted, settled or changed. */
TEST(an_answer_for_fewer_than_were_asked_about_is_refused)
{
    const struct errand_push_job jobs[] = {{.name = "a", .queue = "q", .tries = 1},
                                           {.name = "b", .queue = "q", .tries = 1}};
    struct errand_push_params push = {.jobs = jobs, .jobs_n = 2};
    struct errand_id ids[] = {{"a"}, {"b"}};
    struct errand_change_params change = {.ids = ids, .ids_n = 2};
    int64_t tokens[] = {1, 2};
    struct errand_extend_params extend = {
        .tokens = tokens, .tokens_n = 2, .lease_ms = 1000};
    struct errand_push_result pushed = {0};
    struct errand_change_result changed = {0};
    struct errand_extend_result extended = {0};
    struct er_store *store;

    begin();
    store = open_ok(url_with(""));
    spoil("push", "OFFSET 1");
    spoil("change", "LIMIT 2");
    spoil("extend", "LIMIT 1");
    assert_refused(er_store_push(store, &push, arena, &pushed, &err), ERRAND_ESCHEMA,
                   "push() answered for 1 of 2");
    assert_refused(er_store_change(store, &change, arena, &changed, &err), ERRAND_ESCHEMA,
                   "change() answered for 1 of 2");
    assert_refused(er_store_extend(store, &extend, arena, &extended, &err),
                   ERRAND_ESCHEMA, "extend() answered for 1 of 2");
    er_store_close(store);
    end();
}

/* ------------------------------------------------------------------ owners */

TEST(a_schema_that_another_role_made_beforehand_is_not_trusted)
{
    begin();
    sql("CREATE SCHEMA % AUTHORIZATION mallory");
    assert_refused(opens(url_of("jobs", "")), ERRAND_ECONFLICT,
                   "belongs to the role 'mallory'");
    /* A superuser is a member of every role only as far as rights go. */
    assert_refused(opens(url_with("")), ERRAND_ECONFLICT, "?owner=mallory");
    assert_int_equal(number("SELECT count(*) FROM pg_class WHERE relnamespace = "
                            "'%'::regnamespace"),
                     0);
    assert_ok(opens(url_of("mallory", "")));
    assert_refused(opens(url_with("")), ERRAND_ECONFLICT, "mallory");
    assert_ok(opens(url_with("&owner=mallory")));
    assert_refused(opens(url_with("&owner=jobs")), ERRAND_ECONFLICT, "mallory");
    end();
}

/* What it would have run must not have been. */
TEST(nothing_of_a_schema_that_is_not_trusted_is_called)
{
    struct errand_migrate_result found;
    struct er_store_options options = {0};

    begin();
    sql("CREATE SCHEMA % AUTHORIZATION mallory; CREATE TABLE public.%_spoils(n int); "
        "GRANT INSERT ON public.%_spoils TO PUBLIC; "
        "CREATE FUNCTION %.spoil() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
        "public.%_spoils VALUES(1); RETURN '1'; END $$; "
        "CREATE SEQUENCE %.job_keys; CREATE VIEW %.meta AS SELECT 'schema' AS key, "
        "%.spoil() AS value; ALTER FUNCTION %.spoil OWNER TO mallory; ALTER VIEW %.meta "
        "OWNER TO mallory; GRANT SELECT ON %.meta TO PUBLIC; GRANT USAGE ON SCHEMA % TO "
        "PUBLIC");
    assert_refused(opens(url_of("jobs", "")), ERRAND_ECONFLICT, "mallory");
    assert_refused(er_store_migrate(url_of("jobs", ""), &options, false, &found, &err),
                   ERRAND_ECONFLICT, "mallory");
    assert_int_equal(number("SELECT count(*) FROM public.%_spoils"), 0);
    sql("DROP TABLE public.%_spoils");
    end();
}

TEST(everything_in_the_schema_must_be_of_somebody_trusted)
{
    static const struct {
        const char *make, *says, *drop;
    } planted[] = {
        {"CREATE FUNCTION %.push(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER "
         "FUNCTION %.push(int) OWNER TO mallory",
         ".push(integer) belongs to the role 'mallory'", "DROP FUNCTION %.push(int)"},
        {"ALTER TABLE %.locks OWNER TO mallory", ".locks' belongs to the role 'mallory'",
         "ALTER TABLE %.locks OWNER TO jobs"},
        {"CREATE TYPE %.mood AS ENUM('a'); ALTER TYPE %.mood OWNER TO mallory",
         ".mood' belongs to the role 'mallory'", "DROP TYPE %.mood"},
        {"CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
         "RETURN new; END'; ALTER FUNCTION public.fire OWNER TO mallory; CREATE TRIGGER "
         "fire BEFORE INSERT ON %.jobs FOR EACH ROW EXECUTE FUNCTION public.fire()",
         "of a trigger on ", "DROP FUNCTION public.fire CASCADE"},
        {"GRANT CREATE ON SCHEMA % TO mallory", "REVOKE CREATE ON SCHEMA",
         "REVOKE CREATE ON SCHEMA % FROM mallory"},
        {"GRANT CREATE ON SCHEMA % TO PUBLIC", "PUBLIC may put functions",
         "REVOKE CREATE ON SCHEMA % FROM PUBLIC"},
    };

    begin();
    assert_ok(opens(url_of("jobs", "")));
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        sql(planted[i].make);
        assert_refused(opens(url_of("jobs", "")), ERRAND_ECONFLICT, planted[i].says);
        sql(planted[i].drop);
        assert_ok(opens(url_of("jobs", "")));
    }
    end();
}

static const char rights[] =
    "GRANT USAGE ON SCHEMA % TO reader; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "
    "TABLES IN SCHEMA % TO reader; GRANT USAGE ON ALL SEQUENCES IN SCHEMA % TO reader";

TEST(a_role_for_programs_trusts_who_it_was_told_to)
{
    begin();
    assert_ok(opens(url_of("jobs", "")));
    sql(rights);
    assert_refused(opens(url_of("reader", "")), ERRAND_ECONFLICT, "?owner=jobs");
    assert_ok(opens(url_of("reader", "&owner=jobs")));
    /* One that it was made a member of, also by way of another one. */
    sql("CREATE ROLE team; GRANT jobs TO team; GRANT team TO reader");
    assert_ok(opens(url_of("reader", "")));
    sql("DROP ROLE team");
    assert_refused(opens(url_of("reader", "")), ERRAND_ECONFLICT, "?owner=jobs");
    /* The owner of the database. */
    sql("ALTER DATABASE postgres OWNER TO jobs");
    assert_ok(opens(url_of("reader", "")));
    assert_refused(opens(url_with("")), ERRAND_ECONFLICT, "?owner=jobs");
    sql("ALTER DATABASE postgres OWNER TO errand");
    end();
}

SERVER_MAIN("")
