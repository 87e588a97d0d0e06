/* roles.c: who may do what in a store, and by whose habits. */
#include "store/postgres/server.h"

static void role_make(PGconn *pg, const char *rights)
{
    char sql[600];

    pg_exec(pg, "DROP ROLE IF EXISTS reader");
    pg_exec(pg, "CREATE ROLE reader LOGIN");
    snprintf(sql, sizeof sql,
             "GRANT USAGE ON SCHEMA t%u TO reader; GRANT %s ON ALL TABLES IN SCHEMA t%u "
             "TO reader",
             schema_n, rights, schema_n);
    pg_exec(pg, sql);
}

static void role_drop(PGconn *pg)
{
    pg_exec(pg, "DROP OWNED BY reader; DROP ROLE reader");
    PQfinish(pg);
}

static const char *as_reader(void)
{
    static char url[400];

    snprintf(url, sizeof url, "postgres://reader@/postgres?host=%s&schema=t%u",
             server.dir, schema_n);
    return url;
}

TEST(a_role_that_may_only_read_sees_everything)
{
    struct errand_queues_result queues;
    struct errand_list_result page;
    struct errand_workers_result workers;
    struct errand_events_result events;
    struct errand_check_result check;
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);

    er_store_close(open_ok(url_with("")));
    role_make(pg, "SELECT");
    if (open_at(as_reader(), (struct errand_open_params){.read_only = true}, &store) < 0)
        fail_msg("%s", err.message);
    assert_ok(er_store_queues(store, 0, arena, &queues, &err));
    assert_ok(er_store_list(store, &(struct errand_list_params){.max = 10}, arena, &page,
                            &err));
    assert_ok(er_store_workers(store, 0, arena, &workers, &err));
    assert_ok(er_store_events_read(
        store, &(struct errand_events_params){.max = 1, .follow_ms = 1000}, arena,
        &events, &err));
    assert_ok(er_store_check(store, 0, arena, &check, &err));
    assert_int_equal(check.findings_n, 0);
    er_store_close(store);
    role_drop(pg);
}

TEST(a_role_without_rights_is_told_who_can_give_them)
{
    struct errand_lock_params p = {
        .key = errand_text("k"), .owner = "ann", .ttl_ms = 60000};
    struct errand_lock_result ret = {0};
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);

    er_store_close(open_ok(url_with("")));
    role_make(pg, "SELECT");
    if (open_at(as_reader(), (struct errand_open_params){0}, &store) < 0)
        fail_msg("%s", err.message);
    assert_refused(er_store_lock(store, &p, arena, &ret, &err), ERRAND_EINVAL, "grant");
    er_store_close(store);
    role_drop(pg);
}

TEST(a_role_that_cannot_write_is_told_what_to_do)
{
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);

    er_store_close(open_ok(url_with("")));
    role_make(pg, "SELECT");
    pg_exec(pg, "ALTER ROLE reader SET default_transaction_read_only = on");
    assert_refused(
        open_at(as_reader(), (struct errand_open_params){.busy_ms = 1}, &store),
        ERRAND_EUNAVAILABLE, "session is read-only; name the primary");
    role_drop(pg);
}

/* Whether that role may call a function of the schema. */
static bool may_call(const char *call)
{
    char text[400];
    PGresult *res;
    PGconn *pg;
    bool may;

    snprintf(text, sizeof text, "host=%s port=%d user=reader dbname=postgres", server.dir,
             server.port);
    pg = PQconnectdb(text);
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    snprintf(text, sizeof text, "SELECT t%u.%s", schema_n, call);
    res = PQexec(pg, text);
    may = PQresultStatus(res) == PGRES_TUPLES_OK;
    if (!may)
        assert_string_equal(PQresultErrorField(res, PG_DIAG_SQLSTATE), "42501");
    PQclear(res);
    PQfinish(pg);
    return may;
}

/* They run with their owner's rights, so who may only look must not call them. */
TEST(only_who_was_granted_it_dispatches_and_completes)
{
    PGconn *pg = pg_plain(&server);
    char sql[200];

    er_store_close(open_ok(url_with("")));
    role_make(pg, "SELECT");
    assert_true(may_call("clock_ms()"));
    assert_false(may_call("dispatch('a')"));
    assert_false(may_call("complete('a', 1)"));
    snprintf(sql, sizeof sql, "GRANT EXECUTE ON FUNCTION t%u.dispatch TO reader",
             schema_n);
    pg_exec(pg, sql);
    assert_true(may_call("dispatch('a')"));
    assert_false(may_call("complete('a', 1)"));
    role_drop(pg);
}

/* What docs/stores/postgres.md grants. */
TEST(a_role_for_programs_pushes_works_and_tidies_up)
{
    static const char grants[] =
        "GRANT USAGE ON SCHEMA t%u TO reader; GRANT SELECT, INSERT, UPDATE, DELETE ON "
        "ALL "
        "TABLES IN SCHEMA t%u TO reader; GRANT USAGE ON ALL SEQUENCES IN SCHEMA t%u TO "
        "reader";
    const struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
    struct errand_push_params push = {.jobs = &job, .jobs_n = 1};
    struct errand_exchange_params work = {.max = 1, .lease_ms = 10000, .worker = "w"};
    struct errand_prune_params prune = {.max = 10};
    struct errand_push_result pushed = {0};
    struct errand_exchange_result got = {0};
    struct errand_outcome done = {0};
    struct errand_reap_result reaped = {0};
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);
    size_t pruned = 0;
    char sql[400];

    er_store_close(open_ok(url_with("")));
    pg_exec(pg, "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN");
    snprintf(sql, sizeof sql, grants, schema_n, schema_n, schema_n);
    pg_exec(pg, sql);
    assert_ok(open_at(
        as_reader(),
        (struct errand_open_params){.keep_completed_ms = -1, .keep_completed_n = -1},
        &store));
    assert_ok(er_store_push(store, &push, arena, &pushed, &err));
    assert_ok(er_store_exchange(store, &work, arena, &got, &err));
    assert_int_equal(got.jobs_n, 1);
    done = (struct errand_outcome){
        .token = got.token, .key = got.jobs[0].key, .id = got.jobs[0].id};
    work = (struct errand_exchange_params){.outcomes = &done, .outcomes_n = 1};
    assert_ok(er_store_exchange(store, &work, arena, &got, &err));
    assert_ok(er_store_reap(store, &(struct errand_reap_params){.max = 10}, arena,
                            &reaped, &err));
    assert_ok(er_store_prune(store, &prune, &pruned, &err));
    assert_int_equal(pruned, 1);
    assert_ok(er_store_wait_fd(store, &err));
    assert_ok(er_store_wait_arm(store, ERRAND_WAIT_READY, &err));
    er_store_close(store);
    role_drop(pg);
}

/* What the store's own transactions are, seen from within by a trigger. */
static const char witness[] =
    "CREATE TABLE t%u.witness AS SELECT ''::text AS isolation, ''::text AS is_synced "
    "WITH "
    "NO DATA; CREATE FUNCTION t%u.witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO t%u.witness VALUES(current_setting('transaction_isolation'), "
    "current_setting('synchronous_commit')); RETURN NULL; END $$; CREATE TRIGGER witness "
    "AFTER INSERT ON t%u.jobs FOR EACH ROW EXECUTE FUNCTION t%u.witness()";

TEST(a_role_of_other_habits_commits_as_the_store_needs_it)
{
    const struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
    struct errand_push_params push = {.jobs = &job, .jobs_n = 1};
    struct errand_push_result pushed = {0};
    struct er_store *store;
    PGconn *pg = pg_plain(&server);
    PGresult *res;
    char sql[800];

    er_store_close(open_ok(url_with("")));
    snprintf(sql, sizeof sql, witness, schema_n, schema_n, schema_n, schema_n, schema_n);
    pg_exec(pg, sql);
    pg_exec(pg, "ALTER ROLE errand SET default_transaction_isolation = 'serializable';"
                "ALTER ROLE errand SET synchronous_commit = off");
    store = open_ok(url_with(""));
    pg_exec(pg, "ALTER ROLE errand RESET ALL");
    for (int i = 0; i < 3; i++)
        assert_ok(er_store_push(store, &push, arena, &pushed, &err));
    /* Also one that connects anew. */
    pg_exec(pg, "ALTER ROLE errand SET default_transaction_isolation = 'serializable';"
                "ALTER ROLE errand SET synchronous_commit = off");
    pg_exec(pg, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                "application_name = 'errand'");
    assert_ok(er_store_push(store, &push, arena, &pushed, &err));
    pg_exec(pg, "ALTER ROLE errand RESET ALL");
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM t%u.witness WHERE isolation = 'read committed' AND "
             "is_synced = 'on'",
             schema_n);
    res = PQexec(pg, sql);
    assert_string_equal(PQgetvalue(res, 0, 0), "4");
    PQclear(res);
    er_store_close(store);
    PQfinish(pg);
}

/* Whoever may create in a schema of the role's search path could have his own functions
 * called, with our rights: those fit better than the server's. */
TEST(functions_that_somebody_planted_are_not_called)
{
    struct er_store *store;
    PGconn *pg = pg_plain(&server);

    pg_exec(pg, "CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql "
                "AS $$ BEGIN RAISE 'planted'; END $$");
    pg_exec(pg, "CREATE FUNCTION public.hashtextextended(text, int) RETURNS bigint "
                "LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$");
    store = open_ok(url_with(""));
    assert_true(er_store_wait_fd(store, &err) >= 0);
    assert_ok(er_store_wait_arm(store, ERRAND_WAIT_READY, &err));
    er_store_close(store);
    pg_exec(pg, "DROP FUNCTION public.format(text, text), "
                "public.hashtextextended(text, int)");
    PQfinish(pg);
}

SERVER_MAIN("")
