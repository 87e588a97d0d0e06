/* client_test.h: one claim on every store. CLAIM(text) makes a test for each kind;
 * inside, `e` is an open handle on a store of its own and `err` the error to pass. */
#ifndef ER_TESTS_CLIENT_TEST_H
#define ER_TESTS_CLIENT_TEST_H

#include "support/test.h"

#include <unistd.h>

#include "client/client.h"
#include "client/config.h"
#include "core/clock.h"
#include "support/folder.h"
#include "support/fresh.h"

static errand *e;
static struct errand_error err;
static struct er_clock clock_of_test; /* 0: the real time */
static char test_folder[FOLDER_MAX], test_url[256];
static struct errand_arena *test_arena;

static inline errand *open_again(void)
{
    errand *other = errand_open(test_url, NULL, &err);

    if (!other)
        fail_msg("%s: %s", test_url, err.message);
    return other;
}

static inline void client_test_end(void)
{
    errand_close(e);
    er_arena_free(test_arena);
    assert_true(fresh_remove(test_url));
    assert_int_equal(folder_remove(test_folder), 0);
}

static inline void client_test_run(const char *kind, void (*claim)(void))
{
    assert_int_equal(folder_make(test_folder, "client"), 0);
    if (!fresh_url(kind, test_folder, test_url, sizeof test_url)) {
        folder_remove(test_folder);
        skip();
    }
    err = (struct errand_error){0};
    clock_of_test.fixed_ms = 0;
    assert_non_null(test_arena = er_arena_new());
    e = errand_open(test_url, NULL, &err);
    if (!e)
        fail_msg("%s: %s", test_url, err.message);
    er_client_clock(e, &clock_of_test);
    claim();
    client_test_end();
}

/* skip() jumps out of the claim: what the run holds is given back first. */
static inline void client_test_skip(void)
{
    client_test_end();
    skip();
}

#define CLAIM(claim)                   \
    static void claim(void);           \
    FRESH_EACH(claim, client_test_run) \
    static void claim(void)
/* What a server has done is done, also when its client has no memory for the answer. */
#define CLAIM_LOCAL(claim)              \
    static void claim(void);            \
    FRESH_LOCAL(claim, client_test_run) \
    static void claim(void)

/* Dispatches, and answers what became of it. */
static inline int dispatch(const char *name, const char *data,
                           const struct errand_options *options, struct errand_id *ret_id)
{
    err = (struct errand_error){0};
    return errand_dispatch(e, name, data, options, ret_id, &err);
}

static inline struct errand_id dispatched(const char *name, const char *data,
                                          const struct errand_options *options)
{
    struct errand_id id = {{0}};

    if (dispatch(name, data, options, &id) != ERRAND_INSERTED)
        fail_msg("dispatching '%s': %s", name, err.message);
    assert_true(id.text[0]);
    return id;
}

/* The call fails with this code, the message holds this, and nothing was stored. */
static inline void refuse(const char *name, const char *data,
                          const struct errand_options *options, int code,
                          const char *says)
{
    struct errand_filter all = {0};
    int64_t before, after;

    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &before, &err), 0);
    assert_int_equal(dispatch(name, data, options, NULL), code);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in '%s'", says, err.message);
    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &after, &err), 0);
    assert_int_equal(before, after);
}

static inline struct errand_job_detail *get(const struct errand_id *id)
{
    struct errand_job_detail *detail;

    if (errand_get(e, id, &detail, &err) < 0)
        fail_msg("%s", err.message);
    return detail;
}

static inline void assert_slice(struct errand_slice slice, const char *text)
{
    if (slice.len != strlen(text) || (slice.len && memcmp(slice.ptr, text, slice.len)))
        fail_msg("'%.*s' is not '%s'", (int)slice.len, slice.ptr, text);
}

/* What the owner of a job says in the store. */
static inline void publish(const char *name, const char *key, const char *spec)
{
    struct errand_definition d = {.name = name, .key = key, .spec = {spec, strlen(spec)}};

    if (er_store_define(er_client_store(e), &d, 1, 0, &err) < 0)
        fail_msg("%s", err.message);
}

/* One job is reserved through `through` and ends; answers whether there was one. */
static inline bool work_one(errand *through, enum errand_outcome_kind kind)
{
    struct er_store *store = er_client_store(through);
    struct errand_exchange_params p = {.max = 1, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result r = {0};
    struct errand_outcome outcome = {.kind = kind, .error = {"no", 2}};

    if (er_store_exchange(store, &p, test_arena, &r, &err) < 0)
        fail_msg("%s", err.message);
    if (r.jobs_n == 0)
        return false;
    outcome.token = r.jobs[0].token;
    outcome.key = r.jobs[0].key;
    outcome.id = r.jobs[0].id;
    p = (struct errand_exchange_params){.outcomes = &outcome, .outcomes_n = 1};
    if (er_store_exchange(store, &p, test_arena, &r, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(r.settled[0], ERRAND_SETTLED);
    return true;
}

#endif
