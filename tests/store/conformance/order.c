/* order.c: which job is handed out next. */
#include "store/support.h"

/* Reserves one by one and shows the names as one word. */
static const char *names_in_order(void)
{
    static char names[256];
    size_t used = 0;
    struct errand_exchange_result ret;

    while ((ret = reserve(1)).jobs_n)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s", ret.jobs[0].name);
    names[used] = '\0';
    return names;
}

static void push_with(const char *name, int32_t priority, int64_t run_at_ms)
{
    push_job((struct errand_push_job){
        .name = name, .priority = priority, .run_at_ms = run_at_ms});
}

TEST(first_in_first_out)
{
    push("a");
    push("b");
    push("c");
    assert_string_equal(names_in_order(), "abc");
}

TEST(smaller_priority_comes_first)
{
    push_with("d", 5, 0);
    push_with("a", -5, 0);
    push_with("b", 0, 0);
    push_with("c", 0, 0);
    assert_string_equal(names_in_order(), "abcd");
}

TEST(earlier_run_at_comes_before_order_of_insertion)
{
    push_with("b", 0, now + 20);
    push_with("a", 0, now + 10);
    now += 100;
    push("c");
    assert_string_equal(names_in_order(), "abc");
}

TEST(priority_comes_before_run_at)
{
    push_with("b", 1, now);
    now += 10;
    push_with("a", 0, now);
    assert_string_equal(names_in_order(), "ab");
}

TEST(a_scheduled_job_waits_for_its_time)
{
    push_with("a", 0, now + SECOND);
    reserve_none();
    now += SECOND - 1;
    reserve_none();
    now += 1;
    assert_string_equal(reserve_one().name, "a");
}

TEST(a_due_job_is_counted_as_ready_when_reserve_has_looked)
{
    push_with("a", 0, now + SECOND);
    push_with("b", 0, now + SECOND);
    now += SECOND;
    assert_int_equal(reserve(1).jobs_n, 1);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_SCHEDULED), 0);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 1);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_RUNNING), 1);
}

TEST(one_reserve_hands_out_many_in_order)
{
    struct errand_exchange_result ret;

    push("a");
    push("b");
    push("c");
    ret = reserve(2);
    assert_int_equal(ret.jobs_n, 2);
    assert_string_equal(ret.jobs[0].name, "a");
    assert_string_equal(ret.jobs[1].name, "b");
    assert_int_equal(ret.jobs[0].token, ret.token);
    assert_int_equal(ret.jobs[1].token, ret.token);
}

TEST(given_queues_are_taken_strictly_in_their_order)
{
    static const char *const queues[] = {"high", "low"};
    struct errand_exchange_result ret;

    push_job((struct errand_push_job){.name = "c", .queue = "low", .priority = -100});
    push_on("high", "a");
    push_on("high", "b");
    push_on("other", "x");
    ret = exchange(
        (struct errand_exchange_params){.queues = queues, .queues_n = 2, .max = 10});
    assert_int_equal(ret.jobs_n, 3);
    assert_string_equal(ret.jobs[0].name, "a");
    assert_string_equal(ret.jobs[1].name, "b");
    assert_string_equal(ret.jobs[2].name, "c");
}

TEST(without_queues_all_are_one_line)
{
    push_on("one", "a");
    push_on("two", "b");
    push_on("one", "c");
    push_job((struct errand_push_job){.name = "0", .queue = "two", .priority = -1});
    assert_string_equal(names_in_order(), "0abc");
}

TEST(a_queue_that_nobody_knows_is_empty)
{
    assert_int_equal(reserve_from("nobody", 5).jobs_n, 0);
}

TEST(what_is_reserved_says_all_that_a_worker_needs)
{
    struct errand_id id = push_job((struct errand_push_job){.name = "mail",
                                                            .queue = "post",
                                                            .data = slice("[1]"),
                                                            .options = slice("{}"),
                                                            .priority = 3,
                                                            .tries = 4})
                              .id;
    int64_t pushed_at = now;
    struct errand_reserved job;

    now += SECOND;
    job = reserve_one();
    assert_int_equal(job.kind, ERRAND_WORK_JOB);
    assert_true(job.token > 0);
    assert_id(job.id, id);
    assert_string_equal(job.name, "mail");
    assert_string_equal(job.queue, "post");
    assert_slice(job.data, "[1]");
    assert_slice(job.options, "{}");
    assert_int_equal(job.attempt, 1);
    assert_int_equal(job.tries, 4);
    assert_int_equal(job.priority, 3);
    assert_int_equal(job.run_at_ms, pushed_at);
    assert_int_equal(job.created_ms, pushed_at);
    assert_string_equal(job.batch.text, "");
    assert_false(job.has_parents);
}

TEST(a_running_job_shows_its_worker)
{
    struct errand_id id = push("a");
    struct errand_job_info job;

    now += SECOND;
    reserve_one();
    job = look(id).job;
    assert_int_equal(job.state, ERRAND_RUNNING);
    assert_string_equal(job.worker, "worker");
    assert_int_equal(job.attempts, 1);
    assert_int_equal(job.started_ms, now);
}

TEST(a_job_is_handed_out_once)
{
    push("a");
    reserve_one();
    reserve_none();
}

TEST(a_hand_back_returns_to_the_old_place)
{
    struct errand_reserved a;

    push("a");
    push("b");
    a = reserve_one();
    now += SECOND;
    settle(a, (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_string_equal(names_in_order(), "ab");
}

/* ------------------------------------------------------------------ when to look again
 */

TEST(next_at_is_the_earliest_run_at)
{
    push_with("b", 0, now + 2 * SECOND);
    push_with("a", 0, now + SECOND);
    assert_int_equal(reserve(1).next_at_ms, now + SECOND);
}

TEST(next_at_is_now_when_the_maximum_was_reached)
{
    push("a");
    push("b");
    assert_int_equal(reserve(1).next_at_ms, now);
}

TEST(next_at_is_zero_when_nothing_is_known_to_come)
{
    push("a");
    assert_int_equal(reserve(5).next_at_ms, 0);
}

TEST(next_at_looks_at_the_queues_asked_for)
{
    push_job((struct errand_push_job){.queue = "other", .run_at_ms = now + SECOND});
    assert_int_equal(reserve_from(DEFAULT_QUEUE, 1).next_at_ms, 0);
    assert_int_equal(reserve_from("other", 1).next_at_ms, now + SECOND);
}

TEST_PART()
