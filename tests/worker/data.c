/* data.c: what a class says about its data holds before an attempt, whoever stored the
 * job and whatever was known about the class then. */
#include "work.h"

#include "client/client.h"
#include "store/store.h"

static int on_order(errand_job *job, struct errand_error *err)
{
    long long n;

    return errand_job_int(job, "n", &n, err) < 0 ? ERRAND_RETRY : ERRAND_DONE;
}

static void on_order_failed(errand_job *job, const struct errand_error *error)
{
    errand_job_log(job, "the hook got %s", error->message);
}
ERRAND_JOB(Order, .handle = on_order, .failed = on_order_failed, .tries = 3,
           .backoff = ERRAND_BACKOFF(0.01),
           .schema = ERRAND_SCHEMA({
               "type" : "object",
               "required" : ["n"],
               "properties" : {"n" : {"type" : "integer", "minimum" : 1}}
           }))

static int on_flat(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Flat, .handle = on_flat, .max_depth = 1, .max_data = 20)

TEST_FIXTURE(work_setup, work_teardown)

/* As another program would: past the check of the dispatcher. */
static struct errand_id insert(const char *name, const char *data)
{
    struct errand_push_job job = {
        .name = name, .queue = "default", .data = {data, strlen(data)}, .tries = 3};
    struct errand_push_params params = {.jobs = &job, .jobs_n = 1};
    struct errand_push_result result = {0};
    struct errand_arena *arena = er_arena_new();
    struct errand_error err = {0};
    struct errand_id id;

    assert_non_null(arena);
    if (er_store_push(er_client_store(store), &params, arena, &result, &err) < 0)
        fail_msg("%s", err.message);
    id = result.jobs[0].id;
    er_arena_free(arena);
    return id;
}

static void assert_failed_once(struct errand_id id, const char *reason)
{
    struct errand_job_detail *job = look(id);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->job.attempts, 1);
    assert_is(job->job.error, reason);
    errand_detail_free(job);
}

static void assert_refused(const char *name, const char *data, int code,
                           const char *reason)
{
    struct errand_error err = {0};

    assert_int_equal(errand_dispatch(store, name, data, NULL, NULL, &err), code);
    assert_string_equal(err.message, reason);
}

TEST(data_that_fits_is_dispatched_and_run)
{
    struct errand_id id = push("order", "{\"n\":7}", NULL);

    work_all();
    assert_state(id, ERRAND_COMPLETED);
}

TEST(data_that_does_not_fit_is_refused_where_it_is_dispatched)
{
    assert_refused("order", "{\"n\":0}", ERRAND_EINVAL,
                   "data of 'order': n is less than 1");
    assert_refused("Order", "{}", ERRAND_EINVAL, "data of 'Order': it has no 'n'");
    assert_refused("order", NULL, ERRAND_EINVAL,
                   "data of 'order': it is null, not an object");
    assert_refused(
        "flat", "{\"a\":[]}", ERRAND_ETOOBIG,
        "data of 'flat' has more than 1 levels of nesting, at line 1, column 6");
    assert_refused("flat", "\"123456789012345678901\"", ERRAND_ETOOBIG,
                   "data of 'flat' has 23 bytes, more than the 20 allowed");
}

TEST(a_bulk_with_one_that_does_not_fit_stores_nothing)
{
    struct errand_dispatch_item items[] = {{.name = "order", .data = {"{\"n\":1}", 7}},
                                           {.name = "order", .data = {"{\"n\":0}", 7}}};
    struct errand_error err = {0};

    assert_int_equal(errand_dispatch_bulk(store, items, 2, NULL, &err), ERRAND_EINVAL);
    assert_string_equal(err.message, "job 2 of 2: data of 'order': n is less than 1");
}

TEST(data_that_does_not_fit_fails_for_good_before_the_handler_sees_it)
{
    struct errand_id bad = insert("order", "{\"n\":0}"), none = insert("Order", "null"),
                     deep = insert("flat", "[[1]]"), good = insert("order", "{\"n\":1}");

    work_all();
    assert_failed_once(bad, "data of 'order': n is less than 1");
    assert_failed_once(none, "data of 'Order': it is null, not an object");
    assert_failed_once(
        deep, "data of 'flat' has more than 1 levels of nesting, at line 1, column 2");
    assert_state(good, ERRAND_COMPLETED);
}

TEST(data_that_is_no_json_fails_for_good)
{
    struct errand_id id = insert("order", "{\"n\":");

    work_all();
    assert_failed_once(id, "data of 'order' is not JSON: expected a value at line 1, "
                           "column 6, found the end");
}

TEST(what_a_call_says_about_the_class_at_hand_holds_too)
{
    static const struct errand_job_class loose = {
        .name = "loose", .handle = on_flat, .schema = "{\"type\":\"string\"}"};
    static const struct errand_job_class broken = {
        .name = "broken", .handle = on_flat, .schema = "{\"pattern\":\"x\"}"};
    struct errand_error err = {0};

    assert_int_equal(errand_dispatch_class(store, &loose, "1", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_string_equal(err.message, "data of 'loose': it is a number, not a string");
    assert_int_equal(errand_dispatch_class(store, &loose, "\"x\"", NULL, NULL, &err),
                     ERRAND_INSERTED);
    assert_int_equal(errand_dispatch_class(store, &broken, "1", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "class 'broken': schema: 'pattern' is not"));
}

WORK_MAIN()
