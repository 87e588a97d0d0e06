/* identity.c: which store it is, and what becomes of open connections when another one
 * takes its place; and what time it is there. */
#include <poll.h>

#include "store/support.h"

#include "core/clock.h"

static int64_t identity_of(struct er_store *which)
{
    struct errand_beat_params p = {
        .now_ms = now, .worker = "a", .info = slice("{}"), .ttl_ms = MINUTE};
    struct errand_schedules_result schedules;
    struct errand_beat_result beat;

    ok(er_store_beat(which, &p, arena, &beat, &err));
    ok(er_store_schedules(which, arena, &schedules, &err));
    assert_int_equal(schedules.identity, beat.identity);
    return beat.identity;
}

static int push_by(struct er_store *which, struct errand_push_result *ret)
{
    struct errand_push_job job = {
        .name = "job", .queue = DEFAULT_QUEUE, .tries = 3, .data = slice("1")};
    struct errand_push_params p = {.now_ms = now, .jobs = &job, .jobs_n = 1};

    return er_store_push(which, &p, arena, ret, &err);
}

/* The store of the test is another one now, under the open connection `store`; NULL where
 * nothing can do that. The new one's own connection. */
static struct er_store *replaced(void)
{
    return store_remove_under() ? store_second() : NULL;
}

TEST(all_connections_and_calls_tell_one_identity)
{
    int64_t identity = identity_of(store);

    assert_int_not_equal(identity, 0);
    assert_int_equal(identity_of(store_second()), identity);
    now += HOUR;
    assert_int_equal(identity_of(store), identity);
}

TEST(another_store_has_another_identity)
{
    char url[512];
    struct er_store_options options = {.open.create = true};
    struct er_store *other = NULL;

    snprintf(url, sizeof url, "%s", store_fresh_url());
    ok(er_store_open(url, &options, &other, &err));
    assert_int_not_equal(identity_of(other), identity_of(store));
    er_store_close(other);
    store_remove(url);
}

TEST(a_store_that_is_gone_is_unavailable_until_there_is_another)
{
    struct errand_push_result pushed;
    int64_t before = identity_of(store);

    if (!store_remove_under())
        return;
    fails(ERRAND_EUNAVAILABLE, push_by(store, &pushed));
    assert_true(err.retryable);
    fails(ERRAND_EUNAVAILABLE,
          er_store_beat(store,
                        &(struct errand_beat_params){
                            .now_ms = now, .worker = "a", .ttl_ms = MINUTE},
                        arena, &(struct errand_beat_result){0}, &err));
    store_second();
    ok(push_by(store, &pushed));
    assert_int_not_equal(identity_of(store), before);
}

TEST(an_open_connection_serves_the_store_that_took_the_place_of_its_own)
{
    struct errand_push_result pushed;
    struct errand_id old = push("old");
    struct errand_job_detail detail;
    int64_t before = identity_of(store);
    struct errand_exchange_result got;
    struct er_store *fresh = replaced();

    if (!fresh)
        return;
    assert_true(is_gone(old));
    assert_null(queue_info(DEFAULT_QUEUE).name);
    ok(push_by(store, &pushed));
    ok(er_store_get(fresh, &pushed.jobs[0].id, now, arena, &detail, &err));
    assert_id(look(pushed.jobs[0].id).job.id, pushed.jobs[0].id);
    got = reserve(10);
    assert_int_equal(got.jobs_n, 1);
    assert_id(got.jobs[0].id, pushed.jobs[0].id);
    done(got.jobs[0]);
    assert_int_not_equal(identity_of(store), before);
    assert_int_equal(identity_of(store), identity_of(fresh));
}

/* Whatever its first call is. */
TEST(what_is_reserved_in_the_new_store_has_its_own_ids)
{
    struct errand_push_result pushed;
    struct errand_exchange_result got;
    struct er_store *fresh = replaced();

    if (!fresh)
        return;
    ok(push_by(fresh, &pushed));
    got = reserve(10);
    assert_int_equal(got.jobs_n, 1);
    assert_id(got.jobs[0].id, pushed.jobs[0].id);
}

TEST(what_ran_in_the_store_before_is_lost_in_the_new_one)
{
    struct errand_reserved old, young;
    struct errand_extend_params extend = {.now_ms = now, .lease_ms = LEASE_MS};
    struct errand_extend_result extended;
    struct errand_push_result pushed;

    push("old");
    old = reserve_one();
    if (!replaced())
        return;
    ok(push_by(store, &pushed));
    young = reserve_one();
    assert_true(young.token > old.token);
    old.key = young.key; /* the numbers of a new store begin anew */
    assert_int_equal(settle(old, (struct errand_outcome){.kind = ERRAND_OUT_FAIL}),
                     ERRAND_LOST);
    extend.tokens = &old.token;
    extend.tokens_n = 1;
    ok(er_store_extend(store, &extend, arena, &extended, &err));
    assert_int_equal(extended.leases[0], ERRAND_LOST);
    assert_state(young.id, ERRAND_RUNNING);
    done(young);
}

TEST(whoever_waits_hears_of_the_new_store)
{
    struct er_store *fresh;
    struct errand_push_result pushed;
    int fd = er_store_wait_fd(store, &err);

    ok(fd);
    ok(er_store_wait_arm(store, ERRAND_WAIT_READY, &err));
    if (!(fresh = replaced()))
        return;
    identity_of(store);
    assert_int_equal(er_store_wait_fd(store, &err), fd);
    ok(er_store_wait_arm(store, ERRAND_WAIT_READY, &err));
    ok(push_by(fresh, &pushed));
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000), 1);
    ok(er_store_wait_arm(store, 0, &err));
}

TEST(tokens_of_a_new_store_are_larger_than_those_of_one_before)
{
    struct errand_reserved old, young;
    char url[512];

    push("old");
    old = reserve_one();
    snprintf(url, sizeof url, "%s", store_fresh_url());
    store_move_to(url);
    push("young");
    young = reserve_one();
    assert_true(young.token > old.token);
}

/* ------------------------------------------------------------------ clock */

TEST(jobs_become_due_by_the_clock_that_the_store_tells)
{
    int64_t clock_ms = er_store_wall_ms(store);
    struct errand_push_job jobs[] = {
        {.name = "due", .queue = DEFAULT_QUEUE, .tries = 1, .run_at_ms = clock_ms - 1},
        {.name = "late",
         .queue = DEFAULT_QUEUE,
         .tries = 1,
         .run_at_ms = clock_ms + HOUR}};
    struct errand_exchange_params p = {.max = 10, .worker = "a", .lease_ms = LEASE_MS};
    struct errand_exchange_result got;

    now = 0; /* the store's own clock */
    push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 2});
    ok(er_store_exchange(store, &p, arena, &got, &err));
    assert_int_equal(got.jobs_n, 1);
    assert_string_equal(got.jobs[0].name, "due");
    assert_int_equal(got.next_at_ms, clock_ms + HOUR);
    done(got.jobs[0]);
    now = START;
}

TEST(the_clock_of_a_store_goes_on)
{
    const struct errand_driver *driver = er_store_driver(store);
    int64_t first_ms, then_ms, here_ms = er_clock_mono_ms(NULL);

    if (!driver->clock)
        return; /* this host's */
    first_ms = er_store_wall_ms(store);
    while (er_store_wall_ms(store) == first_ms)
        ;
    then_ms = er_store_wall_ms(store);
    assert_true(then_ms > first_ms);
    assert_true(then_ms - first_ms <= er_clock_mono_ms(NULL) - here_ms + 1);
}

TEST_PART()
