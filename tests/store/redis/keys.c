/* keys.c: many stores on one server, keys of others, scripts that are gone, a memory that
 * is full. */
#include "store/redis/world.h"

static int setup(void **state)
{
    return world_begin(state, NULL);
}

TEST_FIXTURE(setup, world_end)

static const struct errand_open_params make = {.create = true, .busy_ms = 500};

static long long keys_n(const char *prefix)
{
    redisReply *reply = redis_server_ask(&server, "KEYS %s*", prefix);
    long long n = (long long)reply->elements;

    freeReplyObject(reply);
    return n;
}

/* ------------------------------------------------------------------ prefixes */

TEST(stores_with_other_prefixes_do_not_see_each_other)
{
    struct er_store *first = store, *other = NULL;
    struct er_store_options options = {.open = make};
    struct errand_id id = push("a");

    ok(er_store_open(url_on(&server, "prefix=other"), &options, &other, &err));
    store = other;
    assert_true(is_gone(id));
    reserve_none();
    push("b");
    assert_string_equal(reserve_one().name, "b");
    store = first;
    assert_string_equal(reserve_one().name, "a");
    er_store_close(other);
}

/* One hash tag, so that a Cluster has all of it on one node. */
TEST(all_keys_of_a_store_have_its_prefix_as_hash_tag)
{
    struct errand_limit_use use = {
        .name = "api", .kind = ERRAND_LIMIT_RATE, .n = 9, .per_ms = 1000};
    struct errand_unique unique = {.key = slice("k"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_batch batch = {.id = id_of("batch"), .name = "b"};
    struct errand_push_job job = {
        .unique = &unique, .limits = &use, .limits_n = 1, .batch = batch.id};
    struct errand_events_params follow = {
        .now_ms = now, .after = -1, .max = 1, .follow_ms = MINUTE};
    struct errand_events_result events;

    ok(er_store_events_read(store, &follow, arena, &events, &err));
    push_all((struct errand_push_params){.jobs = &job, .jobs_n = 1, .batch = &batch});
    push_after("c", push("b"), ERRAND_ON_SUCCESS);
    failed(reserve_one());
    done(reserve_one());
    assert_true(keys_n(key_prefix()) > 10);
    assert_int_equal(keys_n(""), keys_n(key_prefix()));
}

TEST(keys_of_somebody_else_are_not_written_among)
{
    const char *url = url_on(&server, "prefix=taken");

    redis_server_do(&server, "SET {taken}:something else");
    fails(ERRAND_ECONFLICT, try_open(url, make));
    assert_said("{taken}:something");
    assert_int_equal(keys_n("{taken}:"), 1);
    redis_server_do(&server, "DEL {taken}:something");
    redis_server_do(&server, "SET {taken}:meta else");
    fails(ERRAND_ECONFLICT, try_open(url, make));
}

TEST(a_store_of_another_schema_is_left_alone)
{
    redis_server_do(&server, "HSET %smeta schema 99", key_prefix());
    /* As each migration does. */
    redis_server_do(&server, "RENAME %sinbox:2 %sinbox:99", key_prefix(), key_prefix());
    fails(ERRAND_ESCHEMA, try_open(store_url(), make));
    assert_said("99");
    fails(ERRAND_ESCHEMA,
          try_push((struct errand_push_params){
              .jobs = &(struct errand_push_job){.name = "a"}, .jobs_n = 1}));
    redis_server_do(&server, "HSET %smeta schema 2", key_prefix());
    redis_server_do(&server, "RENAME %sinbox:99 %sinbox:2", key_prefix(), key_prefix());
}

/* A key that errand did not write is found out, and nothing is changed by that call. */
TEST(a_key_of_the_wrong_kind_is_an_error)
{
    redis_server_do(&server, "SET %slocks nonsense", key_prefix());
    struct errand_lock_params p = {
        .now_ms = now, .key = slice("door"), .owner = "ann", .ttl_ms = MINUTE};
    struct errand_lock_result ret;

    fails(ERRAND_ECORRUPT, er_store_lock(store, &p, arena, &ret, &err));
    redis_server_do(&server, "DEL %slocks", key_prefix());
}

/* A list of the order of insertion goes with its last job, also when that was gone before
 * the next job came. */
TEST(what_has_gone_leaves_no_list_of_its_order)
{
    enum { JOBS = 2100 }; /* two lists, and the one that grows */

    for (int i = 0; i < JOBS; i++) {
        struct errand_id id = push("a");
        struct errand_change_params p = {
            .now_ms = now, .kind = ERRAND_CHANGE_DELETE, .ids = &id, .ids_n = 1};
        struct errand_change_result ret = {0};
        ok(er_store_change(store, &p, arena, &ret, &err));
        assert_int_equal(ret.changed_n, 1);
    }
    redisReply *reply = redis_server_ask(&server, "ZCARD %sorder", key_prefix());
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

/* ------------------------------------------------------------------ scripts */

TEST(scripts_that_the_server_forgot_are_loaded_again)
{
    push("a");
    redis_server_do(&server, "SCRIPT FLUSH");
    err = (struct errand_error){0};
    push("b");
    assert_int_equal(err.code, 0); /* nobody hears of it */
    assert_string_equal(reserve_one().name, "a");
    redis_server_do(&server, "SCRIPT FLUSH");
    assert_string_equal(reserve_one().name, "b");
}

/* ------------------------------------------------------------------ full memory */

static void memory_fill(void)
{
    redis_server_do(&server, "CONFIG SET maxmemory 1");
}

TEST(a_full_memory_refuses_what_is_new_and_lets_out_what_is_there)
{
    struct errand_push_job job = {.name = "new"};
    struct errand_id waiting = push("a"), failing;
    struct errand_reserved first, second;

    failing = push("b");
    push("c");
    first = reserve_one();
    second = reserve_one();
    assert_id(second.id, failing);
    memory_fill();
    fails(ERRAND_EFULL, try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1}));
    assert_true(err.retryable);
    done(first);
    failed(second);
    assert_string_equal(reserve_one().name, "c");
    now += LEASE_MS;
    assert_int_equal(reap().ready_n, 1);
    assert_int_equal(change(ERRAND_CHANGE_DELETE, failing), ERRAND_CHANGED);
    assert_true(is_gone(failing));
    assert_state(waiting, ERRAND_COMPLETED);
    redis_server_do(&server, "CONFIG SET maxmemory 0");
    push("d");
}

TEST_MAIN()
