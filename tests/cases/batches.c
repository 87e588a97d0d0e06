/* batches.c: cases 10 and 11, jobs side by side. */
#include "cases.h"

/* {"userId":2} never works; with {"all":true} nothing fails. */
static int on_user(errand_job *job, struct errand_error *error)
{
    long long user;

    if (errand_job_int(job, "userId", &user, error) < 0)
        return ERRAND_FAIL;
    if (user != 2 || errand_job_has(job, "all"))
        return ERRAND_DONE;
    errand_error_set(error, 1, "user 2 is not known");
    return ERRAND_FAIL;
}
ERRAND_JOB(ProcessUser, .handle = on_user)

static int on_after(errand_job *job, struct errand_error *error)
{
    const struct errand_parent *batch;
    size_t n;

    if (errand_job_parents(job, &batch, &n, error) < 0)
        return ERRAND_RETRY;
    ledger("%s: %d of %d, %d failed", errand_job_queue(job), (int)batch->successful,
           (int)batch->total, (int)batch->failed);
    return ERRAND_DONE;
}
ERRAND_JOB(After, .handle = on_after)

/* ------------------------------------------------------------------ what is called */

struct calls {
    int success, failure, finally;
    size_t failed_n;
    char data[64];
};

static void on_success(const struct errand_batch_result *result, void *ctx)
{
    (void)result;
    ((struct calls *)ctx)->success++;
}

static void on_failure(const struct errand_batch_result *result, void *ctx)
{
    struct calls *calls = ctx;

    calls->failure++;
    calls->failed_n = result->failures_n;
    snprintf(calls->data, sizeof calls->data, "%.*s", (int)result->failures[0].data.len,
             result->failures[0].data.ptr);
}

static void on_finally(const struct errand_batch_result *result, void *ctx)
{
    (void)result;
    ((struct calls *)ctx)->finally++;
}

/* ------------------------------------------------------------------ the batch */

static struct errand_batch_result *batch(const char *const data[3], bool allow_failures,
                                         struct calls *ret_calls)
{
    const struct errand_options success = {.queue = "success"},
                                failure = {.queue = "fail"},
                                finally = {.queue = "finally"};
    const struct errand_dispatch_item yes = {"after", {0}, &success},
                                      no = {"after", {0}, &failure},
                                      ever = {"after", {0}, &finally};
    const struct errand_batch_options o = {.allow_failures = allow_failures,
                                           .on_success = &yes,
                                           .on_failure = &no,
                                           .finally = &ever};
    const struct errand_batch_waiter waiter = {.on_success = on_success,
                                               .on_failure = on_failure,
                                               .finally = on_finally,
                                               .ctx = ret_calls};
    struct errand_dispatch_item members[3];
    struct errand_batch_result *result;
    struct errand_id id;

    for (int i = 0; i < 3; i++)
        members[i] =
            (struct errand_dispatch_item){"process-user", errand_text(data[i]), NULL};
    *ret_calls = (struct calls){0};
    if (errand_batch(e, members, 3, &o, &id, &err) != 3)
        fail_msg("%s", err.message);
    work_all();
    if (errand_batch_wait(e, &id, &waiter, &result, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(ret_calls->finally, 1);
    return result;
}

static const char *const well[] = {"{\"userId\":1}", "{\"userId\":2,\"all\":true}",
                                   "{\"userId\":3}"};
static const char *const bad[] = {"{\"userId\":1}", "{\"userId\":2}", "{\"userId\":3}"};

CASE(case_10_a_batch_that_succeeds)
{
    struct calls calls;
    struct errand_batch_result *result = batch(well, true, &calls);

    assert_int_equal(calls.success, 1);
    assert_int_equal(calls.failure, 0);
    assert_int_equal(result->total, 3);
    assert_int_equal(result->successful, 3);
    assert_int_equal(result->failed, 0);
    errand_batch_result_free(result);
    assert_ledger("success: 3 of 3, 0 failed\nfinally: 3 of 3, 0 failed\n");
}

CASE(case_11_a_batch_that_allows_failures)
{
    struct calls calls;
    struct errand_batch_result *result = batch(bad, true, &calls);

    assert_int_equal(calls.success, 0);
    assert_int_equal(calls.failure, 1);
    assert_int_equal(calls.failed_n, 1);
    assert_string_equal(calls.data, "{\"userId\":2}");
    assert_int_equal(result->successful, 2);
    assert_int_equal(result->failed, 1);
    assert_int_equal(result->cancelled, 0);
    errand_batch_result_free(result);
    assert_ledger("fail: 2 of 3, 1 failed\nfinally: 2 of 3, 1 failed\n");
}

/* One job at a time, or the third one would have begun. */
CASE(case_11_a_batch_that_does_not)
{
    const struct errand_dispatch_item *none = NULL;
    struct errand_batch_result *result;
    struct errand_id id;
    struct errand_dispatch_item members[3];

    for (int i = 0; i < 3; i++)
        members[i] =
            (struct errand_dispatch_item){"process-user", errand_text(bad[i]), NULL};
    assert_int_equal(errand_batch(e, members, 3, NULL, &id, &err), 3);
    for (int i = 0; i < 2; i++)
        work_attempts(1);
    work_all();
    assert_int_equal(errand_batch_get(e, &id, &result, &err), 0);
    assert_int_equal(result->successful, 1);
    assert_int_equal(result->failed, 1);
    assert_int_equal(result->cancelled, 1);
    errand_batch_result_free(result);
    assert_int_equal(errand_batch(e, none, 0, NULL, &id, &err), ERRAND_EINVAL);
}

CASE_SHARED(case_10_and_11_the_command_runs_a_batch)
{
    json_t *line;

    sh("echo '[{\"job\":\"process-user\",\"data\":{\"userId\":1}},"
       "{\"job\":\"process-user\",\"data\":{\"userId\":2}},"
       "{\"job\":\"process-user\",\"data\":{\"userId\":3}}]' >bad.json; "
       "sed 's/\"userId\":2/\"userId\":4/' bad.json >well.json");
    start("worker", "mine queue:work --concurrency=1");
    line = json_line(sh("mine queue:batch well.json --json --wait"), 0);
    assert_json_int(line, "successful", 3);
    assert_json_int(line, "failed", 0);
    json_decref(line);
    assert_code(sh("mine queue:batch well.json --wait"), 0);
    line = json_line(sh("mine queue:batch bad.json --allow-failures --json --wait"), 0);
    assert_json_int(line, "successful", 2);
    assert_json_int(line, "failed", 1);
    assert_json_int(
        json_object_get(json_array_get(json_object_get(line, "failures"), 0), "data"),
        "userId", 2);
    json_decref(line);
    assert_code(sh("mine queue:batch bad.json --allow-failures --wait"), 1);
    assert_code(sh("echo '[]' | mine queue:batch -"), 1);
}

CASES_MAIN()
