/* vacuum.c: rows that are gone and cannot be cleared away: who holds them back is named,
 * and a reserve steps over them, and over nothing else (sql/marks.sql). */
#include "server.h"

#include <unistd.h>

/* ------------------------------------------------------------------ who is named */

/* How many sessions the remarks name; of the first what is said and the remedy. */
static int named(PGconn *pg, const char *like, char *ret, size_t size)
{
    char sql[300];
    PGresult *res;
    int n;

    snprintf(sql, sizeof sql,
             "SELECT text || ': ' || remedy FROM t%u.remarks(0, 0) WHERE text LIKE '%s'",
             schema_n, like);
    res = PQexec(pg, sql);
    n = PQntuples(res);
    snprintf(ret, size, "%s", n > 0 ? PQgetvalue(res, 0, 0) : "");
    PQclear(res);
    return n;
}

TEST(a_session_that_holds_back_vacuum_is_named_with_what_it_does)
{
    PGconn *holder = pg_plain(&server), *pg = pg_plain(&server);
    char said[600], pid[64];

    er_store_close(open_ok(url_with("")));
    pg_exec(holder, "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE "
                    "READ; SELECT 1");
    assert_int_equal(named(pg, "the session with pid %", said, sizeof said), 1);
    snprintf(pid, sizeof pid, "pid %d (user errand, report, idle in transaction)",
             PQbackendPID(holder));
    assert_non_null(strstr(said, pid));
    assert_non_null(strstr(said, "open since 2"));
    assert_non_null(strstr(said, "pg_terminate_backend"));
    pg_exec(holder, "COMMIT");
    assert_int_equal(named(pg, "the session with pid %", said, sizeof said), 0);
    PQfinish(holder);
    PQfinish(pg);
}

TEST(a_prepared_transaction_that_holds_back_vacuum_is_named)
{
    PGconn *pg = pg_plain(&server);
    char said[600];

    er_store_close(open_ok(url_with("")));
    pg_exec(pg, "BEGIN; CREATE TABLE mine(); PREPARE TRANSACTION 'two'");
    assert_int_equal(named(pg, "the prepared transaction %", said, sizeof said), 1);
    assert_non_null(strstr(said, "'two' of errand stands since 2"));
    assert_non_null(strstr(said, "ROLLBACK PREPARED 'two'"));
    pg_exec(pg, "ROLLBACK PREPARED 'two'");
    assert_int_equal(named(pg, "the prepared transaction %", said, sizeof said), 0);
    PQfinish(pg);
}

/* ------------------------------------------------------------------ stepping over */

/* With every reserve the marks go as far as they may. */
static struct er_store *open_eager(void)
{
    setenv("PGOPTIONS", "-c errand.marks=eager", 1);
    return open_ok(url_with(""));
}

static void push(struct er_store *store, const char *name, int priority, int64_t n)
{
    struct errand_push_job *jobs = calloc((size_t)n, sizeof *jobs);
    struct errand_push_params p = {.jobs = jobs, .jobs_n = (size_t)n};
    struct errand_push_result ret = {0};

    for (int64_t i = 0; i < n; i++)
        jobs[i] = (struct errand_push_job){
            .name = name, .queue = "q", .priority = priority, .tries = 3};
    assert_ok(er_store_push(store, &p, arena, &ret, &err));
    free(jobs);
}

/* Reserves up to `max`, and settles so what the call before had reserved. */
static size_t cycle(struct er_store *store, size_t max, enum errand_outcome_kind kind,
                    struct errand_exchange_result *last)
{
    struct errand_outcome outcomes[1000];
    struct errand_exchange_params p = {.outcomes = outcomes,
                                       .outcomes_n = last->jobs_n,
                                       .max = max,
                                       .lease_ms = 60000,
                                       .worker = "w"};
    struct errand_exchange_result ret = {0};

    for (size_t i = 0; i < last->jobs_n; i++)
        outcomes[i] = (struct errand_outcome){.token = last->jobs[i].token,
                                              .key = last->jobs[i].key,
                                              .id = last->jobs[i].id,
                                              .kind = kind};
    assert_ok(er_store_exchange(store, &p, arena, &ret, &err));
    *last = ret;
    return ret.jobs_n;
}

/* Pushes and works one after the other, often enough for marks to move. */
static void work_on(struct er_store *store, int rounds)
{
    struct errand_exchange_result last = {0};

    for (int i = 0; i < rounds; i++) {
        push(store, "filler", 0, 1);
        usleep(2000); /* the clock of the store goes on */
        assert_int_equal(cycle(store, 10, ERRAND_OUT_DONE, &last), 1);
    }
    cycle(store, 0, ERRAND_OUT_DONE, &last);
}

static const char *first_name(struct er_store *store)
{
    struct errand_exchange_result last = {0};

    return cycle(store, 1, ERRAND_OUT_DONE, &last) ? last.jobs[0].name : "";
}

static long mark_of(PGconn *pg)
{
    char sql[200];

    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM t%u.marks WHERE run_at > 0 AND priority = 0",
             schema_n);
    return pg_number(pg, sql);
}

/* Pages that looking for the next one touches. */
static long pages_read(PGconn *pg)
{
    char sql[200];
    long pages = -1;
    PGresult *res;

    snprintf(sql, sizeof sql,
             "EXPLAIN (ANALYZE, BUFFERS) SELECT t%u.first_places('q', 1, "
             "t%u.clock_ms())",
             schema_n, schema_n);
    pg_exec(pg, "BEGIN");
    res = PQexec(pg, sql);
    for (int i = 0; i < PQntuples(res) && pages < 0; i++)
        sscanf(PQgetvalue(res, i, 0), " Buffers: shared hit=%ld", &pages);
    PQclear(res);
    pg_exec(pg, "ROLLBACK");
    return pages;
}

TEST(a_reserve_does_not_walk_over_what_a_snapshot_keeps)
{
    PGconn *holder = pg_plain(&server), *pg = pg_plain(&server);
    struct er_store *store = open_eager();
    struct errand_exchange_result last = {0};
    char sql[100];
    long with, without;

    pg_exec(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    for (int i = 0; i < 10; i++)
        push(store, "j", 0, 1000);
    for (int i = 0; i < 45; i++)
        cycle(store, 200, ERRAND_OUT_DONE, &last);
    cycle(store, 0, ERRAND_OUT_DONE, &last);
    pages_read(pg); /* the first one reads the catalogs */
    with = pages_read(pg);
    snprintf(sql, sizeof sql, "DELETE FROM t%u.marks", schema_n);
    pg_exec(pg, sql);
    without = pages_read(pg);
    /* The mark may be three reserves behind. */
    assert_true(with > 0 && without > 0);
    if (with > without / 3)
        fail_msg("%ld pages with a mark, %ld without", with, without);
    PQfinish(holder);
    PQfinish(pg);
    er_store_close(store);
}

/* Stored early, committed late: what came afterwards is gone by then. */
TEST(a_push_that_commits_late_is_found)
{
    PGconn *late = pg_plain(&server), *pg = pg_plain(&server);
    struct er_store *store = open_eager();
    char sql[100];

    work_on(store, 10);
    pg_exec(late, "BEGIN");
    snprintf(sql, sizeof sql, "SELECT t%u.dispatch('late', NULL, '{\"queue\": \"q\"}')",
             schema_n);
    pg_exec(late, sql);
    work_on(store, 20);
    pg_exec(late, "COMMIT");
    assert_string_equal(first_name(store), "late");
    PQfinish(late);
    PQfinish(pg);
    er_store_close(store);
}

/* A transaction with nothing of ours may be open for hours. */
TEST(a_transaction_that_has_nothing_to_do_with_us_holds_no_mark)
{
    PGconn *other = pg_plain(&server), *pg = pg_plain(&server);
    struct er_store *store = open_eager();

    pg_exec(other, "BEGIN; SELECT pg_current_xact_id()");
    work_on(store, 20);
    assert_int_equal(mark_of(pg), 1);
    pg_exec(other, "COMMIT");
    PQfinish(other);
    PQfinish(pg);
    er_store_close(store);
}

/* Handed back, it stands where it stood: behind it all are gone. */
TEST(a_job_that_is_handed_back_below_the_mark_is_found)
{
    PGconn *pg = pg_plain(&server);
    struct er_store *store = open_eager();
    struct errand_exchange_result old = {0};

    push(store, "old", 0, 1);
    assert_int_equal(cycle(store, 1, ERRAND_OUT_DONE, &old), 1);
    work_on(store, 20);
    assert_int_equal(mark_of(pg), 1);
    cycle(store, 0, ERRAND_OUT_HAND_BACK, &old);
    assert_string_equal(first_name(store), "old");
    PQfinish(pg);
    er_store_close(store);
}

TEST(a_job_of_a_priority_that_comes_first_is_found_first)
{
    struct er_store *store = open_eager();

    work_on(store, 20);
    push(store, "plain", 0, 1);
    push(store, "first", -5, 1);
    push(store, "last", 5, 1);
    assert_string_equal(first_name(store), "first");
    assert_string_equal(first_name(store), "plain");
    assert_string_equal(first_name(store), "last");
    er_store_close(store);
}

/* The clock of the server goes back by an hour: what is pushed then stands below. */
TEST(a_mark_that_is_later_than_now_is_not_heeded)
{
    PGconn *pg = pg_plain(&server);
    struct er_store *store = open_eager();
    char sql[120];

    work_on(store, 20);
    snprintf(sql, sizeof sql, "UPDATE t%u.marks SET run_at = run_at + 3600000", schema_n);
    pg_exec(pg, sql);
    push(store, "now", 0, 1);
    assert_string_equal(first_name(store), "now");
    work_on(store, 20);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM t%u.marks WHERE run_at > t%u.clock_ms()", schema_n,
             schema_n);
    assert_int_equal(pg_number(pg, sql), 0);
    PQfinish(pg);
    er_store_close(store);
}

SERVER_MAIN("max_prepared_transactions = 4\n")
