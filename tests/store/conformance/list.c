/* list.c: looking at jobs: filters, pages, counts, and what is pruned. */
#include "store/support.h"

static struct errand_list_result list(struct errand_list_params p)
{
    struct errand_list_result ret;

    p.now_ms = now;
    ok(er_store_list(store, &p, arena, &ret, &err));
    return ret;
}

static int64_t count(struct errand_filter filter)
{
    int64_t n = -1;

    ok(er_store_count(store, &filter, now, &n, &err));
    assert_int_equal(
        list((struct errand_list_params){.filter = filter, .max = 1000}).jobs_n, n);
    return n;
}

TEST(jobs_are_listed_in_order_of_insertion)
{
    struct errand_list_result ret;

    push_job((struct errand_push_job){.name = "a", .priority = 9});
    push_job((struct errand_push_job){.name = "b", .run_at_ms = now + HOUR});
    push("c");
    done(reserve_one());
    ret = list((struct errand_list_params){.max = 10});
    assert_int_equal(ret.jobs_n, 3);
    assert_false(ret.more);
    assert_string_equal(ret.jobs[0].name, "a");
    assert_string_equal(ret.jobs[1].name, "b");
    assert_string_equal(ret.jobs[2].name, "c");
    ret = list((struct errand_list_params){.max = 10, .newest_first = true});
    assert_string_equal(ret.jobs[0].name, "c");
    assert_string_equal(ret.jobs[2].name, "a");
}

TEST(pages_follow_each_other)
{
    struct errand_list_params p = {.max = 3};
    char names[10][8];
    size_t seen = 0;

    for (int i = 0; i < 10; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        push(names[i]);
    }
    done(reserve_one());
    failed(reserve_one());
    for (bool more = true; more;) {
        struct errand_list_result ret = list(p);
        for (size_t i = 0; i < ret.jobs_n; i++)
            assert_string_equal(ret.jobs[i].name, names[seen++]);
        more = ret.more;
        p.after = ret.jobs[ret.jobs_n - 1].id;
    }
    assert_int_equal(seen, 10);
}

TEST(pages_follow_each_other_backwards)
{
    struct errand_list_params p = {.max = 2, .newest_first = true};
    struct errand_list_result ret;

    push("a");
    push("b");
    push("c");
    ret = list(p);
    assert_string_equal(ret.jobs[1].name, "b");
    assert_true(ret.more);
    p.after = ret.jobs[1].id;
    ret = list(p);
    assert_int_equal(ret.jobs_n, 1);
    assert_string_equal(ret.jobs[0].name, "a");
    assert_false(ret.more);
}

TEST(a_cursor_need_not_match_the_filter)
{
    struct errand_id a = push("a");
    struct errand_list_result ret;

    push("b");
    done(reserve_one());
    ret = list((struct errand_list_params){
        .max = 5, .after = a, .filter = {.states = 1u << ERRAND_READY}});
    assert_int_equal(ret.jobs_n, 1);
    assert_string_equal(ret.jobs[0].name, "b");
}

TEST(a_cursor_that_is_gone_is_not_found)
{
    struct errand_list_params p = {.now_ms = now, .after = id_of("nobody"), .max = 1};
    struct errand_list_result ret;

    fails(ERRAND_ENOTFOUND, er_store_list(store, &p, arena, &ret, &err));
}

TEST(data_is_listed_when_asked_for)
{
    push_job((struct errand_push_job){.data = slice("[1]"), .options = slice("{}")});
    assert_int_equal(list((struct errand_list_params){.max = 1}).jobs[0].data.len, 0);
    assert_int_equal(list((struct errand_list_params){.max = 1}).jobs[0].options.len, 0);
    assert_slice(
        list((struct errand_list_params){.max = 1, .with_data = true}).jobs[0].data,
        "[1]");
    assert_slice(
        list((struct errand_list_params){.max = 1, .with_data = true}).jobs[0].options,
        "{}");
}

TEST(a_job_that_never_was_is_not_found)
{
    struct errand_id id = id_of("nobody");
    struct errand_job_detail ret;

    fails(ERRAND_ENOTFOUND, er_store_get(store, &id, now, arena, &ret, &err));
    id = id_of("01890a5d-ac96-774b-bcce-b302099a8057");
    fails(ERRAND_ENOTFOUND, er_store_get(store, &id, now, arena, &ret, &err));
}

static struct errand_details_result details(const struct errand_id *ids, size_t n,
                                            size_t max_bytes)
{
    struct errand_details_params p = {
        .now_ms = now, .ids = ids, .ids_n = n, .max_bytes = max_bytes};
    struct errand_details_result ret;

    ok(er_store_details(store, &p, arena, &ret, &err));
    return ret;
}

TEST(several_jobs_are_read_in_one_call_and_those_that_are_not_there_are_empty)
{
    struct errand_id ids[4] = {[1] = id_of("nobody")};
    struct errand_details_result got;

    ids[0] = run_failed("a");
    ids[3] = run_done("c");
    ids[2] = push("b");
    got = details(ids, 4, 0);

    assert_int_equal(got.details_n, 4);
    assert_string_equal(got.details[0].job.name, "a");
    assert_int_equal(got.details[0].attempts_n, 1);
    assert_slice(got.details[0].attempts[0].error, "no luck");
    assert_string_equal(got.details[1].job.id.text, "");
    assert_id(got.details[2].job.id, ids[2]);
    assert_int_equal(got.details[2].attempts_n, 0);
    assert_string_equal(errand_state_name(got.details[3].job.state), "completed");
    assert_int_equal(got.details[3].attempts_n, 1);
    assert_int_equal(details(NULL, 0, 0).details_n, 0);
}

TEST(several_jobs_are_read_as_far_as_bytes_allow_and_one_at_least)
{
    static char big[100000];
    struct errand_id ids[4];

    memset(big, '1', sizeof big);
    for (size_t i = 0; i < 4; i++)
        ids[i] = push_job((struct errand_push_job){.data = {big, sizeof big}}).id;
    assert_int_equal(details(ids, 4, 1).details_n, 1);
    assert_in_range(details(ids, 4, 250000).details_n, 2, 3);
    assert_int_equal(details(ids, 4, 1 << 20).details_n, 4);
    assert_int_equal(details(ids, 4, 0).details[3].job.data.len, sizeof big);
}

/* ------------------------------------------------------------------ filters */

TEST(a_filter_by_state)
{
    run_done("a");
    run_failed("b");
    push("c");
    push_job((struct errand_push_job){.run_at_ms = now + HOUR});
    push_after("d", push("e"), ERRAND_ON_END);
    change(ERRAND_CHANGE_CANCEL, push("f"));
    reserve_one();
    assert_int_equal(count((struct errand_filter){0}), 7);
    for (int s = 0; s < ERRAND_STATES_N; s++)
        assert_int_equal(count((struct errand_filter){.states = 1u << s}), 1);
    assert_int_equal(
        count((struct errand_filter){.states = 1u << ERRAND_READY | 1u << ERRAND_HELD}),
        2);
}

TEST(a_filter_by_queue_name_tag_and_batch)
{
    static const char *const tags[] = {"red", "blue"};
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job member = {.batch = batch.id};

    push_on("one", "mail");
    push_on("two", "mail");
    push_job((struct errand_push_job){.queue = "two", .tags = tags, .tags_n = 2});
    push_all((struct errand_push_params){.jobs = &member, .jobs_n = 1, .batch = &batch});
    assert_int_equal(count((struct errand_filter){.queue = "two"}), 2);
    assert_int_equal(count((struct errand_filter){.name = "mail"}), 2);
    assert_int_equal(count((struct errand_filter){.name = "mail", .queue = "two"}), 1);
    assert_int_equal(count((struct errand_filter){.tag = "blue"}), 1);
    assert_int_equal(count((struct errand_filter){.tag = "green"}), 0);
    assert_int_equal(count((struct errand_filter){.tag = "lue"}), 0);
    assert_int_equal(count((struct errand_filter){.batch = batch.id}), 1);
    assert_int_equal(count((struct errand_filter){.queue = "nobody"}), 0);
}

TEST(filters_find_completed_jobs_as_well)
{
    static const char *const tags[] = {"red"};
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job member = {.id = id_of("order:7"),
                                     .name = "mail",
                                     .batch = batch.id,
                                     .tags = tags,
                                     .tags_n = 1,
                                     .data = slice("{\"to\":\"ann\"}")};

    push_all((struct errand_push_params){.jobs = &member, .jobs_n = 1, .batch = &batch});
    done(reserve_one());
    assert_int_equal(count((struct errand_filter){.queue = DEFAULT_QUEUE}), 1);
    assert_int_equal(count((struct errand_filter){.name = "mail"}), 1);
    assert_int_equal(count((struct errand_filter){.tag = "red"}), 1);
    assert_int_equal(count((struct errand_filter){.batch = batch.id}), 1);
    assert_int_equal(count((struct errand_filter){.search = "ann"}), 1);
    assert_int_equal(count((struct errand_filter){.search = "order:"}), 1);
}

TEST(a_search_looks_into_id_data_and_error)
{
    push_job((struct errand_push_job){.id = id_of("order-4711")});
    push_job((struct errand_push_job){.data = slice("{\"to\":\"ann_%*\"}")});
    push("a");
    done(reserve_one());
    done(reserve_one());
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_FAIL,
                                                  .error = slice("no route to host")});
    assert_int_equal(count((struct errand_filter){.search = "4711"}), 1);
    assert_int_equal(count((struct errand_filter){.search = "ann_%*"}), 1);
    assert_int_equal(count((struct errand_filter){.search = "ANN"}), 0);
    assert_int_equal(count((struct errand_filter){.search = "ann__"}), 0);
    assert_int_equal(count((struct errand_filter){.search = "route to"}), 1);
    assert_int_equal(count((struct errand_filter){.search = "nothing of the kind"}), 0);
}

TEST(a_filter_by_time_looks_at_creation_or_end)
{
    int64_t t = now;

    push("a");
    now = t + 10;
    push("b");
    assert_int_equal(count((struct errand_filter){.since_ms = t + 1}), 1);
    assert_int_equal(count((struct errand_filter){.since_ms = t}), 2);
    assert_int_equal(count((struct errand_filter){.until_ms = t + 10}), 1);
    now = t + 20;
    failed(reserve_one());
    assert_int_equal(count((struct errand_filter){.until_ms = t + 10}), 0);
    assert_int_equal(count((struct errand_filter){.since_ms = t + 20}), 1);
    assert_int_equal(
        count((struct errand_filter){.since_ms = t + 20, .until_ms = t + 20}), 0);
}

/* ------------------------------------------------------------------ retention */

static size_t prune(enum errand_state state, int64_t age_ms, int64_t keep_n, size_t max)
{
    struct errand_prune_params p = {.now_ms = now, .max = max};
    size_t n;

    for (int i = 0; i < ERRAND_STATES_N; i++)
        p.age_ms[i] = p.keep_n[i] = -1;
    p.age_ms[state] = age_ms;
    p.keep_n[state] = keep_n;
    ok(er_store_prune(store, &p, &n, &err));
    return n;
}

TEST(pruning_by_age_takes_what_ended_long_ago)
{
    struct errand_id old = run_done("a"), young;

    now += HOUR;
    young = run_done("b");
    now += MINUTE;
    assert_int_equal(prune(ERRAND_COMPLETED, HOUR, -1, 100), 1);
    assert_true(is_gone(old));
    assert_state(young, ERRAND_COMPLETED);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 1);
}

TEST(pruning_by_number_takes_the_oldest_of_each_queue)
{
    struct errand_id first = run_done("a"), other;

    other = push_on("other", "x");
    done(reserve_one());
    run_done("b");
    run_done("c");
    assert_int_equal(prune(ERRAND_COMPLETED, -1, 2, 100), 1);
    assert_true(is_gone(first));
    assert_state(other, ERRAND_COMPLETED);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 2);
}

TEST(pruning_knows_each_final_state)
{
    struct errand_id failed_one = run_failed("a"), cancelled = push("b");

    change(ERRAND_CHANGE_CANCEL, cancelled);
    run_done("c");
    assert_int_equal(prune(ERRAND_FAILED, 0, -1, 100), 1);
    assert_true(is_gone(failed_one));
    assert_int_equal(prune(ERRAND_CANCELLED, -1, 0, 100), 1);
    assert_true(is_gone(cancelled));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 1);
}

TEST(pruning_never_takes_what_has_not_ended)
{
    push("a");
    push_job((struct errand_push_job){.run_at_ms = now + HOUR});
    now += 10 * HOUR;
    assert_int_equal(prune(ERRAND_READY, 0, 0, 100), 0);
    assert_int_equal(prune(ERRAND_SCHEDULED, 0, 0, 100), 0);
}

TEST(pruning_is_bounded)
{
    for (int i = 0; i < 5; i++)
        run_done("a");
    assert_int_equal(prune(ERRAND_COMPLETED, 0, -1, 2), 2);
    assert_int_equal(prune(ERRAND_COMPLETED, 0, -1, 2), 2);
    assert_int_equal(prune(ERRAND_COMPLETED, 0, -1, 2), 1);
}

TEST(a_store_may_keep_no_history)
{
    struct errand_id id;

    store_reopen((struct er_store_options){0});
    id = push("a");
    done(reserve_one());
    assert_true(is_gone(id));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 0);
    assert_int_equal(count((struct errand_filter){0}), 0);
}

TEST(a_chain_goes_on_without_history)
{
    struct errand_id a, b;

    store_reopen((struct er_store_options){0});
    a = push("a");
    b = push_after("b", a, ERRAND_ON_SUCCESS);
    done(reserve_one());
    assert_state(b, ERRAND_READY);
    assert_true(is_gone(a));
    assert_true(reserve_one().has_parents);
}

TEST(failed_jobs_are_kept_without_history)
{
    store_reopen((struct er_store_options){0});
    assert_state(run_failed("a"), ERRAND_FAILED);
}

TEST(a_store_may_keep_so_many)
{
    store_reopen((struct er_store_options){
        .open = {.keep_completed_ms = -1, .keep_completed_n = 3}});
    for (int i = 0; i < 6; i++) {
        push("a");
        done(reserve_one());
    }
    prune(ERRAND_COMPLETED, -1, -1, 100);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 3);
}

TEST(a_store_may_keep_so_long)
{
    store_reopen((struct er_store_options){
        .open = {.keep_completed_ms = HOUR, .keep_completed_n = -1}});
    run_done("a");
    now += HOUR - 1;
    assert_int_equal(prune(ERRAND_COMPLETED, -1, -1, 100), 0);
    now += 1;
    assert_int_equal(prune(ERRAND_COMPLETED, -1, -1, 100), 1);
}

TEST(a_batch_that_is_over_and_empty_is_pruned)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job member = {.batch = batch.id};
    struct errand_batch_info ret;

    push_all((struct errand_push_params){.jobs = &member, .jobs_n = 1, .batch = &batch});
    done(reserve_one());
    prune(ERRAND_COMPLETED, HOUR, -1, 100);
    assert_int_equal(batch_info(batch.id).total, 1);
    now += HOUR;
    prune(ERRAND_COMPLETED, HOUR, -1, 100);
    prune(ERRAND_COMPLETED, HOUR, -1, 100);
    fails(ERRAND_ENOTFOUND, er_store_batch_get(store, &batch.id, arena, &ret, &err));
}

TEST(a_batch_with_a_failed_member_is_kept_with_it)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job member = {.batch = batch.id};

    push_all((struct errand_push_params){.jobs = &member, .jobs_n = 1, .batch = &batch});
    failed(reserve_one());
    now += HOUR;
    prune(ERRAND_COMPLETED, HOUR, -1, 100);
    assert_int_equal(batch_info(batch.id).failed, 1);
}

TEST_PART()
