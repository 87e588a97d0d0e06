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

enum { NODES_N = 3, SLOTS_N = 16384 };
static struct redis_server nodes[NODES_N];

static void cluster_start(void)
{
    static const char *const args[] = {"--cluster-enabled", "yes",
                                       "--cluster-node-timeout", "2000", NULL};

    for (int i = 0; i < NODES_N; i++) {
        redis_server_init(&nodes[i], true, args);
        redis_server_start(&nodes[i]);
        redis_server_do(&nodes[i], "CLUSTER ADDSLOTSRANGE %d %d", SLOTS_N * i / NODES_N,
                        SLOTS_N * (i + 1) / NODES_N - 1);
    }
    for (int i = 1; i < NODES_N; i++)
        redis_server_do(&nodes[i], "CLUSTER MEET 127.0.0.1 %d", nodes[0].port);
    for (int i = 0; i < NODES_N; i++) {
        bool is_whole = false;
        for (int n = 0; n < 1500 && !is_whole; n++) {
            redisReply *reply = redis_server_ask(&nodes[i], "CLUSTER INFO");
            is_whole = strstr(reply->str, "cluster_state:ok") &&
                       strstr(reply->str, "cluster_known_nodes:3");
            freeReplyObject(reply);
            if (!is_whole)
                poll(NULL, 0, 20);
        }
        assert_true(is_whole);
    }
}

static void cluster_stop(void)
{
    for (int i = 0; i < NODES_N; i++)
        redis_server_free(&nodes[i]);
}

static const char *cluster_url(const char *prefix)
{
    static char url[160];

    snprintf(url, sizeof url, "redis+cluster://127.0.0.1:%d,127.0.0.1:%d?prefix=%s",
             nodes[0].port, nodes[1].port, prefix);
    return url;
}

static int slot_of(const char *key)
{
    redisReply *reply = redis_server_ask(&nodes[0], "CLUSTER KEYSLOT %s", key);
    int slot = (int)reply->integer;

    freeReplyObject(reply);
    return slot;
}

static int owner_of(int slot)
{
    int i = 0;

    while (slot >= SLOTS_N * (i + 1) / NODES_N)
        i++;
    return i;
}

/* Stores on each of the nodes, reached from any; what crosses queues is whole. */
TEST(a_store_lives_whole_on_one_node_of_a_cluster)
{
    bool was_on[NODES_N] = {false};

    cluster_start();
    for (int i = 0; i < 12; i++) {
        char prefix[16], key[24];
        struct errand_id parent;
        snprintf(prefix, sizeof prefix, "p%d", i);
        snprintf(key, sizeof key, "{%s}:meta", prefix);
        was_on[owner_of(slot_of(key))] = true;
        open_store(cluster_url(prefix));
        parent = push_on("one", "a");
        push_after("b", parent, ERRAND_ON_SUCCESS);
        done(reserve_one());
        done(reserve_one());
        assert_sound();
        er_store_close(store);
        store = NULL;
    }
    for (int i = 0; i < NODES_N; i++)
        assert_true(was_on[i]);
    cluster_stop();
}

/* What `redis-cli --cluster reshard` does to one slot. */
static void slot_move(int slot, int from, int to)
{
    char ids[NODES_N][64];

    for (int i = 0; i < NODES_N; i++) {
        redisReply *reply = redis_server_ask(&nodes[i], "CLUSTER MYID");
        snprintf(ids[i], sizeof ids[i], "%s", reply->str);
        freeReplyObject(reply);
    }
    redis_server_do(&nodes[to], "CLUSTER SETSLOT %d IMPORTING %s", slot, ids[from]);
    redis_server_do(&nodes[from], "CLUSTER SETSLOT %d MIGRATING %s", slot, ids[to]);
    for (;;) {
        redisReply *keys =
            redis_server_ask(&nodes[from], "CLUSTER GETKEYSINSLOT %d 100", slot);
        size_t n = keys->elements;
        for (size_t i = 0; i < n; i++)
            redis_server_do(&nodes[from], "MIGRATE 127.0.0.1 %d %b 0 5000",
                            nodes[to].port, keys->element[i]->str, keys->element[i]->len);
        freeReplyObject(keys);
        if (!n)
            break;
    }
    redis_server_do(&nodes[to], "CLUSTER SETSLOT %d NODE %s", slot, ids[to]);
    redis_server_do(&nodes[from], "CLUSTER SETSLOT %d NODE %s", slot, ids[to]);
}

TEST(a_store_whose_slot_moves_is_followed_by_calls_and_by_sleepers)
{
    struct er_store *sleeper = NULL;
    struct pollfd p = {.events = POLLIN};
    int slot, from, to;

    cluster_start();
    open_store(cluster_url("jobs"));
    slot = slot_of("{jobs}:meta");
    from = owner_of(slot);
    to = (from + 1) % NODES_N;
    push("before");
    ok(er_store_again(store, &sleeper, &err));
    assert_true((p.fd = er_store_wait_fd(sleeper, &err)) >= 0);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    slot_move(slot, from, to);
    assert_int_equal(poll(&p, 1, 10000), 1);
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    push("after");
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(reserve(10).jobs_n, 2);
    assert_sound();
    er_store_close(sleeper);
    cluster_stop();
}

TEST_MAIN()
