/* unique.c: keys that at most one job holds: three ways to end, three policies. */
#include "store/support.h"

static struct errand_pushed_job push_unique(const char *name, struct errand_unique unique)
{
    if (!unique.key.ptr)
        unique.key = slice("key");
    return push_job(
        (struct errand_push_job){.name = name, .unique = &unique, .data = slice(name)});
}

static const struct errand_unique until_done = {.until = ERRAND_UNIQUE_DONE};
static const struct errand_unique until_started = {.until = ERRAND_UNIQUE_STARTED};
static const struct errand_unique for_a_minute = {.until = ERRAND_UNIQUE_TTL,
                                                  .ttl_ms = MINUTE};

static void assert_duplicate(struct errand_pushed_job job, struct errand_id of,
                             enum errand_state state)
{
    assert_int_equal(job.pushed, ERRAND_DUPLICATE);
    assert_id(job.id, of);
    assert_int_equal(job.state, state);
}

TEST(a_second_job_of_the_key_is_dropped)
{
    struct errand_pushed_job first = push_unique("a", until_done);

    assert_int_equal(first.pushed, ERRAND_INSERTED);
    assert_duplicate(push_unique("b", until_done), first.id, ERRAND_READY);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 1);
    assert_slice(look(first.id).job.data, "a");
}

TEST(another_key_is_another_job)
{
    push_unique("a", until_done);
    assert_int_equal(push_unique("b", (struct errand_unique){.key = slice("other"),
                                                             .until = ERRAND_UNIQUE_DONE})
                         .pushed,
                     ERRAND_INSERTED);
}

TEST(keys_may_hold_any_bytes)
{
    struct errand_unique one = {.key = {"k\0a", 3}, .until = ERRAND_UNIQUE_DONE};
    struct errand_unique two = {.key = {"k\0b", 3}, .until = ERRAND_UNIQUE_DONE};

    assert_int_equal(push_unique("a", one).pushed, ERRAND_INSERTED);
    assert_int_equal(push_unique("a", two).pushed, ERRAND_INSERTED);
    assert_int_equal(push_unique("a", one).pushed, ERRAND_DUPLICATE);
}

TEST(the_key_is_shared_by_all_queues)
{
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};

    push_unique("a", until_done);
    assert_int_equal(
        push_job((struct errand_push_job){.queue = "other", .unique = &unique}).pushed,
        ERRAND_DUPLICATE);
}

TEST(two_of_one_key_in_one_push_are_one_job)
{
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job jobs[] = {{.unique = &unique}, {.unique = &unique}};
    struct errand_push_result ret =
        push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 2});

    assert_int_equal(ret.jobs[0].pushed, ERRAND_INSERTED);
    assert_duplicate(ret.jobs[1], ret.jobs[0].id, ERRAND_READY);
}

/* ------------------------------------------------------------------ until */

TEST(until_done_holds_while_it_runs)
{
    struct errand_id id = push_unique("a", until_done).id;
    struct errand_reserved r = reserve_one();

    assert_duplicate(push_unique("b", until_done), id, ERRAND_RUNNING);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_RETRY});
    assert_duplicate(push_unique("b", until_done), id, ERRAND_SCHEDULED);
    done(reserve_one());
    assert_int_equal(push_unique("b", until_done).pushed, ERRAND_INSERTED);
}

TEST(until_done_ends_with_any_final_state)
{
    push_unique("a", until_done);
    failed(reserve_one());
    assert_int_equal(push_unique("b", until_done).pushed, ERRAND_INSERTED);
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_CANCELLED});
    assert_int_equal(push_unique("c", until_done).pushed, ERRAND_INSERTED);
}

TEST(until_done_ends_when_the_job_is_cancelled_while_it_waits)
{
    change(ERRAND_CHANGE_CANCEL, push_unique("a", until_done).id);
    assert_int_equal(push_unique("b", until_done).pushed, ERRAND_INSERTED);
}

TEST(until_done_may_end_by_time)
{
    struct errand_unique unique = {.until = ERRAND_UNIQUE_DONE, .ttl_ms = MINUTE};
    struct errand_id first = push_unique("a", unique).id, second;

    now += MINUTE - 1;
    assert_int_equal(push_unique("b", unique).pushed, ERRAND_DUPLICATE);
    now += 1;
    second = push_unique("b", unique).id;
    assert_string_not_equal(first.text, second.text);
    /* The end of the first does not free the key of the second. */
    done(reserve_one());
    assert_state(first, ERRAND_COMPLETED);
    assert_duplicate(push_unique("c", unique), second, ERRAND_READY);
}

TEST(until_started_ends_when_an_attempt_starts)
{
    struct errand_reserved r;

    push_unique("a", until_started);
    assert_int_equal(push_unique("b", until_started).pushed, ERRAND_DUPLICATE);
    r = reserve_one();
    assert_int_equal(push_unique("b", until_started).pushed, ERRAND_INSERTED);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 2);
}

TEST(ttl_holds_whatever_becomes_of_the_job)
{
    struct errand_id id = push_unique("a", for_a_minute).id;

    done(reserve_one());
    now += MINUTE - 1;
    assert_duplicate(push_unique("b", for_a_minute), id, ERRAND_COMPLETED);
    now += 1;
    assert_int_equal(push_unique("b", for_a_minute).pushed, ERRAND_INSERTED);
}

TEST(ttl_holds_when_the_job_was_pruned)
{
    struct errand_id id = push_unique("a", for_a_minute).id;

    store_reopen((struct er_store_options){0}); /* nothing is kept */
    done(reserve_one());
    assert_true(is_gone(id));
    assert_duplicate(push_unique("b", for_a_minute), id, ERRAND_COMPLETED);
}

TEST(deleting_the_job_frees_its_key)
{
    struct errand_id id = push_unique("a", for_a_minute).id;

    change(ERRAND_CHANGE_DELETE, id);
    assert_int_equal(push_unique("b", for_a_minute).pushed, ERRAND_INSERTED);
}

/* ------------------------------------------------------------------ policies */

static struct errand_unique with(enum errand_unique_policy policy)
{
    return (struct errand_unique){.until = ERRAND_UNIQUE_DONE, .policy = policy};
}

static struct errand_pushed_job push_policy(enum errand_unique_policy policy,
                                            const char *data, int64_t run_at_ms)
{
    struct errand_unique unique = with(policy);

    unique.key = slice("key");
    return push_job((struct errand_push_job){.unique = &unique,
                                             .data = slice(data),
                                             .options = slice(data),
                                             .run_at_ms = run_at_ms});
}

TEST(replace_takes_new_data_options_and_run_at)
{
    struct errand_id id = push_policy(ERRAND_UNIQUE_REPLACE, "1", 0).id;
    struct errand_pushed_job job = push_policy(ERRAND_UNIQUE_REPLACE, "2", now + MINUTE);

    assert_int_equal(job.pushed, ERRAND_REPLACED);
    assert_id(job.id, id);
    assert_int_equal(job.state, ERRAND_SCHEDULED);
    assert_slice(look(id).job.data, "2");
    assert_slice(look(id).job.options, "2");
    assert_int_equal(look(id).job.run_at_ms, now + MINUTE);
    reserve_none();
    now += MINUTE;
    assert_slice(reserve_one().data, "2");
}

TEST(replace_may_bring_a_job_forward)
{
    struct errand_id id = push_policy(ERRAND_UNIQUE_REPLACE, "1", now + HOUR).id;

    assert_int_equal(push_policy(ERRAND_UNIQUE_REPLACE, "2", 0).state, ERRAND_READY);
    assert_int_equal(look(id).job.run_at_ms, now);
    assert_id(reserve_one().id, id);
}

TEST(extend_puts_off_and_keeps_the_data)
{
    struct errand_id id = push_policy(ERRAND_UNIQUE_EXTEND, "1", now + SECOND).id;
    struct errand_pushed_job job;

    now += SECOND - 1;
    job = push_policy(ERRAND_UNIQUE_EXTEND, "2", now + SECOND);
    assert_int_equal(job.pushed, ERRAND_EXTENDED);
    assert_id(job.id, id);
    assert_slice(look(id).job.data, "1");
    now += SECOND - 1;
    reserve_none();
    now += 1;
    assert_id(reserve_one().id, id);
}

TEST(a_running_job_is_neither_replaced_nor_put_off)
{
    struct errand_id id = push_policy(ERRAND_UNIQUE_REPLACE, "1", 0).id;

    reserve_one();
    assert_duplicate(push_policy(ERRAND_UNIQUE_REPLACE, "2", 0), id, ERRAND_RUNNING);
    assert_duplicate(push_policy(ERRAND_UNIQUE_EXTEND, "2", now + HOUR), id,
                     ERRAND_RUNNING);
    assert_slice(look(id).job.data, "1");
}

TEST(replace_and_extend_start_the_ttl_anew)
{
    struct errand_unique unique = {
        .until = ERRAND_UNIQUE_TTL, .ttl_ms = MINUTE, .policy = ERRAND_UNIQUE_EXTEND};
    struct errand_id id = push_unique("a", unique).id;

    now += MINUTE - 1;
    assert_int_equal(push_unique("a", unique).pushed, ERRAND_EXTENDED);
    now += MINUTE - 1;
    assert_id(push_unique("a", unique).id, id);
}

TEST(a_held_job_that_is_put_off_stays_held)
{
    struct errand_id parent = push("parent");
    struct errand_unique unique = with(ERRAND_UNIQUE_REPLACE);
    struct errand_edge edge = {.parent_id = parent};
    struct errand_push_job job = {.unique = &unique, .data = slice("1")};
    struct errand_pushed_job again;
    struct errand_id id;

    unique.key = slice("key");
    id = push_all((struct errand_push_params){
                      .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
             .jobs[0]
             .id;
    again = push_policy(ERRAND_UNIQUE_REPLACE, "2", now + HOUR);
    assert_int_equal(again.pushed, ERRAND_REPLACED);
    assert_int_equal(again.state, ERRAND_HELD);
    done(reserve_one());
    assert_state(id, ERRAND_SCHEDULED);
    assert_int_equal(look(id).job.run_at_ms, now + HOUR);
}

/* ------------------------------------------------------------------ retry */

TEST(the_operators_retry_claims_the_key_again)
{
    struct errand_id id = push_unique("a", until_done).id;

    failed(reserve_one());
    assert_int_equal(change(ERRAND_CHANGE_RETRY, id), ERRAND_CHANGED);
    assert_duplicate(push_unique("b", until_done), id, ERRAND_READY);
}

TEST(the_operators_retry_yields_to_another_holder)
{
    struct errand_id id = push_unique("a", until_done).id;

    failed(reserve_one());
    push_unique("b", until_done);
    assert_int_equal(change(ERRAND_CHANGE_RETRY, id), ERRAND_KEY_TAKEN);
    assert_state(id, ERRAND_FAILED);
    done(reserve_one());
    assert_int_equal(change(ERRAND_CHANGE_RETRY, id), ERRAND_CHANGED);
}

TEST(a_retry_by_the_worker_does_not_claim_a_started_key)
{
    struct errand_reserved r;

    push_unique("a", until_started);
    r = reserve_one();
    push_unique("b", until_started);
    assert_int_equal(settle(r, (struct errand_outcome){.kind = ERRAND_OUT_RETRY}),
                     ERRAND_SETTLED);
    assert_int_equal(reserve(5).jobs_n, 2);
}

TEST_PART()
