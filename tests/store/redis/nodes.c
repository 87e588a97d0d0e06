/* nodes.c: a store that changes its place: a failover that a real Sentinel makes, and a
 * real Cluster of three nodes. */
#include "store/redis/world.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int setup(void **state)
{
    (void)state;
    now = 0; /* the servers' own time */
    arena = er_arena_new();
    assert_non_null(arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_store_close(store);
    store = NULL;
    er_arena_free(arena);
    arena = NULL;
    return 0;
}

TEST_FIXTURE(setup, teardown)

static void open_store(const char *url)
{
    struct er_store_options options = {.open = {.create = true,
                                                .busy_ms = 30000,
                                                .keep_completed_ms = -1,
                                                .keep_completed_n = -1}};

    ok(er_store_open(url, &options, &store, &err));
}

/* ------------------------------------------------------------------ Sentinel */

enum { FAILOVER_MS = 30000 };

static void sentinel_start(struct redis_server *sentinel,
                           const struct redis_server *master)
{
    char path[128];
    FILE *file;

    redis_server_init(sentinel, true, NULL);
    snprintf(path, sizeof path, "%s/sentinel.conf", sentinel->dir);
    assert_non_null(file = fopen(path, "we"));
    fprintf(file,
            "port %d\ndir %s\nsentinel monitor jobs 127.0.0.1 %d 1\n"
            "sentinel down-after-milliseconds jobs 500\n"
            "sentinel failover-timeout jobs 5000\n",
            sentinel->port, sentinel->dir, master->port);
    fclose(file);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
    }
    sentinel->program = "redis-sentinel";
    sentinel->args[0] = "sentinel.conf";
    sentinel->args[1] = NULL;
    redis_server_start(sentinel);
}

/* Sentinel knows the replica, without which it does not fail over. */
static void sentinel_knows(const struct redis_server *sentinel)
{
    for (int i = 0; i < 1500; i++) {
        redisReply *reply = redis_server_ask(sentinel, "SENTINEL REPLICAS jobs");
        size_t n = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
        freeReplyObject(reply);
        if (n)
            return;
        poll(NULL, 0, 20);
    }
    fail_msg("Sentinel finds no replica");
}

TEST(a_failover_is_followed_by_calls_and_by_sleepers)
{
    struct redis_server master, replica, sentinel;
    struct er_store *sleeper = NULL;
    char port[16], url[160];
    struct pollfd p = {.events = POLLIN};

    redis_server_init(&master, true, NULL);
    redis_server_init(&replica, true, NULL);
    redis_server_start(&master);
    redis_server_start(&replica);
    snprintf(port, sizeof port, "%d", master.port);
    redis_server_do(&replica, "REPLICAOF 127.0.0.1 %s", port);
    assert_true(redis_server_becomes(&replica, "master_link_status", "up", 20000));
    sentinel_start(&sentinel, &master);
    sentinel_knows(&sentinel);

    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d/jobs?prefix=t",
             sentinel.port);
    open_store(url);
    push("before");
    ok(er_store_again(store, &sleeper, &err));
    assert_true((p.fd = er_store_wait_fd(sleeper, &err)) >= 0);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    redis_server_do(&master, "WAIT 1 5000");

    redis_server_stop(&master, SIGKILL);
    assert_int_equal(poll(&p, 1, FAILOVER_MS), 1);
    push("after"); /* waits until there is a master again */
    assert_int_equal(redis_server_becomes(&replica, "role", "master", 0), true);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    push("again");
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(reserve(10).jobs_n, 3);
    assert_sound();

    er_store_close(sleeper);
    redis_server_free(&sentinel);
    redis_server_free(&replica);
    redis_server_free(&master);
}

/* ------------------------------------------------------------------ Cluster */

static struct redis_cluster cluster;

/* Stores on each of the nodes, reached from any; what crosses queues is whole. */
TEST(a_store_lives_whole_on_one_node_of_a_cluster)
{
    bool was_on[REDIS_NODES_N] = {false};

    redis_cluster_start(&cluster);
    for (int i = 0; i < 12; i++) {
        char prefix[16], key[24], url[160];
        struct errand_id parent;
        snprintf(prefix, sizeof prefix, "p%d", i);
        snprintf(key, sizeof key, "{%s}:meta", prefix);
        was_on[redis_cluster_owner(redis_cluster_slot(&cluster, key))] = true;
        redis_cluster_url(&cluster, prefix, url, sizeof url);
        open_store(url);
        parent = push_on("one", "a");
        push_after("b", parent, ERRAND_ON_SUCCESS);
        done(reserve_one());
        done(reserve_one());
        assert_sound();
        er_store_close(store);
        store = NULL;
    }
    for (int i = 0; i < REDIS_NODES_N; i++)
        assert_true(was_on[i]);
    redis_cluster_free(&cluster);
}

TEST(a_store_whose_slot_moves_is_followed_by_calls_and_by_sleepers)
{
    struct er_store *sleeper = NULL;
    struct pollfd p = {.events = POLLIN};
    char url[160];
    int slot, from, to;

    redis_cluster_start(&cluster);
    redis_cluster_url(&cluster, "jobs", url, sizeof url);
    open_store(url);
    slot = redis_cluster_slot(&cluster, "{jobs}:meta");
    from = redis_cluster_owner(slot);
    to = (from + 1) % REDIS_NODES_N;
    push("before");
    ok(er_store_again(store, &sleeper, &err));
    assert_true((p.fd = er_store_wait_fd(sleeper, &err)) >= 0);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    redis_cluster_move(&cluster, slot, from, to);
    assert_int_equal(poll(&p, 1, 10000), 1);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    push("after");
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(reserve(10).jobs_n, 2);
    assert_sound();
    er_store_close(sleeper);
    redis_cluster_free(&cluster);
}

TEST_MAIN()
