/* call.c: a handler and the middleware around it. */
#include "worker/call.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

/* What ran, in order: each says one letter. */
static char story[64];

static void say(const char *what)
{
    strncat(story, what, sizeof story - strlen(story) - 1);
}

static int verdict_of_handler;
static int handle(errand_job *job, struct errand_error *err)
{
    (void)job;
    say("h");
    if (verdict_of_handler != ERRAND_DONE)
        errand_error_set(err, ERRAND_EJOB, "the handler's reason");
    return verdict_of_handler;
}

static int around(errand_job *job, errand_next *next, void *config,
                  struct errand_error *err)
{
    int verdict;

    (void)job;
    say(config);
    verdict = errand_next_run(next, err);
    say(config);
    return verdict;
}

static int stop(errand_job *job, errand_next *next, void *config,
                struct errand_error *err)
{
    (void)job;
    (void)next;
    (void)config;
    errand_error_set(err, ERRAND_EJOB, "not today");
    return ERRAND_FAIL;
}

/* Makes a failure that says the handler's reason one for good. */
static int judge(errand_job *job, errand_next *next, void *config,
                 struct errand_error *err)
{
    int verdict = errand_next_run(next, err);

    (void)job;
    (void)config;
    return verdict == ERRAND_RETRY && strstr(err->message, "reason") ? ERRAND_FAIL
                                                                     : verdict;
}

static int twice(errand_job *job, errand_next *next, void *config,
                 struct errand_error *err)
{
    (void)job;
    (void)config;
    errand_next_run(next, err);
    return errand_next_run(next, err);
}

static bool has_dry_run(errand_job *job, void *config)
{
    (void)config;
    return errand_job_has(job, "dryRun");
}

static bool want_all;
static int for_all(errand_job *job, errand_next *next, void *config,
                   struct errand_error *err)
{
    return want_all ? around(job, next, config, err) : errand_next_run(next, err);
}
ERRAND_MIDDLEWARE_FOR_ALL(first, for_all, "1")
ERRAND_MIDDLEWARE_FOR_ALL(second, for_all, "2")

static errand_job job;
static struct errand_error err;

static int setup(void **state)
{
    (void)state;
    er_job_init(&job, NULL);
    er_job_begin(&job);
    job.name = "Test";
    job.data = (struct errand_slice){"{}", 2};
    story[0] = '\0';
    want_all = false;
    verdict_of_handler = ERRAND_DONE;
    err = (struct errand_error){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_job_done(&job);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static int call(const struct errand_middleware *list)
{
    const struct errand_job_class c = {
        .name = "Test", .handle = handle, .middleware = list};

    return er_call_handle(&c, &job, &err);
}

/* ------------------------------------------------------------------ claims */

TEST(a_class_without_middleware_runs_its_handler)
{
    assert_int_equal(call(NULL), ERRAND_DONE);
    assert_int_equal(call(ERRAND_MIDDLEWARE(ERRAND_USE(around, "a")) + 1), ERRAND_DONE);
    assert_string_equal(story, "hh");
}

TEST(the_first_of_a_list_is_the_outermost)
{
    assert_int_equal(
        call(ERRAND_MIDDLEWARE(ERRAND_USE(around, "a"), ERRAND_USE(around, "b"))),
        ERRAND_DONE);
    assert_string_equal(story, "abhba");
}

TEST(what_a_program_says_for_all_classes_stands_outside_of_lists)
{
    want_all = true;
    call(ERRAND_MIDDLEWARE(ERRAND_USE(around, "a")));
    assert_string_equal(story, "12aha21");
    story[0] = '\0';
    call(NULL);
    assert_string_equal(story, "12h21");
}

TEST(a_middleware_may_answer_without_running_the_rest)
{
    assert_int_equal(
        call(ERRAND_MIDDLEWARE(ERRAND_USE(around, "a"), ERRAND_USE(stop, NULL))),
        ERRAND_FAIL);
    assert_string_equal(story, "aa");
    assert_string_equal(err.message, "not today");
}

TEST(a_middleware_may_look_at_verdict_and_error_and_change_them)
{
    verdict_of_handler = ERRAND_RETRY;
    assert_int_equal(call(ERRAND_MIDDLEWARE(ERRAND_USE(judge, NULL))), ERRAND_FAIL);
    assert_string_equal(err.message, "the handler's reason");
}

TEST(a_middleware_may_run_the_rest_again)
{
    call(ERRAND_MIDDLEWARE(ERRAND_USE(twice, NULL), ERRAND_USE(around, "a")));
    assert_string_equal(story, "ahaaha");
}

TEST(skip_if_ends_the_job_without_its_handler_and_says_so)
{
    const struct errand_middleware *list =
        ERRAND_MIDDLEWARE(ERRAND_USE(around, "a"), ERRAND_SKIP_IF(has_dry_run, NULL));

    call(list);
    assert_string_equal(story, "aha");
    assert_int_equal(job.result.len, 0);
    job.data = (struct errand_slice){"{\"dryRun\":1}", 12};
    assert_int_equal(call(list), ERRAND_DONE);
    assert_string_equal(story, "ahaaa");
    assert_memory_equal(job.result.ptr, "{\"skipped\":\"skip-if\"}", job.result.len);
    assert_int_equal(job.result.len, 21);
}

TEST(registering_a_middleware_twice_changes_nothing)
{
    errand_middleware_register(&errand_for_all_first);
    want_all = true;
    call(NULL);
    assert_string_equal(story, "12h21");
}

TEST_MAIN()
