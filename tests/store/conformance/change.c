/* change.c: what an operator does to jobs, by id and by filter. */
#include "store/support.h"

/* ------------------------------------------------------------------ cancel */

TEST(cancelling_a_waiting_job_is_at_once)
{
    struct errand_id ready = push("a");
    struct errand_id scheduled =
        push_job((struct errand_push_job){.run_at_ms = now + HOUR}).id;
    struct errand_id held = push_after("c", ready, ERRAND_ON_END);

    assert_int_equal(change(ERRAND_CHANGE_CANCEL, held), ERRAND_CHANGED);
    assert_int_equal(change(ERRAND_CHANGE_CANCEL, scheduled), ERRAND_CHANGED);
    assert_int_equal(change(ERRAND_CHANGE_CANCEL, ready), ERRAND_CHANGED);
    assert_state(held, ERRAND_CANCELLED);
    assert_state(scheduled, ERRAND_CANCELLED);
    assert_state(ready, ERRAND_CANCELLED);
    assert_int_equal(look(ready).job.finished_ms, now);
    now += HOUR;
    reserve_none();
}

TEST(cancelling_a_running_job_flags_it)
{
    struct errand_id id = push("a");
    int64_t before = reserve(1).control;

    assert_int_equal(change(ERRAND_CHANGE_CANCEL, id), ERRAND_CHANGED);
    assert_state(id, ERRAND_RUNNING);
    assert_true(look(id).job.cancel_requested);
    assert_true(reserve(1).control > before);
    assert_int_equal(change(ERRAND_CHANGE_CANCEL, id), ERRAND_CHANGED);
}

TEST(cancelling_an_ended_job_is_the_wrong_state)
{
    assert_int_equal(change(ERRAND_CHANGE_CANCEL, run_done("a")), ERRAND_WRONG_STATE);
    assert_int_equal(change(ERRAND_CHANGE_CANCEL, run_failed("a")), ERRAND_WRONG_STATE);
}

TEST(a_cancelled_attempt_does_not_run_again)
{
    static const enum errand_outcome_kind kinds[] = {ERRAND_OUT_RETRY, ERRAND_OUT_SNOOZE,
                                                     ERRAND_OUT_HAND_BACK};

    for (size_t i = 0; i < 3; i++) {
        struct errand_id id = push("a");
        struct errand_exchange_result ret;
        struct errand_reserved r = reserve_one();
        change(ERRAND_CHANGE_CANCEL, id);
        assert_int_equal(settle_moves(r, (struct errand_outcome){.kind = kinds[i]}, &ret),
                         ERRAND_SETTLED);
        assert_state(id, ERRAND_CANCELLED);
        assert_int_equal(ret.moves_n, 1);
        assert_id(ret.moves[0].id, id);
        assert_int_equal(ret.moves[0].to, ERRAND_CANCELLED);
        assert_int_equal(look(id).attempts[0].outcome, ERRAND_OUT_CANCELLED);
    }
}

TEST(a_cancelled_attempt_may_still_be_done_or_fail)
{
    struct errand_id a = push("a"), b = push("b");
    struct errand_exchange_result r = reserve(2);

    change(ERRAND_CHANGE_CANCEL, a);
    change(ERRAND_CHANGE_CANCEL, b);
    done(r.jobs[0]);
    failed(r.jobs[1]);
    assert_state(a, ERRAND_COMPLETED);
    assert_state(b, ERRAND_FAILED);
    assert_false(look(b).job.cancel_requested);
}

/* ------------------------------------------------------------------ retry */

TEST(retrying_a_failed_job_starts_its_life_anew)
{
    struct errand_id id = run_failed("a");
    struct errand_job_detail d;

    now += MINUTE;
    assert_int_equal(change(ERRAND_CHANGE_RETRY, id), ERRAND_CHANGED);
    d = look(id);
    assert_int_equal(d.job.state, ERRAND_READY);
    assert_int_equal(d.job.attempts, 0);
    assert_int_equal(d.job.run_at_ms, now);
    assert_int_equal(d.job.finished_ms, 0);
    assert_int_equal(d.job.started_ms, 0);
    assert_int_equal(d.job.error.len, 0);
    assert_int_equal(d.attempts_n, 1);
    assert_int_equal(reserve_one().attempt, 1);
}

TEST(old_attempts_are_kept_after_a_retry)
{
    struct errand_id id = run_failed("a");

    change(ERRAND_CHANGE_RETRY, id);
    failed(reserve_one());
    assert_int_equal(look(id).attempts_n, 2);
    assert_int_equal(look(id).attempts[0].n, 1);
    assert_int_equal(look(id).attempts[1].n, 1);
}

TEST(retrying_a_cancelled_job_runs_it)
{
    struct errand_id id = push("a");

    change(ERRAND_CHANGE_CANCEL, id);
    assert_int_equal(change(ERRAND_CHANGE_RETRY, id), ERRAND_CHANGED);
    assert_id(reserve_one().id, id);
}

TEST(retrying_any_other_is_the_wrong_state)
{
    assert_int_equal(change(ERRAND_CHANGE_RETRY, run_done("a")), ERRAND_WRONG_STATE);
    assert_int_equal(change(ERRAND_CHANGE_RETRY, push("b")), ERRAND_WRONG_STATE);
    reserve_one();
}

/* ------------------------------------------------------------------ delete */

TEST(a_deleted_job_is_gone)
{
    struct errand_id ready = push("a"), failed_one, done_one;

    assert_int_equal(change(ERRAND_CHANGE_DELETE, ready), ERRAND_CHANGED);
    assert_true(is_gone(ready));
    failed_one = run_failed("b");
    done_one = run_done("c");
    assert_int_equal(change(ERRAND_CHANGE_DELETE, failed_one), ERRAND_CHANGED);
    assert_int_equal(change(ERRAND_CHANGE_DELETE, done_one), ERRAND_CHANGED);
    assert_true(is_gone(failed_one));
    assert_true(is_gone(done_one));
    for (int i = 0; i < ERRAND_STATES_N; i++)
        assert_int_equal(count_of(DEFAULT_QUEUE, (enum errand_state)i), 0);
}

TEST(a_running_job_cannot_be_deleted)
{
    struct errand_id id = push("a");

    reserve_one();
    assert_int_equal(change(ERRAND_CHANGE_DELETE, id), ERRAND_WRONG_STATE);
    assert_state(id, ERRAND_RUNNING);
}

TEST(deleting_a_waiting_job_tells_that_it_was_cancelled)
{
    struct errand_id id = push("a");
    struct errand_change_result ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_DELETE, .ids = &id, .ids_n = 1});

    assert_int_equal(ret.moves_n, 1);
    assert_int_equal(ret.moves[0].from, ERRAND_READY);
    assert_int_equal(ret.moves[0].to, ERRAND_CANCELLED);
}

TEST(a_deleted_id_may_be_used_again)
{
    push_job((struct errand_push_job){.id = id_of("a")});
    change(ERRAND_CHANGE_DELETE, id_of("a"));
    assert_int_equal(push_job((struct errand_push_job){.id = id_of("a")}).pushed,
                     ERRAND_INSERTED);
}

/* ------------------------------------------------------------------ run now */

TEST(run_now_makes_a_scheduled_job_ready)
{
    struct errand_id id = push_job((struct errand_push_job){.run_at_ms = now + HOUR}).id;

    now += SECOND;
    assert_int_equal(change(ERRAND_CHANGE_RUN_NOW, id), ERRAND_CHANGED);
    assert_state(id, ERRAND_READY);
    assert_int_equal(look(id).job.run_at_ms, now);
    assert_id(reserve_one().id, id);
}

TEST(run_now_of_any_other_is_the_wrong_state)
{
    assert_int_equal(change(ERRAND_CHANGE_RUN_NOW, push("a")), ERRAND_WRONG_STATE);
}

/* ------------------------------------------------------------------ edit */

static enum errand_changed edit(struct errand_id id, struct errand_edit e)
{
    return change_all((struct errand_change_params){
                          .kind = ERRAND_CHANGE_EDIT, .ids = &id, .ids_n = 1, .edit = &e})
        .changed[0];
}

TEST(an_edit_changes_what_it_names)
{
    struct errand_id id =
        push_job((struct errand_push_job){.data = slice("1"), .options = slice("{}")}).id;
    struct errand_slice data = slice("[2]"), options = slice("{\"a\":1}");
    int32_t priority = -3, tries = 9;

    assert_int_equal(edit(id, (struct errand_edit){.data = &data}), ERRAND_CHANGED);
    assert_slice(look(id).job.data, "[2]");
    assert_slice(look(id).job.options, "{}");
    assert_int_equal(look(id).job.tries, 3);
    edit(id, (struct errand_edit){
                 .options = &options, .priority = &priority, .tries = &tries});
    assert_slice(look(id).job.options, "{\"a\":1}");
    assert_int_equal(look(id).job.priority, -3);
    assert_int_equal(look(id).job.tries, 9);
}

TEST(an_edited_priority_changes_the_order)
{
    struct errand_id a = push("a"), b = push("b");
    int32_t first = -1;

    edit(b, (struct errand_edit){.priority = &first});
    assert_id(reserve_one().id, b);
    assert_id(reserve_one().id, a);
}

TEST(an_edited_run_at_puts_a_job_off_or_brings_it_forward)
{
    struct errand_id id = push("a");
    int64_t later = now + HOUR, past = 0;

    edit(id, (struct errand_edit){.run_at_ms = &later});
    assert_state(id, ERRAND_SCHEDULED);
    reserve_none();
    edit(id, (struct errand_edit){.run_at_ms = &past});
    assert_state(id, ERRAND_READY);
    assert_int_equal(look(id).job.run_at_ms, now);
    reserve_one();
}

TEST(an_edited_failed_job_is_retried_with_its_new_data)
{
    struct errand_id id = run_failed("a");
    struct errand_slice data = slice("7");

    assert_int_equal(edit(id, (struct errand_edit){.data = &data}), ERRAND_CHANGED);
    assert_state(id, ERRAND_FAILED);
    change(ERRAND_CHANGE_RETRY, id);
    assert_slice(reserve_one().data, "7");
}

TEST(a_running_or_completed_job_cannot_be_edited)
{
    int32_t tries = 9;
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();

    assert_int_equal(edit(id, (struct errand_edit){.tries = &tries}), ERRAND_WRONG_STATE);
    done(r);
    assert_int_equal(edit(id, (struct errand_edit){.tries = &tries}), ERRAND_WRONG_STATE);
}

TEST(an_edited_completed_by_filter_is_passed_over)
{
    struct errand_filter all = {0};
    struct errand_id a = run_done("a"), b = push("b");
    int32_t tries = 9;
    struct errand_edit e = {.tries = &tries};
    struct errand_change_result ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_EDIT, .filter = &all, .edit = &e});

    assert_int_equal(ret.changed_n, 1);
    assert_int_equal(look(a).job.tries, 3);
    assert_int_equal(look(b).job.tries, 9);
}

/* ------------------------------------------------------------------ ids and filters */

TEST(each_id_has_its_answer)
{
    struct errand_id ids[] = {push("a"), id_of("nobody"), push("c")};
    struct errand_change_result ret;

    done(reserve_one());
    ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_CANCEL, .ids = ids, .ids_n = 3});
    assert_int_equal(ret.changed[0], ERRAND_WRONG_STATE);
    assert_int_equal(ret.changed[1], ERRAND_NO_SUCH_JOB);
    assert_int_equal(ret.changed[2], ERRAND_CHANGED);
    assert_int_equal(ret.changed_n, 1);
    assert_int_equal(ret.matched_n, 3);
}

TEST(an_id_twice_is_changed_once)
{
    struct errand_id id = push("a"), twice[] = {id, id};
    struct errand_change_result ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_DELETE, .ids = twice, .ids_n = 2});

    assert_int_equal(ret.changed[0], ERRAND_CHANGED);
    assert_int_equal(ret.changed[1], ERRAND_NO_SUCH_JOB);
}

TEST(a_filter_changes_all_that_match)
{
    struct errand_filter filter = {.queue = "bad"};
    struct errand_id bad = push_on("bad", "a"), good = push_on("good", "b");
    struct errand_change_result ret = change_all(
        (struct errand_change_params){.kind = ERRAND_CHANGE_CANCEL, .filter = &filter});

    assert_int_equal(ret.changed_n, 1);
    assert_false(ret.more);
    assert_null(ret.changed);
    assert_state(bad, ERRAND_CANCELLED);
    assert_state(good, ERRAND_READY);
}

TEST(a_filter_works_in_bounded_steps)
{
    struct errand_filter all = {0};
    struct errand_change_params p = {
        .kind = ERRAND_CHANGE_CANCEL, .filter = &all, .max = 2};
    struct errand_id first = push("a");
    struct errand_change_result ret;

    for (int i = 0; i < 4; i++)
        push("b");
    ret = change_all(p);
    assert_int_equal(ret.changed_n, 2);
    assert_true(ret.more);
    assert_state(first, ERRAND_CANCELLED);
    ret = change_all(p);
    assert_true(ret.more);
    ret = change_all(p);
    assert_int_equal(ret.changed_n, 1);
    assert_false(ret.more);
    ret = change_all(p);
    assert_int_equal(ret.changed_n, 0);
}

TEST(a_filter_passes_over_running_jobs_that_are_flagged)
{
    struct errand_filter all = {0};
    struct errand_change_params p = {.kind = ERRAND_CHANGE_CANCEL, .filter = &all};

    push("a");
    reserve_one();
    assert_int_equal(change_all(p).changed_n, 1);
    assert_int_equal(change_all(p).changed_n, 0);
}

TEST(cancelling_a_chain_by_filter_counts_all_its_links)
{
    struct errand_filter all = {0};
    struct errand_id a = push("a"), b = push_after("b", a, ERRAND_ON_SUCCESS);

    assert_int_equal(change_all((struct errand_change_params){
                                    .kind = ERRAND_CHANGE_CANCEL, .filter = &all})
                         .changed_n,
                     2);
    assert_state(b, ERRAND_CANCELLED);
}

TEST(retrying_a_chain_by_filter_counts_all_its_links)
{
    struct errand_filter all = {0};
    struct errand_id a = push("a"), b = push_after("b", a, ERRAND_ON_SUCCESS);

    failed(reserve_one());
    assert_int_equal(change_all((struct errand_change_params){.kind = ERRAND_CHANGE_RETRY,
                                                              .filter = &all})
                         .changed_n,
                     2);
    assert_state(a, ERRAND_READY);
    assert_state(b, ERRAND_HELD);
}

TEST(retry_all_tries_each_failed_job_once)
{
    struct errand_filter failed_ones = {.states = 1u << ERRAND_FAILED};
    struct errand_change_params p = {
        .kind = ERRAND_CHANGE_RETRY, .filter = &failed_ones, .max = 10};
    struct errand_exchange_result r;
    size_t changed = 0;

    for (int i = 0; i < 35; i++)
        push("a");
    r = reserve(35);
    for (size_t i = 0; i < 35; i++)
        failed(r.jobs[i]);
    for (bool more = true; more;) {
        struct errand_change_result ret = change_all(p);
        changed += ret.changed_n;
        more = ret.more;
    }
    assert_int_equal(changed, 35);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 35);
}

TEST(a_change_tells_what_moved)
{
    struct errand_id a = push("a"), b = push_after("b", a, ERRAND_ON_SUCCESS);
    struct errand_change_result ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_CANCEL, .ids = &a, .ids_n = 1});

    assert_int_equal(ret.moves_n, 2);
    assert_id(ret.moves[0].id, a);
    assert_int_equal(ret.moves[0].from, ERRAND_READY);
    assert_int_equal(ret.moves[0].to, ERRAND_CANCELLED);
    assert_id(ret.moves[1].id, b);
    assert_int_equal(ret.moves[1].from, ERRAND_HELD);
}

/* ------------------------------------------------------------------ moved to another
 * store */

TEST(a_job_that_has_moved_is_gone_and_nothing_follows)
{
    struct errand_id a = push("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);
    struct errand_change_result ret;

    ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_MOVED, .ids = &a, .ids_n = 1});
    assert_int_equal(ret.changed[0], ERRAND_CHANGED);
    assert_int_equal(ret.moves_n, 0);
    assert_true(is_gone(a));
    assert_state(b, ERRAND_HELD);
    assert_int_equal(look(b).parents_n, 0);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
    assert_int_equal(change(ERRAND_CHANGE_MOVED, a), ERRAND_NO_SUCH_JOB);
    assert_int_equal(change(ERRAND_CHANGE_MOVED, b), ERRAND_CHANGED);
    assert_true(is_gone(b));
    reserve_none();
}

TEST(a_job_in_any_state_but_running_can_have_moved)
{
    struct errand_id ids[] = {
        run_done("a"), run_failed("b"), push("c"),
        push_job((struct errand_push_job){.name = "d", .run_at_ms = now + HOUR}).id};
    struct errand_id running = reserve_one().id;

    assert_id(running, ids[2]);
    assert_int_equal(change(ERRAND_CHANGE_MOVED, running), ERRAND_WRONG_STATE);
    for (size_t i = 0; i < 4; i++)
        if (i != 2)
            assert_int_equal(change(ERRAND_CHANGE_MOVED, ids[i]), ERRAND_CHANGED);
    for (int s = 0; s < ERRAND_STATES_N; s++)
        assert_int_equal(count_of(DEFAULT_QUEUE, (enum errand_state)s),
                         s == ERRAND_RUNNING);
}

TEST(a_job_that_has_moved_gives_up_its_key)
{
    struct errand_unique unique = {.key = slice("k"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job job = {.unique = &unique};

    change(ERRAND_CHANGE_MOVED, push_job(job).id);
    assert_int_equal(push_job(job).pushed, ERRAND_INSERTED);
}

TEST(a_batch_goes_with_the_last_of_its_jobs_that_moves)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job jobs[] = {
        {.batch = batch.id}, {.batch = batch.id}, {.name = "finally"}};
    struct errand_edge edge = {
        .child = 2, .parent_id = batch.id, .parent_is_batch = true};
    struct errand_pushed_job *pushed =
        push_all(
            (struct errand_push_params){
                .jobs = jobs, .jobs_n = 3, .edges = &edge, .edges_n = 1, .batch = &batch})
            .jobs;
    struct errand_batch_info info;

    done(reserve_one());
    change(ERRAND_CHANGE_MOVED, pushed[0].id);
    assert_int_equal(batch_info(batch.id).total, 2);
    assert_int_equal(batch_info(batch.id).pending, 1);
    change(ERRAND_CHANGE_MOVED, pushed[1].id);
    fails(ERRAND_ENOTFOUND, er_store_batch_get(store, &batch.id, arena, &info, &err));
    assert_state(pushed[2].id, ERRAND_HELD);
    change(ERRAND_CHANGE_MOVED, pushed[2].id);
}

TEST_PART()
