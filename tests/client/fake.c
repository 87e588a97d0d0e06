/* fake.c: what a fake records, and what its checks say. */
#include "client/client_test.h"

#include <math.h>

#include <sqlite3.h>

#include "errand/flow.h"
#include "errand/testing.h"

static void fake(void)
{
    if (errand_fake(e, &err) < 0)
        fail_msg("%s", err.message);
}

static int64_t stored(void)
{
    struct errand_filter all = {0};
    int64_t n;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    return n;
}

/* The check fails, and says this. */
#define REFUSED(says, check, ...)               \
    do {                                        \
        struct errand_error why = {0};          \
        assert_false(check(__VA_ARGS__, &why)); \
        assert_string_equal(why.message, says); \
        assert_false(check(__VA_ARGS__, NULL)); \
    } while (0)

CLAIM(what_is_dispatched_is_recorded_and_not_stored)
{
    struct errand_id id = dispatched("before", "1", NULL);
    const struct errand_fake_job *job;

    fake();
    assert_non_null(errand_get_fake(e));
    dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);
    assert_true(errand_has_dispatched(e, "send-welcome-email"));
    assert_false(errand_has_dispatched(e, "before"));
    assert_non_null(job = errand_fake_dispatched(e, "SendWelcomeEmail", 0));
    assert_string_equal(job->name, "SendWelcomeEmail");
    assert_slice(job->data, "{\"userId\":1}");
    assert_string_equal(job->queue, "default");
    assert_int_equal(job->tries, 3);
    assert_null(errand_fake_dispatched(e, "SendWelcomeEmail", 1));
    errand_restore(e);
    assert_int_equal(stored(), 1);
    errand_detail_free(get(&id));
}

CLAIM(restore_brings_the_store_back_however_often)
{
    errand_restore(e);
    errand_restore(NULL);
    fake();
    errand_restore(e);
    errand_restore(e);
    assert_null(errand_get_fake(e));
    assert_null(errand_get_fake(NULL));
    assert_null(errand_fake_dispatched(e, NULL, 0));
    assert_int_equal(errand_fake_dispatched_n(e, NULL), 0);
    dispatched("x", "1", NULL);
    assert_int_equal(stored(), 1);
}

CLAIM(a_fake_begins_anew)
{
    fake();
    dispatched("x", "1", NULL);
    fake();
    errand_assert_nothing_dispatched(e);
}

CLAIM(other_handles_on_the_store_notice_nothing)
{
    errand *other = open_again();

    fake();
    assert_int_equal(errand_dispatch(other, "x", "1", NULL, NULL, &err), 0);
    errand_assert_nothing_dispatched(e);
    errand_restore(e);
    assert_int_equal(stored(), 1);
    errand_close(other);
}

CLAIM(options_are_recorded_as_they_resolve)
{
    static const char *const tags[] = {"a", "b", NULL};
    const struct errand_fake_job *job;

    publish("SendMail", "sendmail",
            "{\"queue\":\"mails\",\"tries\":7,\"unique\":\"user:{id}\"}");
    fake();
    dispatched("send-mail", "{\"id\":7}",
               &(struct errand_options){.timeout = 1.5,
                                        .backoff = ERRAND_BACKOFF(1, 2),
                                        .priority = -3,
                                        .tags = tags});
    job = errand_fake_dispatched(e, NULL, 0);
    assert_string_equal(job->queue, "mails");
    assert_int_equal(job->tries, 7);
    assert_string_equal(job->unique, "sendmail:user:7");
    assert_true(job->timeout > 1.49 && job->timeout < 1.51);
    assert_int_equal(job->backoff.list_n, 2);
    assert_int_equal(job->priority, -3);
    assert_string_equal(job->tags[0], "a");
    assert_string_equal(job->tags[1], "b");
    assert_null(job->tags[2]);
    errand_assert_pushed_on(e, "SendMail", "mails");
    REFUSED("'SendMail' is on queue 'mails', not 'default'", errand_check_pushed_on, e,
            "SendMail", "default");
}

CLAIM(what_is_refused_is_not_recorded)
{
    fake();
    assert_int_equal(dispatch("x", "{oops", NULL, NULL), ERRAND_EJSON);
    assert_int_equal(dispatch("x", "1", &(struct errand_options){.delay_ms = -1}, NULL),
                     ERRAND_EINVAL);
    errand_assert_nothing_dispatched(e);
}

CLAIM(ids_and_keys_that_are_taken_are_recorded_as_duplicates)
{
    const struct errand_options mine = {.id = {"mine"}}, key = {.unique = "k"};
    struct errand_id id;

    fake();
    assert_int_equal(dispatch("x", "1", &mine, &id), ERRAND_INSERTED);
    assert_int_equal(dispatch("x", "2", &mine, &id), ERRAND_DUPLICATE);
    assert_string_equal(id.text, "mine");
    assert_int_equal(dispatch("y", "1", &key, NULL), ERRAND_INSERTED);
    assert_int_equal(dispatch("y", "1", &key, NULL), ERRAND_DUPLICATE);
    assert_false(errand_fake_dispatched(e, "x", 0)->is_duplicate);
    assert_true(errand_fake_dispatched(e, "x", 1)->is_duplicate);
    assert_true(errand_fake_dispatched(e, "y", 1)->is_duplicate);
    errand_assert_dispatched_times(e, NULL, 4);
}

CLAIM(a_check_says_both_counts_and_what_there_was)
{
    fake();
    REFUSED("'x' was dispatched 0 times, expected 1 time; in all: nothing",
            errand_check_dispatched_times, e, "x", 1);
    REFUSED("'x' was not dispatched, but: nothing", errand_check_dispatched, e, "x");
    dispatched("x", "{\"n\":1}", NULL);
    dispatched("y", "2", NULL);
    REFUSED("'x' was dispatched 1 time, expected 2 times; in all: x, y",
            errand_check_dispatched_times, e, "x", 2);
    REFUSED("'x' was dispatched 1 time, expected 0 times; in all: x, y",
            errand_check_not_dispatched, e, "x");
    REFUSED("expected nothing to be dispatched, but 2 were: x, y",
            errand_check_nothing_dispatched, e);
    errand_assert_dispatched_times(e, "x", 1);
    errand_assert_dispatched(e, "y");
    errand_assert_not_dispatched(e, "z");
}

CLAIM(a_check_on_a_handle_that_is_no_fake_fails)
{
    REFUSED("nothing is recorded: this handle is no fake, call errand_fake first",
            errand_check_nothing_dispatched, e);
    assert_false(errand_check_dispatched_times(e, "x", 0, &err));
    assert_false(errand_check_not_dispatched(e, "x", &err));
    assert_false(errand_check_batched(e, (const char *const[]){"x", NULL}, &err));
}

CLAIM(data_is_compared_by_what_it_means)
{
    fake();
    dispatched("x", "{\"a\":1,\"b\":[2]}", NULL);
    dispatched("x", "{\"a\":2}", NULL);
    errand_assert_dispatched_with(e, "X", "{ \"b\" : [2.0], \"a\" : 1 }");
    errand_assert_dispatched_with(e, "x", "{\"a\":2}");
    REFUSED("'x' was dispatched 2 times, but not with this data; of the last one 'a' is "
            "2, not 3",
            errand_check_dispatched_with, e, "x", "{\"a\":3}");
    assert_false(errand_check_dispatched_with(e, "x", "{oops", &err));
    assert_non_null(strstr(err.message, "expected data is not JSON"));
    assert_false(errand_check_dispatched_with(e, "x", NULL, &err));
    dispatched("nothing", NULL, NULL);
    errand_assert_dispatched_with(e, "nothing", "null");
}

CLAIM(a_delayed_dispatch_is_pushed_with_its_delay)
{
    fake();
    dispatched("now", "1", NULL);
    dispatched("later", "1", &(struct errand_options){.delay_ms = 60000});
    assert_null(errand_fake_pushed(e, "now", 0));
    assert_non_null(errand_fake_pushed(e, "later", 0));
    assert_ptr_equal(errand_fake_pushed(e, NULL, 0), errand_fake_dispatched(e, NULL, 1));
    errand_assert_pushed_with_delay(e, "later", 60);
    assert_false(errand_check_pushed_with_delay(e, "later", 62, &err));
    assert_false(errand_check_pushed_with_delay(e, "later", 58, &err));
    assert_false(errand_check_pushed_with_delay(e, "later", NAN, &err));
    REFUSED("'now' was dispatched without a delay, expected 60 s",
            errand_check_pushed_with_delay, e, "now", 60);
}

CLAIM(where_the_test_owns_the_clock_a_delay_is_exact)
{
    assert_int_equal(errand_test_set_time(e, 1000000, &err), 0);
    fake();
    dispatched("later", "1", &(struct errand_options){.delay_ms = 60000});
    assert_int_equal(errand_fake_pushed(e, NULL, 0)->delay_ms, 60000);
    assert_int_equal(errand_fake_pushed(e, NULL, 0)->run_at_ms, 1060000);
    errand_assert_pushed_with_delay(e, "later", 60);
    REFUSED("'later' was dispatched with a delay of 60 s, expected 60.5 s",
            errand_check_pushed_with_delay, e, "later", 60.5);
}

CLAIM(bulk_is_recorded_job_by_job)
{
    const struct errand_dispatch_item items[] = {{.name = "a", .data = {"1", 1}},
                                                 {.name = "b", .data = {"2", 1}}};

    fake();
    assert_int_equal(errand_dispatch_bulk(e, items, 2, NULL, &err), 2);
    errand_assert_dispatched_times(e, NULL, 2);
    assert_int_equal(errand_fake_dispatched(e, "b", 0)->way, ERRAND_FAKE_DISPATCH);
}

CLAIM(a_chain_is_recorded_in_its_order)
{
    const struct errand_dispatch_item links[] = {
        {.name = "validate-order"}, {.name = "pay"}, {.name = "pay"}};
    const struct errand_dispatch_item catch = {.name = "tell"};
    struct errand_id id;

    fake();
    REFUSED("no chain of these jobs was dispatched; the last one: none",
            errand_check_chained, e, ((const char *const[]){"pay", NULL}));
    assert_int_equal(errand_chain(e, links, 3,
                                  &(struct errand_batch_options){.on_failure = &catch},
                                  &id, &err),
                     3);
    errand_assert_chained(e, "ValidateOrder", "pay", "pay");
    assert_string_equal(errand_fake_dispatched(e, "pay", 0)->batch.text, id.text);
    assert_int_equal(errand_fake_dispatched(e, "tell", 0)->way, ERRAND_FAKE_AFTER);
    REFUSED("no chain of these jobs was dispatched; the last one: validate-order > pay > "
            "pay",
            errand_check_chained, e,
            ((const char *const[]){"validate-order", "pay", NULL}));
    assert_false(errand_check_chained(
        e, (const char *const[]){"pay", "validate-order", "pay", NULL}, &err));
    assert_false(errand_check_chained(
        e, (const char *const[]){"validate-order", "pay", "pay", "tell", NULL}, &err));
    assert_false(errand_check_chained(e, (const char *const[]){NULL}, &err));
    assert_false(errand_check_batched(
        e, (const char *const[]){"validate-order", "pay", "pay", NULL}, &err));
}

CLAIM(a_batch_is_recorded_whatever_the_order_of_its_names)
{
    const struct errand_dispatch_item members[] = {
        {.name = "a"}, {.name = "b"}, {.name = "a"}};
    struct errand_id id;

    fake();
    assert_int_equal(errand_batch(e, members, 3, NULL, &id, &err), 3);
    assert_int_equal(errand_batch(e, members, 1, NULL, NULL, &err), 1);
    errand_assert_batched(e, "b", "a", "A");
    errand_assert_batched(e, "a");
    assert_false(errand_check_batched(e, (const char *const[]){"a", "b", NULL}, &err));
    assert_false(
        errand_check_batched(e, (const char *const[]){"a", "b", "b", NULL}, &err));
    REFUSED("no batch of these jobs was dispatched; the last one: a",
            errand_check_batched, e, ((const char *const[]){"a", "b", "b", "a", NULL}));
    assert_int_equal(errand_batch_add(e, &id, &members[1], 1, NULL, &err), 1);
    errand_assert_batched(e, "a", "b", "a", "b");
}

CLAIM(a_flow_is_recorded_with_its_nodes)
{
    static const char *const first[] = {"first", NULL};
    const struct errand_flow_node nodes[] = {
        {.name = "first", .job = "a"},
        {.name = "second", .job = "b", .after = first},
        {.name = "third", .job = "c", .after_failure = first}};

    fake();
    assert_int_equal(errand_flow(e, nodes, 3, NULL, NULL, &err), 3);
    assert_int_equal(errand_fake_dispatched(e, "b", 0)->way, ERRAND_FAKE_FLOW);
    assert_int_equal(errand_fake_dispatched(e, "c", 0)->way, ERRAND_FAKE_FLOW);
}

/* A schedule that fires through the handle. */
CLAIM(what_a_schedule_fires_is_recorded)
{
    const struct errand_schedule schedule = {.name = "daily", .spec = {"{}", 2}};
    const struct errand_push_job job = {.name = "report", .queue = "default", .tries = 1};
    struct errand_fire_params p = {.name = "daily", .slot_ms = 1000, .job = &job};
    struct errand_fire_result r = {0};

    fake();
    assert_int_equal(er_store_schedule_put(er_client_store(e), &schedule, &err), 0);
    assert_int_equal(er_store_fire(er_client_store(e), &p, test_arena, &r, &err), 0);
    assert_int_equal(er_store_fire(er_client_store(e), &p, test_arena, &r, &err), 0);
    errand_assert_dispatched_times(e, "report", 1);
    assert_int_equal(errand_fake_dispatched(e, NULL, 0)->way, ERRAND_FAKE_SCHEDULE);
}

CLAIM(a_job_in_the_callers_transaction_is_recorded_without_it)
{
    sqlite3 *db;

    if (strncmp(test_url, "sqlite:", 7) != 0)
        return;
    assert_int_equal(sqlite3_open(test_url + 7, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    fake();
    dispatched("x", "1", &(struct errand_options){.transaction = db});
    assert_true(errand_fake_dispatched(e, "x", 0)->is_in_transaction);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    errand_restore(e);
    assert_int_equal(stored(), 0);
}

CLAIM(a_fake_handle_can_be_closed)
{
    fake();
    dispatched("x", "1", NULL);
}

TEST(json_is_compared_with_its_place)
{
    errand_assert_json("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}");
    REFUSED("'a' is 1, not 2", errand_check_json, "{\"a\":1}", "{\"a\":2}");
    REFUSED(
        "what is expected is not JSON: expected a value at line 1, column 1, found 'x'",
        errand_check_json, "1", "x");
    REFUSED("what there is is NULL", errand_check_json, NULL, "1");
}

TEST_MAIN()
