/* batches.c: jobs that are watched together, and what follows when all have ended. */
#include "store/support.h"

static struct errand_id push_batch(struct errand_push_batch batch, size_t n)
{
    struct errand_push_job jobs[8] = {0};
    static const char *const names[] = {"m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"};

    if (!batch.id.text[0])
        batch.id = id_of("batch");
    if (!batch.name)
        batch.name = "";
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct errand_push_job){.name = names[i], .batch = batch.id};
    push_all((struct errand_push_params){.jobs = jobs, .jobs_n = n, .batch = &batch});
    return batch.id;
}

static struct errand_id push_after_batch(const char *name, struct errand_id batch,
                                         enum errand_edge_on on)
{
    struct errand_push_job job = {.name = name};
    struct errand_edge edge = {.parent_id = batch, .parent_is_batch = true, .on = on};

    return push_all((struct errand_push_params){
                        .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
        .jobs[0]
        .id;
}

TEST(a_batch_counts_its_members)
{
    struct errand_id id = push_batch(
        (struct errand_push_batch){.name = "import", .options = slice("{}")}, 3);
    struct errand_batch_info info = batch_info(id);

    assert_id(info.id, id);
    assert_string_equal(info.name, "import");
    assert_slice(info.options, "{}");
    assert_int_equal(info.total, 3);
    assert_int_equal(info.pending, 3);
    assert_int_equal(info.failed, 0);
    assert_int_equal(info.cancelled_n, 0);
    assert_int_equal(info.created_ms, now);
    assert_int_equal(info.ended_ms, 0);
    assert_false(info.cancelled);
}

TEST(a_batch_ends_with_its_last_member)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 2);

    done(reserve_one());
    assert_int_equal(batch_info(id).pending, 1);
    assert_int_equal(batch_info(id).ended_ms, 0);
    now += SECOND;
    done(reserve_one());
    assert_int_equal(batch_info(id).pending, 0);
    assert_int_equal(batch_info(id).ended_ms, now);
    assert_int_equal(batch_info(id).failed, 0);
}

TEST(a_member_names_its_batch)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 1);
    struct errand_reserved r = reserve_one();

    assert_id(r.batch, id);
    assert_id(look(r.id).job.batch, id);
    done(r);
    assert_id(look(r.id).job.batch, id);
}

TEST(members_may_be_added_while_it_is_open)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 1);

    push_job((struct errand_push_job){.batch = id});
    assert_int_equal(batch_info(id).total, 2);
    assert_int_equal(batch_info(id).pending, 2);
}

TEST(members_cannot_be_added_when_it_has_ended)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 1);
    struct errand_push_job job = {.batch = id};

    done(reserve_one());
    fails(ERRAND_ECONFLICT,
          try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1}));
    assert_int_equal(batch_info(id).total, 1);
}

TEST(a_member_of_no_batch_is_not_found)
{
    struct errand_push_job job = {.batch = id_of("nobody")};

    fails(ERRAND_ENOTFOUND,
          try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1}));
}

TEST(a_batch_without_members_ends_at_once)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 0);

    assert_int_equal(batch_info(id).ended_ms, now);
    assert_state(push_after_batch("next", id, ERRAND_ON_SUCCESS), ERRAND_READY);
}

TEST(a_batch_that_never_was_is_not_found)
{
    struct errand_id id = id_of("nobody");
    struct errand_batch_info ret;
    size_t n;

    fails(ERRAND_ENOTFOUND, er_store_batch_get(store, &id, arena, &ret, &err));
    fails(ERRAND_ENOTFOUND, er_store_batch_cancel(store, &id, now, &n, &err));
}

TEST(duplicates_do_not_count_as_members)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job jobs[] = {{.id = id_of("old"), .batch = batch.id},
                                     {.id = id_of("new"), .batch = batch.id}};

    push_job((struct errand_push_job){.id = id_of("old")});
    push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 2, .batch = &batch});
    assert_int_equal(batch_info(batch.id).total, 1);
    assert_string_equal(look(id_of("old")).job.batch.text, "");
}

TEST(a_repeated_push_of_a_batch_changes_nothing)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job job = {.id = id_of("one"), .batch = batch.id};
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1, .batch = &batch};

    push_all(p);
    push_all(p);
    assert_int_equal(batch_info(batch.id).total, 1);
    done(reserve_one());
    push_all(p);
    assert_int_equal(batch_info(batch.id).total, 1);
    assert_int_not_equal(batch_info(batch.id).ended_ms, 0);
}

/* ------------------------------------------------------------------ failure */

TEST(the_first_failure_cancels_what_has_not_started)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 4);
    struct errand_exchange_result running = reserve(2), ret;

    settle_moves(running.jobs[0], (struct errand_outcome){.kind = ERRAND_OUT_FAIL}, &ret);
    assert_int_equal(ret.moves_n, 2);
    assert_true(batch_info(id).cancelled);
    assert_int_equal(batch_info(id).failed, 1);
    assert_int_equal(batch_info(id).cancelled_n, 2);
    assert_int_equal(batch_info(id).pending, 1);
    done(running.jobs[1]);
    assert_int_equal(batch_info(id).ended_ms, now);
    reserve_none();
}

TEST(with_failures_allowed_the_rest_goes_on)
{
    struct errand_id id =
        push_batch((struct errand_push_batch){.allow_failures = true}, 3);

    assert_true(batch_info(id).allow_failures);
    failed(reserve_one());
    assert_int_equal(batch_info(id).pending, 2);
    done(reserve_one());
    done(reserve_one());
    assert_int_equal(batch_info(id).failed, 1);
    assert_int_equal(batch_info(id).ended_ms, now);
    assert_false(batch_info(id).cancelled);
}

TEST(members_added_to_a_cancelled_batch_are_cancelled)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 2);
    struct errand_exchange_result running = reserve(2);

    failed(running.jobs[0]);
    assert_int_equal(push_job((struct errand_push_job){.batch = id}).state,
                     ERRAND_CANCELLED);
    assert_int_equal(batch_info(id).total, 3);
    assert_int_equal(batch_info(id).cancelled_n, 1);
}

/* ------------------------------------------------------------------ what waits for it */

static void push_three_ends(struct errand_id batch, struct errand_id ret_ids[3])
{
    ret_ids[0] = push_after_batch("success", batch, ERRAND_ON_SUCCESS);
    ret_ids[1] = push_after_batch("failure", batch, ERRAND_ON_FAILURE);
    ret_ids[2] = push_after_batch("end", batch, ERRAND_ON_END);
}

TEST(success_of_all_lets_go_on_success_and_on_end)
{
    struct errand_id ids[3];

    push_three_ends(push_batch((struct errand_push_batch){0}, 2), ids);
    done(reserve_one());
    for (int i = 0; i < 3; i++)
        assert_state(ids[i], ERRAND_HELD);
    done(reserve_one());
    assert_state(ids[0], ERRAND_READY);
    assert_state(ids[1], ERRAND_CANCELLED);
    assert_state(ids[2], ERRAND_READY);
}

TEST(a_failed_member_lets_go_on_failure_and_on_end)
{
    struct errand_id ids[3];

    push_three_ends(push_batch((struct errand_push_batch){.allow_failures = true}, 2),
                    ids);
    failed(reserve_one());
    assert_state(ids[1], ERRAND_HELD);
    done(reserve_one());
    assert_state(ids[0], ERRAND_CANCELLED);
    assert_state(ids[1], ERRAND_READY);
    assert_state(ids[2], ERRAND_READY);
}

TEST(a_cancelled_member_counts_as_failure)
{
    struct errand_id batch = push_batch((struct errand_push_batch){0}, 1), ids[3];

    push_three_ends(batch, ids);
    change(ERRAND_CHANGE_CANCEL, reserve_one().id);
    now += LEASE_MS;
    reap();
    assert_int_equal(batch_info(batch).cancelled_n, 1);
    assert_state(ids[0], ERRAND_CANCELLED);
    assert_state(ids[1], ERRAND_READY);
}

TEST(callbacks_can_be_pushed_with_their_batch)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job jobs[] = {{.name = "member", .batch = batch.id},
                                     {.name = "finally"}};
    struct errand_edge edge = {
        .child = 1, .parent_id = batch.id, .parent_is_batch = true, .on = ERRAND_ON_END};
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1, .batch = &batch});

    assert_int_equal(ret.jobs[1].state, ERRAND_HELD);
    assert_true(look(ret.jobs[1].id).parents[0].is_batch);
    assert_id(look(ret.jobs[1].id).parents[0].id, batch.id);
    failed(reserve_one());
    assert_string_equal(reserve_one().name, "finally");
}

TEST(waiting_for_a_batch_that_never_was_is_not_found)
{
    struct errand_push_job job = {.name = "b"};
    struct errand_edge edge = {.parent_id = id_of("nobody"), .parent_is_batch = true};

    fails(ERRAND_ENOTFOUND,
          try_push((struct errand_push_params){
              .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1}));
}

TEST(a_chain_as_members_is_cancelled_with_the_batch)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job jobs[] = {{.name = "a", .batch = batch.id},
                                     {.name = "b", .batch = batch.id}};
    struct errand_edge edge = {.child = 1, .parent = 0};

    push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1, .batch = &batch});
    failed(reserve_one());
    assert_int_equal(batch_info(batch.id).failed, 1);
    assert_int_equal(batch_info(batch.id).cancelled_n, 1);
    assert_int_not_equal(batch_info(batch.id).ended_ms, 0);
}

/* ------------------------------------------------------------------ cancel, reopen */

TEST(cancelling_a_batch_stops_what_has_not_ended)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 3);
    struct errand_reserved running = reserve_one();
    size_t n;

    ok(er_store_batch_cancel(store, &id, now, &n, &err));
    assert_int_equal(n, 2);
    assert_true(batch_info(id).cancelled);
    assert_int_equal(batch_info(id).pending, 1);
    assert_true(look(running.id).job.cancel_requested);
    settle(running, (struct errand_outcome){.kind = ERRAND_OUT_CANCELLED});
    assert_int_equal(batch_info(id).cancelled_n, 3);
    assert_int_equal(batch_info(id).ended_ms, now);
}

TEST(cancelling_a_batch_that_has_ended_changes_nothing)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 1);
    size_t n = 7;

    done(reserve_one());
    ok(er_store_batch_cancel(store, &id, now, &n, &err));
    assert_int_equal(n, 0);
    assert_false(batch_info(id).cancelled);
}

TEST(retrying_a_member_opens_the_batch_again)
{
    struct errand_id batch = push_batch((struct errand_push_batch){0}, 1), ids[3];
    struct errand_id member;

    push_three_ends(batch, ids);
    member = reserve(1).jobs[0].id;
    now += LEASE_MS;
    reap();
    failed(reserve_one());
    assert_state(ids[0], ERRAND_CANCELLED);
    assert_string_equal(reserve_one().name, "failure");
    assert_int_equal(change(ERRAND_CHANGE_RETRY, member), ERRAND_CHANGED);
    assert_int_equal(batch_info(batch).pending, 1);
    assert_int_equal(batch_info(batch).failed, 0);
    assert_int_equal(batch_info(batch).ended_ms, 0);
    assert_false(batch_info(batch).cancelled);
    assert_state(ids[0], ERRAND_HELD);
    done(reserve_one());
    assert_int_not_equal(batch_info(batch).ended_ms, 0);
    assert_state(ids[0], ERRAND_READY);
    assert_state(ids[1], ERRAND_RUNNING);
}

TEST(a_job_that_came_after_a_failed_batch_is_held_when_a_member_is_retried)
{
    struct errand_id batch = push_batch((struct errand_push_batch){0}, 1), after;
    struct errand_reserved member = reserve_one();

    failed(member);
    after = push_after_batch("after", batch, ERRAND_ON_SUCCESS);
    assert_state(after, ERRAND_CANCELLED);
    change(ERRAND_CHANGE_RETRY, member.id);
    assert_state(after, ERRAND_HELD);
    done(reserve_one());
    assert_state(after, ERRAND_READY);
}

TEST(deleting_a_waiting_member_counts_it_as_cancelled)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 2);
    struct errand_reserved r = reserve_one();
    struct errand_list_params p = {.now_ms = now,
                                   .filter = {.states = 1u << ERRAND_READY}};
    struct errand_list_result list;

    ok(er_store_list(store, &p, arena, &list, &err));
    change(ERRAND_CHANGE_DELETE, list.jobs[0].id);
    assert_int_equal(batch_info(id).total, 2);
    assert_int_equal(batch_info(id).cancelled_n, 1);
    done(r);
    assert_int_equal(batch_info(id).pending, 0);
}

TEST(deleting_an_ended_member_keeps_the_counts)
{
    struct errand_id id = push_batch((struct errand_push_batch){0}, 2);
    struct errand_reserved r = reserve_one();

    failed(r);
    change(ERRAND_CHANGE_DELETE, r.id);
    assert_int_equal(batch_info(id).total, 2);
    assert_int_equal(batch_info(id).failed, 1);
}

TEST(batches_are_listed_newest_first)
{
    struct errand_batch_info *rows;
    size_t n;
    struct errand_id first;

    push_batch((struct errand_push_batch){.id = id_of("one")}, 1);
    push_batch((struct errand_push_batch){.id = id_of("two")}, 1);
    push_batch((struct errand_push_batch){.id = id_of("three")}, 1);
    ok(er_store_batches(store, NULL, 2, arena, &rows, &n, &err));
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].id.text, "three");
    assert_string_equal(rows[1].id.text, "two");
    first = rows[1].id;
    ok(er_store_batches(store, &first, 2, arena, &rows, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].id.text, "one");
    first = id_of("nobody");
    fails(ERRAND_ENOTFOUND, er_store_batches(store, &first, 2, arena, &rows, &n, &err));
}

TEST_PART()
