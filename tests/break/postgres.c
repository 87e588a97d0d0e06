/* postgres.c: what may happen to a PostgreSQL server and its sessions, and what is in
 * front of it: no job is lost, and work goes on by itself. */
#include "support/postgres.h"

#include "break.h"

static struct pg_server server;

/* --sleep: nobody looks by himself, so that what is picked up was told. */
static const char *const work_args[] = {"queue:work", "--concurrency=4", "--lease=10",
                                        "--grace=5",  "--sleep=60",      NULL};

static void begin(struct world *w, const char *claim, const char *conf)
{
    world_make(w, claim);
    pg_make(&server, conf);
    pg_start(&server);
    snprintf(w->url, sizeof w->url, "postgres://errand@/postgres?host=%s", server.dir);
    er_store_close(world_store(w));
}

static void end(struct world *w)
{
    world_free(w);
    pg_remove(&server);
}

static bool stopped_cleanly(pid_t pid)
{
    kill(pid, SIGTERM);
    return process_wait(pid, PATIENCE_MS) == 0;
}

/* A producer that goes on where another one gave up. */
static void producer_keep(struct world *w, pid_t *pid)
{
    if (*pid && process_wait(*pid, 0) == -1)
        return;
    *pid = world_produce(w, 1000000, 1, "Noop");
}

static void producer_end(pid_t pid)
{
    kill(pid, SIGKILL);
    process_wait(pid, 5000);
}

/* Within so long of a push its job is done, though nobody looks by himself. */
static bool is_told_within(struct world *w, int64_t timeout_ms)
{
    int64_t before = world_count(w, ERRAND_COMPLETED), until = mono_ms() + timeout_ms;

    push_jobs(w, "noop", "null", 1);
    while (world_count(w, ERRAND_COMPLETED) == before && mono_ms() < until)
        sleep_ms(20);
    return world_count(w, ERRAND_COMPLETED) > before;
}

/* It answers again, or does so since it was started. */
static void server_wait(void)
{
    PGconn *pg = pg_plain(&server);

    for (int i = 0; i < 1000 && PQstatus(pg) != CONNECTION_OK; i++) {
        sleep_ms(20);
        PQreset(pg);
    }
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    PQfinish(pg);
}

static void assert_nothing_lost(struct world *w, pid_t worker)
{
    struct verdict v;

    assert_true(world_drained(w, 120000));
    /* Soon all is as it was before. */
    sleep_ms(scaled(0, 5000));
    assert_true(is_told_within(w, 5000));
    assert_true(stopped_cleanly(worker));
    v = world_judge(w);
    assert_true(v.accepted > 0);
}

/* T28. */
TEST(t28_sessions_that_are_ended_again_and_again_lose_nothing)
{
    const long rounds = scaled(16, 120);
    pid_t worker, producer = 0;
    struct world w;
    PGconn *admin;

    begin(&w, "t28-terminate", "");
    admin = pg_plain(&server);
    worker = world_start(&w, work_args);
    for (long i = 0; i < rounds; i++) {
        producer_keep(&w, &producer);
        sleep_ms(500);
        pg_exec(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                       "application_name = 'errand'");
    }
    producer_end(producer);
    PQfinish(admin);
    assert_nothing_lost(&w, worker);
    end(&w);
}

/* As when it crashes: nobody is told, and what was not committed is gone. */
TEST(t28_a_server_that_crashes_loses_nothing_that_was_accepted)
{
    const long rounds = scaled(3, 20);
    pid_t worker, producer = 0;
    struct world w;

    begin(&w, "t28-restart", "");
    worker = world_start(&w, work_args);
    for (long i = 0; i < rounds; i++) {
        producer_keep(&w, &producer);
        sleep_ms(500 + (int64_t)world_random(&w, 1000));
        pg_stop(&server, SIGQUIT);
        pg_start(&server);
    }
    producer_end(producer);
    assert_nothing_lost(&w, worker);
    end(&w);
}

/* The server takes that for a crash of its memory and starts all over. */
TEST(t28_a_server_process_that_is_killed_loses_nothing)
{
    pid_t worker, producer = 0;
    PGconn *admin;
    struct world w;

    begin(&w, "t28-kill", "restart_after_crash = on\n");
    worker = world_start(&w, work_args);
    for (long i = 0; i < scaled(2, 10); i++) {
        long pid = -1;
        producer_keep(&w, &producer);
        sleep_ms(1000);
        admin = pg_plain(&server);
        if (PQstatus(admin) == CONNECTION_OK)
            pid =
                pg_number(admin, "SELECT pid FROM pg_stat_activity WHERE "
                                 "application_name = 'errand' ORDER BY random() LIMIT 1");
        PQfinish(admin);
        if (pid > 0)
            kill((pid_t)pid, SIGKILL);
        sleep_ms(200); /* until the server has noticed */
        server_wait();
    }
    producer_end(producer);
    assert_nothing_lost(&w, worker);
    end(&w);
}

/* ------------------------------------------------------------------ T30 */

/* A stream of 800 jobs a second, for ever; what was sent late is made up for. */
static pid_t feeder_start(const struct world *w)
{
    int64_t began = mono_ms();
    errand *e;
    pid_t pid;

    fflush(NULL);
    if ((pid = fork()) != 0)
        return pid;
    if (!(e = errand_open(w->url, NULL, NULL)))
        _exit(1);
    for (int64_t sent = 0;; sent++) {
        while (sent * 1000 / 800 > mono_ms() - began)
            sleep_ms(2);
        if (errand_dispatch(e, "noop", "null", NULL, NULL, NULL) < 0)
            _exit(1);
    }
}

/* Jobs done a second, while it lasts. */
static double rate(struct world *w, int64_t ms)
{
    int64_t before = world_count(w, ERRAND_COMPLETED), began = mono_ms();

    sleep_ms(ms);
    return (double)(world_count(w, ERRAND_COMPLETED) - before) * 1000.0 /
           (double)(mono_ms() - began);
}

static bool doctor_names(struct world *w, int pid)
{
    static const char *const args[] = {"doctor", NULL};
    char *out = malloc(1 << 20), text[64];
    bool is_named;

    snprintf(text, sizeof text, "session with pid %d ", pid);
    world_run(w, args, out, 1 << 20);
    is_named = strstr(out, text) != NULL;
    free(out);
    return is_named;
}

/* How often the worker has said so. */
static size_t worker_named(const struct world *w, int pid)
{
    char text[64];

    snprintf(text, sizeof text, "session with pid %d ", pid);
    return world_said(w, text);
}

/* T30. Rows that are gone pile up behind an old snapshot and cannot be cleared away: work
 * goes on, and whose snapshot it is stands in the doctor's answer and the worker's log.
 */
TEST(t30_a_snapshot_that_is_held_keeps_nobody_from_working)
{
    const int64_t base_ms = scaled(2000, 30000), held_ms = scaled(6000, 300000);
    double base, held, after;
    pid_t worker, feeder;
    struct world w;
    PGconn *holder;

    begin(&w, "t30", "");
    worker = world_start(&w, work_args);
    feeder = feeder_start(&w);
    sleep_ms(1000);
    base = rate(&w, base_ms);
    holder = pg_plain(&server);
    pg_exec(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    held = rate(&w, held_ms);
    if (is_long()) {
        assert_true(doctor_names(&w, PQbackendPID(holder)));
        assert_int_equal(worker_named(&w, PQbackendPID(holder)), 1);
    }
    pg_exec(holder, "COMMIT");
    PQfinish(holder);
    sleep_ms(scaled(0, 60000));
    after = rate(&w, base_ms);
    printf("  jobs a second: %.0f, with a snapshot held %.0f, afterwards %.0f\n", base,
           held, after);
    /* How fast it is decides only where there is time to measure it. */
    assert_true(!is_long() || (held >= 0.7 * base && after >= 0.9 * base));
    producer_end(feeder);
    assert_true(world_drained(&w, 300000));
    assert_true(stopped_cleanly(worker));
    assert_true(world_judge(&w).completed > 0);
    end(&w);
}

/* A thousand jobs at a time, so that the line never ends. */
static pid_t filler_start(const struct world *w)
{
    struct errand_dispatch_item items[1000];
    errand *e;
    pid_t pid;

    fflush(NULL);
    if ((pid = fork()) != 0)
        return pid;
    for (size_t i = 0; i < 1000; i++)
        items[i] = (struct errand_dispatch_item){"noop", errand_text("null"), NULL};
    if (!(e = errand_open(w->url, NULL, NULL)))
        _exit(1);
    while (errand_dispatch_bulk(e, items, 1000, NULL, NULL) >= 0)
        ;
    _exit(1);
}

/* Jobs done a second: they are done in the order of their keys, and old ones are not
 * kept. */
static double key_rate(PGconn *pg, int64_t ms)
{
    static const char sql[] = "SELECT coalesce(max(key), 0) FROM errand.history";
    int64_t began = mono_ms();
    long before = pg_number(pg, sql);

    sleep_ms(ms);
    return (double)(pg_number(pg, sql) - before) * 1000.0 / (double)(mono_ms() - began);
}

/* T30, at full speed: what a reserve has taken stays in the index as long as the snapshot
 * is held, and a minute later a reserve must not walk over millions of that. */
TEST(t30_behind_a_snapshot_the_rate_of_a_minute_ago_holds)
{
    const int64_t part_ms = scaled(2000, 5000), between_ms = scaled(4000, 50000);
    double first, last;
    pid_t worker, filler;
    struct world w;
    PGconn *holder, *pg;

    begin(&w, "t30-rate", "");
    worker = world_start(&w, work_args);
    pg = pg_plain(&server);
    holder = pg_plain(&server);
    pg_exec(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    filler = filler_start(&w);
    sleep_ms(1000);
    first = key_rate(pg, part_ms);
    sleep_ms(between_ms);
    last = key_rate(pg, part_ms);
    producer_end(filler);
    PQfinish(pg);
    PQfinish(holder);
    printf("  jobs a second: %.0f, and %.0f after %lld s\n", first, last,
           (long long)(part_ms + between_ms) / 1000);
    assert_true(first > 0 && (!is_long() || last >= 0.8 * first));
    assert_true(stopped_cleanly(worker));
    end(&w);
}

/* ------------------------------------------------------------------ T31 */

static pid_t conformance_start(const char *url)
{
    const char *program = getenv("ERRAND_CONFORMANCE");
    pid_t pid;

    assert_non_null(program);
    fflush(NULL);
    if ((pid = fork()) == 0) {
        setenv("ERRAND_TEST_URL", url, 1);
        execl(program, program, (char *)NULL);
        _exit(98);
    }
    return pid;
}

/* T31. Everything a store must do, through a pooler in transaction mode; only listening
 * goes to the server itself. Nothing of ours stays behind in the sessions it lends. */
TEST(t31_behind_a_pooler_everything_is_the_same)
{
    static const char left[] =
        "SELECT (SELECT count(*) FROM pg_prepared_statements) + "
        "(SELECT count(*) FROM pg_listening_channels()) + "
        "(SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN "
        "('application_name', 'client_encoding', 'DateStyle', 'TimeZone', "
        "'standard_conforming_strings')) + "
        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = "
        "pg_backend_pid())";
    char url[300], pool_text[300];
    PGconn *pg = NULL;
    pid_t pool;

    pg_make(&server, "max_connections = 200\n");
    pg_start(&server);
    pool = pg_script(&server, "pool");
    snprintf(pool_text, sizeof pool_text,
             "host=%s/pool port=6432 user=errand dbname=postgres", server.dir);
    for (int i = 0; i < 500; i++) {
        PQfinish(pg);
        pg = PQconnectdb(pool_text);
        if (PQstatus(pg) == CONNECTION_OK)
            break;
        sleep_ms(20);
    }
    snprintf(url, sizeof url,
             "postgres://errand@/postgres?host=%s/pool&port=6432&listen=%s&schema=t%%",
             server.dir, server.dir);
    assert_int_equal(process_wait(conformance_start(url), 1800000), 0);
    assert_int_equal(pg_number(pg, left), 0);
    PQfinish(pg);
    kill(pool, SIGKILL);
    waitpid(pool, NULL, 0);
    pg_remove(&server);
}

TEST_MAIN()
