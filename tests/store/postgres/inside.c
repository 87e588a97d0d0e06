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

static const struct {
    const char *options, *says;
} bad[] = {
    {"[]", "an object"},
    {"{'tires': 3}", "there is no option 'tires'"},
    {"{'throttle': '1/s'}", "there is no option 'throttle'"},
    {"{'tries': 0}", "option 'tries' is 0: 1 to 1000 are allowed"},
    {"{'tries': 1001}", "option 'tries' is 1001: 1 to 1000"},
    {"{'tries': 1.5}", "option 'tries' is not a whole number: 1.5"},
    {"{'tries': '3'}", "option 'tries' is not a whole number: \"3\""},
    {"{'tries': 1e300}", "option 'tries' is 1"},
    {"{'priority': 2147483648}", "option 'priority' is 2147483648: -2147483648 to"},
    {"{'memory': 0}", "option 'memory' is 0: 1 to 1048576"},
    {"{'memory': 1048577}", "option 'memory' is 1048577: 1 to 1048576"},
    {"{'memory': 'much'}", "option 'memory' is not a whole number"},
    {"{'queue': ''}", "queue is empty"},
    {"{'queue': 'a b'}", "queue 'a b' has a wrong character at position 2"},
    {"{'queue': 7}", "option 'queue' is not a string: 7"},
    {"{'id': 'a b'}", "id 'a b' has a wrong character at position 2"},
    {"{'id': '0123456789012345678901234567890123456789012345678901234567890123'}",
     "has 64 bytes, more than the 63 allowed"},
    {"{'timeout': 0}", "option 'timeout' is 0: more than 0 to 30 days are allowed"},
    {"{'timeout': '31d'}", "option 'timeout' is \"31d\": more than 0 to 30 days"},
    {"{'timeout': 'long'}", "option 'timeout' is not seconds, or a time"},
    {"{'timeout': [1]}", "option 'timeout' is not seconds, or a time"},
    {"{'delay': -1}", "option 'delay' is -1: 0 to 36525 days"},
    {"{'delay': '5300w'}", "option 'delay' is \"5300w\": 0 to 36525 days"},
    {"{'delay': 1, 'at': '2030-01-01'}", "delay and at are both given"},
    {"{'at': 'soon'}", "option 'at' is not an instant"},
    {"{'at': 'infinity'}", "option 'at' is not an instant"},
    {"{'at': 'tomorrow'}", "option 'at' is not an instant"},
    {"{'at': 1790000000}", "option 'at' is not an instant"},
    {"{'at': '2026-02-30T00:00:00Z'}", "option 'at' is not an instant"},
    {"{'at': '2026-01-01T00:00:00'}", "option 'at' is not an instant"},
    {"{'at': '9999-12-31T23:59:59-01:00'}", "which is after the year 9999"},
    {"{'at': '10000-01-01'}", "option 'at' is not an instant"},
    {"{'backoff': -1}", "backoff value 1 is -1: seconds from 0 to 31,622,400"},
    {"{'backoff': [1, 31622401]}", "backoff value 2 is 31622401: seconds from 0"},
    {"{'backoff': [1, 'x']}", "option 'backoff' is not one time or several"},
    {"{'backoff': []}", "option 'backoff' is not one time or several"},
    {"{'backoff': '60,,5m'}", "option 'backoff' is not one time or several"},
    {"{'backoff': {}}", "option 'backoff' is not one time or several"},
    {"{'backoff': [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
     "backoff has 17 values, more than the 16 allowed"},
    {"{'backoff_strategy': 'cubic'}", "none of default, fixed, linear, exponential"},
    {"{'backoff_cap': 0}", "option 'backoff_cap' is not a time"},
    {"{'backoff_cap': 'x'}", "option 'backoff_cap' is not a time"},
    {"{'backoff_cap': 31622401}", "option 'backoff_cap' is not a time"},
    {"{'backoff_jitter': 1.1}", "option 'backoff_jitter' is not a share from 0 to 1"},
    {"{'backoff_jitter': '0.5'}", "option 'backoff_jitter' is not a share"},
    {"{'retry_until': 'later'}", "option 'retry_until' is not an instant"},
    {"{'retry_until': 1e15}", "option 'retry_until' is 1"},
    {"{'retry_until': -5}", "option 'retry_until' is -5"},
    {"{'retry_for': 0}", "option 'retry_for' is 0: more than 0 to 3660 days"},
    {"{'retry_for': '11000d'}", "option 'retry_for' is \"11000d\""},
    {"{'trace': ''}", "trace is empty"},
    {"{'trace': 4}", "option 'trace' is not a string: 4"},
    {"{'rate': 'often'}", "option 'rate' is not a rate such as"},
    {"{'rate': '0/60'}", "rate is 0 in a window: 1 to 1000000"},
    {"{'rate': '1/0'}", "rate is per 0 ms: more than 0 to 366 days"},
    {"{'rate': '1/367d'}", "more than 0 to 366 days are allowed"},
    {"{'rate': '1/1', 'rate_name': 'a b'}", "rate_name 'a b' has a wrong character"},
    {"{'rate': '1/1', 'rate_key': [1]}", "option 'rate_key' is not a string"},
    {"{'rate_key': 'k'}", "rate_key and rate_name need rate"},
    {"{'concurrency': 0}", "option 'concurrency' is 0: 1 to 1000000"},
    {"{'concurrency_name': 'k'}", "concurrency_key and concurrency_name need"},
    {"{'tags': 'a'}", "option 'tags' is not an array"},
    {"{'tags': ['a,b']}", "tag 'a,b' has a wrong character at position 2"},
    {"{'tags': [null]}", "option 'tags' is not a string: null"},
    {"{'unique': ''}", "unique is empty"},
    {"{'unique': 'k', 'unique_policy': 'most'}", "none of ignore, replace, extend"},
    {"{'unique': 'k', 'unique_until': 'ever'}", "none of ttl, done, started"},
    {"{'unique': 'k', 'unique_for': '3661d'}", "option 'unique_for' is \"3661d\""},
    {"{'unique_for': 60}", "mean nothing without the key in unique"},
};

/* The table writes ' for ". */
static const char *quoted(const char *options)
{
    static char text[256];
    size_t i;

    for (i = 0; options[i] && i < sizeof text - 1; i++)
        text[i] = options[i] == '\'' ? '"' : options[i];
    text[i] = '\0';
    return text;
}

TEST(a_bad_option_is_named)
{
    char text[512];

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "SELECT t%u.dispatch('ship', '{}', '%s')", schema_n,
                 quoted(bad[i].options));
        refused(text, bad[i].says);
    }
    assert_int_equal(count(0), 0);
    end();
}

/* The row that caused it is not there either, and the session goes on. */
TEST(a_bad_option_in_a_trigger_is_named)
{
    char text[512];

    begin();
    sql("DROP TABLE IF EXISTS wishes; CREATE TABLE wishes(options jsonb);"
        "CREATE OR REPLACE FUNCTION wish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM t%u.dispatch('ship', 'null', new.options); RETURN new; END $$; "
        "CREATE TRIGGER wish AFTER INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION wish()",
        schema_n);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "INSERT INTO wishes VALUES('%s')",
                 quoted(bad[i].options));
        refused(text, bad[i].says);
    }
    assert_int_equal(count(0), 0);
    sql("INSERT INTO wishes VALUES('{\"tries\": 2}')");
    assert_int_equal(reserve().tries, 2);
    end();
}

/* What a worker reads before the attempt: seconds are numbers, whatever was written. */
TEST(options_from_sql_travel_as_everybody_reads_them)
{
    struct errand_job_info job;
    struct errand_slice options;

    begin();
    sql("SET TimeZone = 'Asia/Tokyo'; SELECT t%u.dispatch('ship', 'null', '{\"timeout\": "
        "\"10m\", \"backoff\": "
        "\"60,5m,1.5\", \"backoff-strategy\": \"linear\", \"backoff_cap\": \"2h\", "
        "\"backoff_jitter\": 0, \"retry_until\": \"2030-01-01\", \"retry_for\": 0.0004, "
        "\"memory\": 64, \"trace\": \"00-a\", \"priority\": null, \"at\": "
        "\"2030-01-01t05:00:00.25+01:00\", \"id\": \"j\"}')",
        schema_n);
    job = look((struct errand_id){"j"});
    options = job.options;
    assert_int_equal(job.run_at_ms, INT64_C(1893470400250));
    {
        static const char *const parts[] = {
            "\"timeout\": 600",      "\"backoff\": [60, 300, 1.5]",
            "\"backoff_cap\": 7200", "\"backoff_strategy\": \"linear\"",
            "\"backoff_jitter\": 0", "\"retry_until\": 1893456000",
            "\"retry_for\": 0.001",  "\"memory\": 64",
            "\"trace\": \"00-a\""};
        char text[512];
        snprintf(text, sizeof text, "%.*s", (int)options.len, options.ptr);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (!strstr(text, parts[i]))
                fail_msg("'%s' is not in: %s", parts[i], text);
    }
    end();
}

/* Of the limits that a program's own dispatch checks, and in the same words. */
TEST(data_that_are_too_much_are_refused)
{
    static const struct {
        const char *data, *says;
    } much[] = {
        {"to_json(repeat('a', 1048575))", "has 1048577 bytes, more than the 1048576"},
        {"(repeat('[', 65) || repeat(']', 65))::json", "more than 64 levels of nesting"},
        {"(repeat('[{\"a\":', 33) || '1' || repeat('}]', 33))::json", "more than 64"},
        {"(SELECT json_object_agg(i, 1) FROM generate_series(1, 10001) AS i)",
         "more than 10000 keys"},
    };
    static const char *const just[] = {
        "to_json(repeat('a', 1048574))",
        "(repeat('[', 64) || repeat(']', 64))::json",
        "to_json(repeat('[{\"a\": \\', 11000))",
        ("(SELECT json_agg(json_build_array(i, '[', '}]:'))"
         "   FROM generate_series(1, 9000) AS i)"),
        "(SELECT json_object_agg(i, ':') FROM generate_series(1, 10000) AS i)",
    };
    char text[512];

    begin();
    for (size_t i = 0; i < sizeof much / sizeof *much; i++) {
        snprintf(text, sizeof text, "SELECT t%u.dispatch('ship', %s)", schema_n,
                 much[i].data);
        refused(text, much[i].says);
    }
    for (size_t i = 0; i < sizeof just / sizeof *just; i++)
        sql("SELECT t%u.dispatch('ship', %s)", schema_n, just[i]);
    assert_int_equal(count(0), 5);
    end();
}

/* Its owner says less, and that its data are for nobody to read. */
TEST(what_the_owner_of_a_job_published_counts_from_sql_too)
{
    const struct errand_definition definitions[] = {
        {.name = "small",
         .key = "small",
         .spec = errand_text("{\"max_data\":8,"
                             "\"max_depth\":2}")},
        {.name = "sealed", .key = "sealed", .spec = errand_text("{\"encrypted\":true}")},
    };
    char text[128];

    begin();
    assert_ok(er_store_define(store, definitions, 2, 0, &err));
    snprintf(text, sizeof text, "SELECT t%u.dispatch('small', '[[[]]]')", schema_n);
    refused(text, "more than 2 levels");
    snprintf(text, sizeof text, "SELECT t%u.dispatch('small', '\"1234567\"')", schema_n);
    refused(text, "has 9 bytes, more than the 8 allowed");
    snprintf(text, sizeof text, "SELECT t%u.dispatch('sealed', '1')", schema_n);
    refused(text, "the server has no key");
    sql("SELECT t%u.dispatch('small', '[[1]]')", schema_n);
    assert_int_equal(count(0), 1);
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
