/* edges.c: jobs that wait for jobs: chains, fan-in, what failure means, and coming back.
 */
#include "store/support.h"

/* Job i waits for job i-1 to succeed. */
static void push_chain(const char *const *names, size_t n, struct errand_id *ret_ids)
{
    struct errand_push_job jobs[8] = {0};
    struct errand_edge edges[8] = {0};
    struct errand_push_result ret;

    for (size_t i = 0; i < n; i++)
        jobs[i].name = names[i];
    for (size_t i = 1; i < n; i++)
        edges[i - 1] = (struct errand_edge){.child = i, .parent = i - 1};
    ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = n, .edges = edges, .edges_n = n - 1});
    for (size_t i = 0; i < n; i++)
        ret_ids[i] = ret.jobs[i].id;
}

static const char *const abc[] = {"a", "b", "c"};

TEST(a_chain_runs_one_after_the_other)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    assert_state(ids[1], ERRAND_HELD);
    assert_int_equal(look(ids[1]).job.waits_n, 1);
    for (int i = 0; i < 3; i++) {
        struct errand_reserved r = reserve_one();
        assert_id(r.id, ids[i]);
        assert_int_equal(r.has_parents, i > 0);
        reserve_none();
        done(r);
    }
}

TEST(a_link_is_released_by_the_call_that_completes_the_one_before)
{
    struct errand_exchange_result ret;
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    settle_moves(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_DONE}, &ret);
    assert_int_equal(ret.moves_n, 1);
    assert_id(ret.moves[0].id, ids[1]);
    assert_string_equal(ret.moves[0].name, "b");
    assert_int_equal(ret.moves[0].from, ERRAND_HELD);
    assert_int_equal(ret.moves[0].to, ERRAND_READY);
    assert_state(ids[1], ERRAND_READY);
    assert_state(ids[2], ERRAND_HELD);
}

TEST(a_released_job_counts_from_its_release)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    now += MINUTE;
    done(reserve_one());
    assert_int_equal(look(ids[1]).job.run_at_ms, now);
}

TEST(a_released_job_may_have_to_wait_for_its_time)
{
    struct errand_push_job job = {.run_at_ms = now + HOUR};
    struct errand_edge edge = {.parent_id = push("parent")};
    struct errand_id id =
        push_all((struct errand_push_params){
                     .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
            .jobs[0]
            .id;

    assert_state(id, ERRAND_HELD);
    done(reserve_one());
    assert_state(id, ERRAND_SCHEDULED);
    now += HOUR;
    assert_id(reserve_one().id, id);
}

TEST(a_final_failure_cancels_the_rest_of_the_chain)
{
    struct errand_exchange_result ret;
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    settle_moves(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_FAIL}, &ret);
    assert_int_equal(ret.moves_n, 2);
    assert_id(ret.moves[0].id, ids[1]);
    assert_id(ret.moves[1].id, ids[2]);
    assert_int_equal(ret.moves[1].to, ERRAND_CANCELLED);
    assert_state(ids[1], ERRAND_CANCELLED);
    assert_state(ids[2], ERRAND_CANCELLED);
    assert_int_equal(look(ids[2]).job.finished_ms, now);
    reserve_none();
}

TEST(a_retry_of_an_attempt_leaves_the_chain_waiting)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_RETRY});
    assert_state(ids[1], ERRAND_HELD);
}

TEST(reaping_to_failed_cancels_the_chain)
{
    struct errand_push_job jobs[] = {{.name = "a", .tries = 1}, {.name = "b"}};
    struct errand_edge edge = {.child = 1, .parent = 0};
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1});

    reserve_one();
    now += LEASE_MS;
    assert_int_equal(reap().moves_n, 2);
    assert_state(ret.jobs[1].id, ERRAND_CANCELLED);
}

TEST(a_fan_in_waits_for_all)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.name = "b"}, {.name = "join"}};
    struct errand_edge edges[] = {{.child = 2, .parent = 0}, {.child = 2, .parent = 1}};
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 3, .edges = edges, .edges_n = 2});

    done(reserve_one());
    assert_state(ret.jobs[2].id, ERRAND_HELD);
    assert_int_equal(look(ret.jobs[2].id).job.waits_n, 1);
    done(reserve_one());
    assert_state(ret.jobs[2].id, ERRAND_READY);
}

TEST(a_fan_in_is_released_by_a_group_that_completes_all)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.name = "b"}, {.name = "join"}};
    struct errand_edge edges[] = {{.child = 2, .parent = 0}, {.child = 2, .parent = 1}};
    struct errand_exchange_result r;
    struct errand_outcome outcomes[2];
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 3, .edges = edges, .edges_n = 2});

    r = reserve(5);
    assert_int_equal(r.jobs_n, 2);
    for (int i = 0; i < 2; i++)
        outcomes[i] = (struct errand_outcome){
            .token = r.token, .key = r.jobs[i].key, .id = r.jobs[i].id};
    r = exchange(
        (struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 2, .max = 5});
    assert_int_equal(r.jobs_n, 1);
    assert_id(r.jobs[0].id, ret.jobs[2].id);
}

/* ------------------------------------------------------------------ on what */

static struct errand_reserved reserve_named(const char *name)
{
    struct errand_exchange_result ret = reserve(1);

    assert_int_equal(ret.jobs_n, 1);
    assert_string_equal(ret.jobs[0].name, name);
    return ret.jobs[0];
}

static void push_three_ends(struct errand_id parent, struct errand_id ret_ids[3])
{
    ret_ids[ERRAND_ON_SUCCESS] = push_after("success", parent, ERRAND_ON_SUCCESS);
    ret_ids[ERRAND_ON_FAILURE] = push_after("failure", parent, ERRAND_ON_FAILURE);
    ret_ids[ERRAND_ON_END] = push_after("end", parent, ERRAND_ON_END);
}

TEST(success_lets_go_on_success_and_on_end)
{
    struct errand_id ids[3];

    push_three_ends(push("parent"), ids);
    done(reserve_named("parent"));
    assert_state(ids[ERRAND_ON_SUCCESS], ERRAND_READY);
    assert_state(ids[ERRAND_ON_FAILURE], ERRAND_CANCELLED);
    assert_state(ids[ERRAND_ON_END], ERRAND_READY);
}

TEST(failure_lets_go_on_failure_and_on_end)
{
    struct errand_id ids[3];

    push_three_ends(push("parent"), ids);
    failed(reserve_named("parent"));
    assert_state(ids[ERRAND_ON_SUCCESS], ERRAND_CANCELLED);
    assert_state(ids[ERRAND_ON_FAILURE], ERRAND_READY);
    assert_state(ids[ERRAND_ON_END], ERRAND_READY);
}

TEST(cancelling_lets_go_on_end_only)
{
    struct errand_id ids[3], parent = push("parent");

    push_three_ends(parent, ids);
    change(ERRAND_CHANGE_CANCEL, parent);
    assert_state(ids[ERRAND_ON_SUCCESS], ERRAND_CANCELLED);
    assert_state(ids[ERRAND_ON_FAILURE], ERRAND_CANCELLED);
    assert_state(ids[ERRAND_ON_END], ERRAND_READY);
}

TEST(a_parent_that_has_ended_counts_at_once)
{
    struct errand_id ids[3];

    push_three_ends(run_done("parent"), ids);
    assert_state(ids[ERRAND_ON_SUCCESS], ERRAND_READY);
    assert_state(ids[ERRAND_ON_FAILURE], ERRAND_CANCELLED);
    assert_state(ids[ERRAND_ON_END], ERRAND_READY);
}

TEST(a_hopeless_job_is_answered_as_cancelled)
{
    struct errand_push_job job = {.name = "b"};
    struct errand_edge edge = {.parent_id = run_failed("a")};
    struct errand_pushed_job pushed =
        push_all((struct errand_push_params){
                     .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
            .jobs[0];

    assert_int_equal(pushed.pushed, ERRAND_INSERTED);
    assert_int_equal(pushed.state, ERRAND_CANCELLED);
}

TEST(waiting_for_a_job_that_never_was_is_not_found)
{
    struct errand_push_job job = {.name = "b"};
    struct errand_edge edge = {.parent_id = id_of("nobody")};

    fails(ERRAND_ENOTFOUND,
          try_push((struct errand_push_params){
              .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1}));
}

TEST(parents_in_the_same_push_may_be_named_by_id)
{
    struct errand_push_job jobs[] = {{.id = id_of("one")}, {.name = "b"}};
    struct errand_edge edge = {.child = 1, .parent_id = id_of("one")};
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1});

    assert_int_equal(ret.jobs[1].state, ERRAND_HELD);
    done(reserve_one());
    assert_state(ret.jobs[1].id, ERRAND_READY);
}

/* ------------------------------------------------------------------ duplicates */

TEST(a_parent_that_is_a_duplicate_means_the_job_that_is_there)
{
    struct errand_push_job jobs[] = {{.id = id_of("one")}, {.name = "b"}};
    struct errand_edge edge = {.child = 1, .parent = 0};
    struct errand_push_result ret;

    push_job((struct errand_push_job){.id = id_of("one")});
    done(reserve_one());
    ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1});
    assert_int_equal(ret.jobs[0].pushed, ERRAND_DUPLICATE);
    assert_int_equal(ret.jobs[1].state, ERRAND_READY);
}

TEST(a_child_that_is_a_duplicate_keeps_its_edges)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.id = id_of("two")}};
    struct errand_edge edge = {.child = 1, .parent = 0};

    push_job((struct errand_push_job){.id = id_of("two")});
    push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1});
    assert_state(id_of("two"), ERRAND_READY);
    assert_int_equal(look(id_of("two")).parents_n, 0);
}

TEST(a_repeated_push_of_a_chain_changes_nothing)
{
    struct errand_push_job jobs[] = {{.id = id_of("one")}, {.id = id_of("two")}};
    struct errand_edge edge = {.child = 1, .parent = 0};
    struct errand_push_params p = {
        .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1};

    push_all(p);
    push_all(p);
    assert_int_equal(look(id_of("two")).job.waits_n, 1);
    assert_int_equal(look(id_of("two")).parents_n, 1);
    done(reserve_one());
    assert_state(id_of("two"), ERRAND_READY);
}

/* ------------------------------------------------------------------ looking */

TEST(a_child_sees_its_parents_and_their_results)
{
    struct errand_id a = push("a"), b;
    struct errand_edge_info parent;

    b = push_after("b", a, ERRAND_ON_SUCCESS);
    parent = look(b).parents[0];
    assert_int_equal(look(b).parents_n, 1);
    assert_id(parent.id, a);
    assert_false(parent.is_batch);
    assert_false(parent.is_satisfied);
    assert_int_equal(parent.on, ERRAND_ON_SUCCESS);
    assert_int_equal(parent.state, ERRAND_READY);
    assert_string_equal(parent.name, "a");
    settle(reserve_one(),
           (struct errand_outcome){.kind = ERRAND_OUT_DONE, .result = slice("42")});
    parent = look(b).parents[0];
    assert_true(parent.is_satisfied);
    assert_int_equal(parent.state, ERRAND_COMPLETED);
    assert_slice(parent.result, "42");
}

TEST(a_parent_sees_its_children)
{
    struct errand_id a = push("a"), b;

    b = push_after("b", a, ERRAND_ON_END);
    assert_int_equal(look(a).children_n, 1);
    assert_id(look(a).children[0].id, b);
    assert_string_equal(look(a).children[0].name, "b");
    assert_int_equal(look(a).children[0].on, ERRAND_ON_END);
    assert_int_equal(look(a).children[0].state, ERRAND_HELD);
}

/* ------------------------------------------------------------------ the operator */

TEST(retrying_the_failed_link_resumes_the_chain)
{
    struct errand_id ids[3];
    struct errand_change_result ret;

    push_chain(abc, 3, ids);
    failed(reserve_one());
    ret = change_all((struct errand_change_params){
        .kind = ERRAND_CHANGE_RETRY, .ids = &ids[0], .ids_n = 1});
    assert_int_equal(ret.moves_n, 3);
    assert_state(ids[0], ERRAND_READY);
    assert_state(ids[1], ERRAND_HELD);
    assert_state(ids[2], ERRAND_HELD);
    assert_int_equal(look(ids[1]).job.waits_n, 1);
    for (int i = 0; i < 3; i++) {
        struct errand_reserved r = reserve_one();
        assert_id(r.id, ids[i]);
        done(r);
    }
}

TEST(a_chain_can_fail_and_be_resumed_again)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    for (int i = 0; i < 3; i++) {
        failed(reserve_named("a"));
        assert_state(ids[2], ERRAND_CANCELLED);
        change(ERRAND_CHANGE_RETRY, ids[0]);
        assert_state(ids[2], ERRAND_HELD);
    }
    done(reserve_named("a"));
    failed(reserve_named("b"));
    change(ERRAND_CHANGE_RETRY, ids[1]);
    done(reserve_named("b"));
    done(reserve_named("c"));
}

TEST(what_ran_because_of_a_failure_does_not_run_again)
{
    struct errand_id a = push("a");
    struct errand_id hook = push_after("hook", a, ERRAND_ON_FAILURE);

    failed(reserve_named("a"));
    done(reserve_named("hook"));
    change(ERRAND_CHANGE_RETRY, a);
    failed(reserve_named("a"));
    reserve_none();
    assert_state(hook, ERRAND_COMPLETED);
}

TEST(what_another_has_cancelled_stays_cancelled)
{
    struct errand_id a = push("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);

    change(ERRAND_CHANGE_CANCEL, b);
    failed(reserve_named("a"));
    change(ERRAND_CHANGE_RETRY, a);
    assert_state(b, ERRAND_CANCELLED);
}

TEST(a_job_that_was_hopeless_when_it_came_is_held_when_its_parent_is_retried)
{
    struct errand_id a = run_failed("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);

    assert_state(b, ERRAND_CANCELLED);
    change(ERRAND_CHANGE_RETRY, a);
    assert_state(b, ERRAND_HELD);
    done(reserve_named("a"));
    done(reserve_named("b"));
}

TEST(two_failed_parents_must_both_be_retried)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.name = "b"}, {.name = "join"}};
    struct errand_edge edges[] = {{.child = 2, .parent = 0}, {.child = 2, .parent = 1}};
    struct errand_push_result ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 3, .edges = edges, .edges_n = 2});

    failed(reserve_named("a"));
    failed(reserve_named("b"));
    change(ERRAND_CHANGE_RETRY, ret.jobs[0].id);
    assert_state(ret.jobs[2].id, ERRAND_CANCELLED);
    change(ERRAND_CHANGE_RETRY, ret.jobs[1].id);
    assert_state(ret.jobs[2].id, ERRAND_HELD);
    done(reserve_named("a"));
    done(reserve_named("b"));
    done(reserve_named("join"));
}

TEST(retrying_a_cancelled_link_runs_it_without_its_failed_parent)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    failed(reserve_named("a"));
    assert_int_equal(change(ERRAND_CHANGE_RETRY, ids[1]), ERRAND_CHANGED);
    assert_state(ids[1], ERRAND_READY);
    assert_state(ids[2], ERRAND_HELD);
    done(reserve_named("b"));
    done(reserve_named("c"));
    assert_state(ids[0], ERRAND_FAILED);
}

TEST(retrying_a_cancelled_link_waits_for_a_parent_that_has_not_ended)
{
    struct errand_id ids[3];

    push_chain(abc, 3, ids);
    change(ERRAND_CHANGE_CANCEL, ids[1]);
    assert_state(ids[2], ERRAND_CANCELLED);
    assert_int_equal(change(ERRAND_CHANGE_RETRY, ids[1]), ERRAND_CHANGED);
    assert_state(ids[1], ERRAND_HELD);
    assert_state(ids[2], ERRAND_HELD);
    done(reserve_named("a"));
    done(reserve_named("b"));
    done(reserve_named("c"));
}

TEST(a_rehold_yields_to_another_holder_of_the_key)
{
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job job = {.name = "b", .unique = &unique};
    struct errand_id a = push("a"), b;
    struct errand_edge edge = {.parent_id = a};

    b = push_all((struct errand_push_params){
                     .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
            .jobs[0]
            .id;
    failed(reserve_named("a"));
    push_job(job);
    change(ERRAND_CHANGE_RETRY, a);
    assert_state(b, ERRAND_CANCELLED);
    failed(reserve_named("a"));
    done(reserve_named("b"));
    change(ERRAND_CHANGE_RETRY, a);
    assert_state(b, ERRAND_CANCELLED);
}

TEST(deleting_a_parent_that_waits_cancels_its_children)
{
    struct errand_id a = push("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);

    assert_int_equal(change(ERRAND_CHANGE_DELETE, a), ERRAND_CHANGED);
    assert_true(is_gone(a));
    assert_state(b, ERRAND_CANCELLED);
    assert_int_equal(look(b).parents_n, 0);
}

TEST(deleting_a_child_leaves_its_parent_alone)
{
    struct errand_id a = push("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);

    change(ERRAND_CHANGE_DELETE, b);
    assert_int_equal(look(a).children_n, 0);
    done(reserve_named("a"));
}

TEST(a_long_chain_is_cancelled_whole)
{
    enum { LINKS = 2000 };
    struct errand_push_job *jobs = errand_arena_alloc(arena, LINKS * sizeof *jobs);
    struct errand_edge *edges = errand_arena_alloc(arena, LINKS * sizeof *edges);
    struct errand_push_result ret;

    for (size_t i = 1; i < LINKS; i++)
        edges[i - 1] = (struct errand_edge){.child = i, .parent = i - 1};
    ret = push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = LINKS, .edges = edges, .edges_n = LINKS - 1});
    failed(reserve_one());
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_CANCELLED), LINKS - 1);
    change(ERRAND_CHANGE_RETRY, ret.jobs[0].id);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_HELD), LINKS - 1);
}

TEST_PART()
