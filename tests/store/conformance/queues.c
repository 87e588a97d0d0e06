/* queues.c: queues, their counts, and pausing them. */
#include "store/support.h"

static void pause_until(const char *queue, int64_t until_ms)
{
    ok(er_store_queue_pause(store, queue, until_ms, now, &err));
}

TEST(a_queue_counts_every_state)
{
    struct errand_id e;

    run_done("a");
    run_failed("b");
    change(ERRAND_CHANGE_CANCEL, push("c"));
    push("d");
    reserve_one();
    e = push("e");
    push_after("f", e, ERRAND_ON_END);
    push_job((struct errand_push_job){.run_at_ms = now + HOUR});
    for (int s = 0; s < ERRAND_STATES_N; s++)
        assert_int_equal(count_of(DEFAULT_QUEUE, (enum errand_state)s), 1);
}

TEST(queues_are_listed_by_name)
{
    struct errand_queues_result ret;

    push_on("b", "job");
    push_on("a", "job");
    push_on("a.b", "job");
    push_on("B", "job");
    ok(er_store_queues(store, now, arena, &ret, &err));
    assert_int_equal(ret.queues_n, 4);
    assert_string_equal(ret.queues[0].name, "B");
    assert_string_equal(ret.queues[1].name, "a");
    assert_string_equal(ret.queues[2].name, "a.b");
    assert_string_equal(ret.queues[3].name, "b");
}

TEST(a_queue_stays_when_it_is_empty)
{
    change(ERRAND_CHANGE_DELETE, push_on("mail", "job"));
    assert_non_null(queue_info("mail").name);
}

TEST(a_push_that_fails_makes_no_queue)
{
    struct errand_push_job job = {.queue = "new", .batch = id_of("nobody")};

    fails(ERRAND_ENOTFOUND,
          try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1}));
    assert_null(queue_info("new").name);
}

TEST(the_oldest_ready_job_says_since_when_it_may_run)
{
    int64_t t = now;

    assert_int_equal(queue_info(DEFAULT_QUEUE).oldest_ready_ms, 0);
    push_job((struct errand_push_job){.run_at_ms = now + HOUR});
    assert_int_equal(queue_info(DEFAULT_QUEUE).oldest_ready_ms, 0);
    push_job((struct errand_push_job){.priority = 5});
    now += SECOND;
    push_job((struct errand_push_job){.priority = -5});
    assert_int_equal(queue_info(DEFAULT_QUEUE).oldest_ready_ms, t);
    reserve_one();
    assert_int_equal(queue_info(DEFAULT_QUEUE).oldest_ready_ms, t);
    reserve_one();
    assert_int_equal(queue_info(DEFAULT_QUEUE).oldest_ready_ms, 0);
}

/* ------------------------------------------------------------------ pause */

TEST(a_paused_queue_hands_out_nothing)
{
    push_on("mail", "a");
    push_on("other", "b");
    pause_until("mail", ERRAND_FOREVER);
    assert_int_equal(queue_info("mail").paused_until_ms, ERRAND_FOREVER);
    assert_string_equal(reserve_one().name, "b");
    reserve_none();
    assert_int_equal(reserve_from("mail", 1).jobs_n, 0);
    pause_until("mail", 0);
    assert_int_equal(queue_info("mail").paused_until_ms, 0);
    assert_string_equal(reserve_one().name, "a");
}

TEST(a_paused_queue_takes_jobs)
{
    pause_until("mail", ERRAND_FOREVER);
    push_on("mail", "a");
    assert_int_equal(count_of("mail", ERRAND_READY), 1);
}

TEST(a_pause_ends_by_itself)
{
    struct errand_exchange_result ret;

    push_on("mail", "a");
    pause_until("mail", now + MINUTE);
    assert_int_equal(queue_info("mail").paused_until_ms, now + MINUTE);
    ret = reserve_from("mail", 1);
    assert_int_equal(ret.jobs_n, 0);
    assert_int_equal(ret.next_at_ms, now + MINUTE);
    now += MINUTE;
    assert_int_equal(queue_info("mail").paused_until_ms, 0);
    assert_int_equal(reserve_from("mail", 1).jobs_n, 1);
}

TEST(pausing_a_queue_that_is_not_there_makes_it)
{
    pause_until("new", ERRAND_FOREVER);
    assert_non_null(queue_info("new").name);
}

TEST(what_runs_goes_on_in_a_paused_queue)
{
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    pause_until(DEFAULT_QUEUE, ERRAND_FOREVER);
    done(r);
    assert_state(r.id, ERRAND_COMPLETED);
}

TEST(a_paused_queue_hands_out_no_hooks)
{
    push("a");
    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_FAIL, .hook_due = true});
    pause_until(DEFAULT_QUEUE, ERRAND_FOREVER);
    reserve_none();
    pause_until(DEFAULT_QUEUE, 0);
    assert_int_equal(reserve_one().kind, ERRAND_WORK_FAILED_HOOK);
}

TEST_PART()
