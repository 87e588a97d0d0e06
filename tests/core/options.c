/* options.c: what options may say, and which level decides. */
#include "core/options.h"

#include <math.h>

#include "claims.h"
#include "core/options_table.h"

static const char *const two_tags[] = {"a", "b"};

/* Every option said, each in another way than its default. */
static const struct er_options all = {
    .has = (1 << 22) - 1,
    .queue = "mail",
    .tries = 7,
    .timeout_ms = 1500,
    .backoff = {.list = {1, 2}, .list_n = 2},
    .priority = -3,
    .unique = "k",
    .unique_ttl_ms = 60000,
    .unique_until = ERRAND_UNIQUE_STARTED,
    .unique_policy = ERRAND_UNIQUE_EXTEND,
    .tags = two_tags,
    .tags_n = 2,
    .schedule = "0 8 * * *",
    .zone = "Europe/Berlin",
    .hooks = ER_HOOK_FAILED | ER_HOOK_TIMED_OUT,
    .command = "[\"ls\"]",
    .retry_until_ms = 99,
    .retry_for_ms = 77,
    .max_data = 4096,
    .memory_mib = 64,
    .trace = "00-0-0-00",
    .rate = {100, 60000},
    .rate_name = "api",
    .rate_key = "{userId}",
    .concurrency = 3,
    .concurrency_name = "db",
    .concurrency_key = "{shard}",
    .throttle = {1, 3600000},
    .throttle_name = "reports",
    .throttle_key = "{kind}",
    .key_functions = ER_KEY_FUNCTION_UNIQUE,
    .max_depth = 7,
    .schema = "{\"type\":\"null\"}",
    .is_encrypted = true,
};

TEST(the_last_level_is_what_the_documents_promise)
{
    const struct er_options *o = &er_options_default;
    struct errand_error err;

    assert_string_equal(o->queue, "default");
    assert_int_equal(o->tries, 3);
    assert_int_equal(o->timeout_ms, 300000);
    assert_int_equal(o->priority, 0);
    assert_int_equal(o->backoff.list_n, 0);
    assert_works(er_options_check(o, &err), err);
}

TEST(what_is_said_stays_and_what_is_not_is_filled)
{
    struct er_options call = {.has = ER_OPT_TRIES, .tries = 9};
    struct er_options class = {
        .has = ER_OPT_TRIES | ER_OPT_QUEUE, .tries = 5, .queue = "q"};

    er_options_fill(&call, &class);
    er_options_fill(&call, &er_options_default);
    assert_int_equal(call.tries, 9);
    assert_string_equal(call.queue, "q");
    assert_int_equal(call.timeout_ms, 300000);
    assert_int_equal(call.has, er_options_default.has);
}

TEST(values_behind_a_bit_that_is_not_set_are_not_said)
{
    struct er_options into = {0}, from = {.has = ER_OPT_QUEUE, .queue = "q", .tries = 9};

    er_options_fill(&into, &from);
    assert_int_equal(into.tries, 0);
    assert_int_equal(into.has, ER_OPT_QUEUE);
}

TEST(every_option_is_filled)
{
    struct er_options into = {0};

    er_options_fill(&into, &all);
    assert_memory_equal(&into, &all, sizeof all);
    er_options_fill(&into, &er_options_default);
    assert_memory_equal(&into, &all, sizeof all);
}

/* A level that says a key says all about it: a ttl from elsewhere would make a key that
 * nobody asked for. */
TEST(what_belongs_together_is_filled_together)
{
    struct er_options into = {.has = ER_OPT_UNIQUE | ER_OPT_SCHEDULE | ER_OPT_BACKOFF,
                              .unique = "mine",
                              .schedule = "@daily",
                              .backoff = {.cap = 5}};

    er_options_fill(&into, &all);
    assert_string_equal(into.unique, "mine");
    assert_int_equal(into.unique_ttl_ms, 0);
    assert_int_equal(into.unique_policy, ERRAND_UNIQUE_IGNORE);
    assert_null(into.zone);
    assert_int_equal(into.backoff.list_n, 0);
}

TEST(options_that_are_all_right_pass)
{
    struct er_options nothing = {.tries = -5, .timeout_ms = -1};
    struct errand_error err;

    assert_works(er_options_check(&all, &err), err);
    assert_works(er_options_check(&nothing, &err), err);
}

static const char *const bad_tags[] = {"ok", "not ok"};
static const struct {
    struct er_options options;
    const char *message;
} bad[] = {
    {{.has = ER_OPT_QUEUE, .queue = "a b"},
     "queue 'a b' has a wrong character at position 2: letters, digits and _ . : / - "
     "are allowed"},
    {{.has = ER_OPT_QUEUE}, "queue is empty"},
    {{.has = ER_OPT_TRIES}, "tries is 0: 1 to 1000 are allowed"},
    {{.has = ER_OPT_TRIES, .tries = 1001}, "tries is 1001: 1 to 1000 are allowed"},
    {{.has = ER_OPT_TRIES, .tries = -1}, "tries is -1: 1 to 1000 are allowed"},
    {{.has = ER_OPT_TIMEOUT}, "timeout is 0 s: more than 0 to 30 days are allowed"},
    {{.has = ER_OPT_TIMEOUT, .timeout_ms = -1500},
     "timeout is -1500 ms: more than 0 to 30 days are allowed"},
    {{.has = ER_OPT_TIMEOUT, .timeout_ms = INT64_C(30) * 86400000 + 1000},
     "timeout is 2592001 s: more than 0 to 30 days are allowed"},
    {{.has = ER_OPT_BACKOFF, .backoff = {.base = -2}},
     "backoff base is -2: seconds from 0 to 31,622,400 are allowed"},
    {{.has = ER_OPT_BACKOFF, .backoff = {.strategy = (enum errand_backoff_strategy)9}},
     "backoff strategy 9 does not exist"},
    {{.has = ER_OPT_UNIQUE}, "unique_for, unique_until and unique_policy need unique"},
    {{.has = ER_OPT_UNIQUE, .unique = ""}, "unique is empty"},
    {{.has = ER_OPT_UNIQUE, .unique = "k\xff"}, "unique is not valid UTF-8"},
    {{.has = ER_OPT_UNIQUE, .unique = "k", .unique_ttl_ms = -1},
     "unique_for is -1 ms: 0 to 3660 days are allowed"},
    {{.has = ER_OPT_UNIQUE, .unique = "k", .unique_until = (enum errand_unique_until)3},
     "unique_until is 3, which has no meaning"},
    {{.has = ER_OPT_UNIQUE,
      .unique = "k",
      .unique_policy = (enum errand_unique_policy) - 1},
     "unique_policy is -1, which has no meaning"},
    {{.has = ER_OPT_TAGS, .tags = bad_tags, .tags_n = 2},
     "tag 'not ok' has a wrong character at position 4: letters, digits and _ . : / "
     "- are allowed"},
    {{.has = ER_OPT_TAGS, .tags_n = 33}, "33 tags are more than the 32 allowed"},
    {{.has = ER_OPT_SCHEDULE, .schedule = ""}, "schedule is empty"},
    {{.has = ER_OPT_SCHEDULE, .zone = "UTC"}, "zone needs schedule"},
    {{.has = ER_OPT_HOOKS, .hooks = 4}, "hooks is 0x4, which has no meaning"},
    {{.has = ER_OPT_COMMAND, .command = "[]"}, "command is empty"},
    {{.has = ER_OPT_COMMAND, .command = "[\"a\",1]"},
     "argument 1 of command is not a string"},
    {{.has = ER_OPT_COMMAND, .command = "\"ls\""}, "command is not a JSON array"},
    {{.has = ER_OPT_RETRY_FOR}, "retry_for is 0 s: more than 0 to 3660 days are allowed"},
    {{.has = ER_OPT_RETRY_UNTIL, .retry_until_ms = -1},
     "retry_until is -1: 0 to 9223372036854775807 are allowed"},
    {{.has = ER_OPT_MAX_DATA}, "max_data is 0: 1 to 16777216 are allowed"},
    {{.has = ER_OPT_MAX_DATA, .max_data = SIZE_MAX},
     "max_data is -1: 1 to 16777216 are allowed"},
    {{.has = ER_OPT_MEMORY}, "memory is 0: 1 to 1048576 are allowed"},
    {{.has = ER_OPT_TRACE, .trace = ""}, "trace is empty"},
    {{.has = ER_OPT_RATE}, "rate is 0 in a window: 1 to 1000000 are allowed"},
    {{.has = ER_OPT_RATE, .rate = {5, 0}},
     "rate is per 0 ms: more than 0 to 366 days are allowed"},
    {{.has = ER_OPT_RATE, .rate_key = "k"}, "rate_key and rate_name need rate"},
    {{.has = ER_OPT_RATE, .rate = {5, 1000}, .rate_name = "a b"},
     "rate_name 'a b' has a wrong character at position 2: letters, digits and _ . : / - "
     "are allowed"},
    {{.has = ER_OPT_CONCURRENCY}, "concurrency is 0: 1 to 1000000 are allowed"},
    {{.has = ER_OPT_CONCURRENCY, .concurrency_key = "k"},
     "concurrency_key and concurrency_name need concurrency"},
    {{.has = ER_OPT_THROTTLE, .throttle = {-1, 1000}},
     "throttle is -1 in a window: 1 to 1000000 are allowed"},
    {{.has = ER_OPT_THROTTLE, .throttle_name = "k"},
     "throttle_key and throttle_name need throttle"},
    {{.has = ER_OPT_KEY_FUNCTIONS, .key_functions = 8},
     "key_functions is 0x8, which has no meaning"},
};

TEST(every_option_is_checked_with_its_name_and_value)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct errand_error err = {0};
        assert_error(er_options_check(&bad[i].options, &err), err, ERRAND_EINVAL,
                     bad[i].message);
    }
}

TEST(a_command_that_is_no_json_says_where)
{
    struct er_options o = {.has = ER_OPT_COMMAND, .command = "[ls]"};
    struct errand_error err;

    assert_error(
        er_options_check(&o, &err), err, ERRAND_EJSON,
        "command is not JSON: expected a value or ']' at line 1, column 2, found 'l'");
    o.command = NULL;
    assert_int_equal(er_options_check(&o, &err), ERRAND_EJSON);
}

TEST(a_text_has_at_most_512_bytes)
{
    char text[514];
    struct er_options o = {.has = ER_OPT_UNIQUE, .unique = text};
    struct errand_error err;

    memset(text, 'k', sizeof text);
    text[512] = '\0';
    assert_works(er_options_check(&o, &err), err);
    text[512] = 'k';
    text[513] = '\0';
    assert_error(er_options_check(&o, &err), err, ERRAND_EINVAL,
                 "unique has 513 bytes, more than the 512 allowed");
}

/* Two rows of one place would write over each other. */
TEST(every_row_of_the_table_has_a_place_and_a_name_of_its_own)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < er_option_fields_n; i++) {
        bits |= er_option_fields[i].bit;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(er_option_fields[i].name, er_option_fields[j].name);
            assert_int_not_equal(er_option_fields[i].offset, er_option_fields[j].offset);
        }
    }
    assert_int_equal(bits, all.has);
}

TEST(seconds_become_milliseconds_and_never_nothing)
{
    static const double impossible[] = {NAN, -0.001, 1e12, INFINITY};
    struct errand_error err;
    int64_t ms = -1;

    assert_works(er_seconds_to_ms("timeout", 0, &ms, &err), err);
    assert_int_equal(ms, 0);
    assert_works(er_seconds_to_ms("timeout", 1.0006, &ms, &err), err);
    assert_int_equal(ms, 1001);
    assert_works(er_seconds_to_ms("timeout", 1e-9, &ms, &err), err);
    assert_int_equal(ms, 1);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        assert_int_equal(er_seconds_to_ms("timeout", impossible[i], &ms, NULL),
                         ERRAND_EINVAL);
    assert_error(er_seconds_to_ms("timeout", -1, &ms, &err), err, ERRAND_EINVAL,
                 "timeout: -1 is not a time in seconds");
    assert_int_equal(ms, 1);
}

TEST_MAIN()
