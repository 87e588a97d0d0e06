/* testing.c: running one job for a test (errand/testing.h). */
#include "worker/testing.h"

static struct errand_test_result *ran(const char *name, const char *data,
                                      const struct errand_test_options *options)
{
    struct errand_test_result *result = NULL;

    if (errand_run_test_job(name, data, options, &result, &err) < 0)
        fail_msg("%s", err.message);
    return result;
}

TEST(a_job_is_run_and_tells_all)
{
    struct errand_test_result *r = ran("send-welcome-email", "{\"userId\":1}", NULL);

    assert_true(r->is_success);
    assert_int_equal(r->verdict, ERRAND_DONE);
    errand_assert_json(r->result, "{\"queue\":\"emails\",\"sent\":1}");
    assert_string_equal(r->log, "welcome, user 1\n");
    assert_int_equal(r->percent, 40);
    assert_string_equal(r->note, "half way");
    assert_string_equal(r->error.message, "");
    assert_string_equal(seen, "welcome/1");
    errand_test_result_free(r);
}

TEST(a_handler_that_fails_is_an_answer_and_no_error)
{
    struct errand_test_result *r = ran("Broken", NULL, NULL);

    assert_false(r->is_success);
    assert_int_equal(r->verdict, ERRAND_RETRY);
    assert_int_equal(r->error.code, 7);
    assert_string_equal(r->error.message, "no way");
    assert_null(r->result);
    assert_string_equal(seen, "broken/1"); /* no retry, and no failed hook */
    errand_test_result_free(r);
    r = ran("SendWelcomeEmail", "{}", NULL);
    assert_int_equal(r->verdict, ERRAND_FAIL);
    errand_test_result_free(r);
}

TEST(middleware_runs_around_it)
{
    errand_test_result_free(ran("Wrapped", "{\"userId\":1}", NULL));
    assert_string_equal(seen, "outside/1 welcome/1");
}

TEST(a_job_that_overruns_its_time_has_timed_out)
{
    struct errand_test_result *r = ran("Slow", NULL, NULL);

    assert_false(r->is_success);
    assert_true(r->is_timed_out);
    assert_string_equal(r->error.message, "timed out after 0.02 s");
    assert_string_equal(seen, "slow/1 timed-out/1");
    errand_test_result_free(r);
    r = ran("Slow", NULL, &(struct errand_test_options){.job = {.timeout = 0.01}});
    assert_string_equal(r->error.message, "timed out after 0.01 s");
    errand_test_result_free(r);
}

TEST(the_attempt_may_be_a_later_one)
{
    struct errand_test_result *r =
        ran("Flaky", NULL, &(struct errand_test_options){.attempt = 3});

    assert_true(r->is_success);
    errand_test_result_free(r);
}

TEST(a_snooze_says_for_how_long)
{
    struct errand_test_result *r = ran("Later", NULL, NULL);

    assert_false(r->is_success);
    assert_int_equal(r->verdict, ERRAND_SNOOZE);
    assert_true(r->snooze > 29.9 && r->snooze < 30.1);
    errand_test_result_free(r);
}

CLAIM(what_a_job_dispatches_goes_to_the_handle_that_was_given)
{
    struct errand_test_result *r;

    r = ran("Parent", NULL, NULL);
    assert_false(r->is_success);
    assert_non_null(strstr(r->error.message, "without a store"));
    errand_test_result_free(r);
    assert_int_equal(errand_fake(e, &err), 0);
    r = ran("Parent", NULL, &(struct errand_test_options){.e = e});
    assert_string_equal(r->error.message, "");
    assert_true(r->is_success);
    errand_test_result_free(r);
    errand_assert_dispatched_times(e, NULL, 2);
    errand_assert_dispatched_with(e, "send-welcome-email", "{\"userId\":9}");
}

TEST(a_class_at_hand_need_not_be_registered)
{
    const struct errand_job_class mine = {.name = "Mine", .handle = on_welcome};
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_class(&mine, "{\"userId\":2}", NULL, &r, &err), 0);
    errand_assert_json(r->result, "{\"queue\":\"default\",\"sent\":2}");
    errand_test_result_free(r);
}

TEST(what_cannot_be_run_is_refused)
{
    const struct errand_job_class empty = {.name = "Empty"};
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_job("nobody", NULL, NULL, &r, &err),
                     ERRAND_ENOTFOUND);
    assert_string_equal(err.message, "this program has no job 'nobody'");
    assert_int_equal(errand_run_test_job("Flaky", "{oops", NULL, &r, &err), ERRAND_EJSON);
    assert_int_equal(errand_run_test_job("", NULL, NULL, &r, &err), ERRAND_EINVAL);
    assert_int_equal(errand_run_test_class(&empty, NULL, NULL, &r, &err), ERRAND_EINVAL);
    assert_int_equal(errand_run_test_job("Flaky", NULL,
                                         &(struct errand_test_options){.attempt = -1}, &r,
                                         &err),
                     ERRAND_EINVAL);
    assert_int_equal(errand_run_test_job(
                         "Flaky", NULL,
                         &(struct errand_test_options){.job = {.timeout = -1}}, &r, &err),
                     ERRAND_EINVAL);
    assert_null(r);
    assert_string_equal(seen, "");
    errand_test_result_free(NULL);
}

CLAIM(a_fake_records_what_was_to_run_at_once)
{
    char *result = seen;

    assert_int_equal(errand_fake(e, &err), 0);
    assert_int_equal(errand_dispatch_sync(e, "SendWelcomeEmail", "{\"userId\":1}", NULL,
                                          &result, &err),
                     0);
    assert_null(result);
    assert_int_equal(errand_dispatch_sync(e, "nobody-has-it", NULL, NULL, NULL, &err), 0);
    assert_int_equal(errand_dispatch_sync(e, "Flaky", "{oops", NULL, NULL, &err),
                     ERRAND_EJSON);
    assert_string_equal(seen, "");
    errand_assert_dispatched_times(e, NULL, 2);
    assert_int_equal(errand_fake_dispatched(e, "send-welcome-email", 0)->way,
                     ERRAND_FAKE_SYNC);
    assert_string_equal(errand_fake_dispatched(e, NULL, 0)->queue, "emails");
    errand_restore(e);
    assert_int_equal(
        errand_dispatch_sync(e, "SendWelcomeEmail", "{\"userId\":1}", NULL, NULL, &err),
        0);
    assert_string_equal(seen, "welcome/1");
}

TEST(data_that_the_schema_refuses_is_refused_for_a_test_as_well)
{
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_job("Secret", "{}", NULL, &r, &err), ERRAND_EINVAL);
    r = ran("Secret", "{\"card\":\"visa\"}", NULL);
    assert_string_equal(r->error.message, "the bank is closed");
    errand_test_result_free(r);
}

TEST_MAIN()
