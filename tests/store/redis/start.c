/* start.c: what is looked at when a store on Redis is opened, and what is said of it. */
#include "store/redis/world.h"

#include <signal.h>

static int setup(void **state)
{
    static const char *const args[] = {"--enable-debug-command", "local", NULL};

    return world_begin(state, args);
}

TEST_FIXTURE(setup, world_end)

static const struct errand_open_params make = {.create = true, .busy_ms = 500};

/* ------------------------------------------------------------------ who, where */

TEST(a_server_that_is_not_there_is_unavailable)
{
    fails(ERRAND_EUNAVAILABLE,
          try_open("redis+unix:/tmp/errand-no-such-socket?prefix=x", make));
    assert_true(err.retryable);
    assert_said("/tmp/errand-no-such-socket");
}

TEST(a_wrong_password_is_said_and_not_shown)
{
    static const char *const args[] = {"--requirepass", "right", NULL};
    struct redis_server locked;

    redis_server_init(&locked, false, args);
    redis_server_start(&locked);
    fails(ERRAND_EUNAVAILABLE, try_open(url_on(&locked, "prefix=x"), make));
    assert_said("password");
    fails(ERRAND_EUNAVAILABLE,
          try_open(url_on(&locked, "prefix=x&password=s3cret"), make));
    assert_said("password");
    assert_not_said("s3cret");
    ok(try_open(url_on(&locked, "prefix=x&password=right"), make));
    redis_server_free(&locked);
}

TEST(a_user_without_rights_is_told_which_it_lacks)
{
    redis_server_do(&server, "ACL SETUSER weak on >pw ~* +auth +info");
    fails(ERRAND_EUNAVAILABLE,
          try_open(url_on(&server, "prefix=x&user=weak&password=pw"), make));
    assert_said("evalsha");
    assert_said("docs/stores/redis.md");
}

TEST(a_store_that_was_not_made_is_not_found)
{
    fails(ERRAND_ENOTFOUND,
          try_open(url_on(&server, "prefix=x"), (struct errand_open_params){0}));
}

/* ------------------------------------------------------------------ memory */

TEST(a_server_that_throws_keys_away_is_refused)
{
    const char *url = url_on(&server, "prefix=x");

    redis_server_do(&server, "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru");
    fails(ERRAND_EUNSUPPORTED, try_open(url, make));
    assert_said("allkeys-lru");
    assert_said("noeviction");
    ok(try_open(url, (struct errand_open_params){.create = true, .force = true}));
    /* errand has no keys that end by themselves: those alone are thrown away. */
    redis_server_do(&server, "CONFIG SET maxmemory-policy volatile-lru");
    ok(try_open(url, make));
    redis_server_do(&server, "CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru");
    ok(try_open(url, make));
}

/* ------------------------------------------------------------------ durability */

static const struct errand_open_params full = {.create = true,
                                               .durable = ERRAND_DURABLE_FULL};

TEST(full_durability_wants_the_log_synced_always)
{
    const char *url = url_on(&server, "prefix=x");

    fails(ERRAND_EUNSUPPORTED, try_open(url, full));
    assert_said("appendonly no");
    redis_server_do(&server, "CONFIG SET appendonly yes");
    fails(ERRAND_EUNSUPPORTED, try_open(url, full));
    assert_said("appendfsync everysec");
    redis_server_do(&server, "CONFIG SET appendfsync always");
    ok(try_open(url, full));
}

TEST(what_the_server_does_not_tell_is_not_promised)
{
    redis_server_do(&server, "CONFIG SET appendonly yes appendfsync always");
    redis_server_do(&server, "ACL SETUSER tight on >pw ~* &* +@all -config");
    fails(ERRAND_EUNSUPPORTED,
          try_open(url_on(&server, "prefix=x&user=tight&password=pw"), full));
    assert_said("config|get");
    ok(try_open(url_on(&server, "prefix=x&user=tight&password=pw"), make));
}

/* ------------------------------------------------------------------ remarks */

static bool is_remarked(const char *word)
{
    struct errand_remarks_result ret;

    ok(er_store_remarks(store, arena, &ret, &err));
    for (size_t i = 0; i < ret.remarks_n; i++)
        if (strstr(ret.remarks[i].text, word))
            return true;
    return false;
}

TEST(settings_that_weaken_a_promise_are_remarked)
{
    assert_true(is_remarked("appendonly no"));
    redis_server_do(&server, "CONFIG SET appendonly yes");
    assert_false(is_remarked("appendonly"));
    assert_false(is_remarked("appendfsync"));
    redis_server_do(&server, "CONFIG SET appendfsync no");
    assert_true(is_remarked("appendfsync no"));
    assert_false(is_remarked("maxmemory"));
    redis_server_do(&server, "CONFIG SET maxmemory-policy allkeys-lru");
    assert_true(is_remarked("would throw jobs away"));
}

/* ------------------------------------------------------------------ not ready yet */

/* A snapshot that takes its time to load: a call waits for it within its patience. */
TEST(a_server_that_loads_is_waited_for)
{
    static const char *const args[] = {"--key-load-delay",
                                       "1000",
                                       "--dbfilename",
                                       "d.rdb",
                                       "--loading-process-events-interval-bytes",
                                       "1024",
                                       NULL};
    struct redis_server slow;
    const char *url;

    redis_server_init(&slow, false, args);
    redis_server_start(&slow);
    url = url_on(&slow, "prefix=x");
    ok(try_open(url, make));
    redis_server_do(
        &slow, "EVAL %s 0",
        "for i = 1, 2000 do redis.call('SET', 'k' .. i, string.rep('x', 50) .. i) end");
    redis_server_do(&slow, "SAVE");
    redis_server_stop(&slow, SIGKILL);
    redis_server_start(&slow);
    fails(ERRAND_EUNAVAILABLE,
          try_open(url, (struct errand_open_params){.busy_ms = 100}));
    assert_said("load");
    assert_true(err.retryable);
    ok(try_open(url, (struct errand_open_params){.busy_ms = 20000}));
    redis_server_free(&slow);
}

/* ------------------------------------------------------------------ replicas */

TEST(a_replica_may_be_read_and_not_written)
{
    struct redis_server master, replica;
    char port[16];
    const char *url;

    redis_server_init(&master, true, NULL);
    redis_server_init(&replica, false, NULL);
    redis_server_start(&master);
    redis_server_start(&replica);
    ok(try_open(url_on(&master, "prefix=x"), make));
    snprintf(port, sizeof port, "%d", master.port);
    redis_server_do(&replica, "REPLICAOF 127.0.0.1 %s", port);
    assert_true(redis_server_becomes(&replica, "master_link_status", "up", 20000));
    url = url_on(&replica, "prefix=x");
    fails(ERRAND_EREADONLY, try_open(url, make));
    assert_said("replica");
    ok(try_open(url, (struct errand_open_params){.read_only = true}));
    redis_server_free(&replica);
    redis_server_free(&master);
}

/* ------------------------------------------------------------------ what it has not */

TEST(a_job_in_the_callers_transaction_is_refused_with_what_to_do)
{
    struct errand_push_job job = {.name = "a"};
    int connection;

    fails(ERRAND_EUNSUPPORTED,
          try_push((struct errand_push_params){
              .jobs = &job, .jobs_n = 1, .transaction = &connection}));
    assert_said("dispatch after your commit");
    assert_said("PostgreSQL");
    reserve_none();
}

TEST_MAIN()
