/* rehearse.c: a handle whose time is the test's, and whose store fails when asked. */
#include "client/client_test.h"

#include <math.h>
#include <sys/wait.h>

#include "errand/testing.h"

enum { START_MS = 1000000000 };

static void set_time(int64_t ms)
{
    if (errand_test_set_time(e, ms, &err) < 0)
        fail_msg("%s", err.message);
}

static void pass(double seconds)
{
    if (errand_test_pass(e, seconds, &err) < 0)
        fail_msg("%s", err.message);
}

static enum errand_state state_of(const struct errand_id *id)
{
    struct errand_job_detail *detail = get(id);
    enum errand_state state = detail->job.state;

    errand_detail_free(detail);
    return state;
}

/* ------------------------------------------------------------------ time */

CLAIM(a_delay_is_over_when_its_time_has_passed)
{
    struct errand_id id;

    set_time(START_MS);
    id = dispatched("x", "1", &(struct errand_options){.delay_ms = 60000});
    pass(59.999);
    assert_false(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(state_of(&id), ERRAND_SCHEDULED);
    pass(0.001);
    assert_int_equal(errand_test_time(e), START_MS + 60000);
    assert_true(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(state_of(&id), ERRAND_COMPLETED);
}

CLAIM(a_key_is_free_when_its_ttl_has_passed)
{
    const struct errand_options key = {.unique = "order:7", .unique_for = 3600};

    set_time(START_MS);
    assert_int_equal(dispatch("x", "1", &key, NULL), ERRAND_INSERTED);
    pass(3599);
    assert_int_equal(dispatch("x", "1", &key, NULL), ERRAND_DUPLICATE);
    pass(1);
    assert_int_equal(dispatch("x", "1", &key, NULL), ERRAND_INSERTED);
}

CLAIM(a_rate_lets_go_when_its_window_has_passed)
{
    const struct errand_rate_params one = {
        .name = "r", .n = 1, .per_ms = 60000, .take = 1};
    struct errand_rate_result r = {0};

    set_time(START_MS);
    assert_int_equal(er_store_rate_take(er_client_store(e), &one, &r, &err), 0);
    assert_true(r.allowed);
    pass(59);
    assert_int_equal(er_store_rate_take(er_client_store(e), &one, &r, &err), 0);
    assert_false(r.allowed);
    pass(1);
    assert_int_equal(er_store_rate_take(er_client_store(e), &one, &r, &err), 0);
    assert_true(r.allowed);
}

CLAIM(a_lease_is_over_when_its_time_has_passed)
{
    struct er_store *store = er_client_store(e);
    const struct errand_exchange_params take = {
        .max = 1, .lease_ms = 30000, .worker = "w"};
    struct errand_exchange_result r = {0};
    struct errand_reap_result reaped = {0};

    set_time(START_MS);
    dispatched("x", "1", NULL);
    assert_int_equal(er_store_exchange(store, &take, test_arena, &r, &err), 0);
    assert_int_equal(r.jobs_n, 1);
    pass(29);
    assert_int_equal(
        er_store_reap(store, &(struct errand_reap_params){0}, test_arena, &reaped, &err),
        0);
    assert_int_equal(reaped.ready_n, 0);
    pass(1);
    assert_int_equal(
        er_store_reap(store, &(struct errand_reap_params){0}, test_arena, &reaped, &err),
        0);
    assert_int_equal(reaped.ready_n, 1);
}

CLAIM(time_that_passes_begins_now)
{
    int64_t before_ms = errand_test_time(e);

    pass(3600);
    assert_true(errand_test_time(e) >= before_ms + 3600000);
    assert_true(errand_test_time(e) < before_ms + 3660000);
    set_time(0);
    assert_true(errand_test_time(e) < before_ms + 60000);
}

/* Definitions are read once a second, by whichever clock. */
CLAIM(what_is_published_is_heard_of_after_the_clock_was_changed)
{
    struct errand_job_detail *detail;
    struct errand_id id;

    set_time(START_MS);
    dispatched("x", "1", NULL);
    set_time(0);
    publish("x", "x", "{\"queue\":\"mine\"}");
    id = dispatched("x", "1", NULL);
    detail = get(&id);
    assert_string_equal(detail->job.queue, "mine");
    errand_detail_free(detail);
}

CLAIM(times_that_mean_nothing_are_refused)
{
    assert_int_equal(errand_test_set_time(e, -1, &err), ERRAND_EINVAL);
    assert_int_equal(errand_test_pass(e, -1, &err), ERRAND_EINVAL);
    assert_int_equal(errand_test_pass(e, NAN, &err), ERRAND_EINVAL);
}

/* ------------------------------------------------------------------ failing */

CLAIM(the_next_call_fails_and_the_one_after_works)
{
    struct errand_filter all = {0};
    int64_t n;

    assert_int_equal(errand_test_fail_next(e, ERRAND_EUNAVAILABLE, &err), 0);
    assert_int_equal(dispatch("x", "1", NULL, NULL), ERRAND_EUNAVAILABLE);
    assert_true(err.retryable);
    assert_non_null(strstr(err.message, "as the test asked for"));
    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    assert_int_equal(n, 0);
    dispatched("x", "1", NULL);
}

CLAIM(only_the_call_that_was_named_fails)
{
    struct errand_id id;

    assert_int_equal(errand_test_fail(e,
                                      &(struct errand_test_failure){.code = ERRAND_EFULL,
                                                                    .call = "get",
                                                                    .times = -1},
                                      &err),
                     0);
    id = dispatched("x", "1", NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(errand_get(e, &id, &(struct errand_job_detail *){NULL}, &err),
                         ERRAND_EFULL);
    assert_int_equal(errand_test_fail(e, &(struct errand_test_failure){0}, &err), 0);
    errand_detail_free(get(&id));
}

CLAIM(the_nth_call_fails)
{
    assert_int_equal(errand_test_fail(e,
                                      &(struct errand_test_failure){.code = ERRAND_EFULL,
                                                                    .call = "push",
                                                                    .skip_n = 2},
                                      &err),
                     0);
    dispatched("x", "1", NULL);
    dispatched("x", "1", NULL);
    assert_int_equal(dispatch("x", "1", NULL, NULL), ERRAND_EFULL);
    dispatched("x", "1", NULL);
}

/* The caller cannot know, so it says the id itself and asks again. */
CLAIM(a_lost_answer_leaves_a_job_that_an_id_finds_again)
{
    const struct errand_options mine = {.id = {"mine"}};
    struct errand_filter all = {0};
    int64_t n;

    assert_int_equal(
        errand_test_fail(e,
                         &(struct errand_test_failure){
                             .code = ERRAND_EIO, .call = "push", .is_after_commit = true},
                         &err),
        0);
    assert_int_equal(dispatch("x", "1", &mine, NULL), ERRAND_EIO);
    assert_int_equal(dispatch("x", "1", &mine, NULL), ERRAND_DUPLICATE);
    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    assert_int_equal(n, 1);
}

CLAIM(a_store_that_is_busy_once_is_asked_again)
{
    assert_int_equal(errand_test_fail_next(e, ERRAND_EBUSY, &err), 0);
    dispatched("x", "1", NULL);
}

CLAIM(failures_that_cannot_be_are_refused)
{
    assert_int_equal(errand_test_fail_next(e, 1, &err), ERRAND_EINVAL);
    assert_int_equal(errand_test_fail_next(e, -99, &err), ERRAND_EINVAL);
    assert_int_equal(
        errand_test_fail(
            e, &(struct errand_test_failure){.code = ERRAND_EIO, .call = "pusch"}, &err),
        ERRAND_EINVAL);
    assert_string_equal(err.message, "a store has no call 'pusch'; did you mean 'push'?");
    assert_int_equal(
        errand_test_fail(
            e, &(struct errand_test_failure){.code = ERRAND_EIO, .skip_n = -1}, &err),
        ERRAND_EINVAL);
    dispatched("x", "1", NULL);
}

/* ------------------------------------------------------------------ together, and fork
 */

CLAIM(a_fake_may_fail_as_well)
{
    assert_int_equal(errand_fake(e, &err), 0);
    assert_int_equal(
        errand_test_fail(
            e, &(struct errand_test_failure){.code = ERRAND_EFULL, .call = "push"}, &err),
        0);
    assert_int_equal(dispatch("x", "1", NULL, NULL), ERRAND_EFULL);
    errand_assert_nothing_dispatched(e);
    dispatched("x", "1", NULL);
    errand_assert_dispatched_times(e, "x", 1);
}

CLAIM(a_child_of_a_fork_is_turned_away_and_may_close)
{
    int status;
    pid_t pid;

    assert_int_equal(errand_fake(e, &err), 0);
    if ((pid = fork()) == 0) {
        int rc = errand_dispatch(e, "x", "1", NULL, NULL, &err);
        int again = errand_fake(e, &err);
        errand_close(e);
        _exit(rc == ERRAND_EFORKED && again == ERRAND_EFORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    errand_assert_nothing_dispatched(e);
}

TEST_MAIN()
