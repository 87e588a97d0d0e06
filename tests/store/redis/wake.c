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

/* ------------------------------------------------------------------ heartbeats */

static struct errand_beat_result beat(void)
{
    struct errand_beat_params p = {
        .now_ms = now, .worker = "w", .info = slice("{}"), .ttl_ms = MINUTE};
    struct errand_beat_result ret;

    ok(er_store_beat(store, &p, arena, &ret, &err));
    return ret;
}

/* The answer is lost: the server has done what the worker will ask for once more, under
 * the same number. Here it is told so by hand. */
TEST(commands_of_a_heartbeat_whose_answer_was_lost_are_handed_again)
{
    size_t n;

    beat();
    ok(er_store_command(store, "w", ERRAND_COMMAND_QUIET, now, &n, &err));
    assert_int_equal(beat().commands_n, 1);
    redis_server_do(&server, "EVAL %s 1 %shanded",
                    "local number, commands = "
                    "unpack(cmsgpack.unpack(redis.call('HGET', KEYS[1], 'w'))) "
                    "return redis.call('HSET', KEYS[1], 'w', "
                    "cmsgpack.pack({string.format('%.0f', number + 1), commands}))",
                    key_prefix());
    ok(er_store_command(store, "w", ERRAND_COMMAND_STOP, now, &n, &err));
    struct errand_beat_result again = beat();
    assert_int_equal(again.commands_n, 2);
    assert_int_equal(again.commands[0], ERRAND_COMMAND_QUIET);
    assert_int_equal(again.commands[1], ERRAND_COMMAND_STOP);
    assert_int_equal(beat().commands_n, 0);
}

TEST_MAIN()
