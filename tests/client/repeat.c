/* repeat.c: when a dispatch is tried again, and when it must not be. The driver here is
 * the memory one with a push that fails as often as it is told. */
#include "support/test.h"

#include "client/client.h"
#include "core/clock.h"

static struct errand_driver flaky;
static const struct errand_driver *memory;
static struct {
    int code;  /* what the next pushes answer */
    int left;  /* how many of them */
    int calls; /* pushes so far */
    int definitions;
} told;

static errand *e;
static struct errand_error err;
static struct er_clock fixed = {.fixed_ms = 1000000};

static int flaky_open(const struct errand_open_params *p, struct errand_conn **ret,
                      struct errand_error *error)
{
    struct errand_open_params own = *p;

    own.url = "memory:";
    return memory->open(&own, ret, error);
}

static int flaky_push(struct errand_conn *conn, const struct errand_push_params *p,
                      struct errand_arena *arena, struct errand_push_result *ret,
                      struct errand_error *error)
{
    struct errand_push_params own = *p;

    told.calls++;
    if (told.left > 0) {
        told.left--;
        return errand_error_set(error, told.code, "told to fail");
    }
    own.transaction = NULL;
    return memory->push(conn, &own, arena, ret, error);
}

static int counted_definitions(struct errand_conn *conn, const char *key,
                               struct errand_arena *arena,
                               struct errand_definitions_result *ret,
                               struct errand_error *error)
{
    told.definitions++;
    return memory->definitions(conn, key, arena, ret, error);
}

static void register_once(void)
{
    static const char *const schemes[] = {"flaky", NULL};
    errand *any;

    if (memory)
        return;
    assert_non_null(any = errand_open("memory:", NULL, &err));
    memory = er_store_driver(er_client_store(any));
    errand_close(any);
    flaky = *memory;
    flaky.name = "flaky";
    flaky.schemes = schemes;
    flaky.capabilities |= ERRAND_CAP_TRANSACTION;
    flaky.open = flaky_open;
    flaky.push = flaky_push;
    flaky.definitions = counted_definitions;
    if (errand_driver_register(&flaky, &err) < 0)
        fail_msg("%s", err.message);
}

static int setup(void **state __attribute__((unused)))
{
    register_once();
    memset(&told, 0, sizeof told);
    e = errand_open("flaky:", &(struct errand_config){.busy_ms = 60}, &err);
    return e ? 0 : -1;
}

static int teardown(void **state __attribute__((unused)))
{
    errand_close(e);
    return 0;
}

TEST_FIXTURE(setup, teardown)

static int dispatch_failing(int code, int times, const struct errand_options *options)
{
    told.code = code;
    told.left = times;
    err = (struct errand_error){0};
    return errand_dispatch(e, "a", NULL, options, NULL, &err);
}

TEST(a_busy_store_is_tried_again)
{
    assert_int_equal(dispatch_failing(ERRAND_EBUSY, 2, NULL), ERRAND_INSERTED);
    assert_int_equal(told.calls, 3);
}

TEST(a_store_that_stays_busy_is_told_after_the_time_allowed)
{
    assert_int_equal(dispatch_failing(ERRAND_EBUSY, 100000, NULL), ERRAND_EBUSY);
    assert_true(err.retryable);
    assert_non_null(strstr(err.message, "dispatching 'a'"));
    assert_in_range(told.calls, 2, 61);
}

/* The commit may have worked and its answer been lost: a second push would be a second
 * job. */
TEST(a_lost_answer_is_repeated_only_for_jobs_with_an_id)
{
    const struct errand_options mine = {.id = {"order/1"}};
    const struct errand_dispatch_item mixed[] = {{.name = "a", .options = &mine},
                                                 {.name = "b"}};

    assert_int_equal(dispatch_failing(ERRAND_EUNAVAILABLE, 1, NULL), ERRAND_EUNAVAILABLE);
    assert_int_equal(told.calls, 1);
    assert_int_equal(dispatch_failing(ERRAND_EUNAVAILABLE, 1, &mine), ERRAND_INSERTED);
    assert_int_equal(told.calls, 3);
    told.left = 1;
    assert_int_equal(errand_dispatch_bulk(e, mixed, 2, NULL, &err), ERRAND_EUNAVAILABLE);
    assert_int_equal(told.calls, 4);
}

TEST(what_waiting_does_not_cure_is_told_at_once)
{
    static const int codes[] = {ERRAND_EFULL, ERRAND_ENOMEM, ERRAND_EIO, ERRAND_ECORRUPT,
                                ERRAND_EREADONLY};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        told.calls = 0;
        assert_int_equal(dispatch_failing(codes[i], 1, NULL), codes[i]);
        assert_int_equal(told.calls, 1);
    }
}

TEST(nothing_is_repeated_inside_the_callers_transaction)
{
    const struct errand_options in = {.id = {"order/2"}, .transaction = &err};

    assert_int_equal(dispatch_failing(ERRAND_EBUSY, 1, &in), ERRAND_EBUSY);
    assert_int_equal(told.calls, 1);
}

TEST(a_thousand_jobs_ask_once_for_the_definitions)
{
    er_client_clock(e, &fixed);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(dispatch_failing(0, 0, NULL), ERRAND_INSERTED);
    assert_int_equal(told.definitions, 1);
}

TEST_MAIN()
