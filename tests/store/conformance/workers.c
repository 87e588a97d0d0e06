/* workers.c: heartbeats up, commands down; and what owners say about their jobs. */
#include "store/support.h"

static struct errand_beat_result beat(const char *worker)
{
    struct errand_beat_params p = {
        .now_ms = now, .worker = worker, .info = slice("{\"pid\":1}"), .ttl_ms = MINUTE};
    struct errand_beat_result ret;

    ok(er_store_beat(store, &p, arena, &ret, &err));
    return ret;
}

static struct errand_workers_result workers(void)
{
    struct errand_workers_result ret;

    ok(er_store_workers(store, now, arena, &ret, &err));
    return ret;
}

static size_t command(const char *worker, enum errand_command what)
{
    size_t n;

    ok(er_store_command(store, worker, what, now, &n, &err));
    return n;
}

TEST(a_worker_is_listed_by_its_beats)
{
    struct errand_workers_result ret;
    int64_t since = now;

    beat("b");
    beat("a");
    now += SECOND;
    beat("a");
    ret = workers();
    assert_int_equal(ret.workers_n, 2);
    assert_string_equal(ret.workers[0].worker, "a");
    assert_string_equal(ret.workers[1].worker, "b");
    assert_slice(ret.workers[0].info, "{\"pid\":1}");
    assert_int_equal(ret.workers[0].since_ms, since);
    assert_int_equal(ret.workers[0].seen_ms, now);
    assert_int_equal(ret.workers[0].until_ms, now + MINUTE);
    assert_true(ret.workers[0].is_alive);
    assert_int_equal(ret.workers[0].running_n, 0);
}

TEST(a_silent_worker_is_dead_and_then_forgotten)
{
    beat("a");
    now += MINUTE - 1;
    assert_true(workers().workers[0].is_alive);
    now += 1;
    assert_false(workers().workers[0].is_alive);
    now += HOUR - 1;
    assert_int_equal(workers().workers_n, 1);
    now += 1;
    assert_int_equal(workers().workers_n, 0);
}

TEST(a_worker_that_says_bye_is_gone)
{
    struct errand_beat_params p = {.now_ms = now, .worker = "a", .bye = true};
    struct errand_beat_result ret;

    beat("a");
    ok(er_store_beat(store, &p, arena, &ret, &err));
    assert_int_equal(workers().workers_n, 0);
    ok(er_store_beat(store, &p, arena, &ret, &err));
}

TEST(a_worker_counts_what_runs_under_its_leases)
{
    struct errand_exchange_result r;

    beat("worker");
    beat("idle");
    push("a");
    push("b");
    r = reserve(2);
    assert_int_equal(workers().workers[1].running_n, 2);
    assert_int_equal(workers().workers[0].running_n, 0);
    done(r.jobs[0]);
    assert_int_equal(workers().workers[1].running_n, 1);
}

TEST(a_command_is_handed_out_once_in_order)
{
    struct errand_beat_result ret;

    beat("a");
    assert_int_equal(command("a", ERRAND_COMMAND_QUIET), 1);
    assert_int_equal(command("a", ERRAND_COMMAND_STOP), 1);
    ret = beat("a");
    assert_int_equal(ret.commands_n, 2);
    assert_int_equal(ret.commands[0], ERRAND_COMMAND_QUIET);
    assert_int_equal(ret.commands[1], ERRAND_COMMAND_STOP);
    assert_int_equal(beat("a").commands_n, 0);
}

TEST(a_command_for_all_goes_to_the_living)
{
    beat("dead");
    now += MINUTE;
    beat("a");
    beat("b");
    assert_int_equal(command(NULL, ERRAND_COMMAND_RESUME), 2);
    assert_int_equal(beat("a").commands_n, 1);
    assert_int_equal(beat("b").commands_n, 1);
    assert_int_equal(beat("dead").commands_n, 0);
}

TEST(a_command_for_nobody_goes_nowhere)
{
    assert_int_equal(command("nobody", ERRAND_COMMAND_STOP), 0);
}

TEST(control_grows_with_each_command)
{
    int64_t before = beat("a").control, after;

    command("a", ERRAND_COMMAND_QUIET);
    after = reserve(1).control;
    assert_true(after > before);
    assert_int_equal(beat("a").control, after);
}

TEST(commands_are_dropped_with_their_worker)
{
    struct errand_beat_params bye = {.now_ms = now, .worker = "a", .bye = true};
    struct errand_beat_result ret;

    beat("a");
    command("a", ERRAND_COMMAND_STOP);
    ok(er_store_beat(store, &bye, arena, &ret, &err));
    assert_int_equal(beat("a").commands_n, 0);
}

/* ------------------------------------------------------------------ definitions */

static struct errand_definitions_result definitions(const char *key)
{
    struct errand_definitions_result ret;

    ok(er_store_definitions(store, key, arena, &ret, &err));
    return ret;
}

TEST(definitions_are_listed_by_key)
{
    struct errand_definition rows[] = {
        {.name = "SendMail", .key = "sendmail", .spec = slice("{\"queue\":\"mail\"}")},
        {.name = "clean-up", .key = "cleanup", .spec = slice("{}")},
    };

    ok(er_store_define(store, rows, 2, now, &err));
    assert_int_equal(definitions(NULL).definitions_n, 2);
    assert_string_equal(definitions(NULL).definitions[0].key, "cleanup");
    assert_string_equal(definitions(NULL).definitions[0].name, "clean-up");
    assert_int_equal(definitions("sendmail").definitions_n, 1);
    assert_slice(definitions("sendmail").definitions[0].spec, "{\"queue\":\"mail\"}");
    assert_int_equal(definitions("sendmail").definitions[0].updated_ms, now);
    assert_int_equal(definitions("nobody").definitions_n, 0);
}

TEST(a_definition_replaces_the_one_of_its_key)
{
    struct errand_definition one = {
        .name = "SendMail", .key = "sendmail", .spec = slice("1")};
    struct errand_definition two = {
        .name = "send-mail", .key = "sendmail", .spec = slice("2")};

    ok(er_store_define(store, &one, 1, now, &err));
    now += SECOND;
    ok(er_store_define(store, &two, 1, now, &err));
    assert_int_equal(definitions(NULL).definitions_n, 1);
    assert_string_equal(definitions(NULL).definitions[0].name, "send-mail");
    assert_slice(definitions(NULL).definitions[0].spec, "2");
    assert_int_equal(definitions(NULL).definitions[0].updated_ms, now);
}

TEST_PART()
