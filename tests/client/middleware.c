/* middleware.c: what the built-in middleware of a class makes of a dispatch. */
#include "client/client_test.h"

#include <math.h>

#include "client/class.h"
#include "errand/limit.h"
#include "errand/middleware.h"

static int handle(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    return ERRAND_DONE;
}

static int around(errand_job *job, errand_next *next, void *config,
                  struct errand_error *error)
{
    (void)job;
    (void)config;
    return errand_next_run(next, error);
}

static bool never(errand_job *job, void *config)
{
    (void)job;
    (void)config;
    return false;
}

/* The key is the first letter of the data. */
static int first_letter(struct errand_slice data, char *ret_key, size_t size,
                        struct errand_error *error)
{
    if (data.len < 3 || data.ptr[0] != '"')
        return errand_error_set(error, ERRAND_EINVAL, "the data is not a word");
    snprintf(ret_key, size, "%c", data.ptr[1]);
    return 0;
}

ERRAND_JOB(ProcessOrder, .handle = handle,
           .middleware = ERRAND_MIDDLEWARE(
               ERRAND_USE(around, NULL),
               ERRAND_UNIQUE(.key = "order:{orderId}", .ttl = 3600),
               ERRAND_RATE_LIMIT(.name = "notifications", .max = 100, .per = 60),
               ERRAND_WITHOUT_OVERLAPPING(.key = "{orderId}")))
ERRAND_JOB(ByLetter, .handle = handle,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key_function = first_letter,
                                                         .policy = ERRAND_UNIQUE_REPLACE),
                                           ERRAND_RATE_LIMIT(.key_function = first_letter,
                                                             .max = 1, .per = 60),
                                           ERRAND_THROTTLE(.max = 3, .per = 1)))

static struct er_options options_of(const struct errand_middleware *list)
{
    const struct errand_job_class c = {
        .name = "Test", .handle = handle, .middleware = list};
    struct er_options o = {0};

    if (er_class_options(&c, &o, &err) < 0)
        fail_msg("%s", err.message);
    return o;
}

static void assert_bad(const struct errand_job_class *c, const char *message)
{
    struct er_options o;

    err = (struct errand_error){0};
    assert_int_equal(er_class_options(c, &o, &err), ERRAND_EINVAL);
    assert_string_equal(err.message, message);
}
#define BAD(message, ...)                                                                \
    assert_bad(&(struct errand_job_class){.name = "Test",                                \
                                          .handle = handle,                              \
                                          .middleware = ERRAND_MIDDLEWARE(__VA_ARGS__)}, \
               message)

/* ------------------------------------------------------------------ lists */

TEST(built_in_middleware_is_published_as_options)
{
    struct er_options o = options_of(
        ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key = "a"), ERRAND_WITHOUT_OVERLAPPING(),
                          ERRAND_THROTTLE(.max = 2, .per = 0.5, .key = "{b}")));

    assert_int_equal(o.has, ER_OPT_UNIQUE | ER_OPT_CONCURRENCY | ER_OPT_THROTTLE);
    assert_int_equal(o.unique_until, ERRAND_UNIQUE_DONE);
    assert_int_equal(o.concurrency, 1);
    assert_int_equal(o.throttle.per_ms, 500);
    assert_string_equal(o.throttle_key, "{b}");
    assert_int_equal(options_of(ERRAND_MIDDLEWARE(ERRAND_USE(around, NULL),
                                                  ERRAND_SKIP_IF(never, NULL)))
                         .has,
                     0);
}

TEST(a_list_that_cannot_run_is_an_error_that_names_the_entry)
{
    struct errand_middleware many[40];
    struct errand_job_class both = {.name = "Test",
                                    .handle = handle,
                                    .unique = "a",
                                    .middleware =
                                        ERRAND_MIDDLEWARE(ERRAND_UNIQUE(.key = "b"))};

    BAD("middleware 2: ERRAND_USE has no function", ERRAND_USE(around, NULL),
        ERRAND_USE(NULL, NULL));
    BAD("middleware 1: ERRAND_SKIP_IF has no function", ERRAND_SKIP_IF(NULL, NULL));
    BAD("middleware 1: kind 77 has no meaning", {.kind = 77});
    BAD("middleware 1: ERRAND_UNIQUE has no .key", ERRAND_UNIQUE(.ttl = 5));
    BAD("middleware 1: .per means nothing to ERRAND_UNIQUE",
        ERRAND_UNIQUE(.key = "a", .per = 5));
    BAD("middleware 1: .key_function means nothing to ERRAND_THROTTLE",
        ERRAND_THROTTLE(.max = 1, .per = 1, .key_function = first_letter));
    BAD("middleware 1: ERRAND_UNIQUE has .key and .key_function; say one",
        ERRAND_UNIQUE(.key = "a", .key_function = first_letter));
    BAD("middleware 2: a second ERRAND_RATE_LIMIT; a class has one",
        ERRAND_RATE_LIMIT(.max = 1, .per = 1), ERRAND_RATE_LIMIT(.max = 1, .per = 1));
    for (size_t i = 0; i < 40; i++)
        many[i] = (struct errand_middleware)ERRAND_USE(around, NULL);
    assert_int_equal(er_middleware_check(many, &err), ERRAND_EINVAL);
    assert_bad(&both, "unique is said by .unique and by ERRAND_UNIQUE; say one");
}

TEST(numbers_that_mean_nothing_are_refused_with_their_place)
{
    BAD("rate is 0 in a window: 1 to 1000000 are allowed", ERRAND_RATE_LIMIT(.per = 60));
    BAD("rate is per 0 ms: more than 0 to 366 days are allowed",
        ERRAND_RATE_LIMIT(.max = 60));
    BAD("ERRAND_RATE_LIMIT: per: nan is not a time in seconds",
        ERRAND_RATE_LIMIT(.max = 1, .per = NAN));
    BAD("ERRAND_UNIQUE: ttl: -1 is not a time in seconds",
        ERRAND_UNIQUE(.key = "a", .ttl = -1));
    BAD("unique_policy is 9, which has no meaning",
        ERRAND_UNIQUE(.key = "a", .policy = (enum errand_unique_policy)9));
    BAD("concurrency is -1: 1 to 1000000 are allowed",
        ERRAND_WITHOUT_OVERLAPPING(.max = -3));
    BAD("concurrency_key: template '{a' has a '{' at position 1 without a path and a "
        "'}': "
        "write '{{' for a brace",
        ERRAND_WITHOUT_OVERLAPPING(.key = "{a"));
    BAD("throttle is -1 in a window: 1 to 1000000 are allowed",
        ERRAND_THROTTLE(.max = -1, .per = 1));
    BAD("rate_name 'a b' has a wrong character at position 2: letters, digits and _ . : "
        "/ - "
        "are allowed",
        ERRAND_RATE_LIMIT(.max = 1, .per = 1, .name = "a b"));
}

/* ------------------------------------------------------------------ dispatching */

/* What a dispatch would push. */
static struct errand_push_job resolved(const char *name, const char *data,
                                       const struct errand_options *options)
{
    struct errand_push_job job;

    if (er_client_resolve(e, name, (struct errand_slice){data, strlen(data)}, options,
                          test_arena, &job, &err) < 0)
        fail_msg("%s", err.message);
    return job;
}

static void assert_limit(const struct errand_limit_use *use, const char *name,
                         const char *key, int64_t n, int64_t per_ms)
{
    assert_string_equal(use->name, name);
    assert_slice(use->key, key);
    assert_int_equal(use->n, n);
    assert_int_equal(use->per_ms, per_ms);
    assert_int_equal(use->kind, per_ms ? ERRAND_LIMIT_RATE : ERRAND_LIMIT_CONCURRENCY);
}

CLAIM(a_dispatch_brings_the_keys_and_limits_of_its_class)
{
    struct errand_push_job job = resolved("process-order", "{\"orderId\":7}", NULL);

    assert_slice(job.unique->key, "processorder:order:7");
    assert_int_equal(job.unique->ttl_ms, 3600000);
    assert_int_equal(job.limits_n, 2);
    assert_limit(&job.limits[0], "notifications", "", 100, 60000);
    assert_limit(&job.limits[1], "concurrency:processorder", "7", 1, 0);
    assert_int_equal(job.options.len, 0);
}

CLAIM(a_key_function_runs_where_the_code_is)
{
    struct errand_push_job job = resolved("by-letter", "\"word\"", NULL);

    assert_slice(job.unique->key, "byletter:w");
    assert_int_equal(job.unique->policy, ERRAND_UNIQUE_REPLACE);
    assert_int_equal(job.limits_n, 1);
    assert_limit(&job.limits[0], "rate:byletter", "w", 1, 60000);
    refuse("by-letter", "7", NULL, ERRAND_EINVAL,
           "unique key of 'by-letter': the data is not a word");
}

CLAIM(what_is_published_limits_without_the_code)
{
    struct errand_push_job job;

    publish("Export", "export",
            "{\"rate\":\"5/1s\",\"rate_key\":\"{user}\",\"concurrency\":2}");
    job = resolved("export", "{\"user\":\"ann\"}", NULL);
    assert_int_equal(job.limits_n, 2);
    assert_limit(&job.limits[0], "rate:export", "ann", 5, 1000);
    assert_limit(&job.limits[1], "concurrency:export", "", 2, 0);
    refuse("process-order", "{}", NULL, ERRAND_EINVAL,
           "data of 'process-order' and its unique key 'order:{orderId}'");
}

/* Another process has the code: the job goes without, and gets them when it starts. */
CLAIM(a_key_that_only_the_code_can_make_is_left_to_who_has_it)
{
    struct errand_push_job job;

    publish("Remote", "remote",
            "{\"unique_until\":\"done\",\"rate\":\"5/1s\","
            "\"key_functions\":[\"unique\",\"rate\"],\"concurrency\":2}");
    job = resolved("remote", "1", NULL);
    assert_null(job.unique);
    assert_int_equal(job.limits_n, 1);
    assert_limit(&job.limits[0], "concurrency:remote", "", 2, 0);
}

CLAIM(what_a_call_says_of_limits_stands_before_the_class)
{
    struct errand_options o = {.rate = {.max = 3, .per = 1, .key = "x{y"},
                               .concurrency = {.max = 9, .name = "db"},
                               .unique = "own",
                               .throttle = {.max = 1, .per = 2}};
    struct errand_push_job job = resolved("process-order", "{\"orderId\":7}", &o);

    assert_slice(job.unique->key, "own");
    assert_int_equal(job.limits_n, 2);
    assert_limit(&job.limits[0], "rate:processorder", "x{y", 3, 1000);
    assert_limit(&job.limits[1], "db", "", 9, 0);
    assert_slice(job.options, "{\"throttle\":\"1/2s\"}");
}

CLAIM(a_call_with_a_limit_that_means_nothing_is_refused_with_its_place)
{
    char long_key[10241];
    const struct {
        struct errand_options o;
        const char *says;
    } bad[] = {
        {{.rate = {.per = 1}}, "rate: max is 0"},
        {{.rate = {.max = 1}}, "rate is per 0 ms"},
        {{.rate = {.max = -5, .per = 1}}, "rate: max is -5"},
        {{.rate = {.max = 5, .per = NAN}}, "rate: per: nan is not a time"},
        {{.throttle = {.max = 5, .per = -1}}, "throttle: per: -1 is not a time"},
        {{.concurrency = {.key = "a"}}, "concurrency_key and concurrency_name need"},
        {{.concurrency = {.max = -1}}, "concurrency is -1"},
        {{.rate = {.max = 1, .per = 1, .name = "a b"}}, "rate_name 'a b' has a wrong"},
        {{.rate = {.max = 1, .per = 1, .key = long_key}},
         "rate: the key has 10240 bytes"},
        {{.concurrency = {.max = 1, .key = long_key}}, "the key has 10240 bytes"},
        {{.unique = long_key}, "unique: the key has 10240 bytes"},
        {{.unique = "a", .unique_policy = (enum errand_unique_policy)7},
         "unique_policy: 7 is none of the enum"},
    };

    memset(long_key, 'k', 10240);
    long_key[10240] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse("a", "1", &bad[i].o, ERRAND_EINVAL, bad[i].says);
}

CLAIM(a_key_of_ten_kilobytes_from_the_data_is_refused)
{
    char data[10300];

    snprintf(data, sizeof data, "{\"orderId\":\"%0*d\"}", 10240, 0);
    refuse(
        "process-order", data, NULL, ERRAND_EINVAL,
        "unique key of 'process-order' has 10246 bytes with this data, 512 are allowed");
}

/* From push to reserve: the second of a key waits, without an attempt. */
CLAIM(jobs_of_one_key_do_not_overlap)
{
    struct errand_options o = {.concurrency = {.max = 1, .key = "a"}};
    struct errand_exchange_params p = {.max = 10, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result r = {0};

    dispatched("one", "1", &o);
    dispatched("one", "1", &o);
    o.concurrency.key = "b";
    dispatched("one", "1", &o);
    assert_int_equal(er_store_exchange(er_client_store(e), &p, test_arena, &r, &err), 0);
    assert_int_equal(r.jobs_n, 2);
}

CLAIM(limits_are_set_listed_and_removed)
{
    struct errand_limit l = {.name = "api",
                             .kind = ERRAND_LIMIT_RATE,
                             .scope = ERRAND_SCOPE_KEY,
                             .target = "{user}",
                             .n = 5,
                             .per_ms = 1000};
    struct errand_limit_list *list;

    assert_int_equal(errand_limit_set(e, &l, &err), 0);
    assert_int_equal(errand_limit_list(e, &list, &err), 0);
    assert_int_equal(list->limits_n, 1);
    assert_string_equal(list->limits[0].limit.name, "api");
    assert_string_equal(list->limits[0].limit.target, "{user}");
    assert_int_equal(list->limits[0].limit.n, 5);
    errand_limit_list_free(list);
    assert_int_equal(errand_limit_remove(e, "api", &err), 0);
    assert_int_equal(errand_limit_remove(e, "api", &err), ERRAND_ENOTFOUND);
    assert_int_equal(errand_limit_remove(e, NULL, &err), ERRAND_EINVAL);
    l.n = 0;
    assert_int_equal(errand_limit_set(e, &l, &err), ERRAND_EINVAL);
    l.n = 1;
    l.target = "{user";
    assert_int_equal(errand_limit_set(e, &l, &err), ERRAND_EINVAL);
    l.scope = (enum errand_limit_scope)9;
    assert_int_equal(errand_limit_set(e, &l, &err), ERRAND_EINVAL);
    errand_limit_list_free(NULL);
}

TEST_MAIN()
