/* wait.c: listening, what keeps from it, and what it costs others. A change of schedules
 * is what is waited for; time-outs are only how long a broken driver may take to fail. */
#include <poll.h>
#include <pthread.h>

#include "store/postgres/server.h"

static struct er_store *sleeper, *writer;

static void begin(const char *more)
{
    writer = open_ok(url_with(""));
    sleeper = open_ok(url_with(more));
}

static void end(void)
{
    er_store_close(sleeper);
    er_store_close(writer);
}

static bool is_readable(int timeout_ms)
{
    struct pollfd p = {.fd = er_store_wait_fd(sleeper, &err), .events = POLLIN};

    assert_ok(p.fd);
    return poll(&p, 1, timeout_ms) == 1;
}

static void arm(uint32_t wait_for)
{
    assert_ok(er_store_wait_fd(sleeper, &err));
    assert_ok(er_store_wait_arm(sleeper, wait_for, &err));
}

static void write_one(void)
{
    struct errand_schedule s = {.name = "nightly", .spec = errand_text("{}")};

    assert_ok(er_store_schedule_put(writer, &s, &err));
}

/* Sessions that listen to this store. */
static const char listeners[] =
    "SELECT count(*) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE "
    "locktype = 'advisory') AND pid <> pg_backend_pid()";

TEST(who_sleeps_is_woken)
{
    begin("");
    arm(ERRAND_WAIT_SCHEDULES);
    assert_false(is_readable(0));
    write_one();
    assert_true(is_readable(5000));
    arm(ERRAND_WAIT_SCHEDULES);
    assert_false(is_readable(0));
    end();
}

/* Who is not asleep costs writers no NOTIFY. */
TEST(nobody_is_notified_while_nobody_sleeps)
{
    PGconn *ear = pg_plain(&server);
    char sql[128];
    PGnotify *told;
    long ns;

    begin("");
    snprintf(sql, sizeof sql, "SELECT 't%u.root'::regclass::oid::bigint & 2147483647",
             schema_n);
    ns = pg_number(ear, sql);
    snprintf(sql, sizeof sql, "LISTEN \"errand:%ld:4\"", ns);
    pg_exec(ear, sql);
    write_one();
    pg_exec(ear, "SELECT 1");
    assert_null(PQnotifies(ear));
    arm(ERRAND_WAIT_SCHEDULES);
    write_one();
    pg_exec(ear, "SELECT 1");
    assert_non_null(told = PQnotifies(ear));
    PQfreemem(told);
    arm(0);
    write_one();
    pg_exec(ear, "SELECT 1");
    assert_null(PQnotifies(ear));
    PQfinish(ear);
    end();
}

static void *commit_soon(void *pg)
{
    pg_pause(200);
    PQclear(PQexec(pg, "COMMIT"));
    return NULL;
}

/* A writer that has not committed when somebody arms: the arming waits for it, and the
 * look that follows finds what it wrote, or a wake-up comes. */
TEST(what_is_not_committed_when_somebody_arms_is_not_missed)
{
    struct errand_schedules_result ret = {0};
    PGconn *other = pg_plain(&server);
    pthread_t thread;
    char sql[200];

    begin("");
    assert_ok(er_store_wait_fd(sleeper, &err));
    pg_exec(other, "BEGIN");
    snprintf(sql, sizeof sql, "SELECT t%u.schedule_put('x', '', false, 0)", schema_n);
    pg_exec(other, sql);
    assert_int_equal(pthread_create(&thread, NULL, commit_soon, other), 0);
    arm(ERRAND_WAIT_SCHEDULES);
    assert_ok(er_store_schedules(sleeper, arena, &ret, &err));
    assert_true(ret.schedules_n == 1 || is_readable(5000));
    pthread_join(thread, NULL);
    PQfinish(other);
    end();
}

TEST(a_connection_that_was_killed_wakes_its_sleeper_and_is_made_again)
{
    PGconn *admin = pg_plain(&server);

    begin("");
    arm(ERRAND_WAIT_SCHEDULES);
    assert_int_equal(pg_number(admin, listeners), 1);
    pg_exec(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                   "pg_backend_pid() AND backend_type = 'client backend'");
    assert_true(is_readable(5000));
    /* The word that it ends may come before its end: then that wakes once more. */
    do
        arm(ERRAND_WAIT_SCHEDULES);
    while (pg_number(admin, listeners) != 1 && is_readable(5000));
    assert_int_equal(pg_number(admin, listeners), 1);
    write_one();
    assert_true(is_readable(5000));
    PQfinish(admin);
    end();
}

TEST(it_listens_again_after_the_server_has_crashed)
{
    begin("");
    arm(ERRAND_WAIT_SCHEDULES);
    pg_stop(&server, SIGQUIT);
    assert_true(is_readable(5000));
    pg_start(&server);
    arm(ERRAND_WAIT_SCHEDULES);
    write_one();
    assert_true(is_readable(5000));
    end();
}

TEST(a_server_that_is_gone_is_an_error_to_try_again)
{
    begin("");
    arm(ERRAND_WAIT_SCHEDULES);
    pg_stop(&server, SIGQUIT);
    assert_int_equal(er_store_wait_arm(sleeper, ERRAND_WAIT_SCHEDULES, &err),
                     ERRAND_EUNAVAILABLE);
    assert_true(err.retryable);
    pg_start(&server);
    end();
}

/* Without a word it cannot be told apart from a server that never notifies. */
TEST(behind_a_pooler_listening_is_refused_and_looking_is_not)
{
    pid_t pool = pg_script(&server, "pool");
    char url[400];

    writer = open_ok(url_with(""));
    snprintf(url, sizeof url,
             "postgres://errand@/postgres?host=%s/pool&port=6432&"
             "schema=t%u",
             server.dir, schema_n);
    for (int i = 0; i < 500; i++) {
        sleeper = NULL;
        if (open_at(url, (struct errand_open_params){0}, &sleeper) == 0)
            break;
        pg_pause(20);
    }
    assert_non_null(sleeper);
    assert_refused(er_store_wait_fd(sleeper, &err), ERRAND_EINVAL, "?listen=");
    er_store_close(sleeper);

    snprintf(url + strlen(url), 64, "&listen=poll");
    sleeper = open_ok(url);
    arm(ERRAND_WAIT_SCHEDULES);
    assert_true(is_readable(5000));
    arm(0);
    assert_false(is_readable(0));
    er_store_close(sleeper);

    *strrchr(url, '&') = '\0';
    snprintf(url + strlen(url), 128, "&listen=%s", server.dir);
    sleeper = open_ok(url);
    arm(ERRAND_WAIT_SCHEDULES);
    assert_false(is_readable(0));
    write_one();
    assert_true(is_readable(5000));
    kill(pool, SIGKILL);
    waitpid(pool, NULL, 0);
    end();
}

SERVER_MAIN("")
