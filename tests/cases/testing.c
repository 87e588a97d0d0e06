/* testing.c: case 25, fakes: what a test of an application does with them. */
#include "cases/cases.h"

#include <errand/testing.h>

static int on_welcome(errand_job *job, struct errand_error *error)
{
    long long user;

    if (errand_job_int(job, "userId", &user, error) < 0)
        return ERRAND_FAIL;
    ledger("welcome %lld", user);
    return ERRAND_DONE;
}
ERRAND_JOB(SendWelcomeEmail, .handle = on_welcome, .queue = "emails", .tries = 3)

static int on_thrower(errand_job *job, struct errand_error *error)
{
    (void)job;
    errand_error_set(error, 42, "no such user");
    return ERRAND_RETRY;
}
ERRAND_JOB(Thrower, .handle = on_thrower)

CASE(case_25_a_fake_records_and_nothing_is_stored_or_run)
{
    const struct errand_fake_job *job;

    assert_int_equal(errand_fake(e, &err), 0);
    push("SendWelcomeEmail", "{\"userId\":1}", NULL);
    assert_true(errand_has_dispatched(e, "SendWelcomeEmail"));
    assert_non_null(job = errand_fake_dispatched(e, "SendWelcomeEmail", 0));
    errand_assert_json(job->data.ptr, "{ \"userId\": 1 }");
    errand_restore(e);
    assert_int_equal(count(-1, NULL), 0);
    work_all();
    assert_ledger("");
}

CASE(case_25_after_restore_dispatch_stores_again)
{
    assert_int_equal(errand_fake(e, &err), 0);
    push("SendWelcomeEmail", "{\"userId\":1}", NULL);
    errand_restore(e);
    errand_restore(e);
    assert_null(errand_get_fake(e));
    push("SendWelcomeEmail", "{\"userId\":2}", NULL);
    assert_int_equal(count(ERRAND_READY, "emails"), 1);
    work_all();
    assert_ledger("welcome 2\n");
}

CASE(case_25_every_way_of_dispatching_is_recorded)
{
    const struct errand_dispatch_item items[] = {{.name = "A"}, {.name = "B"}};
    static const char *const after_a[] = {"A", NULL};
    const struct errand_flow_node nodes[] = {{.name = "A"},
                                             {.name = "C", .after = after_a}};

    assert_int_equal(errand_fake(e, &err), 0);
    push("A", NULL, NULL);
    assert_int_equal(errand_dispatch_if(e, true, "A", NULL, NULL, NULL, &err), 0);
    assert_int_equal(errand_dispatch_unless(e, true, "A", NULL, NULL, NULL, &err),
                     ERRAND_NOT_DISPATCHED);
    assert_int_equal(errand_dispatch_after(e, 60, "A", NULL, NULL, NULL, &err), 0);
    assert_int_equal(errand_dispatch_bulk(e, items, 2, NULL, &err), 2);
    assert_int_equal(errand_chain(e, items, 2, NULL, NULL, &err), 2);
    assert_int_equal(errand_batch(e, items, 2, NULL, NULL, &err), 2);
    assert_int_equal(errand_flow(e, nodes, 2, NULL, NULL, &err), 2);
    assert_int_equal(errand_dispatch_sync(e, "A", NULL, NULL, NULL, &err), 0);
    errand_assert_dispatched_times(e, "A", 8);
    errand_assert_dispatched_times(e, "B", 3);
    errand_assert_dispatched_times(e, "C", 1);
    errand_assert_chained(e, "A", "B");
    errand_assert_batched(e, "B", "A");
    errand_restore(e);
    assert_int_equal(count(-1, NULL), 0);
}

TEST(case_25_a_test_job_runs_and_says_how_it_went)
{
    struct errand_test_result *result = NULL;

    assert_int_equal(
        errand_run_test_job("SendWelcomeEmail", "{\"userId\":1}", NULL, &result, &err),
        0);
    assert_true(result->is_success);
    errand_test_result_free(result);
    assert_ledger("welcome 1\n");
    assert_int_equal(errand_run_test_job("Thrower", NULL, NULL, &result, &err), 0);
    assert_false(result->is_success);
    assert_int_equal(result->error.code, 42);
    assert_string_equal(result->error.message, "no such user");
    errand_test_result_free(result);
}

CASE(case_25_a_count_that_is_wrong_says_both_counts)
{
    assert_int_equal(errand_fake(e, &err), 0);
    push("X", NULL, NULL);
    assert_false(errand_check_dispatched_times(e, "X", 2, &err));
    assert_non_null(strstr(err.message, "dispatched 1 time, expected 2 times"));
    assert_true(errand_check_dispatched_times(e, "X", 1, &err));
}

CASE(case_25_a_delayed_dispatch_is_pushed_with_its_delay)
{
    assert_int_equal(errand_fake(e, &err), 0);
    assert_int_equal(errand_dispatch_after(e, 60, "X", NULL, NULL, NULL, &err), 0);
    push("Y", NULL, NULL);
    assert_non_null(errand_fake_pushed(e, "X", 0));
    assert_null(errand_fake_pushed(e, "Y", 0));
    errand_assert_pushed_with_delay(e, "X", 60);
    assert_false(errand_check_pushed_with_delay(e, "X", 30, &err));
}

CASES_MAIN()
