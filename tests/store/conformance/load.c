/* load.c: what one store held goes into another as it was, and leaves the first. */
#include <poll.h>

#include "store/same.h"
#include "store/support.h"

/* ------------------------------------------------------------------ two stores */

static struct er_store *here, *there;
static char there_url[256];

static struct er_store *open_keeping(int64_t keep)
{
    struct er_store_options options = {
        .open = {.create = true, .keep_completed_ms = keep, .keep_completed_n = keep}};
    struct er_store *ret;

    snprintf(there_url, sizeof there_url, "%s", store_fresh_url());
    ok(er_store_open(there_url, &options, &ret, &err));
    return ret;
}

static struct errand_load_result load(struct errand_load_params p)
{
    struct errand_load_result ret;

    p.now_ms = now;
    ok(er_store_load(there, &p, arena, &ret, &err));
    return ret;
}

static void details_of(const struct errand_list_result *list,
                       struct errand_load_params *ret)
{
    struct errand_id *ids = errand_arena_alloc(arena, list->jobs_n * sizeof *ids);
    struct errand_details_params p = {.now_ms = now, .ids = ids, .ids_n = list->jobs_n};
    struct errand_details_result got;

    for (size_t i = 0; i < list->jobs_n; i++)
        ids[i] = list->jobs[i].id;
    ok(er_store_details(here, &p, arena, &got, &err));
    assert_int_equal(got.details_n, list->jobs_n);
    ret->jobs = got.details;
    ret->jobs_n = got.details_n;
}

/* Every batch and schedule, then every job, so many a call. Answers how many were new. */
static size_t load_all(size_t page)
{
    struct errand_list_params q = {.now_ms = now, .max = page};
    struct errand_load_params p = {0};
    struct errand_schedules_result schedules;
    struct errand_batch_info *batches;
    struct errand_list_result list;
    size_t new_n = 0;

    ok(er_store_batches(here, NULL, 100, arena, &batches, &p.batches_n, &err));
    ok(er_store_schedules(here, arena, &schedules, &err));
    p.batches = batches;
    p.schedules = schedules.schedules;
    p.schedules_n = schedules.schedules_n;
    do {
        struct errand_load_result ret;
        ok(er_store_list(here, &q, arena, &list, &err));
        details_of(&list, &p);
        ret = load(p);
        for (size_t i = 0; i < list.jobs_n; i++)
            new_n += ret.jobs[i].pushed == ERRAND_INSERTED;
        if (list.jobs_n)
            q.after = list.jobs[list.jobs_n - 1].id;
        p = (struct errand_load_params){0};
    } while (list.more);
    return new_n;
}

/* From now on `store` is another one, into which everything was loaded. */
static void carry(size_t page)
{
    here = store;
    there = open_keeping(-1);
    load_all(page);
    assert_int_equal(load_all(page), 0);
    store = there;
    assert_sound();
}

static void back(void)
{
    store = here;
    er_store_close(there);
    store_remove(there_url);
}

/* ------------------------------------------------------------------ the same? */

static struct errand_job_detail look_here(struct errand_id id)
{
    struct errand_job_detail ret;

    ok(er_store_get(here, &id, now, arena, &ret, &err));
    return ret;
}

static void assert_same(struct errand_id id)
{
    struct errand_job_detail a = look_here(id), b = look(id);

    assert_same_job(&a, &b);
}

/* Every job, in the same order, and the numbers of every queue. */
static void assert_all_same(void)
{
    struct errand_list_params q = {.now_ms = now, .max = 100};
    struct errand_queues_result queues;
    struct errand_list_result a, b;

    ok(er_store_list(here, &q, arena, &a, &err));
    ok(er_store_list(there, &q, arena, &b, &err));
    assert_int_equal(a.jobs_n, b.jobs_n);
    for (size_t i = 0; i < a.jobs_n; i++) {
        assert_id(a.jobs[i].id, b.jobs[i].id);
        assert_same(a.jobs[i].id);
    }
    ok(er_store_queues(here, now, arena, &queues, &err));
    for (size_t i = 0; i < queues.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            assert_int_equal(count_of(queues.queues[i].name, (enum errand_state)s),
                             queues.queues[i].counts[s]);
}

/* ------------------------------------------------------------------ jobs */

static const char *const tags[] = {"one", "two"};

static void retried(struct errand_reserved job)
{
    settle(job, (struct errand_outcome){.kind = ERRAND_OUT_RETRY,
                                        .run_at_ms = now + HOUR,
                                        .started_ms = now,
                                        .ended_ms = now + 5,
                                        .error = slice("exit 7"),
                                        .log = slice("a line\n"),
                                        .cause = ERRAND_CAUSE_EXIT,
                                        .exit_code = 7,
                                        .max_rss_kib = 100,
                                        .cpu_ms = 3});
}

TEST(a_job_in_every_state_is_loaded_as_it_was)
{
    struct errand_id ready, parent;

    push("retried");
    retried(reserve_one());
    run_failed("failed");
    push("done");
    now += SECOND;
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_DONE,
                                                  .started_ms = now,
                                                  .ended_ms = now + 7,
                                                  .result = slice("{\"n\":1}"),
                                                  .max_rss_kib = 9,
                                                  .cpu_ms = 2});
    push("done-with-a-log");
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_DONE,
                                                  .started_ms = now,
                                                  .log = slice("hello")});
    change(ERRAND_CHANGE_CANCEL, push("cancelled"));
    ready = push_job((struct errand_push_job){.id = id_of("my-own"),
                                              .name = "ready",
                                              .queue = "other",
                                              .data = slice("{\"a\":[1,2]}"),
                                              .options = slice("{\"x\":1}"),
                                              .tags = tags,
                                              .tags_n = 2,
                                              .priority = -5,
                                              .tries = 7,
                                              .has_failed_hook = true})
                .id;
    push_job((struct errand_push_job){.name = "scheduled", .run_at_ms = now + 2 * HOUR});
    parent = push("parent");
    push_after("held", parent, ERRAND_ON_SUCCESS);
    now += MINUTE;
    carry(3);
    assert_all_same();
    assert_state(ready, ERRAND_READY);
    back();
}

TEST(a_completed_job_that_was_tried_before_keeps_every_attempt)
{
    push("stubborn");
    for (int i = 0; i < 2; i++) {
        retried(reserve_one());
        now += 2 * HOUR;
    }
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_DONE,
                                                  .started_ms = now,
                                                  .ended_ms = now + 1});
    carry(10);
    assert_all_same();
    back();
}

TEST(loaded_jobs_run_in_the_order_they_had)
{
    static const char *const order[] = {"first", "second", "third", "last"};
    struct errand_exchange_result r;

    push_job((struct errand_push_job){.name = "last", .priority = 1});
    push("second");
    push("third");
    push_job((struct errand_push_job){.name = "first", .priority = -1});
    carry(2);
    r = reserve(10);
    assert_int_equal(r.jobs_n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(r.jobs[i].name, order[i]);
    back();
}

TEST(what_is_there_already_stays_as_it_is)
{
    struct errand_job_detail detail = {0};
    struct errand_load_result ret;
    struct errand_id id = push("job");

    carry(10);
    done(reserve_one());
    detail = look_here(id);
    ret = load((struct errand_load_params){.jobs = &detail, .jobs_n = 1});
    assert_int_equal(ret.jobs[0].pushed, ERRAND_DUPLICATE);
    assert_int_equal(ret.jobs[0].state, ERRAND_COMPLETED);
    assert_id(ret.jobs[0].id, id);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
    back();
}

TEST(a_running_job_is_not_loaded)
{
    struct errand_id id = push("job");
    struct errand_job_detail detail;
    struct errand_load_params p = {.now_ms = now, .jobs = &detail, .jobs_n = 1};
    struct errand_load_result ret;

    reserve_one();
    detail = look(id);
    there = open_keeping(-1);
    fails(ERRAND_EINVAL, er_store_load(there, &p, arena, &ret, &err));
    here = store;
    back();
}

TEST(a_completed_job_is_loaded_whatever_the_store_keeps)
{
    struct errand_id id = run_done("job");

    here = store;
    there = open_keeping(0);
    load_all(10);
    store = there;
    assert_same(id);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 1);
    back();
}

TEST(loading_wakes_who_sleeps_and_tells_nobody)
{
    struct errand_events_params follow = {.after = -1, .max = 10, .follow_ms = HOUR};
    struct errand_events_result events;
    struct errand_job_detail detail;
    struct pollfd p = {.events = POLLIN};

    detail = look(push("job"));
    here = store;
    there = open_keeping(-1);
    follow.now_ms = now;
    ok(er_store_events_read(there, &follow, arena, &events, &err));
    p.fd = er_store_wait_fd(there, &err);
    ok(p.fd);
    ok(er_store_wait_arm(there, ERRAND_WAIT_READY, &err));
    load((struct errand_load_params){.jobs = &detail, .jobs_n = 1});
    assert_int_equal(poll(&p, 1, 10000), 1);
    follow.after = events.last;
    ok(er_store_events_read(there, &follow, arena, &events, &err));
    assert_int_equal(events.events_n, 0);
    back();
}

/* ------------------------------------------------------------------ keys, limits, hooks
 */

static struct errand_pushed_job push_unique(const char *key, int64_t ttl_ms,
                                            enum errand_unique_until until)
{
    struct errand_unique unique = {.key = slice(key), .ttl_ms = ttl_ms, .until = until};

    return push_job((struct errand_push_job){.name = "unique", .unique = &unique});
}

TEST(a_key_goes_along_with_the_job_that_holds_it)
{
    struct errand_id id = push_unique("k", 0, ERRAND_UNIQUE_DONE).id;

    carry(10);
    assert_same(id);
    assert_id(push_unique("k", 0, ERRAND_UNIQUE_DONE).id, id);
    done(reserve_one());
    assert_int_equal(push_unique("k", 0, ERRAND_UNIQUE_DONE).pushed, ERRAND_INSERTED);
    back();
}

TEST(a_key_that_is_held_for_a_time_ends_when_it_would_have)
{
    struct errand_id id = push_unique("k", MINUTE, ERRAND_UNIQUE_TTL).id;

    done(reserve_one());
    now += SECOND;
    carry(10);
    assert_same(id);
    now += MINUTE - SECOND - 1;
    assert_int_equal(push_unique("k", 1, ERRAND_UNIQUE_TTL).pushed, ERRAND_DUPLICATE);
    now += 1;
    assert_int_equal(push_unique("k", 1, ERRAND_UNIQUE_TTL).pushed, ERRAND_INSERTED);
    back();
}

TEST(a_key_that_was_renewed_without_an_end_goes_along)
{
    struct errand_id id = push_unique("k", MINUTE, ERRAND_UNIQUE_TTL).id;
    struct errand_unique extend = {
        .key = slice("k"), .until = ERRAND_UNIQUE_DONE, .policy = ERRAND_UNIQUE_EXTEND};

    push_job((struct errand_push_job){.unique = &extend});
    assert_int_equal(look(id).unique_until_ms, ERRAND_FOREVER);
    carry(10);
    assert_same(id);
    back();
}

TEST(a_key_that_another_job_holds_stays_with_it)
{
    struct errand_id old = push_unique("k", 0, ERRAND_UNIQUE_DONE).id, new;

    here = store;
    there = open_keeping(-1);
    store = there;
    new = push_unique("k", 0, ERRAND_UNIQUE_DONE).id;
    load_all(10);
    assert_state(old, ERRAND_READY);
    assert_int_equal(look(old).unique_until_ms, 0);
    assert_id(push_unique("k", 0, ERRAND_UNIQUE_DONE).id, new);
    back();
}

TEST(limits_go_along_with_the_jobs_that_brought_them)
{
    struct errand_limit_use use = {
        .name = "one", .key = slice("x"), .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_push_job job = {.name = "narrow", .limits = &use, .limits_n = 1};

    push_job(job);
    push_job(job);
    carry(10);
    assert_all_same();
    assert_int_equal(reserve(10).jobs_n, 1);
    back();
}

TEST(a_hook_that_is_due_is_due_there)
{
    struct errand_reserved hook;
    struct errand_id id = push("job");

    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_FAIL,
                                                  .error = slice("no luck"),
                                                  .hook_due = true});
    carry(10);
    assert_same(id);
    hook = reserve_one();
    assert_int_equal(hook.kind, ERRAND_WORK_FAILED_HOOK);
    assert_id(hook.id, id);
    assert_slice(hook.error, "no luck");
    back();
}

/* ------------------------------------------------------------------ who waits for whom
 */

TEST(a_chain_goes_on_where_it_was)
{
    struct errand_id a = run_done("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);
    struct errand_id c = push_after("c", b, ERRAND_ON_SUCCESS);

    carry(1);
    assert_all_same();
    assert_state(c, ERRAND_HELD);
    done(reserve_one());
    assert_state(c, ERRAND_READY);
    back();
}

TEST(a_job_may_be_loaded_before_the_one_it_waits_for)
{
    struct errand_push_job jobs[] = {{.name = "child"}, {.name = "one"}, {.name = "two"}};
    struct errand_edge edges[] = {{.child = 0, .parent = 2}, {.child = 0, .parent = 1}};
    struct errand_id child =
        push_all((struct errand_push_params){
                     .jobs = jobs, .jobs_n = 3, .edges = edges, .edges_n = 2})
            .jobs[0]
            .id;

    carry(1);
    assert_all_same();
    done(reserve_one());
    assert_state(child, ERRAND_HELD);
    done(reserve_one());
    assert_state(child, ERRAND_READY);
    back();
}

TEST(a_retry_there_brings_back_what_the_failure_here_had_cancelled)
{
    struct errand_id a = push("a");
    struct errand_id b = push_after("b", a, ERRAND_ON_SUCCESS);
    struct errand_id c = push_after("c", a, ERRAND_ON_SUCCESS);

    change(ERRAND_CHANGE_CANCEL, c);
    failed(reserve_one());
    assert_state(b, ERRAND_CANCELLED);
    carry(1);
    assert_all_same();
    change(ERRAND_CHANGE_RETRY, a);
    assert_state(b, ERRAND_HELD);
    assert_state(c, ERRAND_CANCELLED);
    back();
}

static struct errand_id push_members(size_t n, bool allow_failures)
{
    struct errand_push_batch batch = {.id = id_of("batch"),
                                      .name = "import",
                                      .allow_failures = allow_failures,
                                      .options = slice("{}")};
    struct errand_push_job jobs[5] = {0};
    struct errand_edge edge = {
        .child = n, .parent_id = batch.id, .parent_is_batch = true, .on = ERRAND_ON_END};

    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct errand_push_job){.name = "member", .batch = batch.id};
    jobs[n].name = "finally";
    push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = n + 1, .edges = &edge, .edges_n = 1, .batch = &batch});
    return batch.id;
}

TEST(a_batch_goes_on_where_it_was)
{
    struct errand_id id = push_members(3, true);
    struct errand_batch_info before, after;
    struct errand_reserved last;

    failed(reserve_one());
    done(reserve_one());
    before = batch_info(id);
    carry(1);
    assert_all_same();
    after = batch_info(id);
    assert_string_equal(after.name, before.name);
    assert_bytes(after.options, before.options);
    assert_int_equal(after.allow_failures, before.allow_failures);
    assert_int_equal(after.cancelled, before.cancelled);
    assert_int_equal(after.total, 3);
    assert_int_equal(after.pending, 1);
    assert_int_equal(after.failed, 1);
    assert_int_equal(after.cancelled_n, 0);
    assert_int_equal(after.created_ms, before.created_ms);
    assert_int_equal(after.ended_ms, 0);
    now += SECOND;
    done(reserve_one());
    assert_int_equal(batch_info(id).ended_ms, now);
    last = reserve_one();
    assert_string_equal(last.name, "finally");
    back();
}

TEST(a_failure_there_stops_the_rest_of_the_batch)
{
    struct errand_id id = push_members(3, false);

    done(reserve_one());
    carry(10);
    failed(reserve_one());
    assert_int_equal(batch_info(id).cancelled_n, 1);
    assert_true(batch_info(id).ended_ms > 0);
    back();
}

TEST(a_member_of_a_batch_that_is_not_there_is_not_loaded)
{
    struct errand_load_params p = {.now_ms = now, .jobs_n = 1};
    struct errand_load_result ret;
    struct errand_job_detail detail;

    push_members(1, true);
    detail = look(reserve_one().id);
    detail.job.state = ERRAND_READY;
    p.jobs = &detail;
    here = store;
    there = open_keeping(-1);
    fails(ERRAND_ENOTFOUND, er_store_load(there, &p, arena, &ret, &err));
    back();
}

/* ------------------------------------------------------------------ schedules */

static struct errand_schedule schedule(void)
{
    struct errand_schedules_result ret;

    ok(er_store_schedules(store, arena, &ret, &err));
    assert_int_equal(ret.schedules_n, 1);
    return ret.schedules[0];
}

static void fire(int64_t slot_ms)
{
    static const struct errand_push_job report = {
        .name = "report", .queue = DEFAULT_QUEUE, .tries = 1};
    struct errand_fire_params p = {.now_ms = now,
                                   .name = "nightly",
                                   .slot_ms = slot_ms,
                                   .next_ms = slot_ms + HOUR,
                                   .overlap = ERRAND_OVERLAP_ALLOW,
                                   .job = &report};
    struct errand_fire_result ret;

    ok(er_store_fire(store, &p, arena, &ret, &err));
    assert_int_equal(ret.fired, ERRAND_FIRED);
}

static void put(const char *spec)
{
    struct errand_schedule s = {.name = "nightly", .spec = slice(spec), .next_ms = now};

    ok(er_store_schedule_put(store, &s, &err));
}

TEST(a_schedule_is_loaded_with_its_last_slot)
{
    struct errand_schedule before, after;
    struct errand_fire_result ret;

    put("{}");
    fire(now);
    ok(er_store_schedule_pause(store, "nightly", true, &err));
    before = schedule();
    carry(10);
    after = schedule();
    assert_bytes(after.spec, before.spec);
    assert_true(after.paused);
    assert_int_equal(after.next_ms, before.next_ms);
    assert_int_equal(after.last_slot_ms, before.last_slot_ms);
    assert_int_equal(after.missed_n, before.missed_n);
    assert_id(after.last_job, before.last_job);
    ok(er_store_fire(
        store,
        &(struct errand_fire_params){.now_ms = now, .name = "nightly", .slot_ms = now},
        arena, &ret, &err));
    assert_int_equal(ret.fired, ERRAND_FIRED_ALREADY);
    back();
}

TEST(a_slot_that_has_fired_there_stays_fired)
{
    struct errand_schedule mine, theirs;

    put("{}");
    fire(now);
    mine = schedule();
    here = store;
    store = there = open_keeping(-1);
    put("{\"theirs\":1}");
    fire(now + HOUR);
    theirs = schedule();
    load((struct errand_load_params){.schedules = &mine, .schedules_n = 1});
    assert_int_equal(schedule().last_slot_ms, theirs.last_slot_ms);
    assert_slice(schedule().spec, "{\"theirs\":1}");
    mine.last_slot_ms = theirs.last_slot_ms;
    load((struct errand_load_params){.schedules = &mine, .schedules_n = 1});
    assert_slice(schedule().spec, "{}");
    back();
}

TEST_PART()
