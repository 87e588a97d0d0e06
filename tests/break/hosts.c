/* hosts.c: several hosts on one server, each a network namespace with a clock of its own:
 * a job runs once, a slot fires once, no host's clock decides when, and what a host held
 * that nobody reaches any more is done by the others.
 *
 * The server is in a namespace too, and has a link to each host; the test itself talks to
 * it by its unix socket. */
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "break.h"
#include "core/clock.h"
#include "support/postgres.h"
#include "support/redis_server.h"

enum { HOSTS = 3, HOUR_S = 3600, MINUTE_MS = 60000 };

static bool is_postgres;
static struct pg_server pg;
static struct redis_server redis;
static int home, server_ns, host_ns[HOSTS]; /* descriptors of namespaces */
static const char *const clocks[HOSTS] = {"-3600", "0", "3600"};

/* ---- the network */

static void enter(int ns)
{
    assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static int namespace_new(void)
{
    int fd;

    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char line[512];
    int status;
    va_list ap;
    pid_t pid;

    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if ((pid = fork()) == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    if (status)
        fail_msg("%s", line);
}

static void link_make(int host)
{
    enter(server_ns);
    run("ip link add name h%d type veth peer name eth0 netns /proc/%d/fd/%d && "
        "ip addr add 10.77.%d.1/24 dev h%d && ip link set h%d up",
        host, (int)getpid(), host_ns[host], host, host, host);
    enter(host_ns[host]);
    run("ip link set lo up && ip addr add 10.77.%d.2/24 dev eth0 && ip link set eth0 up",
        host);
}

static void link_set(int host, const char *state)
{
    enter(server_ns);
    run("ip link set h%d %s", host, state);
    enter(home);
}

/* ---- the server */

static void server_start(void)
{
    static const char *const args[] = {"--port", "6379", "--bind", "0.0.0.0", NULL};
    char url[256];

    enter(server_ns);
    if (is_postgres) {
        pg_make(&pg, "listen_addresses = '*'\n");
        run("echo 'host all all 10.77.0.0/16 trust' >>%s/data/pg_hba.conf", pg.dir);
        pg_start(&pg);
        snprintf(url, sizeof url, "postgres://errand@/postgres?host=%s&schema=t%%",
                 pg.dir);
    } else {
        redis_server_init(&redis, false, args);
        redis_server_start(&redis);
        snprintf(url, sizeof url, "redis+unix:%s?prefix=t%%", redis.socket);
    }
    setenv("ERRAND_TEST_URL", url, 1);
    enter(home);
}

static void server_stop(void)
{
    if (is_postgres)
        pg_remove(&pg);
    else
        redis_server_free(&redis);
}

/* The world as the host sees it: the same store under the server's address there. */
static struct world seen_by(const struct world *w, int host)
{
    struct world there = *w;
    const char *name = strrchr(w->url, '=') + 1;

    if (is_postgres)
        snprintf(there.url, sizeof there.url,
                 "postgres://errand@10.77.%d.1/postgres?sslmode=disable&schema=%s", host,
                 name);
    else
        snprintf(there.url, sizeof there.url, "redis://10.77.%d.1:6379/0?prefix=%s", host,
                 name);
    return there;
}

static void host_enter(int host)
{
    const char *shim = getenv("ERRAND_BREAK_SHIM");

    enter(host_ns[host]);
    if (shim) {
        setenv("LD_PRELOAD", shim, 1);
        setenv("ERRAND_SHIM_CLOCK", clocks[host], 1);
    }
}

static void host_leave(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("ERRAND_SHIM_CLOCK");
    enter(home);
}

static pid_t host_start(const struct world *w, int host, const char *const *args)
{
    struct world there = seen_by(w, host);
    pid_t pid;

    host_enter(host);
    pid = world_start(&there, args);
    host_leave();
    return pid;
}

static void host_run(const struct world *w, int host, const char *const *args)
{
    struct world there = seen_by(w, host);
    char out[4096];
    int code;

    host_enter(host);
    code = world_run(&there, args, out, sizeof out);
    host_leave();
    if (code != 0)
        fail_msg("%s: %s", args[0], out);
}

static pid_t host_produce(const struct world *w, int host, long count)
{
    struct world there = seen_by(w, host);
    pid_t pid;

    host_enter(host);
    pid = world_produce(&there, count, 50, "Work");
    host_leave();
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGTERM);
    assert_int_equal(process_wait(pid, 20000), 0);
}

#define UNTIL(condition)                                                     \
    for (int64_t until_ = mono_ms() + MINUTE_MS; !(condition); sleep_ms(50)) \
        if (mono_ms() > until_)                                              \
    fail_msg("never came true: %s", #condition)

/* ---- the claims */

static const char *const work_args[] = {"queue:work", "--concurrency=4", "--lease=3",
                                        "--grace=5", NULL};

TEST(hosts_two_hours_apart_run_each_job_once)
{
    const long jobs = scaled(600, 6000);
    pid_t workers[HOSTS], producers[HOSTS];
    struct verdict v;
    struct world w;

    world_make(&w, "hosts");
    er_store_close(world_store(&w));
    for (int i = 0; i < HOSTS; i++)
        workers[i] = host_start(&w, i, work_args);
    for (int i = 0; i < HOSTS; i++)
        producers[i] = host_produce(&w, i, jobs / HOSTS);
    for (int i = 0; i < HOSTS; i++)
        assert_int_equal(process_wait(producers[i], 2 * MINUTE_MS), 0);
    assert_true(world_drained(&w, 2 * MINUTE_MS));
    for (int i = 0; i < HOSTS; i++)
        stop(workers[i]);
    v = world_judge(&w);
    assert_int_equal(v.accepted, jobs);
    assert_int_equal(v.completed, jobs);
    assert_int_equal(v.started, jobs);
    world_free(&w);
}

/* When the one job of this name is due, from now, by the clock of this test, which is the
 * server's. */
static int64_t due_in_ms(const struct world *w, const char *name)
{
    const struct errand_list_params p = {.filter.name = name, .max = 2};
    struct errand_arena *arena = er_arena_new();
    struct er_store *store = world_store(w);
    struct errand_list_result jobs;
    struct errand_error err = {0};
    int64_t in_ms;

    if (er_store_list(store, &p, arena, &jobs, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(jobs.jobs_n, 1);
    in_ms = jobs.jobs[0].run_at_ms - er_clock_wall_ms(NULL);
    er_store_close(store);
    er_arena_free(arena);
    return in_ms;
}

TEST(no_host_s_clock_decides_when_a_job_is_due)
{
    static const char *const names[HOSTS] = {"late", "right", "early"};
    const char *const quick[] = {"queue:dispatch", "noop", "--delay=1s", NULL};
    pid_t worker;
    struct world w;

    world_make(&w, "due");
    er_store_close(world_store(&w));
    for (int i = 0; i < HOSTS; i++) {
        const char *const args[] = {"queue:dispatch", names[i], "--delay=10m", NULL};
        host_run(&w, i, args);
        assert_in_range(due_in_ms(&w, names[i]), 1, 10 * MINUTE_MS);
        host_run(&w, i, quick);
    }
    /* The slowest clock sleeps until what is due next, no hour longer; of the fastest one
     * no job is early. */
    worker = host_start(&w, 0, work_args);
    UNTIL(world_count(&w, ERRAND_COMPLETED) == HOSTS);
    stop(worker);
    worker = host_start(&w, 2, work_args);
    push_jobs(&w, "refuse", "null", 1);
    UNTIL(world_count(&w, ERRAND_SCHEDULED) == HOSTS + 1);
    assert_in_range(due_in_ms(&w, "refuse"), 1, 72000);
    stop(worker);
    world_free(&w);
}

static struct errand_schedule tick_read(const struct world *w)
{
    struct errand_schedules_result all = {0};
    struct errand_arena *arena = er_arena_new();
    struct er_store *store = world_store(w);
    struct errand_schedule tick;
    struct errand_error err = {0};

    if (er_store_schedules(store, arena, &all, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(all.schedules_n, 1);
    tick = all.schedules[0];
    er_store_close(store);
    er_arena_free(arena);
    return tick;
}

TEST(schedulers_two_hours_apart_fire_each_slot_once_and_when_it_comes)
{
    const struct errand_schedule_spec spec = {.cron = "* * * * * *",
                                              .overlap = ERRAND_OVERLAP_ALLOW,
                                              .missed = ERRAND_MISSED_ALL};
    const char *const args[] = {"queue:schedule", "--quiet", NULL};
    struct errand_error err = {0};
    pid_t schedulers[HOSTS];
    int64_t first_ms = 0, last_ms;
    struct world w;
    errand *e;

    world_make(&w, "slots");
    er_store_close(world_store(&w));
    assert_non_null(e = errand_open(w.url, NULL, &err));
    assert_int_equal(errand_schedule_put(e, "tick", &spec, &err), 0);
    errand_close(e);
    for (int i = 0; i < HOSTS; i++)
        schedulers[i] = host_start(&w, i, args);
    UNTIL((first_ms = tick_read(&w).last_slot_ms) > 0);
    UNTIL(tick_read(&w).last_slot_ms >= first_ms + 5000);
    for (int i = 0; i < HOSTS; i++)
        stop(schedulers[i]);
    last_ms = tick_read(&w).last_slot_ms;
    assert_int_equal(tick_read(&w).missed_n, 0);
    /* None of the hour to come, all up to now, and each one once. */
    assert_in_range(er_clock_wall_ms(NULL) - last_ms, 0, MINUTE_MS);
    {
        const struct errand_list_params p = {.filter.name = "tick", .max = 1000};
        struct errand_arena *arena = er_arena_new();
        struct er_store *store = world_store(&w);
        struct errand_list_result jobs;

        /* One a slot: a job made twice would be one too many for the seconds between the
         * first one, made within its own, and the last slot. */
        assert_int_equal(er_store_list(store, &p, arena, &jobs, &err), 0);
        first_ms = jobs.jobs[0].created_ms / 1000 * 1000;
        assert_int_equal(jobs.jobs_n, (last_ms - first_ms) / 1000 + 1);
        er_store_close(store);
        er_arena_free(arena);
    }
    world_free(&w);
}

/* Cut off, the host goes on and cannot say so; what it says later changes nothing. */
TEST(what_a_host_held_that_is_cut_off_is_done_by_the_others)
{
    pid_t lost, other;
    struct world w;

    world_make(&w, "cut");
    push_jobs(&w, "work", "{\"ms\":2000}", 4);
    lost = host_start(&w, 0, work_args);
    UNTIL(world_count(&w, ERRAND_RUNNING) == 4);
    link_set(0, "down");
    other = host_start(&w, 1, work_args);
    assert_true(world_drained(&w, MINUTE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 4);
    stop(other);
    link_set(0, "up");
    push_jobs(&w, "work", "null", 1);
    assert_true(world_drained(&w, MINUTE_MS)); /* it found back by itself */
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 5);
    stop(lost);
    world_judge(&w);
    world_free(&w);
}

int main(int argc, char **argv)
{
    const char *kind = getenv("ERRAND_TEST_URL");
    int failed;

    is_postgres = kind && strcmp(kind, "postgres") == 0;
    home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if ((server_ns = namespace_new()) < 0) {
        puts("skipped: making network namespaces takes root (CAP_SYS_ADMIN)");
        return 77;
    }
    for (int i = 0; i < HOSTS; i++)
        assert_true((host_ns[i] = namespace_new()) >= 0);
    for (int i = 0; i < HOSTS; i++)
        link_make(i);
    enter(home);
    server_start();
    failed = er_test_main(argc, argv);
    server_stop();
    return failed;
}
