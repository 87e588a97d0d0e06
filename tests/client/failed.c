/* failed.c: looking at failed jobs, retrying them, removing them. */
#include "client/client_test.h"

#include "errand/failed.h"

#include <math.h>

static struct errand_id failed(const char *name, const char *queue)
{
    struct errand_id id = dispatched(
        name, "{\"userId\":1}", &(struct errand_options){.queue = queue, .tries = 1});

    assert_true(work_one(e, ERRAND_OUT_FAIL));
    return id;
}

static int64_t failed_n(const struct errand_failed_filter *filter)
{
    int64_t n = -1;

    assert_int_equal(errand_failed_count(e, filter, &n, &err), 0);
    return n;
}

static void assert_says(const char *part)
{
    if (!strstr(err.message, part))
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static void assert_is(const struct errand_id *id, enum errand_state state)
{
    struct errand_job_detail *d = get(id);

    assert_string_equal(errand_state_name(d->job.state), errand_state_name(state));
    errand_detail_free(d);
}

static const struct errand_id unknown = {"no-such-job"};

/* ------------------------------------------------------------------ looking */

CLAIM(the_list_has_failed_jobs_alone_with_error_and_data_page_by_page)
{
    struct errand_failed_list *list = NULL;
    struct errand_id ids[5], last;

    for (int i = 0; i < 5; i++)
        ids[i] = failed("a", i < 2 ? "left" : "right");
    dispatched("b", "1", NULL);
    assert_int_equal(errand_failed_list(e, NULL, NULL, 3, &list, &err), 0);
    assert_int_equal(list->jobs_n, 3);
    assert_true(list->more);
    assert_string_equal(list->jobs[0].id.text, ids[4].text);
    assert_slice(list->jobs[0].error, "no");
    assert_slice(list->jobs[0].data, "{\"userId\":1}");
    assert_int_equal(list->jobs[0].attempts, 1);
    last = list->jobs[2].id;
    errand_failed_list_free(list);
    assert_int_equal(errand_failed_list(e, NULL, &last, 3, &list, &err), 0);
    assert_int_equal(list->jobs_n, 2);
    assert_false(list->more);
    assert_string_equal(list->jobs[1].id.text, ids[0].text);
    errand_failed_list_free(list);
    errand_failed_list_free(NULL);
    assert_int_equal(failed_n(NULL), 5);
    assert_int_equal(failed_n(&(struct errand_failed_filter){.queue = "left"}), 2);
    assert_int_equal(failed_n(&(struct errand_failed_filter){.search = "nobody"}), 0);
    assert_int_equal(errand_failed_list(e, NULL, &unknown, 3, &list, &err),
                     ERRAND_ENOTFOUND);
}

CLAIM(one_is_found_with_its_attempts_if_it_has_failed)
{
    struct errand_id id = failed("a", NULL), waits = dispatched("b", "1", NULL);
    struct errand_job_detail *d = NULL;

    assert_int_equal(errand_failed_find(e, &id, &d, &err), 0);
    assert_int_equal(d->attempts_n, 1);
    assert_slice(d->attempts[0].error, "no");
    errand_detail_free(d);
    assert_int_equal(errand_failed_find(e, &waits, &d, &err), ERRAND_ENOTFOUND);
    assert_says("ready");
    assert_int_equal(errand_failed_find(e, &unknown, &d, &err), ERRAND_ENOTFOUND);
}

/* ------------------------------------------------------------------ retrying */

CLAIM(a_retried_job_is_back_in_its_queue_with_no_attempt_and_its_history)
{
    struct errand_id id = failed("a", "mails");
    struct errand_job_detail *d;

    assert_int_equal(errand_failed_retry(e, &id, &err), 0);
    d = get(&id);
    assert_int_equal(d->job.state, ERRAND_READY);
    assert_string_equal(d->job.queue, "mails");
    assert_int_equal(d->job.attempts, 0);
    assert_int_equal(d->attempts_n, 1);
    errand_detail_free(d);
    assert_int_equal(failed_n(NULL), 0);
    assert_int_equal(errand_failed_retry(e, &id, &err), ERRAND_ECONFLICT);
    assert_int_equal(errand_failed_retry(e, &unknown, &err), ERRAND_ENOTFOUND);
    assert_says("no-such-job");
    assert_int_equal(errand_failed_retry(e, &(struct errand_id){"a b"}, &err),
                     ERRAND_EINVAL);
}

CLAIM(a_job_whose_key_another_one_holds_is_not_retried)
{
    const struct errand_options key = {.unique = "k", .tries = 1};
    struct errand_id first = dispatched("a", "1", &key);
    int64_t n = -1;

    assert_true(work_one(e, ERRAND_OUT_FAIL));
    dispatched("a", "2", &key);
    assert_int_equal(errand_failed_retry(e, &first, &err), ERRAND_ECONFLICT);
    assert_says("unique key");
    assert_int_equal(errand_failed_retry_all(e, NULL, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_is(&first, ERRAND_FAILED);
}

CLAIM(all_that_match_are_retried_and_counted)
{
    struct errand_id left = failed("a", "left"), right = failed("a", "right");
    int64_t n = -1;

    failed("a", "right");
    assert_int_equal(errand_failed_retry_all(
                         e, &(struct errand_failed_filter){.queue = "right"}, &n, &err),
                     0);
    assert_int_equal(n, 2);
    assert_is(&right, ERRAND_READY);
    assert_is(&left, ERRAND_FAILED);
    assert_int_equal(errand_failed_retry_all(e, NULL, NULL, &err), 0);
    assert_is(&left, ERRAND_READY);
}

/* ------------------------------------------------------------------ removing */

CLAIM(a_job_is_deleted_once_and_only_a_failed_one)
{
    struct errand_id id = failed("a", NULL), waits = dispatched("b", "1", NULL);

    assert_int_equal(errand_failed_delete(e, &id, &err), 0);
    assert_int_equal(errand_failed_delete(e, &id, &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_failed_delete(e, &waits, &err), ERRAND_ECONFLICT);
    assert_says("ready");
    assert_is(&waits, ERRAND_READY);
}

CLAIM(flush_removes_what_is_old_enough_and_nothing_else)
{
    struct errand_id waits;
    int64_t n = -1;

    failed("a", "left");
    failed("a", "right");
    waits = dispatched("b", "1", NULL);
    assert_int_equal(errand_failed_flush(e, NULL, 3600, &n, &err), 0);
    assert_int_equal(n, 0);
    clock_of_test.fixed_ms = er_clock_wall_ms(NULL) + 3600001;
    assert_int_equal(errand_failed_flush(e,
                                         &(struct errand_failed_filter){.queue = "left"},
                                         3600, &n, &err),
                     0);
    assert_int_equal(n, 1);
    clock_of_test.fixed_ms = 0;
    assert_int_equal(errand_failed_flush(e, NULL, 0, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(failed_n(NULL), 0);
    assert_is(&waits, ERRAND_READY);
    assert_int_equal(errand_failed_flush(e, NULL, NAN, &n, &err), ERRAND_EINVAL);
    assert_int_equal(errand_failed_flush(e, NULL, -1, &n, &err), ERRAND_EINVAL);
    assert_says("older_than");
}

CLAIM(retrying_all_gets_past_a_thousand_whose_key_is_taken)
{
    const struct errand_options keyed = {.tries = 1, .unique = "one"};
    struct errand_id last;
    int64_t n = -1;

    for (int i = 0; i < 1001; i++) { /* each lets the key go when it has failed */
        dispatched("a", "1", &keyed);
        assert_true(work_one(e, ERRAND_OUT_FAIL));
    }
    last = failed("b", "default");
    dispatched("a", "1", &keyed); /* who has the key now */
    assert_int_equal(errand_failed_retry_all(e, NULL, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_is(&last, ERRAND_READY);
}

TEST_MAIN()
