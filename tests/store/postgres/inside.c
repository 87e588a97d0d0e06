/* inside.c: jobs in the application's own transaction: pushed on its connection,
 * dispatched from SQL and from a trigger, and completed beside the rows of the handler.
 */
#include "store/postgres/server.h"

#include <libpq-fe.h>

static struct er_store *store;
static PGconn *app;

__attribute__((format(printf, 1, 2))) static void sql(const char *fmt, ...)
{
    char text[1024];
    PGresult *res;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    res = PQexec(app, text);
    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQresultErrorMessage(res));
    PQclear(res);
}

/* It must be refused with these words. */
static void refused(const char *text, const char *says)
{
    PGresult *res = PQexec(app, text);

    assert_int_equal(PQresultStatus(res), PGRES_FATAL_ERROR);
    if (!strstr(PQresultErrorMessage(res), says))
        fail_msg("'%s' is not in: %s", says, PQresultErrorMessage(res));
    PQclear(res);
}

static void begin(void)
{
    char conninfo[256];

    assert_ok(open_at(url_with(""),
                      (struct errand_open_params){.create = true,
                                                  .keep_completed_ms = -1,
                                                  .keep_completed_n = -1},
                      &store));
    snprintf(conninfo, sizeof conninfo,
             "host=%s user=errand dbname=postgres "
             "options='-c client_min_messages=warning'",
             server.dir);
    app = PQconnectdb(conninfo);
    assert_int_equal(PQstatus(app), CONNECTION_OK);
    sql("DROP TABLE IF EXISTS orders; CREATE TABLE orders(id int)");
}

static void end(void)
{
    PQfinish(app);
    er_store_close(store);
}

static int64_t count(uint32_t states)
{
    struct errand_filter filter = {.states = states};
    int64_t n = -1;

    assert_ok(er_store_count(store, &filter, 0, &n, &err));
    return n;
}

static int push(struct errand_push_job job, struct errand_pushed_job *ret)
{
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1, .transaction = app};
    struct errand_push_result result = {0};
    int rc;

    job.name = job.name ? job.name : "ship";
    job.queue = "default";
    job.tries = 3;
    job.data = errand_text("null");
    if ((rc = er_store_push(store, &p, arena, &result, &err)) == 0)
        *ret = result.jobs[0];
    return rc;
}

static struct errand_reserved reserve(void)
{
    struct errand_exchange_params p = {.max = 1, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result ret = {0};

    assert_ok(er_store_exchange(store, &p, arena, &ret, &err));
    assert_int_equal(ret.jobs_n, 1);
    return ret.jobs[0];
}

static enum errand_settled settle(struct errand_reserved r, enum errand_outcome_kind kind)
{
    struct errand_outcome o = {.token = r.token, .key = r.key, .id = r.id, .kind = kind};
    struct errand_exchange_params p = {.outcomes = &o, .outcomes_n = 1};
    struct errand_exchange_result ret = {0};

    assert_ok(er_store_exchange(store, &p, arena, &ret, &err));
    return ret.settled[0];
}

static struct errand_job_info look(struct errand_id id)
{
    struct errand_job_detail detail = {0};

    assert_ok(er_store_get(store, &id, 0, arena, &detail, &err));
    return detail.job;
}

/* ------------------------------------------------------------------ push */

TEST(a_job_is_committed_with_the_rows_of_the_application)
{
    struct errand_pushed_job pushed;

    begin();
    sql("BEGIN; INSERT INTO orders VALUES(1)");
    assert_ok(push((struct errand_push_job){0}, &pushed));
    assert_int_equal(count(0), 0);
    sql("COMMIT");
    assert_int_equal(count(1 << ERRAND_READY), 1);
    assert_string_equal(reserve().id.text, pushed.id.text);
    end();
}

TEST(a_rollback_takes_the_job_away)
{
    struct errand_pushed_job pushed;

    begin();
    sql("BEGIN");
    assert_ok(push((struct errand_push_job){0}, &pushed));
    sql("ROLLBACK");
    assert_int_equal(count(0), 0);
    end();
}

TEST(a_push_that_fails_leaves_the_transaction_as_it_was)
{
    struct errand_push_job job = {.batch = {"nowhere"}};
    struct errand_pushed_job pushed;

    begin();
    sql("BEGIN; INSERT INTO orders VALUES(1)");
    assert_refused(push(job, &pushed), ERRAND_ENOTFOUND, "no batch 'nowhere'");
    assert_ok(push((struct errand_push_job){0}, &pushed));
    sql("COMMIT");
    assert_int_equal(count(0), 1);
    end();
}

TEST(a_connection_without_a_transaction_is_refused)
{
    struct errand_pushed_job pushed;

    begin();
    assert_refused(push((struct errand_push_job){0}, &pushed), ERRAND_EINVAL,
                   "no transaction open");
    end();
}

/* A transaction of the application may stay open for minutes. */
TEST(an_open_transaction_keeps_nobody_from_working)
{
    struct errand_pushed_job pushed;
    struct errand_reserved r;

    begin();
    sql("SELECT t%u.dispatch('first')", schema_n);
    sql("BEGIN");
    assert_ok(push((struct errand_push_job){0}, &pushed));
    sql("SELECT t%u.dispatch('ship', '{}', '{\"delay\": 60, \"rate\": \"1/60s\"}')",
        schema_n);
    r = reserve();
    assert_string_equal(r.name, "first");
    assert_int_equal(settle(r, ERRAND_OUT_RETRY), ERRAND_SETTLED);
    sql("COMMIT");
    assert_int_equal(count(1 << ERRAND_READY), 1);
    end();
}

/* ------------------------------------------------------------------ dispatch */

TEST(a_trigger_dispatches_with_the_row)
{
    begin();
    sql("CREATE OR REPLACE FUNCTION ship() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM t%u.dispatch('ship', json_build_object('order', new.id), "
        "'{\"queue\": \"out\", \"tries\": 5, \"tags\": [\"a\"]}'); RETURN new; END $$; "
        "CREATE TRIGGER ship AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION ship()",
        schema_n);
    sql("BEGIN; INSERT INTO orders VALUES(1); ROLLBACK");
    assert_int_equal(count(0), 0);
    sql("INSERT INTO orders VALUES(7)");
    {
        struct errand_reserved r = reserve();
        assert_string_equal(r.name, "ship");
        assert_string_equal(r.queue, "out");
        assert_int_equal(r.tries, 5);
        assert_memory_equal(r.data.ptr, "{\"order\" : 7}", r.data.len);
        assert_string_equal(look(r.id).tags[0], "a");
    }
    end();
}

TEST(a_unique_job_from_sql_answers_with_the_first_one)
{
    char ids[2][64];

    begin();
    for (int i = 0; i < 2; i++) {
        char text[128];
        PGresult *res;
        snprintf(text, sizeof text,
                 "SELECT t%u.dispatch('ship', '{}', '{\"unique\": \"order:7\"}')",
                 schema_n);
        res = PQexec(app, text);
        snprintf(ids[i], sizeof ids[i], "%s", PQgetvalue(res, 0, 0));
        PQclear(res);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_int_equal(count(0), 1);
    assert_string_equal(reserve().id.text,
                        ids[0]); /* the server computes the id as we do */
    end();
}

TEST(a_bad_option_is_named)
{
    char text[128];
    static const struct {
        const char *options, *says;
    } bad[] = {
        {"{\"tires\": 3}", "there is no option 'tires'"},
        {"{\"tries\": 0}", "option 'tries' is 0"},
        {"{\"delay\": -1}", "option 'delay' is -1"},
        {"{\"rate\": \"often\"}", "option 'rate' is \"often\""},
        {"{\"rate\": \"1/0\"}", "option 'rate' is \"1/0\""},
        {"{\"rate\": \"1/1\", \"rate_name\": \"a b\"}", "option 'rate_name'"},
        {"{\"rate\": \"1/1\", \"rate_key\": [1]}", "option 'rate_key'"},
        {"{\"tags\": [\"a,b\"]}", "option 'tags' is \"a,b\""},
        {"{\"tags\": [null]}", "option 'tags' is null"},
        {"{\"at\": \"soon\"}", "option 'at' is \"soon\""},
        {"{\"unique\": \"k\", \"unique_policy\": \"most\"}", "option 'unique_policy'"},
        {"[]", "an object"},
    };

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "SELECT t%u.dispatch('ship', '{}', '%s')", schema_n,
                 bad[i].options);
        refused(text, bad[i].says);
    }
    assert_int_equal(count(0), 0);
    end();
}

/* A limit that nobody could read would stop every worker of the store. */
TEST(limits_from_sql_are_those_of_the_call)
{
    struct errand_exchange_params p = {.max = 2, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result ret = {0};

    begin();
    sql("SELECT t%u.dispatch('ship', '1', '{\"rate\": \"1/60s\", \"rate_name\": \"r\", "
        "\"concurrency\": 2, \"concurrency_key\": \"k\"}') FROM generate_series(1, 2)",
        schema_n);
    assert_ok(er_store_exchange(store, &p, arena, &ret, &err));
    assert_int_equal(ret.jobs_n, 1);
    end();
}

/* ------------------------------------------------------------------ complete */

TEST(a_job_is_completed_with_the_rows_of_its_handler)
{
    struct errand_reserved r;

    begin();
    sql("SELECT t%u.dispatch('ship')", schema_n);
    r = reserve();
    sql("BEGIN; INSERT INTO orders VALUES(1); SELECT t%u.complete('%s', 1, '{\"n\":1}'); "
        "COMMIT",
        schema_n, r.id.text);
    /* Its worker did not hear of the commit and says otherwise. */
    assert_int_equal(settle(r, ERRAND_OUT_RETRY), ERRAND_SETTLED);
    assert_int_equal(look(r.id).state, ERRAND_COMPLETED);
    assert_memory_equal(look(r.id).result.ptr, "{\"n\":1}", 7);
    end();
}

TEST(a_job_whose_worker_died_after_it_had_completed_it_does_not_run_again)
{
    struct errand_reap_params p = {.now_ms = INT64_C(4000000000000)};
    struct errand_reap_result ret = {0};
    struct errand_reserved r;

    begin();
    sql("SELECT t%u.dispatch('ship')", schema_n);
    r = reserve();
    sql("SELECT t%u.complete('%s', 1)", schema_n, r.id.text);
    assert_ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.ready_n, 0);
    assert_int_equal(look(r.id).state, ERRAND_COMPLETED);
    end();
}

TEST(a_handler_that_lost_its_job_cannot_complete_it)
{
    struct errand_reserved r;
    char text[160];

    begin();
    sql("SELECT t%u.dispatch('ship')", schema_n);
    r = reserve();
    assert_int_equal(settle(r, ERRAND_OUT_RETRY), ERRAND_SETTLED);
    r = reserve();
    assert_int_equal(r.attempt, 2);
    snprintf(text, sizeof text, "SELECT t%u.complete('%s', 1)", schema_n, r.id.text);
    refused(text, "is not running as attempt 1");
    end();
}

TEST(a_job_that_is_being_completed_is_not_reaped)
{
    struct errand_reap_params p = {.now_ms = INT64_C(4000000000000)};
    struct errand_reap_result ret = {0};
    struct errand_reserved r;

    begin();
    sql("SELECT t%u.dispatch('ship')", schema_n);
    r = reserve();
    sql("BEGIN; SELECT t%u.complete('%s', 1)", schema_n, r.id.text);
    assert_ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.ready_n, 0);
    assert_int_equal(look(r.id).state, ERRAND_RUNNING);
    sql("ROLLBACK");
    assert_ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.ready_n, 1);
    end();
}

SERVER_MAIN("")
