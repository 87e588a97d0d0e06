/* redis.c: what a server that is restarted, paused, cut off, made a replica or moved may
 * do: never lose what it had promised, never need a restart of ours. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "break.h"
#include "support/redis_server.h"

static const char *const work_args[] = {"queue:work", "--concurrency=4", "--lease=10",
                                        "--grace=5", NULL};

static bool stopped_cleanly(pid_t pid)
{
    sleep_ms(300); /* until it hears signals: it may have been started a moment ago */
    kill(pid, SIGTERM);
    return process_wait(pid, PATIENCE_MS) == 0;
}

static void world_on(struct world *w, const struct redis_server *s, const char *claim)
{
    world_make(w, claim);
    snprintf(w->url, sizeof w->url, "redis+unix:%s?prefix=t", s->socket);
    er_store_close(world_store(w));
}

/* Its server ends with it, and nothing has to be taken off it. */
static void world_leave(struct world *w)
{
    w->url[0] = '\0';
    world_free(w);
}

/* From now on one job goes through within that time. */
static bool goes_through(const struct world *w, int64_t timeout_ms)
{
    int64_t before = world_count(w, ERRAND_COMPLETED), until = mono_ms() + timeout_ms;

    push_jobs(w, "noop", "null", 1);
    while (mono_ms() < until) {
        if (world_count(w, ERRAND_COMPLETED) > before)
            return true;
        sleep_ms(20);
    }
    return false;
}

static size_t lines_n(const char *path)
{
    char *text;
    size_t n = 0;

    file_read(path, &text);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        n++;
    free(text);
    return n;
}

static pid_t produce(struct world *w, long count)
{
    pid_t producer = world_produce(w, count, 5, "Noop");

    while (lines_n(w->accepted) == 0)
        sleep_ms(10);
    return producer;
}

/* The producer has enough to do until then; what it was answered last counts. */
static void producer_end(pid_t producer)
{
    kill(producer, SIGKILL);
    process_wait(producer, 5000);
}

/* ------------------------------------------------------------------ T24 */

enum { READY_MS = 20000, CONSUMING_MS = 5000 };

static void restart(struct redis_server *s, long round)
{
    redisContext *link = round % 2 ? NULL : redis_server_link(s);

    if (link) {
        freeReplyObject(redisCommand(link, "SHUTDOWN NOSAVE"));
        redisFree(link);
        redis_server_stop(s, SIGCONT); /* it ends by itself */
    } else {
        redis_server_stop(s, SIGKILL);
    }
    redis_server_start(s);
    assert_true(redis_server_becomes(s, "loading", "0", READY_MS));
}

TEST(t24_a_restart_loses_nothing_when_the_log_is_synced_always)
{
    static const char *const args[] = {"--appendonly", "yes", "--appendfsync", "always",
                                       NULL};
    const long restarts = scaled(4, 20);
    struct redis_server server;
    struct verdict v;
    struct world w;
    pid_t worker, producer;

    redis_server_init(&server, false, args);
    redis_server_start(&server);
    world_on(&w, &server, "t24 always");
    worker = world_start(&w, work_args);
    producer = produce(&w, 10000000);
    for (long i = 0; i < restarts; i++) {
        sleep_ms(500 + (int64_t)world_random(&w, 500));
        restart(&server, i);
        assert_true(goes_through(&w, CONSUMING_MS));
    }
    producer_end(producer);
    assert_true(world_drained(&w, 120000));
    assert_true(stopped_cleanly(worker)); /* it is still the first one */
    v = world_judge(&w);
    assert_true(v.accepted > 0);
    world_leave(&w);
    redis_server_free(&server);
}

/* Which of the lines of a file are ids of jobs that are not there. */
static size_t *missing_find(const struct world *w, size_t *ret_n)
{
    struct er_store *store = world_store(w);
    struct errand_arena *arena = er_arena_new();
    size_t *missing = calloc(WORLD_IDS_MAX, sizeof *missing), line = 0;
    struct errand_error err = {0};
    char *text, *save = NULL;

    *ret_n = 0;
    file_read(w->accepted, &text);
    for (char *id = strtok_r(text, "\n", &save); id; id = strtok_r(NULL, "\n", &save)) {
        struct errand_job_detail detail;
        struct errand_id wanted = {{0}};
        snprintf(wanted.text, sizeof wanted.text, "%s", id);
        er_arena_reset(arena);
        if (er_store_get(store, &wanted, 0, arena, &detail, &err) == ERRAND_ENOTFOUND &&
            *ret_n < WORLD_IDS_MAX)
            missing[(*ret_n)++] = line;
        line++;
    }
    free(text);
    er_arena_free(arena);
    er_store_close(store);
    return missing;
}

/* With everysec: what was accepted in the two seconds before it died. */
TEST(t24_a_kill_loses_two_seconds_at_most_when_the_log_is_synced_every_second)
{
    static const char *const args[] = {"--appendonly", "yes", "--appendfsync", "everysec",
                                       NULL};
    enum { ROUNDS_MAX = 20, LOST_MS = 2000 };
    const long restarts = scaled(2, ROUNDS_MAX);
    size_t from[ROUNDS_MAX], to[ROUNDS_MAX], missing_n, *missing;
    struct redis_server server;
    struct world w;
    pid_t worker, producer;

    redis_server_init(&server, false, args);
    redis_server_start(&server);
    world_on(&w, &server, "t24 everysec");
    worker = world_start(&w, work_args);
    producer = produce(&w, 10000000);
    for (long i = 0; i < restarts; i++) {
        sleep_ms(300 + (int64_t)world_random(&w, 500));
        from[i] = lines_n(w.accepted);
        sleep_ms(LOST_MS);
        redis_server_stop(&server, SIGKILL);
        to[i] = lines_n(w.accepted) + 5; /* answered, and not written down yet */
        redis_server_start(&server);
        assert_true(redis_server_becomes(&server, "loading", "0", READY_MS));
        assert_true(goes_through(&w, CONSUMING_MS));
    }
    producer_end(producer);
    assert_true(world_drained(&w, 120000));
    assert_true(stopped_cleanly(worker));
    missing = missing_find(&w, &missing_n);
    printf("  accepted %zu, lost %zu\n", lines_n(w.accepted), missing_n);
    for (size_t i = 0; i < missing_n; i++) {
        bool is_late = false;
        for (long r = 0; r < restarts; r++)
            is_late |= missing[i] >= from[r] && missing[i] < to[r];
        assert_true(is_late);
    }
    free(missing);
    world_leave(&w);
    redis_server_free(&server);
}

/* A server that takes its time to load what others keep on it. */
TEST(t24_a_slow_loading_server_is_waited_for)
{
    static const char *const args[] = {"--appendonly", "yes", "--appendfsync", "always",
                                       NULL};
    const long keys = scaled(20000, 200000); /* of a kilobyte */
    struct redis_server server;
    struct world w;
    pid_t worker, producer;

    redis_server_init(&server, false, args);
    redis_server_start(&server);
    world_on(&w, &server, "t24 loading");
    redis_server_do(&server, "EVAL %s 0 %d",
                    "for i = 1, tonumber(ARGV[1]) do "
                    "redis.call('SET', 'filler' .. i, string.rep('x', 1000)) end",
                    (int)keys);
    worker = world_start(&w, work_args);
    producer = produce(&w, 10000000);
    for (long i = 0; i < scaled(2, 5); i++) {
        sleep_ms(500);
        restart(&server, i);
        assert_true(goes_through(&w, CONSUMING_MS));
    }
    producer_end(producer);
    assert_true(world_drained(&w, 120000));
    assert_true(stopped_cleanly(worker));
    world_judge(&w);
    world_leave(&w);
    redis_server_free(&server);
}

/* ------------------------------------------------------------------ T25 */

TEST(t25_killed_connections_are_made_anew)
{
    const long kills = scaled(30, 300);
    struct redis_server server;
    struct verdict v;
    struct world w;
    pid_t worker, producer;

    redis_server_init(&server, false, NULL);
    redis_server_start(&server);
    world_on(&w, &server, "t25 kill");
    worker = world_start(&w, work_args);
    producer = world_produce(&w, scaled(2000, 20000), 5, "Work");
    for (long i = 0; i < kills; i++) {
        sleep_ms(200);
        redis_server_do(&server, "CLIENT KILL TYPE normal");
        if (i % 5 == 0)
            redis_server_do(&server, "CLIENT KILL TYPE pubsub");
    }
    assert_int_equal(process_wait(producer, 120000), 0);
    assert_true(world_drained(&w, 120000));
    assert_true(goes_through(&w, CONSUMING_MS));
    assert_true(stopped_cleanly(worker));
    v = world_judge(&w);
    assert_int_equal(v.twice, 0); /* no handler was killed: nothing runs again */
    world_leave(&w);
    redis_server_free(&server);
}

/* The server stands still for longer than a lease: who comes first afterwards must not
 * take the jobs of those who were only kept from saying that they live. */
static void stands_still(const char *claim, void (*stop)(struct redis_server *))
{
    static const char *const args[] = {"--enable-debug-command", "local", NULL};
    struct redis_server server;
    struct verdict v;
    struct world w;
    pid_t workers[2];

    redis_server_init(&server, false, args);
    redis_server_start(&server);
    world_on(&w, &server, claim);
    push_jobs(&w, "work", "null", scaled(400, 4000));
    for (int i = 0; i < 2; i++)
        workers[i] = world_start(&w, work_args);
    sleep_ms(300);
    stop(&server);
    assert_true(goes_through(&w, 60000));
    assert_true(world_drained(&w, 120000));
    for (int i = 0; i < 2; i++)
        assert_true(stopped_cleanly(workers[i]));
    v = world_judge(&w);
    assert_int_equal(v.twice, 0);
    world_leave(&w);
    redis_server_free(&server);
}

static void pause_writes(struct redis_server *s)
{
    redis_server_do(s, "CLIENT PAUSE 5000 WRITE");
}

static void sleep_long(struct redis_server *s)
{
    redis_server_do(s, "DEBUG SLEEP 12");
}

TEST(t25_a_server_that_takes_no_writes_for_a_while_is_waited_for)
{
    stands_still("t25 pause", pause_writes);
}

TEST(t25_a_server_that_sleeps_longer_than_a_lease_rescues_nobody_alive)
{
    stands_still("t25 sleep", sleep_long);
}

/* ------------------------------------------------------------------ T27 */

TEST(t27_a_master_that_was_a_replica_for_a_while_is_worked_on_again)
{
    struct redis_server a, b;
    struct verdict v;
    struct world w;
    pid_t worker, producer;

    redis_server_init(&a, true, NULL);
    redis_server_init(&b, true, NULL);
    redis_server_start(&a);
    redis_server_start(&b);
    redis_server_do(&b, "REPLICAOF 127.0.0.1 %d", a.port);
    assert_true(redis_server_becomes(&b, "master_link_status", "up", READY_MS));
    world_on(&w, &a, "t27 flip");
    worker = world_start(&w, work_args);
    producer = produce(&w, scaled(1000, 10000));
    for (long i = 0; i < scaled(2, 10); i++) {
        sleep_ms(500);
        /* Nothing is written meanwhile, so the two are the same when they change back. */
        redis_server_do(&a, "CLIENT PAUSE 10000 WRITE");
        assert_true(redis_server_becomes(&b, "slave_read_only", "1", READY_MS));
        sleep_ms(300);
        redis_server_do(&b, "REPLICAOF NO ONE");
        redis_server_do(&a, "REPLICAOF 127.0.0.1 %d", b.port);
        redis_server_do(&a, "CLIENT UNPAUSE");
        assert_true(redis_server_becomes(&a, "master_link_status", "up", READY_MS));
        sleep_ms(1000); /* READONLY */
        redis_server_do(&a, "REPLICAOF NO ONE");
        redis_server_do(&b, "REPLICAOF 127.0.0.1 %d", a.port);
        assert_true(goes_through(&w, CONSUMING_MS));
        assert_true(redis_server_becomes(&b, "master_link_status", "up", READY_MS));
    }
    assert_int_equal(process_wait(producer, 120000), 0);
    assert_true(world_drained(&w, 120000));
    assert_true(stopped_cleanly(worker));
    v = world_judge(&w);
    assert_int_equal(v.twice, 0);
    world_leave(&w);
    redis_server_free(&b);
    redis_server_free(&a);
}

TEST(t27_a_refused_write_is_told_and_not_lost)
{
    struct errand_options options = {.queue = "q"};
    struct errand_config config = {.busy_ms = 500};
    struct errand_error err = {0};
    struct redis_server server;
    struct errand_id id;
    struct world w;
    errand *e;

    redis_server_init(&server, false, NULL);
    redis_server_start(&server);
    world_on(&w, &server, "t27 min-replicas");
    assert_non_null(e = errand_open(w.url, &config, &err));
    redis_server_do(&server, "CONFIG SET min-replicas-to-write 1");
    assert_int_equal(errand_dispatch(e, "noop", "null", &options, &id, &err),
                     ERRAND_EUNAVAILABLE);
    assert_true(err.retryable);
    assert_non_null(strstr(err.message, "min-replicas-to-write"));
    redis_server_do(&server, "CONFIG SET min-replicas-to-write 0");
    assert_int_equal(errand_dispatch(e, "noop", "null", &options, &id, &err), 0);
    errand_close(e);
    assert_int_equal(world_count(&w, ERRAND_READY), 1);
    world_leave(&w);
    redis_server_free(&server);
}

/* Chains whose links are on two queues, while the store moves from node to node. */
TEST(t27_chains_across_queues_go_on_while_a_cluster_moves_them)
{
    static const char *const queues_args[] = {"queue:work",      "--concurrency=4",
                                              "--lease=10",      "--grace=5",
                                              "--queue=one,two", NULL};
    const long chains = scaled(100, 2000);
    struct redis_cluster cluster;
    struct errand_error err = {0};
    struct verdict v;
    struct world w;
    int slot, at;
    pid_t worker;
    errand *e;

    redis_cluster_start(&cluster);
    world_make(&w, "t27 cluster");
    redis_cluster_url(&cluster, "t", w.url, sizeof w.url);
    er_store_close(world_store(&w));
    slot = redis_cluster_slot(&cluster, "{t}:meta");
    at = redis_cluster_owner(slot);
    assert_non_null(e = errand_open(w.url, NULL, &err));
    worker = world_start(&w, queues_args);
    for (long i = 0; i < chains; i++) {
        static const struct errand_options one = {.queue = "one"}, two = {.queue = "two"};
        const struct errand_dispatch_item links[] = {{.name = "noop", .options = &one},
                                                     {.name = "noop", .options = &two},
                                                     {.name = "noop", .options = &one}};
        if (errand_chain(e, links, 3, NULL, NULL, &err) < 0)
            fail_msg("%s", err.message);
        if (i % (chains / 4) == chains / 8) {
            redis_cluster_move(&cluster, slot, at, (at + 1) % REDIS_NODES_N);
            at = (at + 1) % REDIS_NODES_N;
        }
    }
    errand_close(e);
    assert_true(world_drained(&w, 120000));
    assert_true(stopped_cleanly(worker));
    v = world_judge(&w);
    assert_int_equal(v.completed, (size_t)chains * 3);
    world_leave(&w);
    redis_cluster_free(&cluster);
}

TEST_MAIN()
