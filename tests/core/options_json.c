/* options_encode.c, options_decode.c: options on their way through the store. */
#include <math.h>

#include "base/buf.h"
#include "claims.h"
#include "core/backoff.h"
#include "core/json.h"
#include "core/options.h"

static struct errand_arena *arena;
static struct er_buf buf;

static int setup(void **state)
{
    (void)state;
    er_buf_init(&buf, 1 << 20);
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_buf_done(&buf);
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

static const char *encode(struct er_options o)
{
    struct errand_error err;

    er_buf_reset(&buf);
    assert_int_equal(er_options_encode(&o, &buf), 0);
    assert_works(er_json_check("x", (struct errand_slice){buf.ptr, buf.len}, NULL, &err),
                 err);
    return buf.ptr;
}

static struct er_options decode(const char *json)
{
    struct er_options o = {0};
    struct errand_error err;

    assert_works(er_options_decode(slice(json), arena, &o, &err), err);
    return o;
}

TEST(who_says_nothing_stores_two_bytes)
{
    assert_string_equal(encode((struct er_options){.tries = 5}), "{}");
    assert_int_equal(decode("{}").has, 0);
    assert_int_equal(decode("").has, 0);
    assert_int_equal(decode(" { } ").has, 0);
}

TEST(times_are_seconds_in_json_and_milliseconds_here)
{
    assert_string_equal(
        encode((struct er_options){.has = ER_OPT_TIMEOUT, .timeout_ms = 300000}),
        "{\"timeout\":300}");
    assert_string_equal(
        encode((struct er_options){.has = ER_OPT_TIMEOUT, .timeout_ms = 1050}),
        "{\"timeout\":1.05}");
    assert_string_equal(
        encode((struct er_options){.has = ER_OPT_TIMEOUT, .timeout_ms = 7}),
        "{\"timeout\":0.007}");
    assert_int_equal(decode("{\"timeout\":0.007}").timeout_ms, 7);
    assert_int_equal(decode("{\"timeout\":1.05e1}").timeout_ms, 10500);
    assert_int_equal(decode("{\"retry_until\":1795499010.123}").retry_until_ms,
                     INT64_C(1795499010123));
}

/* Everything said at once, written and read back. */
TEST(all_options_come_back_as_they_were)
{
    static const char *const tags[] = {"vip", "eu"};
    const struct er_options all = {
        .has = (1 << 21) - 1,
        .queue = "mail",
        .tries = 7,
        .timeout_ms = 1500,
        .backoff = {.list = {0.5, 60, 86400}, .list_n = 3},
        .priority = INT32_MIN,
        .unique = "user:\"\xc3\xa9\"\n",
        .unique_ttl_ms = 60001,
        .unique_until = ERRAND_UNIQUE_STARTED,
        .unique_policy = ERRAND_UNIQUE_EXTEND,
        .tags = tags,
        .tags_n = 2,
        .schedule = "0 8 * * *",
        .zone = "Europe/Berlin",
        .hooks = ER_HOOK_FAILED | ER_HOOK_TIMED_OUT,
        .command = "[\"ls\",\"\\ud800\"]",
        .retry_until_ms = INT64_C(1795499010123),
        .max_data = 4096,
        .memory_mib = 64,
        .trace = "00-0-0-00",
        .rate = {100, 60000},
        .rate_name = "api",
        .rate_key = "{userId}",
        .concurrency = 3,
        .throttle = {1, 1500},
        .throttle_key = "all",
        .key_functions = ER_KEY_FUNCTION_UNIQUE | ER_KEY_FUNCTION_CONCURRENCY,
        .max_depth = 7,
        .schema = "{\"type\":[\"object\",\"null\"]}",
        .is_encrypted = true,
    };
    const char *json = er_arena_printf(arena, "%s", encode(all));
    struct er_options back = decode(json);

    assert_string_equal(
        json,
        "{\"queue\":\"mail\",\"tries\":7,\"timeout\":1.5,\"backoff\":[0.5,60,86400],"
        "\"priority\":-2147483648,\"unique\":\"user:\\\"\xc3\xa9\\\"\\n\","
        "\"unique_for\":60.001,\"unique_until\":\"started\",\"unique_policy\":\"extend\","
        "\"tags\":[\"vip\",\"eu\"],\"schedule\":\"0 8 * * *\",\"zone\":\"Europe/Berlin\","
        "\"hooks\":[\"failed\",\"timed-out\"],\"command\":[\"ls\",\"\\ud800\"],"
        "\"retry_until\":1795499010.123,\"max_data\":4096,\"memory\":64,"
        "\"trace\":\"00-0-0-00\",\"rate\":\"100/60s\",\"rate_name\":\"api\","
        "\"rate_key\":\"{userId}\",\"concurrency\":3,\"throttle\":\"1/1.5s\","
        "\"throttle_key\":\"all\",\"key_functions\":[\"unique\",\"concurrency\"],"
        "\"max_depth\":7,\"schema\":{\"type\":[\"object\",\"null\"]},\"encrypted\":"
        "true}");
    assert_int_equal(back.has, all.has);
    assert_string_equal(back.unique, all.unique);
    assert_string_equal(back.tags[1], "eu");
    assert_string_equal(back.command, all.command);
    assert_int_equal(back.hooks, all.hooks);
    assert_int_equal(back.retry_until_ms, all.retry_until_ms);
    assert_string_equal(encode(back), json);
}

static void assert_same_backoff(struct errand_backoff b, const char *json)
{
    struct er_options back;

    assert_string_equal(encode((struct er_options){.has = ER_OPT_BACKOFF, .backoff = b}),
                        json);
    back = decode(buf.ptr);
    assert_int_equal(back.has, ER_OPT_BACKOFF);
    for (int retry = 1; retry < 20; retry++)
        for (int random = 0; random <= 4; random++)
            assert_int_equal(er_backoff_ms(&back.backoff, retry, random / 4.0),
                             er_backoff_ms(&b, retry, random / 4.0));
}

TEST(every_way_to_say_a_backoff_means_the_same_after_the_store)
{
    assert_same_backoff((struct errand_backoff)ERRAND_BACKOFF(60), "{\"backoff\":60}");
    assert_same_backoff((struct errand_backoff)ERRAND_BACKOFF(0), "{\"backoff\":0}");
    assert_same_backoff((struct errand_backoff)ERRAND_BACKOFF(1, 2.5),
                        "{\"backoff\":[1,2.5]}");
    assert_same_backoff((struct errand_backoff){.strategy = ERRAND_BACKOFF_LINEAR},
                        "{\"backoff_strategy\":\"linear\"}");
    assert_same_backoff(
        (struct errand_backoff){.strategy = ERRAND_BACKOFF_FIXED, .base = 30, .cap = 5},
        "{\"backoff\":30,\"backoff_strategy\":\"fixed\",\"backoff_cap\":5}");
    assert_same_backoff((struct errand_backoff){.base = 30},
                        "{\"backoff\":30,\"backoff_strategy\":\"exponential\"}");
    assert_same_backoff((struct errand_backoff){.jitter = -1}, "{\"backoff_jitter\":0}");
    assert_same_backoff((struct errand_backoff){.jitter = 0.25, .cap = 60.5},
                        "{\"backoff_cap\":60.5,\"backoff_jitter\":0.25}");
    assert_same_backoff((struct errand_backoff){.list = {9},
                                                .list_n = 1,
                                                .strategy = ERRAND_BACKOFF_EXPONENTIAL},
                        "{\"backoff\":[9],\"backoff_strategy\":\"exponential\"}");
    assert_same_backoff((struct errand_backoff){.list = {0},
                                                .list_n = 1,
                                                .strategy = ERRAND_BACKOFF_LINEAR},
                        "{\"backoff\":[0],\"backoff_strategy\":\"linear\"}");
    /* "The default" said aloud wins over a lower level, so it must not get lost. */
    assert_same_backoff((struct errand_backoff){0}, "{\"backoff_strategy\":\"default\"}");
}

TEST(a_number_with_a_strategy_is_its_base_in_any_order)
{
    struct er_options a = decode("{\"backoff\":5,\"backoff_strategy\":\"linear\"}");
    struct er_options b = decode("{\"backoff_strategy\":\"linear\",\"backoff\":5}");
    struct er_options list = decode("{\"backoff_strategy\":\"linear\",\"backoff\":[5]}");

    assert_int_equal(er_backoff_ms(&a.backoff, 3, 0), 15000);
    assert_int_equal(er_backoff_ms(&b.backoff, 3, 0), 15000);
    assert_int_equal(er_backoff_ms(&list.backoff, 3, 0), 5000);
}

/* A newer errand may have written it. */
TEST(what_is_not_known_is_left_out)
{
    struct er_options o =
        decode("{\"colour\":\"red\",\"tries\":4,\"deep\":{\"tries\":[1]},"
               "\"hooks\":[\"failed\",\"exploded\"],\"queue\":null}");

    assert_int_equal(o.has, ER_OPT_TRIES | ER_OPT_HOOKS);
    assert_int_equal(o.tries, 4);
    assert_int_equal(o.hooks, ER_HOOK_FAILED);
}

TEST(names_may_be_escaped_and_the_last_of_two_wins)
{
    assert_int_equal(decode("{\"\\u0074ries\":4}").tries, 4);
    assert_int_equal(decode("{\"tries\":4,\"tries\":5}").tries, 5);
    assert_int_equal(decode("{\"backoff\":[1,2],\"backoff\":3}").backoff.list_n, 1);
    assert_int_equal(decode("{\"tags\":[\"a\",\"b\"],\"tags\":[]}").tags_n, 0);
}

/* JSON.stringify writes half a surrogate pair; a worker must still read the options. */
TEST(strings_of_other_languages_are_read)
{
    assert_string_equal(decode("{\"unique\":\"a\\ud800\"}").unique, "a\xef\xbf\xbd");
}

static const struct {
    const char *json, *message;
} bad[] = {
    {"[]", "options are not a JSON object"},
    {"{\"queue\":1}", "option 'queue' is not a string: 1"},
    {"{\"queue\":\"a\\u0000b\"}",
     "option 'queue' is not a string without NUL: \"a\\u0000b\""},
    {"{\"queue\":\"\"}", "queue is empty"},
    {"{\"tries\":\"3\"}", "option 'tries' is not a whole number: \"3\""},
    {"{\"tries\":1.5}", "option 'tries' is not a whole number: 1.5"},
    {"{\"tries\":0}", "option 'tries' is not in its range: 0"},
    {"{\"tries\":1e9}", "option 'tries' is not in its range: 1e9"},
    {"{\"timeout\":[]}", "option 'timeout' is not a number: []"},
    {"{\"timeout\":1e400}", "option 'timeout' is not a possible time: 1e400"},
    {"{\"timeout\":0}", "timeout is 0 s: more than 0 to 30 days are allowed"},
    {"{\"backoff\":\"60\"}", "option 'backoff' is not a number or an array: \"60\""},
    {"{\"backoff\":[1,\"x\"]}", "option 'backoff' is not a number: \"x\""},
    {"{\"backoff\":-1}",
     "backoff value 1 is -1: seconds from 0 to 31,622,400 are allowed"},
    {"{\"backoff\":[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8]}",
     "option 'backoff' is not an array of at most 16: "
     "[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8]"},
    {"{\"backoff_strategy\":\"magic\"}",
     "option 'backoff_strategy' is not a word it knows: \"magic\""},
    {"{\"backoff_strategy\":2}", "option 'backoff_strategy' is not a string: 2"},
    {"{\"backoff_jitter\":2}", "backoff jitter is 2: a share from 0 to 1 is allowed"},
    {"{\"backoff_cap\":true}", "option 'backoff_cap' is not a number: true"},
    {"{\"tags\":\"a\"}", "option 'tags' is not an array: \"a\""},
    {"{\"tags\":[1]}", "option 'tags' is not a string: 1"},
    {"{\"hooks\":\"failed\"}", "option 'hooks' is not an array: \"failed\""},
    {"{\"hooks\":[1]}", "option 'hooks' is not a string: 1"},
    {"{\"command\":\"ls\"}", "option 'command' is not an array: \"ls\""},
    {"{\"command\":[]}", "command is empty"},
    {"{\"max_data\":99999999999}", "option 'max_data' is not in its range: 99999999999"},
    {"{\"memory\":0}", "option 'memory' is not in its range: 0"},
    {"{\"priority\":2147483648}", "option 'priority' is not in its range: 2147483648"},
    {"{\"zone\":\"UTC\"}", "zone needs schedule"},
    {"{\"rate\":100}", "option 'rate' is not a string: 100"},
    {"{\"rate\":\"fast\"}", "option 'rate' is not a rate such as \"100/60s\": \"fast\""},
    {"{\"rate_key\":\"k\"}", "rate_key and rate_name need rate"},
    {"{\"encrypted\":1}", "option 'encrypted' is not true or false: 1"},
    {"{\"schema\":[]}", "option 'schema' is not an object: []"},
    {"{\"schema\":{\"type\":1}}",
     "schema: 'type' is not one of null, boolean, integer, number, string, array, "
     "object or an array of them"},
    {"{\"key_functions\":\"unique\"}",
     "option 'key_functions' is not an array: \"unique\""},
    {"{\"tries\":\"a string that is longer than forty bytes, so it is cut\"}",
     "option 'tries' is not a whole number: \"a string that is longer than forty "
     "byte..."},
};

TEST(options_that_cannot_be_read_say_which_and_why)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct er_options o = {.tries = 77};
        struct errand_error err = {0};
        assert_error(er_options_decode(slice(bad[i].json), arena, &o, &err), err,
                     ERRAND_EINVAL, bad[i].message);
        assert_int_equal(o.tries, 77);
    }
}

TEST(options_that_are_no_json_say_where)
{
    struct er_options o;
    struct errand_error err;

    assert_error(er_options_decode(slice("{tries:3}"), arena, &o, &err), err,
                 ERRAND_EJSON,
                 "text of the options is not JSON: expected a name in quotes or '}' at "
                 "line 1, column "
                 "2, found 't'");
}

TEST(options_without_room_are_an_error)
{
    struct er_buf small;
    struct er_options o = {.has = ER_OPT_QUEUE, .queue = "a-long-name-for-a-queue"};

    er_buf_init(&small, 16);
    assert_int_equal(er_options_encode(&o, &small), -1);
    er_buf_done(&small);
}

TEST_MAIN()
