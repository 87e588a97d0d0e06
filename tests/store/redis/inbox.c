/* inbox.c: single jobs wait in a stream until the next script puts them in their place:
 * nobody may be able to tell. */
#include "store/redis/world.h"

static int setup(void **state)
{
    return world_begin(state, NULL);
}

TEST_FIXTURE(setup, world_end)

/* How many are in the inbox; -1: there is none. */
static long long inbox_n(void)
{
    redisReply *there = redis_server_ask(&server, "EXISTS %sinbox:2", key_prefix());
    redisReply *reply = redis_server_ask(&server, "XLEN %sinbox:2", key_prefix());
    long long n = there->integer ? reply->integer : -1;

    freeReplyObject(there);
    freeReplyObject(reply);
    return n;
}

static int64_t jobs_n(void)
{
    int64_t n = -1;

    ok(er_store_count(store, &(struct errand_filter){0}, now, &n, &err));
    return n;
}

/* What is in the inbox once more: as if its pusher had lost the answer. */
static void entries_double(void)
{
    redis_server_do(&server, "EVAL %s 1 %sinbox:2",
                    "for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do "
                    "redis.call('XADD', KEYS[1], '*', unpack(e[2])) end return 1",
                    key_prefix());
}

TEST(a_single_job_is_put_into_the_inbox_and_seen_by_all)
{
    struct errand_id first = push("a"), second;

    assert_int_equal(inbox_n(), 1);
    assert_state(first, ERRAND_READY);
    assert_int_equal(inbox_n(), 0);
    second = push("b");
    assert_int_equal(inbox_n(), 1);
    assert_id(reserve_one().id, first);
    assert_id(reserve_one().id, second);
}

TEST(what_it_brings_is_kept)
{
    struct errand_unique unique = {.key = slice("k"), .until = ERRAND_UNIQUE_DONE};
    const char *tags[] = {"red", "blue"};
    struct errand_pushed_job first =
        push_job((struct errand_push_job){.name = "a",
                                          .data = slice("{\"x\":1}"),
                                          .priority = -3,
                                          .tries = 7,
                                          .unique = &unique,
                                          .tags = tags,
                                          .tags_n = 2,
                                          .has_failed_hook = true});
    struct errand_job_detail job;

    assert_int_equal(inbox_n(), 1);
    assert_int_equal(first.state, ERRAND_READY);
    job = look(first.id);
    assert_int_equal(job.job.priority, -3);
    assert_int_equal(job.job.tries, 7);
    assert_int_equal(job.job.tags_n, 2);
    assert_string_equal(job.job.tags[1], "blue");
    assert_slice(job.job.data, "{\"x\":1}");
    assert_slice(job.unique->key, "k");
    assert_true(job.has_failed_hook);
    assert_int_equal(job.job.created_ms, now);
}

TEST(a_unique_key_is_held_from_the_inbox)
{
    struct errand_unique unique = {.key = slice("k"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job job = {.name = "a", .unique = &unique};
    struct errand_pushed_job first = push_job(job), second = push_job(job);

    assert_int_equal(first.pushed, ERRAND_INSERTED);
    assert_int_equal(second.pushed, ERRAND_DUPLICATE);
    assert_id(second.id, first.id);
    done(reserve_one());
    assert_int_equal(push_job(job).pushed, ERRAND_INSERTED);
}

TEST(what_is_no_single_job_that_may_run_at_once_goes_by_its_script)
{
    push("before");
    push_job((struct errand_push_job){.name = "later", .run_at_ms = now + HOUR});
    assert_int_equal(inbox_n(), 0);
    push_job((struct errand_push_job){.name = "mine", .id = id_of("mine")});
    assert_int_equal(inbox_n(), 0);
    assert_string_equal(reserve_one().name, "before");
}

/* It would not leave in one piece. */
TEST(a_large_job_comes_whole)
{
    enum { SIZE = 200000 };
    static char data[SIZE + 1];
    struct errand_id id;

    data[0] = data[SIZE - 1] = '"';
    memset(data + 1, 'x', SIZE - 2);
    id = push_job((struct errand_push_job){.name = "a", .data = {data, SIZE}}).id;
    assert_int_equal(inbox_n(), 1);
    assert_int_equal(look(id).job.data.len, SIZE);
}

TEST(a_push_that_was_sent_twice_is_one_job)
{
    push("a");
    push("b");
    entries_double();
    assert_int_equal(inbox_n(), 4);
    assert_int_equal(jobs_n(), 2);
    push("c");
    entries_double();
    assert_string_equal(reserve_one().name, "a");
    assert_int_equal(jobs_n(), 3);
}

/* A stretch of a thousand at most is one script's, whoever comes. */
TEST(a_long_inbox_is_emptied_in_steps)
{
    enum { JOBS = 2500 };
    static struct errand_id ids[JOBS];

    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < JOBS; i++)
            ids[i] = push("a");
        assert_int_equal(inbox_n(), JOBS);
        if (half == 0)
            assert_int_equal(jobs_n(), JOBS);
        for (int i = 0; i < JOBS; i += 500) {
            struct errand_exchange_result r = reserve(500);
            assert_int_equal(r.jobs_n, 500);
            for (int k = 0; k < 500; k++)
                assert_id(r.jobs[k].id, ids[i + k]);
        }
        assert_int_equal(inbox_n(), 0);
    }
}

TEST(while_somebody_follows_there_is_no_inbox)
{
    struct errand_events_params follow = {
        .now_ms = now, .after = -1, .max = 1, .follow_ms = MINUTE};
    struct errand_events_result events;

    push("a");
    ok(er_store_events_read(store, &follow, arena, &events, &err));
    assert_int_equal(inbox_n(), -1);
    push("b");
    assert_int_equal(jobs_n(), 2);
    now += 2 * MINUTE;
    assert_string_equal(reserve_one().name, "a");
    assert_int_equal(inbox_n(), 0);
    push("c");
    assert_int_equal(inbox_n(), 1);
}

/* A store of before the inbox. */
TEST(an_older_store_is_brought_up_to_date)
{
    struct errand_open_params as_it_is = {0}, make = {.create = true};

    push("a");
    assert_int_equal(jobs_n(), 1);
    redis_server_do(&server, "DEL %sinbox:2", key_prefix());
    redis_server_do(&server, "HSET %smeta schema 1", key_prefix());
    fails(ERRAND_ESCHEMA, try_open(store_url(), as_it_is));
    assert_said("errand migrate");
    ok(try_open(store_url(), make));
    push("b");
    assert_int_equal(inbox_n(), 1);
    assert_string_equal(reserve_one().name, "a");
}

/* A replica cannot put anything in its place: what is in the inbox is not seen there. */
TEST(a_replica_shows_what_is_in_its_place)
{
    struct er_store_options make = {.open = {.create = true}},
                            look = {.open = {.read_only = true, .busy_ms = 500}};
    struct er_store *first = store, *there = NULL, *copy = NULL;
    struct redis_server master, replica;

    redis_server_init(&master, true, NULL);
    redis_server_init(&replica, false, NULL);
    redis_server_start(&master);
    redis_server_start(&replica);
    ok(er_store_open(url_on(&master, "prefix=x"), &make, &there, &err));
    store = there;
    push("a");
    assert_int_equal(jobs_n(), 1);
    push("b");
    redis_server_do(&replica, "REPLICAOF 127.0.0.1 %d", master.port);
    assert_true(redis_server_becomes(&replica, "master_link_status", "up", 20000));
    ok(er_store_open(url_on(&replica, "prefix=x"), &look, &copy, &err));
    store = copy;
    assert_int_equal(jobs_n(), 1);
    store = there;
    assert_int_equal(jobs_n(), 2);
    store = first;
    er_store_close(copy);
    er_store_close(there);
    redis_server_free(&replica);
    redis_server_free(&master);
}

TEST_MAIN()
