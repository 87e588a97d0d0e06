/* no_memory.c: the nth allocation of a call fails, for every n until the call needs no
 * more. It is told, nothing is stored by halves, and the handle works afterwards. */
#include "client/client_test.h"

#include <sys/stat.h>

#include "errand/flow.h"
#include "errand/testing.h"
#include "support/failing_malloc.h"

enum { CALLS_MAX = 5000 };

static volatile long calls;   /* allocations so far */
static volatile long fail_at; /* the one that fails; 0: none */

static bool allocation_fails(void)
{
    return ++calls == fail_at;
}

static bool can_fail(void)
{
    void *volatile p;

    calls = 0;
    fail_at = 1;
    p = malloc(1);
    fail_at = 0;
    free(p);
    return !p;
}

typedef int attempt_fn(void);

/* Answers how many allocations the attempt needs. */
static long fail_everywhere(attempt_fn *attempt, attempt_fn *check)
{
    for (long n = 1; n < CALLS_MAX; n++) {
        bool was_hit;
        int rc;
        err = (struct errand_error){0};
        calls = 0;
        fail_at = n;
        rc = attempt();
        was_hit = calls >= n;
        fail_at = 0;
        if (rc >= 0 && !was_hit)
            return n - 1;
        if (rc < 0 && rc != ERRAND_ENOMEM)
            fail_msg("allocation %ld: %s: %s", n, errand_code_name(rc), err.message);
        if (check)
            check();
    }
    fail_msg("more than %d allocations", CALLS_MAX);
    return 0;
}

/* ------------------------------------------------------------------ configuration */

static int load(void)
{
    const struct er_config_args args = {.cwd = test_folder};
    struct er_config *config = NULL;
    int rc = er_config_load(&args, &config, &err);

    er_config_free(config);
    return rc;
}

static void configuration(void)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/errand.yml", test_folder);
    assert_non_null(f = fopen(path, "w"));
    fputs("url: sqlite:x.db\ndefaults: {backoff: [1, 2]}\nqueues:\n  mail: {tries: 2}\n"
          "worker: {env: [A, B], grace: 1m}\n",
          f);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
    assert_in_range(fail_everywhere(load, NULL), 5, CALLS_MAX);
}

TEST(a_configuration_is_read_or_told_to_lack_memory)
{
    if (!can_fail())
        skip();
    client_test_run("memory", configuration);
}

/* ------------------------------------------------------------------ jobs */

static int64_t jobs_n(void)
{
    struct errand_filter all = {0};
    int64_t n;

    if (er_store_count(er_client_store(e), &all, 0, &n, &err) < 0)
        fail_msg("%s", err.message);
    return n;
}

static int64_t stored_n;

static const struct errand_options said = {.queue = "q", .tries = 5, .timeout = 3};

static int dispatch_one(void)
{
    int rc = errand_dispatch(e, "mail", "{\"a\":1}", &said, NULL, &err);

    stored_n += rc >= 0;
    return rc;
}

static int bulk(void)
{
    static const struct errand_dispatch_item items[20] = {
        {.name = "a"}, {.name = "b"}, {.name = "a"}, {.name = "b"}, {.name = "a"},
        {.name = "a"}, {.name = "b"}, {.name = "a"}, {.name = "b"}, {.name = "a"},
        {.name = "a"}, {.name = "b"}, {.name = "a"}, {.name = "b"}, {.name = "a"},
        {.name = "a"}, {.name = "b"}, {.name = "a"}, {.name = "b"}, {.name = "a"},
    };
    int rc = errand_dispatch_bulk(e, items, 20, NULL, &err);

    stored_n += rc > 0 ? rc : 0;
    return rc;
}

static int nothing_by_halves(void)
{
    assert_int_equal(jobs_n(), stored_n);
    return 0;
}

CLAIM_LOCAL(dispatching_without_memory_stores_all_or_nothing)
{
    if (!can_fail())
        client_test_skip();
    stored_n = 0;
    fail_everywhere(dispatch_one, nothing_by_halves);
    fail_everywhere(bulk, nothing_by_halves);
}

static int chain_and_flow(void)
{
    static const char *const first[] = {"one", NULL};
    static const struct errand_flow_node nodes[] = {{.name = "one"},
                                                    {.name = "two", .after = first}};
    static const struct errand_dispatch_item links[] = {
        {.name = "a"}, {.name = "b", .options = &said}, {.name = "c"}};
    const struct errand_batch_options o = {.name = "n", .finally = &links[0]};
    int rc = errand_chain(e, links, 3, &o, NULL, &err);

    stored_n += rc >= 0 ? 4 : 0;
    if (rc < 0)
        return rc;
    rc = errand_flow(e, nodes, 2, NULL, NULL, &err);
    stored_n += rc >= 0 ? 2 : 0;
    return rc;
}

static struct errand_id batch_looked_at;

static int look_at_batch(void)
{
    struct errand_batch_result *result = NULL;
    int rc = errand_batch_get(e, &batch_looked_at, &result, &err);

    errand_batch_result_free(result);
    return rc;
}

CLAIM_LOCAL(chains_and_flows_without_memory_are_stored_whole_or_not)
{
    static const struct errand_dispatch_item members[] = {{.name = "a"}, {.name = "b"}};

    if (!can_fail())
        client_test_skip();
    stored_n = 0;
    assert_int_equal(errand_batch(e, members, 2, NULL, &batch_looked_at, &err), 2);
    assert_true(work_one(e, ERRAND_OUT_FAIL));
    stored_n += 2;
    fail_everywhere(chain_and_flow, nothing_by_halves);
    fail_everywhere(look_at_batch, NULL);
}

static struct errand_id looked_at;

static int look(void)
{
    struct errand_job_detail *d = NULL;
    int rc = errand_get(e, &looked_at, &d, &err);

    errand_detail_free(d);
    return rc;
}

CLAIM_LOCAL(looking_without_memory_is_told)
{
    if (!can_fail())
        client_test_skip();
    looked_at = dispatched("a", "1", &said);
    assert_in_range(fail_everywhere(look, NULL), 1, CALLS_MAX);
}

static int open_and_close(void)
{
    errand *other = errand_open(test_url, NULL, &err);

    errand_close(other);
    return other ? 0 : err.code;
}

CLAIM_LOCAL(opening_without_memory_is_told)
{
    if (!can_fail())
        client_test_skip();
    assert_in_range(fail_everywhere(open_and_close, NULL), 3, CALLS_MAX);
}

/* ------------------------------------------------------------------ fakes */

static int fake_anew(void)
{
    return errand_fake(e, &err);
}

static int dispatch_to_fake(void)
{
    return errand_dispatch(e, "mail", "{\"a\":1}", &said, NULL, &err);
}

/* What was not recorded must not pass for what was not dispatched. */
static int recorded_or_told(void)
{
    size_t n = errand_fake_dispatched_n(e, "mail");
    struct errand_error why = {0};

    if (!errand_check_dispatched_times(e, "mail", n, &why))
        assert_int_equal(why.code, ERRAND_ENOMEM);
    return 0;
}

CLAIM_LOCAL(a_fake_without_memory_says_so)
{
    if (!can_fail())
        client_test_skip();
    assert_in_range(fail_everywhere(fake_anew, NULL), 3, CALLS_MAX);
    fail_everywhere(dispatch_to_fake, recorded_or_told);
    assert_int_equal(errand_fake(e, &err), 0);
    assert_int_equal(dispatch_to_fake(), 0);
    errand_assert_dispatched_times(e, "mail", 1);
    errand_restore(e);
    assert_int_equal(jobs_n(), 0);
}

/* ------------------------------------------------------------------ the hot path */

CLAIM_LOCAL(resolving_a_plain_job_allocates_nothing)
{
    struct errand_slice data = {"{\"userId\":1}", 12};
    struct errand_push_job job;

    if (!can_fail())
        client_test_skip();
    assert_int_equal(er_client_resolve(e, "a", data, NULL, test_arena, &job, &err), 0);
    calls = 0;
    assert_int_equal(er_client_resolve(e, "a", data, NULL, test_arena, &job, &err), 0);
    assert_int_equal(calls, 0);
}

TEST_MAIN()
