/* test.c: tests of a project's own jobs, with cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errand/testing.h>

#include "jobs.h"

static void a_new_user_is_welcomed_a_minute_later(void **state)
{
    errand *e = *state;

    errand_fake(e, NULL);
    assert_int_equal(sign_up(e, 7, NULL), 0);
    errand_assert_dispatched_with(e, "SendWelcomeEmail", "{\"userId\": 7}");
    errand_assert_pushed_with_delay(e, "SendWelcomeEmail", 60);
    errand_restore(e);
}

static void the_job_sends_its_mail(void **state)
{
    struct errand_test_result *r = NULL;

    (void)state;
    assert_int_equal(
        errand_run_test_job("SendWelcomeEmail", "{\"userId\":7}", NULL, &r, NULL), 0);
    assert_true(r->is_success);
    errand_assert_json(r->result, "\"sent\"");
    errand_test_result_free(r);
}

static void it_runs_when_its_minute_has_passed(void **state)
{
    struct errand_drained drained;
    errand *e = *state;

    assert_int_equal(sign_up(e, 7, NULL), 0);
    assert_int_equal(errand_test_pass(e, 60, NULL), 0);
    assert_int_equal(errand_drain(e, NULL, &drained, NULL), 0);
    assert_int_equal(drained.completed, 1);
}

static int open_store(void **state)
{
    return (*state = errand_open("memory:", NULL, NULL)) ? 0 : -1;
}

static int close_store(void **state)
{
    errand_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_user_is_welcomed_a_minute_later, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(the_job_sends_its_mail, open_store, close_store),
        cmocka_unit_test_setup_teardown(it_runs_when_its_minute_has_passed, open_store,
                                        close_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
