/* told.c: while somebody follows, every change adds its event in its own transaction. */
#include "store/support.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static int64_t seen; /* the last event that this test has looked at */

static void follow(void)
{
    struct errand_events_params p = {
        .now_ms = now, .after = -1, .max = 1, .follow_ms = HOUR};
    struct errand_events_result ret;

    ok(er_store_events_read(store, &p, arena, &ret, &err));
    seen = ret.last;
}

static struct errand_events_result told(void)
{
    struct errand_events_params p = {.now_ms = now, .after = seen, .max = 100};
    struct errand_events_result ret;

    ok(er_store_events_read(store, &p, arena, &ret, &err));
    seen = ret.last;
    return ret;
}

/* "dispatched a, released b": what was told since the last look. */
static void assert_told(const char *words)
{
    struct errand_events_result ret = told();
    char text[1024] = "";
    size_t len = 0;

    for (size_t i = 0; i < ret.events_n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s", i ? ", " : "",
                                strchr(ret.events[i].type, ':') + 1, ret.events[i].name);
    assert_string_equal(text, words);
}

static struct errand_event told_one(const char *type)
{
    struct errand_events_result ret = told();

    assert_int_equal(ret.events_n, 1);
    assert_string_equal(ret.events[0].type, type);
    return ret.events[0];
}

static struct errand_outcome outcome(const struct errand_reserved *r,
                                     enum errand_outcome_kind kind)
{
    return (struct errand_outcome){.kind = kind,
                                   .name = r->name,
                                   .queue = r->queue,
                                   .attempt = r->attempt,
                                   .ended_ms = now};
}

TEST(while_nobody_follows_nothing_is_told)
{
    struct errand_reserved r;

    push("a");
    r = reserve_one();
    settle(r, outcome(&r, ERRAND_OUT_DONE));
    ok(er_store_queue_pause(store, "post", 0, now, &err));
    seen = 0;
    assert_int_equal(told().events_n, 0);
}

TEST(a_push_tells_what_it_has_stored)
{
    struct errand_push_job same = {.name = "mail", .queue = "post", .id = id_of("one")};
    struct errand_push_job later = {.name = "later", .run_at_ms = now + MINUTE};
    struct errand_event e;

    follow();
    push_job(same);
    e = told_one("job:dispatched");
    assert_string_equal(e.id.text, "one");
    assert_string_equal(e.name, "mail");
    assert_string_equal(e.queue, "post");
    assert_int_equal(e.attempt, 0);
    assert_int_equal(e.at_ms, now);
    assert_int_equal(e.delay_ms, -1);
    assert_int_equal(e.duration_ms, -1);
    push_job(same);
    assert_int_equal(told().events_n, 0);
    push_job(later);
    assert_int_equal(told_one("job:dispatched").delay_ms, MINUTE);
}

TEST(a_waiting_holder_that_is_replaced_is_told)
{
    struct errand_unique unique = {
        .key = slice("k"), .until = ERRAND_UNIQUE_DONE, .policy = ERRAND_UNIQUE_REPLACE};
    struct errand_push_job job = {.name = "a", .unique = &unique};

    follow();
    push_job(job);
    push_job(job);
    unique.policy = ERRAND_UNIQUE_IGNORE;
    push_job(job);
    assert_told("dispatched a, rescheduled a");
}

TEST(a_completion_is_told_with_its_duration)
{
    struct errand_reserved r;
    struct errand_event e;

    follow();
    push("a");
    r = reserve_one();
    told();
    now += SECOND;
    settle(r, outcome(&r, ERRAND_OUT_DONE));
    e = told_one("job:completed");
    assert_id(e.id, r.id);
    assert_int_equal(e.attempt, 1);
    assert_int_equal(e.duration_ms, SECOND);
    assert_int_equal(e.delay_ms, -1);
}

TEST(a_retry_is_told_with_the_attempt_that_comes)
{
    struct errand_outcome o;
    struct errand_reserved r;
    struct errand_event e;

    follow();
    push("a");
    r = reserve_one();
    told();
    o = outcome(&r, ERRAND_OUT_RETRY);
    o.run_at_ms = now + MINUTE;
    o.error = slice("no luck");
    settle(r, o);
    e = told_one("job:retrying");
    assert_int_equal(e.attempt, 2);
    assert_int_equal(e.delay_ms, MINUTE);
    assert_slice(e.error, "no luck");
}

TEST(every_other_end_of_an_attempt_is_told)
{
    static const struct {
        enum errand_outcome_kind kind;
        const char *type;
    } ends[] = {{ERRAND_OUT_FAIL, "job:failed"},
                {ERRAND_OUT_SNOOZE, "job:snoozed"},
                {ERRAND_OUT_CANCELLED, "job:cancelled"},
                {ERRAND_OUT_HAND_BACK, "job:released"}};

    follow();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct errand_outcome o;
        struct errand_reserved r;
        push("a");
        r = reserve_one();
        told();
        o = outcome(&r, ends[i].kind);
        if (ends[i].kind == ERRAND_OUT_SNOOZE)
            o.run_at_ms = now + HOUR;
        settle(r, o);
        assert_int_equal(told_one(ends[i].type).attempt, 1);
    }
}

TEST(an_outcome_without_a_name_is_not_told)
{
    struct errand_reserved r;

    follow();
    push("a");
    r = reserve_one();
    told();
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_DONE});
    assert_int_equal(told().events_n, 0);
}

TEST(what_is_lost_is_not_told)
{
    struct errand_reserved r;

    follow();
    push("a");
    r = reserve_one();
    settle(r, outcome(&r, ERRAND_OUT_DONE));
    told();
    assert_int_equal(settle(r, outcome(&r, ERRAND_OUT_DONE)), ERRAND_LOST);
    assert_int_equal(told().events_n, 0);
}

TEST(what_would_run_again_and_was_cancelled_is_told_as_cancelled)
{
    struct errand_reserved r;

    follow();
    push("a");
    r = reserve_one();
    change(ERRAND_CHANGE_CANCEL, r.id);
    told();
    settle(r, outcome(&r, ERRAND_OUT_RETRY));
    assert_told("cancelled a");
}

TEST(a_cause_is_told_before_its_effects)
{
    struct errand_id a = push("a"), b;
    struct errand_reserved r;

    b = push_after("b", a, ERRAND_ON_SUCCESS);
    push_after("c", b, ERRAND_ON_SUCCESS);
    follow();
    r = reserve_one();
    settle(r, outcome(&r, ERRAND_OUT_DONE));
    assert_told("completed a, released b");
    r = reserve_one();
    settle(r, outcome(&r, ERRAND_OUT_FAIL));
    assert_told("failed b, cancelled c");
    change(ERRAND_CHANGE_RETRY, b);
    assert_told("retried b, held c");
}

TEST(a_lease_that_ran_out_is_told)
{
    follow();
    push("a");
    push_job((struct errand_push_job){.name = "last", .tries = 1});
    reserve(2);
    told();
    now += LEASE_MS;
    reap();
    assert_told("stalled a, stalled last, failed last");
}

TEST(what_an_operator_does_is_told)
{
    struct errand_id id, late;
    int64_t at = now + HOUR;

    follow();
    id = push("a");
    late = push_job((struct errand_push_job){.name = "late", .run_at_ms = at}).id;
    told();
    change(ERRAND_CHANGE_CANCEL, id);
    change(ERRAND_CHANGE_RETRY, id);
    change(ERRAND_CHANGE_RUN_NOW, late);
    change_all(
        (struct errand_change_params){.kind = ERRAND_CHANGE_EDIT,
                                      .ids = &late,
                                      .ids_n = 1,
                                      .edit = &(struct errand_edit){.run_at_ms = &at}});
    change(ERRAND_CHANGE_DELETE, id);
    assert_told("cancelled a, retried a, rescheduled late, rescheduled late, "
                "cancelled a");
}

TEST(the_end_of_a_batch_is_told_after_its_members)
{
    struct errand_push_batch batch = {.id = id_of("batch-1"), .name = "import"};
    struct errand_push_job jobs[2] = {{.name = "a", .batch = batch.id},
                                      {.name = "b", .batch = batch.id}};
    struct errand_events_result ret;
    struct errand_reserved r;
    size_t n;

    follow();
    push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 2, .batch = &batch});
    assert_told("dispatched a, dispatched b");
    r = reserve_one();
    settle(r, outcome(&r, ERRAND_OUT_DONE));
    ok(er_store_batch_cancel(store, &batch.id, now, &n, &err));
    ret = told();
    assert_int_equal(ret.events_n, 3);
    assert_string_equal(ret.events[1].type, "job:cancelled");
    assert_string_equal(ret.events[2].type, "batch:ended");
    assert_id(ret.events[2].id, batch.id);
    assert_string_equal(ret.events[2].name, "import");
    assert_string_equal(ret.events[2].queue, "");
}

TEST(a_pause_and_its_end_are_told)
{
    struct errand_event e;

    follow();
    ok(er_store_queue_pause(store, "post", now + MINUTE, now, &err));
    e = told_one("queue:paused");
    assert_string_equal(e.queue, "post");
    assert_int_equal(e.delay_ms, MINUTE);
    ok(er_store_queue_pause(store, "post", ERRAND_FOREVER, now, &err));
    assert_int_equal(told_one("queue:paused").delay_ms, -1);
    ok(er_store_queue_pause(store, "post", 0, now, &err));
    told_one("queue:resumed");
}

TEST(a_worker_is_told_when_it_comes_and_goes)
{
    struct errand_beat_params p = {.worker = "w1", .ttl_ms = MINUTE};
    struct errand_beat_result ret;

    follow();
    for (int i = 0; i < 4; i++) {
        p.now_ms = now += SECOND;
        p.bye = i >= 2;
        ok(er_store_beat(store, &p, arena, &ret, &err));
    }
    assert_told("started w1, stopped w1");
}

TEST(an_event_wakes_those_who_follow)
{
    struct er_store *other = store_second();
    struct pollfd fd = {.events = POLLIN};

    follow();
    fd.fd = er_store_wait_fd(other, &err);
    ok(er_store_wait_arm(other, ERRAND_WAIT_EVENTS, &err));
    push("a");
    assert_int_equal(poll(&fd, 1, 1000), 1);
}

TEST_PART()
