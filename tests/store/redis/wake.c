/* wake.c: the connection that sleepers are woken by, when it breaks. */
#include "store/redis/world.h"

#include <poll.h>
#include <signal.h>

static int setup(void **state)
{
    static const char *const args[] = {"--appendonly", "yes", NULL};

    return world_begin(state, args);
}

TEST_FIXTURE(setup, world_end)

static struct er_store *sleeper;

static bool is_readable(int timeout_ms)
{
    struct pollfd p = {.fd = er_store_wait_fd(sleeper, &err), .events = POLLIN};

    assert_true(p.fd >= 0);
    return poll(&p, 1, timeout_ms) == 1;
}

static void arm(uint32_t wait_for)
{
    ok(er_store_wait_fd(sleeper, &err));
    ok(er_store_wait_arm(sleeper, wait_for, &err));
}

static void sleeper_make(void)
{
    sleeper = store_second();
    arm(ERRAND_WAIT_READY);
}

/* How many are subscribed to what makes jobs READY. */
static long long sleepers_n(void)
{
    redisReply *reply =
        redis_server_ask(&server, "PUBSUB SHARDNUMSUB %sw:1", key_prefix());
    long long n;

    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    n = reply->element[1]->integer;
    freeReplyObject(reply);
    return n;
}

TEST(who_sleeps_is_subscribed_and_who_does_not_is_not)
{
    sleeper_make();
    assert_int_equal(sleepers_n(), 1);
    arm(ERRAND_WAIT_ENDED);
    assert_int_equal(sleepers_n(), 0);
    arm(ERRAND_WAIT_READY | ERRAND_WAIT_CONTROL);
    assert_int_equal(sleepers_n(), 1);
    arm(0);
    for (int i = 0; i < 500 && sleepers_n(); i++) /* nobody waits for that to be done */
        is_readable(10);
    assert_int_equal(sleepers_n(), 0);
}

/* Its end is told, and the look that follows is armed anew. */
TEST(a_killed_connection_wakes_and_is_made_anew)
{
    sleeper_make();
    assert_false(is_readable(0));
    redis_server_do(&server, "CLIENT KILL TYPE pubsub");
    assert_true(is_readable(5000));
    arm(ERRAND_WAIT_READY);
    assert_false(is_readable(0));
    push("a");
    assert_true(is_readable(5000));
}

/* Killed after the look and before arming: arming finds out by itself. */
TEST(a_connection_killed_unseen_is_made_anew_by_arming)
{
    sleeper_make();
    for (int i = 0; i < 20; i++) {
        redis_server_do(&server, "CLIENT KILL TYPE pubsub");
        arm(ERRAND_WAIT_READY);
        push("a");
        assert_true(is_readable(5000));
    }
}

TEST(a_server_that_starts_anew_is_waited_on_again)
{
    sleeper_make();
    redis_server_stop(&server, SIGKILL);
    assert_true(is_readable(5000));
    assert_true(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err) < 0);
    assert_true(err.retryable);
    redis_server_start(&server);
    arm(ERRAND_WAIT_READY);
    push("a");
    assert_true(is_readable(5000));
}

/* Who was woken and works on has not armed again: it is told no more. */
TEST(who_works_is_not_told)
{
    sleeper_make();
    push("a");
    assert_true(is_readable(5000));
    for (int i = 0; i < 40; i++) {
        int64_t n;
        ok(er_store_count(sleeper, &(struct errand_filter){0}, now, &n, &err));
    }
    assert_true(is_readable(0));
    for (int i = 0; i < 500 && sleepers_n(); i++)
        is_readable(0);
    assert_int_equal(sleepers_n(), 0);
    arm(ERRAND_WAIT_READY);
    assert_false(is_readable(0));
    push("b");
    assert_true(is_readable(5000));
}

/* The store's own connection is another one now: what was armed may be of yesterday. */
TEST(a_new_connection_of_the_store_wakes_its_sleeper)
{
    int64_t n;

    sleeper_make();
    redis_server_do(&server, "CLIENT KILL TYPE normal");
    assert_false(is_readable(0));
    ok(er_store_count(sleeper, &(struct errand_filter){0}, now, &n, &err));
    assert_true(is_readable(5000));
}

TEST_MAIN()
