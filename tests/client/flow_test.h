/* flow_test.h: what the tests of chains, batches and flows share. */
#ifndef ER_TESTS_FLOW_TEST_H
#define ER_TESTS_FLOW_TEST_H

#include "client/client_test.h"
#include "errand/flow.h"

static inline struct errand_dispatch_item item(const char *name)
{
    return (struct errand_dispatch_item){.name = name};
}

/* Reserves one job and ends it; its name, or "" when none is ready. Valid until the
 * claim ends. */
static inline const char *work(enum errand_outcome_kind kind)
{
    struct errand_exchange_params p = {.max = 1, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result r = {0};
    struct errand_outcome outcome = {.kind = kind};
    const char *name;

    if (kind == ERRAND_OUT_FAIL)
        outcome.error = errand_text("no");
    if (er_store_exchange(er_client_store(e), &p, test_arena, &r, &err) < 0)
        fail_msg("%s", err.message);
    if (r.jobs_n == 0)
        return "";
    name = r.jobs[0].name;
    outcome.token = r.jobs[0].token;
    outcome.id = r.jobs[0].id;
    p = (struct errand_exchange_params){.outcomes = &outcome, .outcomes_n = 1};
    if (er_store_exchange(er_client_store(e), &p, test_arena, &r, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(r.settled[0], ERRAND_SETTLED);
    return name;
}

#define assert_work(kind, name) assert_string_equal(work(ERRAND_OUT_##kind), name)
#define assert_idle() assert_work(DONE, "")

static inline struct errand_batch_result *result_of(struct errand_id id)
{
    struct errand_batch_result *result;

    if (errand_batch_get(e, &id, &result, &err) < 0)
        fail_msg("%s", err.message);
    return result;
}

static inline void assert_result(struct errand_id id, int64_t successful, int64_t failed,
                                 int64_t cancelled, int64_t pending)
{
    struct errand_batch_result *r = result_of(id);

    assert_int_equal(r->successful, successful);
    assert_int_equal(r->failed, failed);
    assert_int_equal(r->cancelled, cancelled);
    assert_int_equal(r->pending, pending);
    assert_int_equal(r->total, successful + failed + cancelled + pending);
    assert_int_equal(r->ended_ms != 0, pending == 0);
    errand_batch_result_free(r);
}

static inline int64_t stored_n(void)
{
    struct errand_filter all = {0};
    int64_t n;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    return n;
}

/* The call is refused with this code and these words, and nothing was stored. */
#define assert_refused(call, want, says)                        \
    do {                                                        \
        int64_t before_ = stored_n();                           \
        err = (struct errand_error){0};                         \
        assert_int_equal(call, want);                           \
        assert_int_equal(err.code, want);                       \
        if (!strstr(err.message, says))                         \
            fail_msg("'%s' is not in '%s'", says, err.message); \
        assert_int_equal(stored_n(), before_);                  \
    } while (0)

#endif
