/* events.c: the ring of events, and the numbers of each minute. */
#include "store/support.h"

static void add(size_t n, const char *type)
{
    struct errand_event *events = errand_arena_alloc(arena, n * sizeof *events);

    for (size_t i = 0; i < n; i++)
        events[i] = (struct errand_event){.type = type,
                                          .id = id_of("job-1"),
                                          .name = "mail",
                                          .queue = "post",
                                          .attempt = 2,
                                          .duration_ms = 12,
                                          .delay_ms = -1,
                                          .error = slice("no luck")};
    ok(er_store_events_add(store, events, n, now, &err));
}

static struct errand_events_result read_with(struct errand_events_params p)
{
    struct errand_events_result ret;

    p.now_ms = now;
    ok(er_store_events_read(store, &p, arena, &ret, &err));
    return ret;
}

static struct errand_events_result read_after(int64_t after, size_t max)
{
    return read_with((struct errand_events_params){.after = after, .max = max});
}

TEST(events_are_read_in_order_with_growing_numbers)
{
    struct errand_events_result ret;

    add(2, "job:started");
    add(1, "job:completed");
    ret = read_after(0, 10);
    assert_int_equal(ret.events_n, 3);
    assert_int_equal(ret.events[1].seq, ret.events[0].seq + 1);
    assert_int_equal(ret.events[2].seq, ret.events[0].seq + 2);
    assert_string_equal(ret.events[0].type, "job:started");
    assert_string_equal(ret.events[2].type, "job:completed");
    assert_int_equal(ret.last, ret.events[2].seq);
    assert_false(ret.fell_behind);
    assert_int_equal(read_after(ret.last, 10).events_n, 0);
    assert_int_equal(read_after(ret.last, 10).last, ret.last);
}

TEST(an_event_is_kept_as_it_was_given)
{
    struct errand_event e;

    add(1, "job:failed");
    e = read_after(0, 1).events[0];
    assert_int_equal(e.at_ms, now);
    assert_string_equal(e.type, "job:failed");
    assert_string_equal(e.id.text, "job-1");
    assert_string_equal(e.name, "mail");
    assert_string_equal(e.queue, "post");
    assert_int_equal(e.attempt, 2);
    assert_int_equal(e.duration_ms, 12);
    assert_int_equal(e.delay_ms, -1);
    assert_slice(e.error, "no luck");
}

TEST(events_are_read_in_pages)
{
    struct errand_events_result ret;

    add(5, "job:started");
    ret = read_after(0, 2);
    assert_int_equal(ret.events_n, 2);
    ret = read_after(ret.last, 2);
    assert_int_equal(ret.events_n, 2);
    ret = read_after(ret.last, 2);
    assert_int_equal(ret.events_n, 1);
}

TEST(a_reader_may_start_from_now)
{
    struct errand_events_result ret;

    add(3, "job:started");
    ret = read_after(-1, 10);
    assert_int_equal(ret.events_n, 0);
    add(1, "job:completed");
    ret = read_after(ret.last, 10);
    assert_int_equal(ret.events_n, 1);
    assert_string_equal(ret.events[0].type, "job:completed");
    assert_false(ret.fell_behind);
}

TEST(a_reader_that_fell_behind_is_told_so)
{
    struct errand_events_result ret;

    add(1, "first");
    ret = read_after(0, 1);
    for (int i = 0; i < 11; i++)
        add(1000, "more");
    ret = read_after(ret.last, 1);
    assert_true(ret.fell_behind);
    assert_int_equal(ret.events_n, 1);
    assert_string_equal(ret.events[0].type, "more");
    ret = read_after(ret.last, ERRAND_EVENTS_KEPT);
    assert_false(ret.fell_behind);
    assert_true(ret.events_n < ERRAND_EVENTS_KEPT);
}

TEST(a_number_of_another_ring_is_told_so)
{
    struct errand_events_result ret;

    add(1, "first");
    ret = read_after(1000000, 10);
    assert_true(ret.fell_behind);
    assert_int_equal(ret.events_n, 0);
    assert_int_equal(ret.last, read_after(0, 10).last);
}

TEST(events_are_wanted_while_somebody_follows)
{
    struct errand_push_result pushed;
    struct errand_push_job job = {.name = "a"};

    pushed = push_all((struct errand_push_params){.jobs = &job, .jobs_n = 1});
    assert_int_equal(pushed.hints & ERRAND_HINT_EVENTS, 0);
    read_with((struct errand_events_params){.max = 1, .follow_ms = MINUTE});
    pushed = push_all((struct errand_push_params){.jobs = &job, .jobs_n = 1});
    assert_true(pushed.hints & ERRAND_HINT_EVENTS);
    assert_true(reserve(1).hints & ERRAND_HINT_EVENTS);
    now += MINUTE;
    assert_int_equal(reserve(1).hints & ERRAND_HINT_EVENTS, 0);
}

/* ------------------------------------------------------------------ stats */

static void add_stat(struct errand_stat stat)
{
    struct errand_stats_params p = {.now_ms = now, .add = &stat, .add_n = 1};

    if (!stat.queue)
        stat.queue = "post";
    if (!stat.name)
        stat.name = "mail";
    ok(er_store_stats_add(store, &p, &err));
}

static struct errand_stats_result stats(struct errand_stats_params p)
{
    struct errand_stats_result ret;

    p.now_ms = now;
    ok(er_store_stats_read(store, &p, arena, &ret, &err));
    return ret;
}

static const int64_t minute = INT64_C(1700000040000);

TEST(stats_of_a_minute_are_summed)
{
    struct errand_stat *row;

    add_stat((struct errand_stat){.minute_ms = minute,
                                  .done = 2,
                                  .retried = 1,
                                  .run_ms = 30,
                                  .wait_ms = 5,
                                  .run_hist = {1, 1},
                                  .wait_hist = {[ERRAND_HISTOGRAM_N - 1] = 4}});
    add_stat((struct errand_stat){.minute_ms = minute + 59999,
                                  .done = 1,
                                  .failed = 3,
                                  .run_ms = 10,
                                  .run_hist = {0, 2}});
    assert_int_equal(stats((struct errand_stats_params){0}).stats_n, 1);
    row = stats((struct errand_stats_params){0}).stats;
    assert_int_equal(row->minute_ms, minute);
    assert_string_equal(row->queue, "post");
    assert_string_equal(row->name, "mail");
    assert_int_equal(row->done, 3);
    assert_int_equal(row->failed, 3);
    assert_int_equal(row->retried, 1);
    assert_int_equal(row->run_ms, 40);
    assert_int_equal(row->wait_ms, 5);
    assert_int_equal(row->run_hist[0], 1);
    assert_int_equal(row->run_hist[1], 3);
    assert_int_equal(row->wait_hist[ERRAND_HISTOGRAM_N - 1], 4);
}

TEST(stats_are_read_by_minute_queue_and_name)
{
    struct errand_stats_result ret;

    add_stat((struct errand_stat){.minute_ms = minute + MINUTE, .name = "z", .done = 1});
    add_stat((struct errand_stat){.minute_ms = minute, .name = "b", .done = 2});
    add_stat((struct errand_stat){.minute_ms = minute, .name = "a", .done = 3});
    add_stat((struct errand_stat){.minute_ms = minute, .queue = "low", .done = 4});
    ret = stats((struct errand_stats_params){0});
    assert_int_equal(ret.stats_n, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ret.stats[i].done, 4 - i);
    assert_int_equal(stats((struct errand_stats_params){.since_ms = minute + 1}).stats_n,
                     1);
    assert_int_equal(
        stats((struct errand_stats_params){.until_ms = minute + MINUTE}).stats_n, 3);
    assert_int_equal(stats((struct errand_stats_params){.queue = "low"}).stats_n, 1);
    assert_int_equal(stats((struct errand_stats_params){.name = "a"}).stats_n, 1);
}

TEST(old_stats_are_pruned)
{
    struct errand_prune_params p = {.max = 10};
    size_t n;

    add_stat((struct errand_stat){.minute_ms = minute, .done = 1});
    for (int i = 0; i < ERRAND_STATES_N; i++)
        p.age_ms[i] = p.keep_n[i] = -1;
    p.now_ms = minute + ERRAND_STATS_KEPT_MS;
    ok(er_store_prune(store, &p, &n, &err));
    assert_int_equal(stats((struct errand_stats_params){0}).stats_n, 1);
    p.now_ms += 1;
    ok(er_store_prune(store, &p, &n, &err));
    assert_int_equal(stats((struct errand_stats_params){0}).stats_n, 0);
}

TEST_PART()
