/* options_text.c, options_header.c: options as people write them. */
#include "claims.h"
#include "core/backoff.h"
#include "core/options.h"

static struct errand_arena *arena;
static struct er_options o;

static int setup(void **state)
{
    (void)state;
    o = (struct er_options){0};
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static void set(const char *name, const char *value)
{
    struct errand_error err;

    assert_works(er_options_set(&o, name, value, arena, &err), err);
}

TEST(every_option_can_be_said_in_text)
{
    set("queue", "mail");
    set("tries", "7");
    set("timeout", "2m");
    set("priority", "-3");
    set("unique", "user:{userId}");
    set("unique-for", "1h");
    set("unique-until", "started");
    set("unique-policy", "replace");
    set("tags", "vip, eu ,x");
    set("schedule", "0 8 * * *");
    set("zone", "Europe/Berlin");
    set("hooks", "failed, timed-out");
    set("command", "[\"ls\",\"-l\"]");
    set("retry-until", "2026-11-24T05:43:30.123Z");
    set("max-data", "64k");
    set("memory", "512");
    set("retry-for", "2h");
    set("trace", "00-0-0-00");
    set("backoff", "60");
    set("rate", "100/60s");
    set("rate-name", "api");
    set("rate-key", "{userId}");
    set("concurrency", "3");
    set("concurrency-name", "db");
    set("concurrency-key", "{shard}");
    set("throttle", "1/1h");
    set("throttle-name", "reports");
    set("throttle-key", "{kind}");
    set("key-functions", "unique, concurrency");
    set("max-depth", "7");
    set("schema", "{\"type\":\"null\"}");
    set("encrypted", "yes");
    assert_int_equal(o.has, (1 << 22) - 1);
    assert_int_equal(o.rate.n, 100);
    assert_int_equal(o.rate.per_ms, 60000);
    assert_string_equal(o.rate_key, "{userId}");
    assert_int_equal(o.concurrency, 3);
    assert_int_equal(o.throttle.per_ms, 3600000);
    assert_int_equal(o.key_functions,
                     ER_KEY_FUNCTION_UNIQUE | ER_KEY_FUNCTION_CONCURRENCY);
    assert_string_equal(o.queue, "mail");
    assert_int_equal(o.tries, 7);
    assert_int_equal(o.timeout_ms, 120000);
    assert_int_equal(o.priority, -3);
    assert_string_equal(o.unique, "user:{userId}");
    assert_int_equal(o.unique_ttl_ms, 3600000);
    assert_int_equal(o.unique_until, ERRAND_UNIQUE_STARTED);
    assert_int_equal(o.unique_policy, ERRAND_UNIQUE_REPLACE);
    assert_int_equal(o.tags_n, 3);
    assert_string_equal(o.tags[1], "eu");
    assert_string_equal(o.zone, "Europe/Berlin");
    assert_int_equal(o.hooks, ER_HOOK_FAILED | ER_HOOK_TIMED_OUT);
    assert_int_equal(o.retry_until_ms, INT64_C(1795499010123));
    assert_int_equal(o.retry_for_ms, 7200000);
    assert_int_equal(o.max_data, 65536);
    assert_int_equal(o.memory_mib, 512);
    assert_int_equal(o.max_depth, 7);
    assert_string_equal(o.schema, "{\"type\":\"null\"}");
    assert_true(o.is_encrypted);
}

TEST(dashes_and_underscores_are_one)
{
    set("unique_for", "1");
    set("unique-for", "2");
    set("max_data", "1m");
    set("hooks", "timed_out");
    assert_int_equal(o.unique_ttl_ms, 2000);
    assert_int_equal(o.max_data, 1 << 20);
    assert_int_equal(o.hooks, ER_HOOK_TIMED_OUT);
}

/* What text holds is copied: a command line lives on, a line of a file does not. */
TEST(values_are_copied)
{
    char queue[] = "mail", tags[] = "a,b";

    set("queue", queue);
    set("tags", tags);
    memset(queue, 'x', 4);
    memset(tags, 'x', 3);
    assert_string_equal(o.queue, "mail");
    assert_string_equal(o.tags[0], "a");
}

TEST(a_backoff_is_one_time_or_several)
{
    set("backoff", "60");
    assert_int_equal(er_backoff_ms(&o.backoff, 4, 0.9), 60000);
    set("backoff", "60,300,900");
    assert_int_equal(o.backoff.list_n, 3);
    assert_int_equal(er_backoff_ms(&o.backoff, 2, 0.9), 300000);
    set("backoff", "1.5s, 5m ,1h");
    assert_int_equal(er_backoff_ms(&o.backoff, 1, 0.9), 1500);
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 3600000);
    set("backoff", "0");
    assert_int_equal(er_backoff_ms(&o.backoff, 1, 0.9), 0);
}

TEST(a_time_with_a_strategy_is_its_base_in_any_order)
{
    set("backoff", "5");
    set("backoff-strategy", "linear");
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 15000);
    set("backoff", "7");
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 21000);
    set("backoff-cap", "10");
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 10000);
    set("backoff", "1,2");
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 2000);
    set("backoff", "0");
    assert_int_equal(er_backoff_ms(&o.backoff, 3, 0.9), 0);
}

TEST(jitter_can_be_a_share_or_none)
{
    set("backoff-jitter", "0.5");
    assert_int_equal(er_backoff_ms(&o.backoff, 1, 0.5), 12500);
    set("backoff-jitter", "0");
    assert_int_equal(er_backoff_ms(&o.backoff, 1, 0.5), 10000);
}

TEST(an_empty_list_says_that_there_are_none)
{
    set("tags", "");
    set("hooks", "");
    assert_int_equal(o.has, ER_OPT_TAGS | ER_OPT_HOOKS);
    assert_int_equal(o.tags_n, 0);
    assert_int_equal(o.hooks, 0);
}

static const struct {
    const char *name, *value, *message;
} bad_values[] = {
    {"tries", "abc", "tries 'abc' is not a whole number"},
    {"tries", "", "tries '' is not a whole number"},
    {"tries", "3x", "tries '3x' is not a whole number"},
    {"tries", "-", "tries '-' is not a whole number"},
    {"tries", " 3", "tries ' 3' is not a whole number"},
    {"tries", "99999999999999999999",
     "tries '99999999999999999999' is not a whole number"},
    {"tries", "0", "tries is 0: 1 to 1000 are allowed"},
    {"tries", "4294967297", "tries is 4294967297: 1 to 1000 are allowed"},
    {"timeout", "-1", "timeout '-1' is not a time such as 60, 1.5s, 10m or 2h"},
    {"timeout", "0", "timeout is 0 s: more than 0 to 30 days are allowed"},
    {"timeout", "31d", "timeout is 2678400 s: more than 0 to 30 days are allowed"},
    {"backoff", "", "backoff '' is not one time or several"},
    {"backoff", "60,x",
     "backoff '60,x' is not one time or several, such as 60 or 60,5m,1h"},
    {"backoff", "60,,1",
     "backoff '60,,1' is not one time or several, such as 60 or 60,5m,1h"},
    {"backoff", "0000000000000000000000000000000001",
     "backoff '0000000000000000000000000000000001' is not one time or several, such "
     "as 60 or 60,5m,1h"},
    {"backoff", "1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8",
     "backoff '1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8' is not at most 16 times"},
    {"backoff", "400d",
     "backoff value 1 is 3.456e+07: seconds from 0 to 31,622,400 are allowed"},
    {"backoff-strategy", "magic",
     "backoff-strategy 'magic' is none of default, fixed, linear, exponential"},
    {"backoff-cap", "0", "backoff-cap '0' is not a time such as 60, 1.5s, 10m or 2h"},
    {"backoff-jitter", "1.1", "backoff-jitter '1.1' is not a share from 0 to 1"},
    {"backoff-jitter", "x", "backoff-jitter 'x' is not a share from 0 to 1"},
    {"unique-until", "never", "unique-until 'never' is none of ttl, done, started"},
    {"unique-policy", "", "unique-policy '' is none of ignore, replace, extend"},
    {"unique", "", "unique is empty"},
    {"queue", "a b",
     "queue 'a b' has a wrong character at position 2: letters, digits and _ . : / - "
     "are allowed"},
    {"tags", "a,,b", "tag is empty"},
    {"hooks", "failed,exploded",
     "hooks 'failed,exploded' is no list of failed, timed-out"},
    {"retry-until", "tomorrow",
     "retry-until 'tomorrow' is not an instant such as 2026-11-24T05:43:30Z"},
    {"max-data", "", "max-data '' is not a size such as 65536, 64k or 1m"},
    {"max-data", "k", "max-data 'k' is not a size such as 65536, 64k or 1m"},
    {"max-data", "-1k", "max-data '-1k' is not a size such as 65536, 64k or 1m"},
    {"max-data", "9223372036854775807k",
     "max-data '9223372036854775807k' is not a size such as 65536, 64k or 1m"},
    {"max-data", "17m", "max_data is 17825792: 1 to 16777216 are allowed"},
    {"command", "[]", "command is empty"},
    {"max-depth", "0", "max-depth is 0: 1 to 1000 are allowed"},
    {"schema", "{\"type\":",
     "schema is not JSON: expected a value at line 1, column 9, "
     "found the end"},
    {"schema", "app/schema.json",
     "schema is not JSON: expected a value at line 1, column "
     "1, found 'a'"},
    {"encrypted", "maybe", "encrypted 'maybe' is not true or false"},
    {"rate", "100", "rate '100' is not a rate such as 100/60s or 5/1h"},
    {"rate", "/60s", "rate '/60s' is not a rate such as 100/60s or 5/1h"},
    {"rate", "nan/60s", "rate 'nan/60s' is not a rate such as 100/60s or 5/1h"},
    {"rate", "1/nan", "rate '1/nan' is not a rate such as 100/60s or 5/1h"},
    {"rate", "0/60s", "rate is 0 in a window: 1 to 1000000 are allowed"},
    {"rate", "5/0", "rate is per 0 ms: more than 0 to 366 days are allowed"},
    {"rate", "12345678901234567890/1",
     "rate '12345678901234567890/1' is not a rate such as 100/60s or 5/1h"},
    {"concurrency", "0", "concurrency is 0: 1 to 1000000 are allowed"},
    {"rate-name", "a b",
     "rate_name 'a b' has a wrong character at position 2: letters, digits and _ . : "
     "/ - are allowed"},
};

TEST(a_wrong_value_says_what_would_be_right_and_changes_nothing)
{
    for (size_t i = 0; i < sizeof bad_values / sizeof *bad_values; i++) {
        struct er_options before = {.has = ER_OPT_TRIES, .tries = 5}, after = before;
        struct errand_error err = {0};
        assert_error(
            er_options_set(&after, bad_values[i].name, bad_values[i].value, arena, &err),
            err, ERRAND_EINVAL, bad_values[i].message);
        assert_memory_equal(&before, &after, sizeof before);
    }
}

static void assert_unknown(const char *name, const char *message)
{
    struct errand_error err = {0};

    assert_error(er_options_set(&o, name, "1", arena, &err), err, ERRAND_ENOTFOUND,
                 message);
}

TEST(a_slip_of_the_hand_is_told_what_was_meant)
{
    assert_unknown("trys", "unknown option 'trys': did you mean 'tries'?");
    assert_unknown("timout", "unknown option 'timout': did you mean 'timeout'?");
    assert_unknown("uniquefor", "unknown option 'uniquefor': did you mean 'unique-for'?");
    assert_unknown("bakcoff", "unknown option 'bakcoff': did you mean 'backoff'?");
    assert_unknown("tag", "unknown option 'tag': did you mean 'tags'?");
}

TEST(a_name_far_from_all_gets_the_list)
{
    static const char list[] =
        "queue, tries, timeout, backoff, backoff-strategy, backoff-cap, backoff-jitter, "
        "priority, unique, unique-for, unique-until, unique-policy, tags, schedule, "
        "zone, "
        "hooks, command, retry-until, max-data, memory, trace, rate, rate-name, "
        "rate-key, concurrency, concurrency-name, concurrency-key, throttle, "
        "throttle-name, throttle-key, key-functions, max-depth, "
        "schema, encrypted, retry-for";
    char expected[1024];

    snprintf(expected, sizeof expected, "unknown option 'colour': there are %s", list);
    assert_unknown("colour", expected);
    snprintf(expected, sizeof expected, "unknown option '': there are %s", list);
    assert_unknown("", expected);
    snprintf(
        expected, sizeof expected,
        "unknown option 'a-name-that-is-longer-than-any-option-could-be': there are %s",
        list);
    assert_unknown("a-name-that-is-longer-than-any-option-could-be", expected);
}

/* ------------------------------------------------------------------ header lines */

static int read_header(const char *text)
{
    struct errand_error err = {0};
    int rc = er_options_from_header(slice(text), arena, &o, &err);

    if (rc < 0)
        fail_msg("%s", err.message);
    return rc;
}

TEST(an_executable_says_its_options_in_a_comment)
{
    assert_int_equal(
        read_header("#!/bin/sh\n"
                    "# errand: queue=emails tries=3 backoff=60,300 timeout=120 "
                    "unique=\"user:{userId}\" unique-for=3600 schedule=\"0 8 * * *\" "
                    "zone=Europe/Berlin hooks=failed,timed-out\n"
                    "echo\n"),
        1);
    assert_string_equal(o.queue, "emails");
    assert_int_equal(o.tries, 3);
    assert_int_equal(o.backoff.list_n, 2);
    assert_int_equal(o.timeout_ms, 120000);
    assert_string_equal(o.unique, "user:{userId}");
    assert_int_equal(o.unique_ttl_ms, 3600000);
    assert_string_equal(o.schedule, "0 8 * * *");
    assert_int_equal(o.hooks, ER_HOOK_FAILED | ER_HOOK_TIMED_OUT);
}

TEST(every_language_has_its_comment_sign)
{
    assert_int_equal(read_header("// errand: tries=4"), 1);
    assert_int_equal(read_header("--errand:tries=4"), 1);
    assert_int_equal(read_header(";  errand: tries=4\r\n"), 1);
    assert_int_equal(read_header(" \t# errand:\ttries=4  \n"), 1);
    assert_int_equal(o.tries, 4);
    assert_int_equal(read_header("# errand:"), 1);
    assert_int_equal(o.has, 0);
}

TEST(without_the_line_there_are_no_options)
{
    o.tries = 77;
    assert_int_equal(read_header(""), 0);
    assert_int_equal(read_header("#!/bin/sh\necho errand: tries=4\n"), 0);
    assert_int_equal(read_header("errand: tries=4\n"), 0);
    assert_int_equal(read_header("# errands: tries=4\n# my errand: tries=4\n#"), 0);
    assert_int_equal(read_header("\x7f"
                                 "ELF\x02\x01\x01"),
                     0);
    assert_int_equal(o.tries, 77);
}

TEST(only_the_first_twenty_lines_are_looked_at)
{
    static const char text[] =
        "#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n#\n"
        "# errand: tries=4\n";

    assert_int_equal(read_header(text), 0);
    assert_int_equal(read_header(text + 2), 1);
}

TEST(several_lines_add_up)
{
    assert_int_equal(read_header("# errand: tries=4\n#\n# errand: queue=mail\n"), 1);
    assert_int_equal(o.tries, 4);
    assert_string_equal(o.queue, "mail");
}

TEST(quotes_keep_spaces_and_may_hold_quotes)
{
    assert_int_equal(read_header("# errand: unique='a \"b\"' tries=4"), 1);
    assert_string_equal(o.unique, "a \"b\"");
    assert_int_equal(read_header("# errand: unique=\"a \\\"b\\\" \\\\ \\n\""), 1);
    assert_string_equal(o.unique, "a \"b\" \\ \\n");
    assert_int_equal(read_header("# errand: tags=\"\""), 1);
    assert_int_equal(o.tags_n, 0);
}

TEST(a_wrong_line_is_told_with_line_and_column)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"# errand: a job that mails\n", "line 1, column 11: expected NAME=VALUE"},
        {"\n\n// errand: tries=3 trys=4\n",
         "line 3, column 20: unknown option 'trys': did you mean 'tries'?"},
        {"# errand: rate=9/1s rate-key='{a'",
         "line 1, column 21: rate_key: template '{a' has a '{' at position 1 without a "
         "path and a '}': write '{{' for a brace"},
        {"# errand: rate-key=a", "line 1, column 1: rate_key and rate_name need rate"},
        {"# errand: unique-policy=maybe unique=a",
         "line 1, column 11: unique-policy 'maybe' is none of ignore, replace, extend"},
        {"# errand: key-functions=unique",
         "line 1, column 11: an executable has no functions that make keys"},
        {"# errand: tries=x", "line 1, column 11: tries 'x' is not a whole number"},
        {"# errand: tries 3", "line 1, column 11: expected NAME=VALUE"},
        {"# errand: tries=3 =4", "line 1, column 19: expected NAME=VALUE"},
        {"# errand: tags=\xc3\xa9", "line 1, column 11: tag '?"
                                    "?' has a wrong character "
                                    "at position 1: letters, digits and _ . : / - are "
                                    "allowed"},
        {"# errand: unique=\xc3\xa9 trys=4",
         "line 1, column 20: unknown option 'trys': did you mean 'tries'?"},
        {"# errand: queue=\"a", "line 1, column 17: this quote is not closed"},
        {"# errand: queue=\"a\"b",
         "line 1, column 20: expected a space behind the quote"},
        {"# errand: unique={a",
         "line 1, column 11: unique: template '{a' has a '{' at position 1 "
         "without a path and a '}': write '{{' for a brace"},
        {"# errand: tries=3\n# errand: unique-for=3",
         "line 2, column 1: unique_for, unique_until and unique_policy need unique"},
        {"# errand: a-name-that-is-longer-than-any-option-can-be-and-then-a-bit-longer=1",
         "line 1, column 11: this name is too long"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct errand_error err = {0};
        o.tries = 77;
        assert_error(er_options_from_header(slice(bad[i].text), arena, &o, &err), err,
                     ERRAND_EINVAL, bad[i].message);
        assert_int_equal(o.tries, 77);
    }
}

TEST(values_have_a_longest_length_and_no_nul)
{
    char text[5000] = "# errand: unique=";
    struct errand_error err = {0};

    memset(text + 17, 'k', sizeof text - 17);
    assert_error(
        er_options_from_header((struct errand_slice){text, sizeof text}, arena, &o, &err),
        err, ERRAND_EINVAL, "line 1, column 18: this value is too long");
    text[20] = '\0';
    assert_error(er_options_from_header((struct errand_slice){text, 30}, arena, &o, &err),
                 err, ERRAND_EINVAL, "line 1, column 21: a NUL in a value");
}

TEST_MAIN()
