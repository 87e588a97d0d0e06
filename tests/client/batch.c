/* batch.c: batches as a program makes them, and waiting for them. */
#include "client/flow_test.h"

#include <pthread.h>

static struct errand_id batch(size_t n, const struct errand_batch_options *options)
{
    static const char *const names[] = {"m1", "m2", "m3", "m4"};
    struct errand_dispatch_item members[4];
    struct errand_id id = {{0}};

    for (size_t i = 0; i < n; i++)
        members[i] = item(names[i]);
    if (errand_batch(e, members, n, options, &id, &err) != (int)n)
        fail_msg("%s", err.message);
    return id;
}

/* ------------------------------------------------------------------ batches */

CLAIM(members_run_side_by_side)
{
    struct errand_id id = batch(3, &(struct errand_batch_options){.name = "import"});
    struct errand_batch_result *r = result_of(id);

    assert_string_equal(r->name, "import");
    assert_string_equal(r->kind, "batch");
    assert_int_equal(r->percent, 0);
    errand_batch_result_free(r);
    assert_work(DONE, "m1");
    r = result_of(id);
    assert_int_equal(r->percent, 33);
    errand_batch_result_free(r);
    assert_work(DONE, "m2");
    assert_work(DONE, "m3");
    assert_result(id, 3, 0, 0, 0);
}

CLAIM(a_result_lists_what_failed)
{
    const struct errand_dispatch_item members[] = {
        {"a", errand_text("{\"userId\":1}"), NULL},
        {"b", errand_text("{\"userId\":2}"), NULL}};
    const struct errand_batch_options o = {.allow_failures = true};
    struct errand_batch_result *r;
    struct errand_id id;

    assert_int_equal(errand_batch(e, members, 2, &o, &id, &err), 2);
    assert_work(DONE, "a");
    assert_work(FAIL, "b");
    r = result_of(id);
    assert_int_equal(r->failed, 1);
    assert_int_equal(r->failures_n, 1);
    assert_string_equal(r->failures[0].name, "b");
    assert_slice(r->failures[0].data, "{\"userId\":2}");
    assert_slice(r->failures[0].error, "no");
    errand_batch_result_free(r);
}

CLAIM(without_allow_failures_the_first_one_cancels_the_rest)
{
    struct errand_id id = batch(3, NULL);

    assert_work(DONE, "m1");
    assert_work(FAIL, "m2");
    assert_idle();
    assert_result(id, 1, 1, 1, 0);
}

CLAIM(callbacks_are_jobs_and_run_once)
{
    const struct errand_dispatch_item yes = item("yes"), no = item("no"),
                                      ever = item("ever");
    const struct errand_batch_options o = {
        .on_success = &yes, .on_failure = &no, .finally = &ever, .allow_failures = true};

    batch(2, &o);
    assert_work(DONE, "m1");
    assert_work(DONE, "m2");
    assert_work(DONE, "yes");
    assert_work(DONE, "ever");
    assert_idle();
    batch(2, &o);
    assert_work(DONE, "m1");
    assert_work(FAIL, "m2");
    assert_work(DONE, "no");
    assert_work(DONE, "ever");
    assert_idle();
}

CLAIM(members_can_be_added_until_it_has_ended)
{
    const struct errand_dispatch_item more[] = {item("x"), item("y")};
    struct errand_id id = batch(1, NULL), ids[2], nobody = {"nobody"};

    assert_int_equal(errand_batch_add(e, &id, more, 2, ids, &err), 2);
    assert_string_not_equal(ids[0].text, ids[1].text);
    assert_result(id, 0, 0, 0, 3);
    assert_refused(errand_batch_add(e, &id, more, 0, NULL, &err), ERRAND_EINVAL,
                   "no members");
    assert_refused(errand_batch_add(e, &nobody, more, 1, NULL, &err), ERRAND_ENOTFOUND,
                   "nobody");
    assert_work(DONE, "m1");
    assert_work(DONE, "x");
    assert_work(DONE, "y");
    assert_refused(errand_batch_add(e, &id, more, 2, ids, &err), ERRAND_ECONFLICT,
                   id.text);
}

CLAIM(a_batch_can_be_cancelled)
{
    const struct errand_dispatch_item no = item("no");
    struct errand_id id = batch(3, &(struct errand_batch_options){.on_failure = &no});
    struct errand_id nobody = {"nobody"};

    assert_work(DONE, "m1");
    assert_int_equal(errand_batch_cancel(e, &id, &err), 2);
    assert_result(id, 1, 0, 2, 0);
    assert_work(DONE, "no");
    assert_int_equal(errand_batch_cancel(e, &id, &err), 0);
    assert_int_equal(errand_batch_cancel(e, &nobody, &err), ERRAND_ENOTFOUND);
}

CLAIM(a_batch_of_nothing_is_refused)
{
    struct errand_dispatch_item members[] = {item("a"), {"b", errand_text("[1,"), NULL}};
    struct errand_batch_result *r;
    struct errand_id nobody = {"nobody"};

    assert_refused(errand_batch(e, members, 0, NULL, NULL, &err), ERRAND_EINVAL,
                   "without members");
    assert_refused(errand_batch(e, members, 2, NULL, NULL, &err), ERRAND_EJSON,
                   "member 2 of 2");
    assert_int_equal(errand_batch_get(e, &nobody, &r, &err), ERRAND_ENOTFOUND);
}

CLAIM(a_callback_to_a_job_that_nobody_knows_is_stored)
{
    const struct errand_dispatch_item odd = item("of-another-program");

    batch(1, &(struct errand_batch_options){.finally = &odd});
    assert_work(DONE, "m1");
    assert_work(DONE, "of-another-program");
}

/* ------------------------------------------------------------------ waiting */

struct heard {
    int success_n, failure_n, finally_n, progress_n;
    int64_t last_pending;
    size_t failures_n;
    char last;
};

static void on_success(const struct errand_batch_result *r, void *ctx)
{
    struct heard *h = ctx;

    (void)r;
    h->success_n++;
    h->last = 's';
}

static void on_failure(const struct errand_batch_result *r, void *ctx)
{
    struct heard *h = ctx;

    h->failure_n++;
    h->failures_n = r->failures_n;
    h->last = 'f';
}

static void on_finally(const struct errand_batch_result *r, void *ctx)
{
    struct heard *h = ctx;

    (void)r;
    h->finally_n++;
    assert_true(h->last);
    h->last = 'e';
}

static void on_progress(const struct errand_batch_result *r, void *ctx)
{
    struct heard *h = ctx;

    h->progress_n++;
    h->last_pending = r->pending;
}

static struct errand_batch_waiter waiter_of(struct heard *h)
{
    return (struct errand_batch_waiter){.on_success = on_success,
                                        .on_failure = on_failure,
                                        .finally = on_finally,
                                        .progress = on_progress,
                                        .ctx = h};
}

CLAIM(who_waits_hears_of_success_once)
{
    struct errand_id id = batch(2, NULL);
    struct errand_batch_result *r;
    struct heard h = {0};
    struct errand_batch_waiter w = waiter_of(&h);

    assert_work(DONE, "m1");
    assert_work(DONE, "m2");
    assert_int_equal(errand_batch_wait(e, &id, &w, &r, &err), 0);
    assert_int_equal(r->successful, 2);
    errand_batch_result_free(r);
    assert_int_equal(h.success_n, 1);
    assert_int_equal(h.failure_n, 0);
    assert_int_equal(h.finally_n, 1);
    assert_int_equal(h.last, 'e');
    assert_int_equal(h.last_pending, 0);
    assert_int_equal(errand_batch_wait(e, &id, NULL, NULL, &err), 0);
}

CLAIM(who_waits_hears_what_failed)
{
    struct errand_id id = batch(3, NULL);
    struct heard h = {0};
    struct errand_batch_waiter w = waiter_of(&h);

    assert_work(FAIL, "m1");
    assert_int_equal(errand_batch_wait(e, &id, &w, NULL, &err), 0);
    assert_int_equal(h.success_n, 0);
    assert_int_equal(h.failure_n, 1);
    assert_int_equal(h.finally_n, 1);
    assert_int_equal(h.failures_n, 1);
}

CLAIM(waiting_has_an_end)
{
    struct errand_id id = batch(1, NULL), nobody = {"nobody"};
    struct heard h = {0};
    struct errand_batch_waiter w = waiter_of(&h);

    w.timeout_ms = -1;
    assert_int_equal(errand_batch_wait(e, &id, &w, NULL, &err), ERRAND_ETIMEOUT);
    w.timeout_ms = 20;
    assert_int_equal(errand_batch_wait(e, &id, &w, NULL, &err), ERRAND_ETIMEOUT);
    assert_non_null(strstr(err.message, "20 ms"));
    assert_int_equal(h.success_n + h.failure_n + h.finally_n, 0);
    assert_int_equal(errand_batch_wait(e, &nobody, &w, NULL, &err), ERRAND_ENOTFOUND);
}

static void *end_soon(void *arg)
{
    usleep(50000);
    assert_true(work_one(arg, ERRAND_OUT_DONE));
    assert_true(work_one(arg, ERRAND_OUT_DONE));
    return NULL;
}

CLAIM(a_waiter_is_woken_by_the_end)
{
    struct errand_id id = batch(2, NULL);
    errand *other = open_again();
    struct heard h = {0};
    struct errand_batch_waiter w = waiter_of(&h);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, end_soon, other), 0);
    assert_int_equal(errand_batch_wait(e, &id, &w, NULL, &err), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(h.success_n, 1);
    assert_true(h.progress_n >= 1);
    errand_close(other);
}

TEST_MAIN()
