/* settle.c: how attempts end, and that only who has the lease can end them. */
#include "store/support.h"

TEST(done_completes_and_keeps_the_result)
{
    struct errand_id id = push("a");
    struct errand_job_info job;
    struct errand_reserved r = reserve_one();

    now += SECOND;
    assert_int_equal(settle(r, (struct errand_outcome){.kind = ERRAND_OUT_DONE,
                                                       .result = slice("{\"sum\":3}")}),
                     ERRAND_SETTLED);
    job = look(id).job;
    assert_int_equal(job.state, ERRAND_COMPLETED);
    assert_slice(job.result, "{\"sum\":3}");
    assert_int_equal(job.finished_ms, now);
    assert_int_equal(job.attempts, 1);
    assert_int_equal(job.error.len, 0);
}

TEST(a_completed_job_keeps_what_it_was)
{
    static const char *const tags[] = {"red"};
    struct errand_id id = push_job((struct errand_push_job){.name = "mail",
                                                            .queue = "post",
                                                            .data = slice("[1]"),
                                                            .options = slice("{}"),
                                                            .tags = tags,
                                                            .tags_n = 1,
                                                            .priority = 4,
                                                            .tries = 2})
                              .id;
    int64_t created = now;
    struct errand_job_info job;

    now += SECOND;
    done(reserve_one());
    job = look(id).job;
    assert_string_equal(job.name, "mail");
    assert_string_equal(job.queue, "post");
    assert_slice(job.data, "[1]");
    assert_slice(job.options, "{}");
    assert_int_equal(job.tags_n, 1);
    assert_string_equal(job.tags[0], "red");
    assert_int_equal(job.priority, 4);
    assert_int_equal(job.tries, 2);
    assert_int_equal(job.created_ms, created);
    assert_int_equal(job.run_at_ms, created);
}

TEST(retry_runs_again_at_its_time_and_counts)
{
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();

    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_RETRY,
                                      .run_at_ms = now + MINUTE,
                                      .error = slice("busy")});
    assert_state(id, ERRAND_SCHEDULED);
    assert_int_equal(look(id).job.attempts, 1);
    assert_int_equal(look(id).job.run_at_ms, now + MINUTE);
    assert_slice(look(id).job.error, "busy");
    reserve_none();
    now += MINUTE;
    assert_int_equal(reserve_one().attempt, 2);
}

TEST(a_retry_for_now_is_scheduled_and_due)
{
    struct errand_id id = push("a");

    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_RETRY});
    assert_state(id, ERRAND_SCHEDULED);
    assert_int_equal(look(id).job.run_at_ms, now);
    assert_int_equal(reserve_one().attempt, 2);
}

TEST(done_after_a_retry_clears_the_error)
{
    struct errand_id id = push("a");

    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_RETRY, .error = slice("busy")});
    done(reserve_one());
    assert_int_equal(look(id).job.error.len, 0);
    assert_int_equal(look(id).job.attempts, 2);
}

TEST(fail_is_final)
{
    struct errand_id id = push("a");
    struct errand_job_info job;

    now += SECOND;
    failed(reserve_one());
    job = look(id).job;
    assert_int_equal(job.state, ERRAND_FAILED);
    assert_slice(job.error, "no luck");
    assert_int_equal(job.finished_ms, now);
    now += HOUR;
    reserve_none();
}

TEST(snooze_gives_the_attempt_back)
{
    struct errand_id id = push("a");

    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_SNOOZE, .run_at_ms = now + MINUTE});
    assert_state(id, ERRAND_SCHEDULED);
    assert_int_equal(look(id).job.attempts, 0);
    now += MINUTE;
    assert_int_equal(reserve_one().attempt, 1);
}

TEST(hand_back_gives_the_attempt_back_at_once)
{
    struct errand_id id = push("a");
    int64_t run_at = now;

    now += SECOND;
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_state(id, ERRAND_READY);
    assert_int_equal(look(id).job.attempts, 0);
    assert_int_equal(look(id).job.run_at_ms, run_at);
    assert_int_equal(reserve_one().attempt, 1);
}

TEST(snooze_and_hand_back_leave_no_attempt)
{
    struct errand_id id = push("a");

    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_SNOOZE});
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_int_equal(look(id).attempts_n, 0);
    assert_int_equal(look(id).job.started_ms, 0);
}

TEST(cancelled_is_final)
{
    struct errand_id id = push("a");

    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_CANCELLED,
                                                  .cause = ERRAND_CAUSE_CANCEL});
    assert_state(id, ERRAND_CANCELLED);
    assert_int_equal(look(id).attempts[0].cause, ERRAND_CAUSE_CANCEL);
}

TEST(an_attempt_is_kept_with_its_cause)
{
    struct errand_id id = push("a");
    struct errand_attempt a;
    int64_t started = now + 5, ended = now + 70;

    now += 100;
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_RETRY,
                                                  .cause = ERRAND_CAUSE_SIGNAL,
                                                  .signal = 11,
                                                  .exit_code = 3,
                                                  .started_ms = started,
                                                  .ended_ms = ended,
                                                  .max_rss_kib = 1234,
                                                  .cpu_ms = 56,
                                                  .error = slice("killed"),
                                                  .log = slice("line 1\nline 2\n")});
    assert_int_equal(look(id).attempts_n, 1);
    a = look(id).attempts[0];
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcome, ERRAND_OUT_RETRY);
    assert_int_equal(a.cause, ERRAND_CAUSE_SIGNAL);
    assert_int_equal(a.signal, 11);
    assert_int_equal(a.exit_code, 3);
    assert_int_equal(a.started_ms, started);
    assert_int_equal(a.ended_ms, ended);
    assert_int_equal(a.max_rss_kib, 1234);
    assert_int_equal(a.cpu_ms, 56);
    assert_string_equal(a.worker, "worker");
    assert_slice(a.error, "killed");
    assert_slice(a.log, "line 1\nline 2\n");
}

TEST(the_attempt_that_did_it_is_kept_with_its_log)
{
    struct errand_id id = push("a");
    struct errand_attempt a;
    int64_t reserved_at;

    now += 10;
    reserved_at = now;
    struct errand_reserved r = reserve_one();
    now += 20;
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_DONE, .log = slice("hello")});
    assert_int_equal(look(id).attempts_n, 1);
    a = look(id).attempts[0];
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcome, ERRAND_OUT_DONE);
    assert_int_equal(a.started_ms, reserved_at);
    assert_int_equal(a.ended_ms, now);
    assert_slice(a.log, "hello");
    assert_int_equal(look(id).job.started_ms, reserved_at);
}

TEST(attempts_are_listed_oldest_first)
{
    struct errand_id id = push("a");

    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_RETRY, .error = slice("one")});
    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_RETRY, .error = slice("two")});
    done(reserve_one());
    assert_int_equal(look(id).attempts_n, 3);
    assert_slice(look(id).attempts[0].error, "one");
    assert_slice(look(id).attempts[1].error, "two");
    assert_int_equal(look(id).attempts[2].n, 3);
    assert_int_equal(look(id).attempts[2].outcome, ERRAND_OUT_DONE);
}

TEST(the_last_attempts_are_kept)
{
    struct errand_id id = push_job((struct errand_push_job){.tries = 1000}).id;

    for (int i = 0; i < ERRAND_ATTEMPTS_KEPT + 5; i++)
        settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_RETRY});
    assert_int_equal(look(id).attempts_n, ERRAND_ATTEMPTS_KEPT);
    assert_int_equal(look(id).attempts[0].n, 6);
}

TEST(errors_logs_and_results_may_hold_any_bytes)
{
    static const char bytes[] = "\0\xff\xfe'\"\\\n\x1b[31m";
    struct errand_slice any = {bytes, sizeof bytes - 1};
    struct errand_id id = push("a");
    struct errand_attempt a;

    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_FAIL, .error = any, .log = any});
    a = look(id).attempts[0];
    assert_int_equal(a.log.len, any.len);
    assert_memory_equal(a.log.ptr, bytes, any.len);
    assert_memory_equal(look(id).job.error.ptr, bytes, any.len);
    id = push("b");
    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_DONE, .result = any});
    assert_int_equal(look(id).job.result.len, any.len);
    assert_memory_equal(look(id).job.result.ptr, bytes, any.len);
}

/* ------------------------------------------------------------------ fencing */

TEST(settling_twice_is_harmless)
{
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();

    done(r);
    assert_int_equal(settle(r, (struct errand_outcome){.kind = ERRAND_OUT_FAIL}),
                     ERRAND_LOST);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(look(id).attempts_n, 1);
}

TEST(settling_with_an_old_token_changes_nothing)
{
    struct errand_id id = push("a");
    struct errand_reserved first = reserve_one(), second;

    now += LEASE_MS + 1;
    assert_int_equal(reap().ready_n, 1);
    second = reserve_one();
    assert_true(second.token > first.token);
    assert_int_equal(settle(first, (struct errand_outcome){.kind = ERRAND_OUT_DONE}),
                     ERRAND_LOST);
    assert_state(id, ERRAND_RUNNING);
    assert_int_equal(look(id).job.attempts, 2);
    done(second);
    assert_state(id, ERRAND_COMPLETED);
}

TEST(one_lost_outcome_does_not_hold_up_the_rest)
{
    struct errand_exchange_result r, ret;
    struct errand_outcome outcomes[3] = {0};

    push("a");
    push("b");
    push("c");
    r = reserve(3);
    for (int i = 0; i < 3; i++)
        outcomes[i] = (struct errand_outcome){
            .token = r.jobs[i].token, .key = r.jobs[i].key, .id = r.jobs[i].id};
    outcomes[1].token += 1000;
    ret =
        exchange((struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 3});
    assert_int_equal(ret.settled[0], ERRAND_SETTLED);
    assert_int_equal(ret.settled[1], ERRAND_LOST);
    assert_int_equal(ret.settled[2], ERRAND_SETTLED);
    assert_state(r.jobs[1].id, ERRAND_RUNNING);
}

TEST(a_job_that_is_not_running_cannot_be_settled)
{
    struct errand_id id = push("a");
    struct errand_reserved invented = {.token = 1, .id = id};

    assert_int_equal(settle(invented, (struct errand_outcome){.kind = ERRAND_OUT_DONE}),
                     ERRAND_LOST);
    assert_state(id, ERRAND_READY);
}

TEST(a_job_that_never_was_is_lost)
{
    struct errand_reserved invented = {.token = 1, .id = id_of("nobody")};

    assert_int_equal(settle(invented, (struct errand_outcome){.kind = ERRAND_OUT_DONE}),
                     ERRAND_LOST);
}

TEST(settling_by_id_alone_works)
{
    struct errand_reserved r;
    struct errand_id id = push("a");

    r = reserve_one();
    r.key = 0;
    done(r);
    assert_state(id, ERRAND_COMPLETED);
}

TEST(the_same_outcome_twice_in_one_call_counts_once)
{
    struct errand_outcome outcomes[2];
    struct errand_exchange_result ret;
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    outcomes[0] = outcomes[1] =
        (struct errand_outcome){.token = r.token, .key = r.key, .id = r.id};
    ret =
        exchange((struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 2});
    assert_int_equal(ret.settled[0], ERRAND_SETTLED);
    assert_int_equal(ret.settled[1], ERRAND_LOST);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 1);
}

TEST(tokens_grow)
{
    int64_t last = 0;

    for (int i = 0; i < 5; i++) {
        struct errand_reserved r;
        push("a");
        r = reserve_one();
        assert_true(r.token > last);
        last = r.token;
        done(r);
    }
}

/* ------------------------------------------------------------------ settle and reserve
 */

TEST(what_is_settled_in_a_call_can_be_reserved_by_it)
{
    struct errand_exchange_result ret;
    struct errand_outcome outcome;
    struct errand_reserved r;
    struct errand_id id = push("a");

    r = reserve_one();
    outcome = (struct errand_outcome){
        .token = r.token, .key = r.key, .id = r.id, .kind = ERRAND_OUT_RETRY};
    ret = exchange(
        (struct errand_exchange_params){.outcomes = &outcome, .outcomes_n = 1, .max = 5});
    assert_int_equal(ret.jobs_n, 1);
    assert_id(ret.jobs[0].id, id);
    assert_int_equal(ret.jobs[0].attempt, 2);
}

TEST(a_group_is_settled_and_the_next_one_reserved)
{
    struct errand_exchange_result ret, next;
    struct errand_outcome outcomes[10];

    for (int i = 0; i < 20; i++)
        push("a");
    ret = reserve(10);
    for (int i = 0; i < 10; i++)
        outcomes[i] = (struct errand_outcome){
            .token = ret.token, .key = ret.jobs[i].key, .id = ret.jobs[i].id};
    next = exchange((struct errand_exchange_params){
        .outcomes = outcomes, .outcomes_n = 10, .max = 10});
    assert_int_equal(next.jobs_n, 10);
    assert_true(next.token > ret.token);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 10);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_RUNNING), 10);
}

/* ------------------------------------------------------------------ the failed hook */

static struct errand_id fail_with_hook(const char *name)
{
    struct errand_id id = push(name);

    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_FAIL,
                                                  .error = slice("no luck"),
                                                  .hook_due = true});
    return id;
}

TEST(a_due_hook_is_handed_out_once_before_jobs)
{
    struct errand_id id = fail_with_hook("a");
    struct errand_exchange_result ret;

    push("b");
    ret = reserve(5);
    assert_int_equal(ret.jobs_n, 2);
    assert_int_equal(ret.jobs[0].kind, ERRAND_WORK_FAILED_HOOK);
    assert_id(ret.jobs[0].id, id);
    assert_slice(ret.jobs[0].error, "no luck");
    assert_int_equal(ret.jobs[0].attempt, 1);
    assert_int_equal(ret.jobs[1].kind, ERRAND_WORK_JOB);
    assert_state(id, ERRAND_FAILED);
    reserve_none();
}

TEST(a_hook_that_is_done_is_not_due_again)
{
    struct errand_id id = fail_with_hook("a");
    struct errand_reserved hook = reserve_one();

    assert_int_equal(settle(hook, (struct errand_outcome){.kind = ERRAND_OUT_HOOK_DONE}),
                     ERRAND_SETTLED);
    assert_int_equal(settle(hook, (struct errand_outcome){.kind = ERRAND_OUT_HOOK_DONE}),
                     ERRAND_LOST);
    now += HOUR;
    reap();
    reserve_none();
    assert_state(id, ERRAND_FAILED);
    assert_int_equal(look(id).attempts_n, 1);
}

TEST(a_hook_whose_lease_ran_out_is_due_again)
{
    struct errand_reserved hook, again;

    fail_with_hook("a");
    hook = reserve_one();
    now += LEASE_MS;
    assert_int_equal(reap().hooks_n, 1);
    again = reserve_one();
    assert_int_equal(again.kind, ERRAND_WORK_FAILED_HOOK);
    assert_true(again.token > hook.token);
    assert_int_equal(settle(hook, (struct errand_outcome){.kind = ERRAND_OUT_HOOK_DONE}),
                     ERRAND_LOST);
}

TEST(a_hook_cannot_be_settled_as_a_job)
{
    struct errand_reserved hook;

    fail_with_hook("a");
    hook = reserve_one();
    assert_int_equal(settle(hook, (struct errand_outcome){.kind = ERRAND_OUT_DONE}),
                     ERRAND_LOST);
    assert_state(hook.id, ERRAND_FAILED);
}

TEST(a_failure_without_a_hook_has_none)
{
    run_failed("a");
    reserve_none();
}

TEST(hooks_come_in_the_order_of_their_failures)
{
    struct errand_outcome fail = {.kind = ERRAND_OUT_FAIL, .hook_due = true};
    struct errand_exchange_result ret;

    push("a");
    push("b");
    ret = reserve(2);
    settle(ret.jobs[1], fail);
    now += 1;
    settle(ret.jobs[0], fail);
    assert_id(reserve_one().id, ret.jobs[1].id);
    assert_id(reserve_one().id, ret.jobs[0].id);
}

TEST(a_hook_knows_when_its_job_failed)
{
    struct errand_id id = fail_with_hook("a");
    int64_t first = now;

    assert_int_equal(reserve_one().failed_ms, first);
    now += LEASE_MS;
    assert_int_equal(reap().hooks_n, 1);
    assert_int_equal(reserve_one().failed_ms, first);
    change(ERRAND_CHANGE_RETRY, id);
    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_FAIL, .hook_due = true});
    assert_int_equal(reserve_from(DEFAULT_QUEUE, 1).jobs[0].failed_ms, now);
}

TEST(the_operators_retry_withdraws_a_hook_that_is_due)
{
    struct errand_id id = fail_with_hook("a");

    change(ERRAND_CHANGE_RETRY, id);
    assert_int_equal(reserve_one().kind, ERRAND_WORK_JOB);
    reserve_none();
}

TEST_PART()
