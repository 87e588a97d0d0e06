/* item.c: jobs to be stored as JSON says them. */
#include "support/test.h"

#include <string.h>

#include "client/item.h"

static struct errand_arena *arena;
static struct errand_error err;

static int setup(void **state)
{
    (void)state;
    err = (struct errand_error){0};
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}

static struct er_item read_as(enum er_item_form form, const char *text)
{
    struct er_item item;

    if (er_item_read(errand_text(text), form, arena, &item, &err) < 0)
        fail_msg("%s", err.message);
    return item;
}

static void refused(enum er_item_form form, const char *text, const char *says)
{
    struct er_item item;

    err = (struct errand_error){0};
    assert_true(er_item_read(errand_text(text), form, arena, &item, &err) < 0);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in '%s'", says, err.message);
}

static void array_refused(const char *text, int code, const char *says)
{
    struct er_item *items;
    size_t n;

    err = (struct errand_error){0};
    assert_int_equal(er_items_read("jobs.json", errand_text(text), ER_ITEM_JOB, arena,
                                   &items, &n, &err),
                     code);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in '%s'", says, err.message);
}

TEST(a_job_is_a_name_and_its_data_as_it_stands)
{
    struct er_item item =
        read_as(ER_ITEM_JOB, " {\"job\":\"a\",\"data\": {\"x\" : 1.0}} ");

    assert_string_equal(item.item.name, "a");
    assert_int_equal(item.item.data.len, strlen("{\"x\" : 1.0}"));
    assert_memory_equal(item.item.data.ptr, "{\"x\" : 1.0}", item.item.data.len);
    item = read_as(ER_ITEM_JOB, "{\"job\":\"a\",\"data\":null,\"queue\":null}");
    assert_int_equal(item.item.data.len, 4);
    assert_null(item.options.queue);
}

TEST(options_stand_beside_the_name)
{
    struct er_item item = read_as(
        ER_ITEM_JOB, "{\"job\":\"a\",\"queue\":\"mail\",\"tries\":5,\"backoff\":[1,2.5],"
                     "\"timeout\":1.5,\"priority\":-3,\"unique\":\"k\",\"unique_for\":60,"
                     "\"unique_policy\":\"replace\",\"tags\":[\"x\",\"y\"],\"delay\":90,"
                     "\"id\":\"mine\",\"command\":[\"echo\",\"a b\"]}");
    const struct errand_options *o = item.item.options;

    assert_string_equal(o->queue, "mail");
    assert_int_equal(o->tries, 5);
    assert_int_equal(o->backoff.list_n, 2);
    assert_true(o->backoff.list[1] == 2.5);
    assert_true(o->timeout == 1.5);
    assert_int_equal(o->priority, -3);
    assert_string_equal(o->unique, "k");
    assert_true(o->unique_for == 60);
    assert_int_equal(o->unique_policy, ERRAND_UNIQUE_REPLACE);
    assert_string_equal(o->tags[1], "y");
    assert_null(o->tags[2]);
    assert_int_equal(o->delay_ms, 90000);
    assert_string_equal(o->id.text, "mine");
    assert_string_equal(o->command, "[\"echo\",\"a b\"]");
}

TEST(a_delay_may_have_a_unit_and_an_instant_is_said_whole)
{
    assert_int_equal(
        read_as(ER_ITEM_JOB, "{\"job\":\"a\",\"delay\":\"10m\"}").options.delay_ms,
        600000);
    assert_int_equal(
        read_as(ER_ITEM_JOB, "{\"job\":\"a\",\"run_at\":\"1970-01-01T00:00:01Z\"}")
            .options.run_at_ms,
        1000);
}

TEST(the_end_of_retries_is_an_instant_or_seconds_since_1970)
{
    assert_int_equal(
        read_as(ER_ITEM_JOB, "{\"job\":\"a\",\"retry_until\":\"1970-01-01T00:01:00Z\"}")
            .options.retry_until_ms,
        60000);
    assert_int_equal(
        read_as(ER_ITEM_JOB, "{\"job\":\"a\",\"retry_until\":60}").options.retry_until_ms,
        60000);
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"retry_until\":\"soon\"}", "an instant");
}

TEST(a_node_says_what_it_waits_for)
{
    struct er_item item =
        read_as(ER_ITEM_NODE, "{\"node\":\"n\",\"after\":\"a\",\"after_failure\":[],"
                              "\"after_end\":[\"b\",\"c\"]}");

    assert_string_equal(item.node, "n");
    assert_string_equal(item.item.name, "n");
    assert_string_equal(item.after[0], "a");
    assert_null(item.after[1]);
    assert_null(item.after_failure[0]);
    assert_string_equal(item.after_end[1], "c");
    assert_null(item.after_end[2]);
}

TEST(what_is_wrong_is_named)
{
    refused(ER_ITEM_JOB, "[]", "not an object");
    refused(ER_ITEM_JOB, "{}", "no \"job\"");
    refused(ER_ITEM_NODE, "{\"job\":\"a\"}", "no \"node\"");
    refused(ER_ITEM_JOB, "{\"job\":7}", "job is a string, not 7");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"qeue\":\"b\"}", "did you mean 'queue'?");
    refused(ER_ITEM_JOB, "{\"name\":\"a\"}", "did you mean 'job'?");
    refused(ER_ITEM_NODE, "{\"name\":\"a\"}", "did you mean 'node'?");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"after\":\"b\"}", "there is no 'after' here");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"batch\":true}", "there is no 'batch' here");
    refused(ER_ITEM_NODE, "{\"node\":\"a\",\"id\":\"b\"}", "there is no 'id' here");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"delay\":-1}", "delay");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"delay\":\"soon\"}", "delay is seconds");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"delay\":[1]}", "not [1]");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"run_at\":\"tomorrow\"}", "not \"tomorrow\"");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"tries\":0}", "tries");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"tries\":\"many\"}", "tries");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"schedule\":\"* * * * *\"}", "'schedule'");
    refused(ER_ITEM_JOB, "{\"job\":\"a\",\"id\":\"b c\"}", "id");
    refused(ER_ITEM_JOB, "{\"job\":\"a\\u0000b\"}", "without NUL");
    refused(ER_ITEM_DISPATCH, "{\"job\":\"a\",\"batch\":1}", "true or false");
    refused(ER_ITEM_NODE, "{\"node\":\"a\",\"after\":7}", "after");
    refused(ER_ITEM_NODE, "{\"node\":\"a\",\"after\":[7]}", "after");
}

TEST(an_array_is_told_with_line_and_element)
{
    array_refused("[{\"job\":\"a\"},\n {\"job\":}]", ERRAND_EJSON, "line 2, column 9");
    array_refused("[{\"job\":\"a\"},{\"tries\":2}]", ERRAND_EINVAL,
                  "jobs.json, element 2: it has no \"job\"");
    array_refused("{\"job\":\"a\"}", ERRAND_EINVAL, "not an array");
    array_refused("", ERRAND_EJSON, "jobs.json");
}

/* What is written is read again as it was. */
TEST(what_a_handler_says_comes_through_whole)
{
    const char *const tags[] = {"t:1", NULL};
    const struct errand_options o = {.id = {"mine"},
                                     .queue = "mail",
                                     .delay_ms = 1500,
                                     .tries = ERRAND_NO_RETRY,
                                     .timeout = 2.25,
                                     .backoff = ERRAND_BACKOFF(60, 300),
                                     .priority = 4,
                                     .unique = "k",
                                     .unique_policy = ERRAND_UNIQUE_EXTEND,
                                     .rate = {.max = 5, .per = 60, .key = "u1"},
                                     .concurrency = {.max = 2, .name = "printer"},
                                     .throttle = {.max = 1, .per = 0.5},
                                     .retry_until_ms = 1700000000500,
                                     .tags = tags};
    const struct errand_dispatch_item item = {"a", errand_text("[1, 2]"), &o};
    struct er_item got;
    struct er_buf buf;

    er_buf_init(&buf, 1 << 20);
    assert_int_equal(er_item_write(&buf, &item, true, &err), 0);
    got = read_as(ER_ITEM_DISPATCH, buf.ptr);
    assert_string_equal(got.item.name, "a");
    assert_int_equal(got.item.data.len, 6);
    assert_true(got.is_batch);
    assert_string_equal(got.options.id.text, "mine");
    assert_string_equal(got.options.queue, "mail");
    assert_int_equal(got.options.delay_ms, 1500);
    assert_int_equal(got.options.tries, 1);
    assert_true(got.options.timeout == 2.25);
    assert_int_equal(got.options.backoff.list_n, 2);
    assert_int_equal(got.options.priority, 4);
    assert_string_equal(got.options.unique, "k");
    assert_int_equal(got.options.unique_policy, ERRAND_UNIQUE_EXTEND);
    assert_string_equal(got.options.tags[0], "t:1");
    assert_int_equal(got.options.rate.max, 5);
    assert_true(got.options.rate.per == 60);
    assert_string_equal(got.options.rate.key, "u1");
    assert_int_equal(got.options.concurrency.max, 2);
    assert_string_equal(got.options.concurrency.name, "printer");
    assert_int_equal(got.options.throttle.max, 1);
    assert_true(got.options.throttle.per == 0.5);
    assert_true(got.options.retry_until_ms == 1700000000500);
    er_buf_reset(&buf);
    assert_int_equal(
        er_item_write(&buf, &(struct errand_dispatch_item){"b", {0}, NULL}, false, &err),
        0);
    assert_string_equal(buf.ptr, "{\"job\":\"b\"}");
    er_buf_reset(&buf);
    assert_int_equal(er_item_write(&buf,
                                   &(struct errand_dispatch_item){
                                       "b", {0}, &(struct errand_options){.tries = -7}},
                                   false, &err),
                     ERRAND_EINVAL);
    er_buf_done(&buf);
}

TEST_FIXTURE(setup, teardown)
TEST_MAIN()
