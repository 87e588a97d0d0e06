/* schedules.c: one job a slot, however many schedulers there are. */
#include "store/support.h"

static void put(const char *name)
{
    struct errand_schedule s = {
        .name = name, .spec = slice("{\"cron\":\"* * * * *\"}"), .next_ms = now + MINUTE};

    ok(er_store_schedule_put(store, &s, &err));
}

static struct errand_schedule schedule(const char *name)
{
    struct errand_schedules_result ret;

    ok(er_store_schedules(store, arena, &ret, &err));
    for (size_t i = 0; i < ret.schedules_n; i++)
        if (strcmp(ret.schedules[i].name, name) == 0)
            return ret.schedules[i];
    return (struct errand_schedule){0};
}

static struct errand_fire_result fire_with(enum errand_overlap overlap, int64_t slot_ms,
                                           const struct errand_push_job *job)
{
    struct errand_fire_params p = {.now_ms = now,
                                   .name = "nightly",
                                   .slot_ms = slot_ms,
                                   .next_ms = slot_ms + HOUR,
                                   .overlap = overlap,
                                   .job = job};
    struct errand_fire_result ret;

    ok(er_store_fire(store, &p, arena, &ret, &err));
    return ret;
}

static const struct errand_push_job report = {
    .name = "report", .queue = DEFAULT_QUEUE, .tries = 1};

static struct errand_fire_result fire(int64_t slot_ms)
{
    return fire_with(ERRAND_OVERLAP_SKIP, slot_ms, &report);
}

TEST(schedules_are_listed_by_name)
{
    struct errand_schedules_result ret;

    put("b");
    put("a");
    ok(er_store_schedules(store, arena, &ret, &err));
    assert_int_equal(ret.schedules_n, 2);
    assert_string_equal(ret.schedules[0].name, "a");
    assert_slice(ret.schedules[0].spec, "{\"cron\":\"* * * * *\"}");
    assert_int_equal(ret.schedules[0].next_ms, now + MINUTE);
    assert_int_equal(ret.schedules[0].last_slot_ms, 0);
    assert_string_equal(ret.schedules[0].last_job.text, "");
    assert_false(ret.schedules[0].paused);
}

TEST(a_slot_fires_once)
{
    struct errand_fire_result first, again;

    put("nightly");
    first = fire(START);
    assert_int_equal(first.fired, ERRAND_FIRED);
    assert_int_equal(first.pushed.pushed, ERRAND_INSERTED);
    assert_state(first.pushed.id, ERRAND_READY);
    again = fire(START);
    assert_int_equal(again.fired, ERRAND_FIRED_ALREADY);
    assert_int_equal(fire(START - HOUR).fired, ERRAND_FIRED_ALREADY);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 1);
}

TEST(firing_is_remembered)
{
    struct errand_id id;

    put("nightly");
    id = fire(START).pushed.id;
    assert_int_equal(schedule("nightly").last_slot_ms, START);
    assert_int_equal(schedule("nightly").next_ms, START + HOUR);
    assert_id(schedule("nightly").last_job, id);
    assert_int_equal(schedule("nightly").missed_n, 0);
}

TEST(firing_a_schedule_that_is_not_there_is_not_found)
{
    struct errand_fire_params p = {.now_ms = now, .name = "nobody", .slot_ms = now};
    struct errand_fire_result ret;

    fails(ERRAND_ENOTFOUND, er_store_fire(store, &p, arena, &ret, &err));
}

TEST(skip_leaves_out_a_slot_while_the_last_job_has_not_ended)
{
    put("nightly");
    fire(START);
    assert_int_equal(fire(START + HOUR).fired, ERRAND_FIRED_SKIPPED);
    assert_int_equal(schedule("nightly").missed_n, 1);
    assert_int_equal(schedule("nightly").last_slot_ms, START + HOUR);
    struct errand_reserved r = reserve_one();
    assert_int_equal(fire(START + 2 * HOUR).fired, ERRAND_FIRED_SKIPPED);
    done(r);
    assert_int_equal(fire(START + 3 * HOUR).fired, ERRAND_FIRED);
}

TEST(allow_fires_whatever_runs)
{
    put("nightly");
    fire(START);
    assert_int_equal(fire_with(ERRAND_OVERLAP_ALLOW, START + HOUR, &report).fired,
                     ERRAND_FIRED);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 2);
}

TEST(one_waiting_lets_one_wait_behind_the_one_that_runs)
{
    put("nightly");
    fire(START);
    assert_int_equal(fire_with(ERRAND_OVERLAP_ONE_WAITING, START + HOUR, &report).fired,
                     ERRAND_FIRED_SKIPPED);
    reserve_one();
    assert_int_equal(
        fire_with(ERRAND_OVERLAP_ONE_WAITING, START + 2 * HOUR, &report).fired,
        ERRAND_FIRED);
    assert_int_equal(
        fire_with(ERRAND_OVERLAP_ONE_WAITING, START + 3 * HOUR, &report).fired,
        ERRAND_FIRED_SKIPPED);
}

TEST(a_missed_slot_is_recorded_without_a_job)
{
    put("nightly");
    assert_int_equal(fire_with(ERRAND_OVERLAP_SKIP, START, NULL).fired,
                     ERRAND_FIRED_RECORDED);
    assert_int_equal(schedule("nightly").missed_n, 1);
    assert_int_equal(fire(START).fired, ERRAND_FIRED_ALREADY);
    reserve_none();
}

TEST(many_missed_slots_are_recorded_in_one_call)
{
    struct errand_fire_params p = {
        .now_ms = now, .name = "nightly", .slot_ms = START, .slots_n = 8540};
    struct errand_fire_result ret;

    put("nightly");
    ok(er_store_fire(store, &p, arena, &ret, &err));
    assert_int_equal(ret.fired, ERRAND_FIRED_RECORDED);
    assert_int_equal(schedule("nightly").missed_n, 8540);
    assert_int_equal(schedule("nightly").last_slot_ms, START);
    ok(er_store_fire(store, &p, arena, &ret, &err));
    assert_int_equal(ret.fired, ERRAND_FIRED_ALREADY);
    assert_int_equal(schedule("nightly").missed_n, 8540);
    p.slots_n = -1;
    fails(ERRAND_EINVAL, er_store_fire(store, &p, arena, &ret, &err));
}

TEST(a_paused_schedule_records_its_slots)
{
    put("nightly");
    ok(er_store_schedule_pause(store, "nightly", true, &err));
    assert_true(schedule("nightly").paused);
    assert_int_equal(fire(START).fired, ERRAND_FIRED_SKIPPED);
    ok(er_store_schedule_pause(store, "nightly", false, &err));
    assert_int_equal(fire(START).fired, ERRAND_FIRED_ALREADY);
    assert_int_equal(fire(START + HOUR).fired, ERRAND_FIRED);
}

TEST(putting_a_schedule_again_keeps_its_history)
{
    struct errand_schedule s = {.name = "nightly", .spec = slice("{}"), .next_ms = 5};

    put("nightly");
    fire(START);
    ok(er_store_schedule_pause(store, "nightly", true, &err));
    ok(er_store_schedule_put(store, &s, &err));
    assert_slice(schedule("nightly").spec, "{}");
    assert_int_equal(schedule("nightly").next_ms, 5);
    assert_int_equal(schedule("nightly").last_slot_ms, START);
    assert_true(schedule("nightly").paused);
}

TEST(a_deleted_schedule_is_gone)
{
    put("nightly");
    ok(er_store_schedule_delete(store, "nightly", &err));
    assert_null(schedule("nightly").name);
    fails(ERRAND_ENOTFOUND, er_store_schedule_delete(store, "nightly", &err));
    fails(ERRAND_ENOTFOUND, er_store_schedule_pause(store, "nightly", true, &err));
}

TEST(a_slot_may_fire_a_duplicate)
{
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job job = report;
    struct errand_pushed_job first;
    struct errand_fire_result ret;

    put("nightly");
    job.unique = &unique;
    first = push_job(job);
    ret = fire_with(ERRAND_OVERLAP_SKIP, START, &job);
    assert_int_equal(ret.fired, ERRAND_FIRED);
    assert_int_equal(ret.pushed.pushed, ERRAND_DUPLICATE);
    assert_id(schedule("nightly").last_job, first.id);
}

TEST(a_slot_that_cannot_be_stored_has_not_fired)
{
    struct errand_push_job job = report;
    struct errand_fire_params p = {
        .now_ms = now, .name = "nightly", .slot_ms = START, .job = &job};
    struct errand_fire_result ret;

    put("nightly");
    job.batch = id_of("nobody");
    fails(ERRAND_ENOTFOUND, er_store_fire(store, &p, arena, &ret, &err));
    assert_int_equal(schedule("nightly").last_slot_ms, 0);
    assert_int_equal(fire(START).fired, ERRAND_FIRED);
}

TEST_PART()
