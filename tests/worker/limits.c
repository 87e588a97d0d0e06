/* limits.c: what an attempt passes before it begins: keys and limits that its dispatcher
 * did not know, and the throttle. */
#include "worker/work.h"

#include "client/client.h"
#include "core/clock.h"
#include "errand/middleware.h"
#include "store/store.h"

static int on_noop(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}

static int on_retry(errand_job *job, struct errand_error *err)
{
    if (errand_job_attempt(job) > 1)
        return ERRAND_DONE;
    errand_error_set(err, 7, "once more");
    return ERRAND_RETRY;
}

static int first_letter(struct errand_slice data, char *ret_key, size_t size,
                        struct errand_error *err)
{
    if (data.len < 3 || data.ptr[0] != '"')
        return errand_error_set(err, ERRAND_EINVAL, "the data is not a word");
    snprintf(ret_key, size, "%c", data.ptr[1]);
    return 0;
}

static bool is_dry(errand_job *job, void *config)
{
    return errand_job_has(job, config);
}

ERRAND_JOB(Once, .handle = on_noop,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key = "{id}", .ttl = 3600)))
ERRAND_JOB(ByLetter, .handle = on_noop,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key_function = first_letter,
                                                         .ttl = 3600)))
ERRAND_JOB(Slowly, .handle = on_noop,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_RATE_LIMIT(.max = 2, .per = 0.5)))
ERRAND_JOB(Rarely, .handle = on_noop,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_THROTTLE(.max = 2, .per = 3600,
                                                           .key = "{kind}")))
ERRAND_JOB(RarelyAgain, .handle = on_retry, .backoff = ERRAND_BACKOFF(0.01),
           .middleware = ERRAND_MIDDLEWARE(ERRAND_THROTTLE(.max = 1, .per = 3600)))
ERRAND_JOB(MaybeDry, .handle = on_retry,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_SKIP_IF(is_dry, "dryRun")))

TEST_FIXTURE(work_setup, work_teardown)

/* As plain SQL does it: without the class. */
static struct errand_id push_plainly(const char *name, const char *data)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_push_job job = {
        .name = name, .queue = "default", .tries = 3, .data = {data, strlen(data)}};
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1};
    struct errand_push_result ret;
    struct errand_error err = {0};
    struct errand_id id;

    if (er_store_push(er_client_store(store), &p, arena, &ret, &err) < 0)
        fail_msg("%s", err.message);
    id = ret.jobs[0].id;
    er_arena_free(arena);
    return id;
}

static void assert_result(struct errand_id id, const char *result, int attempts)
{
    struct errand_job_detail *job = look(id);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_is(job->job.result, result);
    assert_int_equal(job->job.attempts, attempts);
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ late keys */

TEST(of_two_jobs_that_nobody_knew_to_be_one_the_second_is_skipped)
{
    struct errand_id first = push_plainly("once", "{\"id\":1}"),
                     second = push_plainly("once", "{\"id\":1}"),
                     other = push_plainly("once", "{\"id\":2}");

    work_all();
    assert_result(first, "", 1);
    assert_result(second, "{\"skipped\":\"unique\"}", 1);
    assert_result(other, "", 1);
    assert_int_equal(errand_dispatch(store, "once", "{\"id\":1}", NULL, &second, NULL),
                     ERRAND_DUPLICATE);
    assert_string_equal(second.text, first.text);
}

TEST(a_key_function_is_asked_of_a_runner)
{
    struct errand_id first = push_plainly("by-letter", "\"ann\""),
                     second = push_plainly("by-letter", "\"amy\""),
                     other = push_plainly("by-letter", "\"bob\"");

    work_all();
    assert_result(first, "", 1);
    assert_result(second, "{\"skipped\":\"unique\"}", 1);
    assert_result(other, "", 1);
}

TEST(data_that_makes_no_key_fails_for_good_with_the_reason)
{
    struct errand_id template = push_plainly("once", "{}"),
                     function = push_plainly("by-letter", "7");
    struct errand_job_detail *job;

    work_all();
    job = look(template);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_holds(job->job.error, "data of 'once' and its unique key '{id}'");
    errand_detail_free(job);
    job = look(function);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_holds(job->job.error, "the data is not a word");
    errand_detail_free(job);
}

TEST(a_rate_that_the_dispatcher_did_not_know_holds)
{
    int64_t from = er_clock_mono_ms(NULL);
    struct errand_id ids[6];

    for (int i = 0; i < 6; i++)
        ids[i] = push_plainly("slowly", "{}");
    work((struct errand_worker_options){.max_jobs = 6});
    assert_true(er_clock_mono_ms(NULL) - from >= 1000);
    for (int i = 0; i < 6; i++)
        assert_result(ids[i], "", 1);
}

/* ------------------------------------------------------------------ throttle */

TEST(what_a_throttle_does_not_let_through_is_skipped)
{
    struct errand_id ids[4], other;

    for (int i = 0; i < 4; i++)
        ids[i] = push("rarely", "{\"kind\":\"a\"}", NULL);
    other = push("rarely", "{\"kind\":\"b\"}", NULL);
    work_all();
    assert_result(ids[0], "", 1);
    assert_result(ids[1], "", 1);
    assert_result(ids[2], "{\"skipped\":\"throttle\"}", 1);
    assert_result(ids[3], "{\"skipped\":\"throttle\"}", 1);
    assert_result(other, "", 1);
}

TEST(a_call_may_bring_a_throttle_of_its_own)
{
    struct errand_options o = {.throttle = {.max = 1, .per = 3600, .key = "{literally"}};
    struct errand_id first = push("slowly", "{}", &o), second = push("slowly", "{}", &o);

    work_all();
    assert_result(first, "", 1);
    assert_result(second, "{\"skipped\":\"throttle\"}", 1);
}

TEST(a_retry_of_one_that_was_let_through_is_not_throttled)
{
    struct errand_id first = push("rarely-again", "{}", NULL);

    work_attempts(2);
    assert_result(first, "", 2);
    first = push("rarely-again", "{}", NULL);
    work_all();
    assert_result(first, "{\"skipped\":\"throttle\"}", 1);
}

/* ------------------------------------------------------------------ in the runner */

TEST(skip_if_ends_a_job_before_its_handler)
{
    struct errand_id dry = push("maybe-dry", "{\"dryRun\":true}", NULL);

    work_all();
    assert_result(dry, "{\"skipped\":\"skip-if\"}", 1);
}

WORK_MAIN()
