/* lease.c: leases that are pushed forward, progress, and who is told to stop. */
#include "store/support.h"

static struct errand_extend_result extend(struct errand_extend_params p)
{
    struct errand_extend_result ret;

    p.now_ms = now;
    if (!p.lease_ms)
        p.lease_ms = LEASE_MS;
    ok(er_store_extend(store, &p, arena, &ret, &err));
    return ret;
}

static struct errand_extend_result extend_token(int64_t token)
{
    return extend((struct errand_extend_params){.tokens = &token, .tokens_n = 1});
}

TEST(a_lease_ends_at_the_time_that_was_said)
{
    struct errand_exchange_result ret;

    push("a");
    ret = reserve(1);
    assert_int_equal(ret.lease_until_ms, now + LEASE_MS);
    now += LEASE_MS - 1;
    assert_int_equal(reap().ready_n, 0);
    now += 1;
    assert_int_equal(reap().ready_n, 1);
}

TEST(an_extended_lease_lives_on)
{
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    now += LEASE_MS - 1;
    assert_int_equal(extend_token(r.token).leases[0], ERRAND_SETTLED);
    now += LEASE_MS - 1;
    assert_int_equal(reap().ready_n, 0);
    done(r);
}

TEST(extending_answers_the_new_end)
{
    push("a");
    assert_int_equal(extend_token(reserve_one().token).until_ms, now + LEASE_MS);
}

TEST(a_lease_that_is_over_but_not_reaped_can_be_extended)
{
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    now += 10 * LEASE_MS;
    assert_int_equal(extend_token(r.token).leases[0], ERRAND_SETTLED);
    assert_int_equal(reap().ready_n, 0);
    done(r);
}

TEST(a_lease_that_was_reaped_is_lost)
{
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    now += LEASE_MS;
    reap();
    assert_int_equal(extend_token(r.token).leases[0], ERRAND_LOST);
}

TEST(a_lease_ends_with_its_last_job)
{
    struct errand_exchange_result ret;

    push("a");
    push("b");
    ret = reserve(2);
    done(ret.jobs[0]);
    assert_int_equal(extend_token(ret.token).leases[0], ERRAND_SETTLED);
    done(ret.jobs[1]);
    assert_int_equal(extend_token(ret.token).leases[0], ERRAND_LOST);
}

TEST(leases_are_answered_in_their_order)
{
    int64_t tokens[3];
    struct errand_extend_result ret;

    push("a");
    push("b");
    tokens[0] = reserve_one().token;
    tokens[1] = 123456;
    tokens[2] = reserve_one().token;
    ret = extend((struct errand_extend_params){.tokens = tokens, .tokens_n = 3});
    assert_int_equal(ret.leases[0], ERRAND_SETTLED);
    assert_int_equal(ret.leases[1], ERRAND_LOST);
    assert_int_equal(ret.leases[2], ERRAND_SETTLED);
}

TEST(extending_never_shortens)
{
    struct errand_reserved r;
    int64_t token;

    push("a");
    r = reserve_one();
    token = r.token;
    extend((struct errand_extend_params){.tokens = &token, .tokens_n = 1, .lease_ms = 1});
    now += SECOND;
    assert_int_equal(reap().ready_n, 0);
}

TEST(progress_is_seen_on_the_job)
{
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();
    struct errand_progress g = {
        .token = r.token, .key = r.key, .id = r.id, .percent = 40, .note = slice("half")};

    assert_int_equal(look(id).job.progress, -1);
    assert_int_equal(
        extend((struct errand_extend_params){.progress = &g, .progress_n = 1})
            .progress[0],
        ERRAND_SETTLED);
    assert_int_equal(look(id).job.progress, 40);
    assert_slice(look(id).job.progress_note, "half");
}

TEST(progress_of_another_attempt_is_lost)
{
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();
    struct errand_progress g = {
        .token = r.token + 1, .key = r.key, .id = r.id, .percent = 40};

    assert_int_equal(
        extend((struct errand_extend_params){.progress = &g, .progress_n = 1})
            .progress[0],
        ERRAND_LOST);
    assert_int_equal(look(id).job.progress, -1);
}

TEST(progress_ends_with_the_attempt)
{
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();
    struct errand_progress g = {
        .token = r.token, .key = r.key, .id = r.id, .percent = 40, .note = slice("half")};

    extend((struct errand_extend_params){.progress = &g, .progress_n = 1});
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_RETRY});
    assert_int_equal(look(id).job.progress, -1);
    assert_int_equal(look(id).job.progress_note.len, 0);
}

TEST(extending_tells_who_is_to_stop)
{
    struct errand_exchange_result r;
    struct errand_extend_result ret;

    push("a");
    push("b");
    r = reserve(2);
    assert_int_equal(extend_token(r.token).cancelled_n, 0);
    change(ERRAND_CHANGE_CANCEL, r.jobs[1].id);
    ret = extend_token(r.token);
    assert_int_equal(ret.cancelled_n, 1);
    assert_id(ret.cancelled[0].id, r.jobs[1].id);
    assert_int_equal(ret.cancelled[0].token, r.token);
    assert_int_equal(ret.cancelled[0].key, r.jobs[1].key);
    settle(r.jobs[1], (struct errand_outcome){.kind = ERRAND_OUT_CANCELLED});
    assert_int_equal(extend_token(r.token).cancelled_n, 0);
}

/* ------------------------------------------------------------------ reap */

TEST(a_reaped_job_is_ready_at_its_old_place)
{
    struct errand_id a = push("a");
    int64_t run_at = now;
    struct errand_reap_result ret;

    now += 10;
    reserve_one();
    push("b");
    now += LEASE_MS;
    ret = reap();
    assert_int_equal(ret.ready_n, 1);
    assert_int_equal(ret.failed_n, 0);
    assert_false(ret.more);
    assert_state(a, ERRAND_READY);
    assert_int_equal(look(a).job.run_at_ms, run_at);
    assert_int_equal(look(a).job.attempts, 1);
    assert_id(reserve_one().id, a);
}

TEST(a_reaped_attempt_counts_and_says_why)
{
    struct errand_id id = push("a");
    struct errand_attempt a;
    int64_t reserved_at = now;

    reserve_one();
    now += LEASE_MS;
    reap();
    assert_int_equal(look(id).attempts_n, 1);
    a = look(id).attempts[0];
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcome, ERRAND_OUT_RETRY);
    assert_int_equal(a.cause, ERRAND_CAUSE_LEASE);
    assert_int_equal(a.started_ms, reserved_at);
    assert_int_equal(a.ended_ms, now);
    assert_slice(a.error, ERRAND_LEASE_ERROR);
    assert_slice(look(id).job.error, ERRAND_LEASE_ERROR);
    assert_string_equal(a.worker, "worker");
}

TEST(a_job_whose_attempts_are_spent_is_reaped_as_failed)
{
    struct errand_id id = push_job((struct errand_push_job){.tries = 2}).id;
    struct errand_reap_result ret;

    reserve_one();
    now += LEASE_MS;
    assert_int_equal(reap().ready_n, 1);
    reserve_one();
    now += LEASE_MS;
    ret = reap();
    assert_int_equal(ret.failed_n, 1);
    assert_int_equal(ret.ready_n, 0);
    assert_state(id, ERRAND_FAILED);
    assert_int_equal(look(id).attempts[1].outcome, ERRAND_OUT_FAIL);
    assert_int_equal(look(id).job.finished_ms, now);
}

TEST(a_job_reaped_as_failed_has_its_hook)
{
    push_job((struct errand_push_job){.tries = 1, .has_failed_hook = true});
    reserve_one();
    now += LEASE_MS;
    assert_int_equal(reap().failed_n, 1);
    assert_int_equal(reserve_one().kind, ERRAND_WORK_FAILED_HOOK);
}

TEST(a_reaper_may_ask_for_the_hook_of_every_failure)
{
    struct errand_reap_params p = {.max = 10, .all_hooks = true};
    struct errand_id id = push_job((struct errand_push_job){.tries = 1}).id;
    struct errand_reap_result ret;
    struct errand_reserved hook;

    push("b"); /* has tries left: READY again, and no hook */
    reserve(2);
    p.now_ms = now += LEASE_MS;
    ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.failed_n, 1);
    assert_int_equal(ret.ready_n, 1);
    hook = reserve_one();
    assert_int_equal(hook.kind, ERRAND_WORK_FAILED_HOOK);
    assert_id(hook.id, id);
    assert_int_equal(hook.failed_ms, now);
    assert_int_equal(reserve_one().kind, ERRAND_WORK_JOB);
    reserve_none();
}

TEST(a_job_reaped_as_failed_without_a_hook_has_none)
{
    push_job((struct errand_push_job){.tries = 1});
    reserve_one();
    now += LEASE_MS;
    assert_int_equal(reap().failed_n, 1);
    reserve_none();
}

TEST(a_cancelled_job_is_reaped_as_cancelled)
{
    struct errand_id id = push("a");
    struct errand_reap_result ret;

    reserve_one();
    change(ERRAND_CHANGE_CANCEL, id);
    now += LEASE_MS;
    ret = reap();
    assert_int_equal(ret.cancelled_n, 1);
    assert_int_equal(ret.ready_n, 0);
    assert_state(id, ERRAND_CANCELLED);
    assert_false(look(id).job.cancel_requested);
}

TEST(reap_is_bounded_and_says_so)
{
    struct errand_reap_params p = {.max = 2};
    struct errand_reap_result ret;

    for (int i = 0; i < 3; i++)
        push("a");
    reserve(3);
    p.now_ms = now += LEASE_MS;
    ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.ready_n, 2);
    assert_true(ret.more);
    ok(er_store_reap(store, &p, arena, &ret, &err));
    assert_int_equal(ret.ready_n, 1);
    assert_false(ret.more);
}

TEST(reap_tells_what_moved)
{
    struct errand_id id = push("a");
    struct errand_reap_result ret;

    reserve_one();
    now += LEASE_MS;
    ret = reap();
    assert_int_equal(ret.moves_n, 1);
    assert_id(ret.moves[0].id, id);
    assert_string_equal(ret.moves[0].name, "a");
    assert_string_equal(ret.moves[0].queue, DEFAULT_QUEUE);
    assert_int_equal(ret.moves[0].from, ERRAND_RUNNING);
    assert_int_equal(ret.moves[0].to, ERRAND_READY);
    assert_int_equal(ret.moves[0].attempt, 1);
}

TEST(a_living_lease_is_not_reaped)
{
    struct errand_reserved early, late;

    push("a");
    push("b");
    early = reserve_one();
    now += LEASE_MS / 2;
    late = reserve_one();
    now += LEASE_MS / 2;
    assert_int_equal(reap().ready_n, 1);
    assert_state(early.id, ERRAND_READY);
    assert_state(late.id, ERRAND_RUNNING);
}

TEST_PART()
