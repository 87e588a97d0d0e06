/* wait.c: who sleeps is woken: by another connection, after the commit, and for what it
 * waits for. The timeout of poll is only how long a broken driver may take to fail. */
#include <poll.h>

#include "store/support.h"

static struct er_store *sleeper;

static bool is_readable(int timeout_ms)
{
    struct pollfd p = {.fd = er_store_wait_fd(sleeper, &err), .events = POLLIN};

    assert_true(p.fd >= 0);
    return poll(&p, 1, timeout_ms) == 1;
}

static void arm(uint32_t wait_for)
{
    if (!sleeper)
        sleeper = store_second();
    ok(er_store_wait_fd(sleeper, &err));
    ok(er_store_wait_arm(sleeper, wait_for, &err));
}

static void assert_woken(void)
{
    assert_true(is_readable(5000));
    ok(er_store_wait_arm(sleeper, 0, &err));
    sleeper = NULL; /* closed with the test */
}

TEST(a_push_wakes_who_waits_for_ready)
{
    arm(ERRAND_WAIT_READY);
    push("a");
    assert_woken();
}

TEST(a_scheduled_push_wakes_who_waits_for_ready)
{
    arm(ERRAND_WAIT_READY);
    push_job((struct errand_push_job){.run_at_ms = now + HOUR});
    assert_woken();
}

TEST(a_hand_back_wakes_who_waits_for_ready)
{
    push("a");
    struct errand_reserved r = reserve_one();
    arm(ERRAND_WAIT_READY);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_woken();
}

TEST(a_retry_wakes_who_waits_for_ready)
{
    push("a");
    struct errand_reserved r = reserve_one();
    arm(ERRAND_WAIT_READY);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_RETRY, .run_at_ms = now + HOUR});
    assert_woken();
}

TEST(a_reap_wakes_who_waits_for_ready)
{
    push("a");
    reserve_one();
    arm(ERRAND_WAIT_READY);
    now += LEASE_MS;
    reap();
    assert_woken();
}

TEST(a_release_wakes_who_waits_for_ready)
{
    push_after("b", push("a"), ERRAND_ON_SUCCESS);
    struct errand_reserved r = reserve_one();
    arm(ERRAND_WAIT_READY);
    done(r);
    assert_woken();
}

TEST(room_under_a_limit_wakes_who_waits_for_ready)
{
    struct errand_limit_use use = {
        .name = "api", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_push_job job = {.limits = &use, .limits_n = 1};

    push_job(job);
    push_job(job);
    struct errand_reserved r = reserve_one();
    arm(ERRAND_WAIT_READY);
    done(r);
    assert_woken();
}

TEST(the_end_of_a_pause_wakes_who_waits_for_ready)
{
    push("a");
    ok(er_store_queue_pause(store, DEFAULT_QUEUE, ERRAND_FOREVER, now, &err));
    arm(ERRAND_WAIT_READY);
    ok(er_store_queue_pause(store, DEFAULT_QUEUE, 0, now, &err));
    assert_woken();
}

TEST(a_due_hook_wakes_who_waits_for_ready)
{
    push("a");
    struct errand_reserved r = reserve_one();
    arm(ERRAND_WAIT_READY);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_FAIL, .hook_due = true});
    assert_woken();
}

TEST(run_now_and_retry_wake_who_waits_for_ready)
{
    struct errand_id scheduled =
        push_job((struct errand_push_job){.run_at_ms = now + HOUR}).id;
    struct errand_id failed_one = run_failed("a");

    arm(ERRAND_WAIT_READY);
    change(ERRAND_CHANGE_RUN_NOW, scheduled);
    assert_woken();
    arm(ERRAND_WAIT_READY);
    change(ERRAND_CHANGE_RETRY, failed_one);
    assert_woken();
}

TEST(the_end_of_a_job_wakes_who_waits_for_ends)
{
    static const enum errand_outcome_kind kinds[] = {ERRAND_OUT_DONE, ERRAND_OUT_FAIL,
                                                     ERRAND_OUT_CANCELLED};

    for (size_t i = 0; i < 3; i++) {
        push("a");
        struct errand_reserved r = reserve_one();
        arm(ERRAND_WAIT_ENDED);
        settle(r, (struct errand_outcome){.kind = kinds[i]});
        assert_woken();
    }
}

TEST(cancelling_wakes_who_waits_for_ends_or_control)
{
    struct errand_id id = push("a");

    arm(ERRAND_WAIT_ENDED);
    change(ERRAND_CHANGE_CANCEL, id);
    assert_woken();
    id = push("b");
    reserve_one();
    arm(ERRAND_WAIT_CONTROL);
    change(ERRAND_CHANGE_CANCEL, id);
    assert_woken();
}

TEST(a_command_wakes_who_waits_for_control)
{
    struct errand_beat_params p = {.now_ms = now, .worker = "w", .ttl_ms = MINUTE};
    struct errand_beat_result ret;
    size_t n;

    ok(er_store_beat(store, &p, arena, &ret, &err));
    arm(ERRAND_WAIT_CONTROL);
    ok(er_store_command(store, "w", ERRAND_COMMAND_STOP, now, &n, &err));
    assert_woken();
}

TEST(an_event_wakes_who_waits_for_events)
{
    struct errand_event e = {.type = "x", .name = "a", .queue = "q"};

    arm(ERRAND_WAIT_EVENTS);
    ok(er_store_events_add(store, &e, 1, now, &err));
    assert_woken();
}

TEST(a_change_of_schedules_wakes_who_waits_for_schedules)
{
    struct errand_schedule s = {.name = "nightly", .spec = slice("{}"), .next_ms = now};

    arm(ERRAND_WAIT_SCHEDULES);
    ok(er_store_schedule_put(store, &s, &err));
    assert_woken();
    arm(ERRAND_WAIT_SCHEDULES);
    ok(er_store_schedule_pause(store, "nightly", true, &err));
    assert_woken();
    arm(ERRAND_WAIT_SCHEDULES);
    ok(er_store_schedule_delete(store, "nightly", &err));
    assert_woken();
}

TEST(neither_jobs_nor_slots_wake_who_waits_for_schedules)
{
    struct errand_schedule s = {.name = "nightly", .spec = slice("{}"), .next_ms = now};
    struct errand_fire_params p = {.now_ms = now, .name = "nightly", .slot_ms = now};
    struct errand_fire_result ret;

    ok(er_store_schedule_put(store, &s, &err));
    arm(ERRAND_WAIT_SCHEDULES);
    push("a");
    ok(er_store_fire(store, &p, arena, &ret, &err));
    assert_false(is_readable(50));
    sleeper = NULL;
}

TEST(what_happened_before_the_descriptor_was_read_is_not_missed)
{
    arm(ERRAND_WAIT_READY);
    push("a");
    push("b");
    assert_true(is_readable(5000));
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    push("c");
    assert_woken();
}

TEST(arming_clears_the_descriptor)
{
    arm(ERRAND_WAIT_READY);
    push("a");
    assert_true(is_readable(5000));
    ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    /* Spurious wake-ups are allowed, endless ones are not. */
    for (int i = 0; i < 20 && is_readable(0); i++)
        ok(er_store_wait_arm(sleeper, ERRAND_WAIT_READY, &err));
    assert_false(is_readable(0));
    sleeper = NULL;
}

TEST(the_descriptor_stays_the_same)
{
    arm(ERRAND_WAIT_READY);
    assert_int_equal(er_store_wait_fd(sleeper, &err), er_store_wait_fd(sleeper, &err));
    sleeper = NULL;
}

/* ------------------------------------------------------------------ once more */

TEST(a_store_that_is_opened_once_more_is_the_same_store)
{
    struct er_store *other = NULL;
    int64_t n = 0;

    push("a");
    ok(er_store_again(store, &other, &err));
    ok(er_store_count(other, &(struct errand_filter){0}, now, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(er_store_url(other), er_store_url(store));
    er_store_close(other);
    ok(er_store_count(store, &(struct errand_filter){0}, now, &n, &err));
    assert_int_equal(n, 1);
}

TEST_PART()
