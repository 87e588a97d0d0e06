/* testing.h: testing what dispatches jobs, and testing jobs. Not part of errand.h: a
 * program that works has no need of it.
 *
 *     errand_fake(e, &err);
 *     sign_up(e, "ann@example.com");                    // the code under test
 *     errand_assert_dispatched_times(e, "send-welcome-email", 1);
 *     errand_assert_dispatched_with(e, "send-welcome-email", "{\"userId\":1}");
 *     errand_restore(e);
 *
 * Everything here hangs off the handle it is given: other handles notice nothing, and the
 * code under test cannot tell. Names match as everywhere, without case and separators.
 *
 * The functions errand_check_… answer true, or false and a message, for any framework.
 * The macros errand_assert_… call them and hand the message to ERRAND_TEST_FAIL(message),
 * which is cmocka's fail_msg where cmocka.h was included before this file. */
#ifndef ERRAND_TESTING_H
#define ERRAND_TESTING_H

#include <stdio.h>
#include <stdlib.h>

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ the fake */

/* From now on what is dispatched through this handle (one, bulk, chain, batch, flow,
 * sync) is recorded, and neither stored nor run. The calls answer as ever, with ids that
 * no store knows; what was stored before is out of reach until errand_restore. Data and
 * options are checked, and what the job's owner has published counts, as ever. Called
 * again it begins anew. ENOMEM, EFORKED. */
ERRAND_API int errand_fake(errand *e, struct errand_error *err);
/* The store is back, and what was recorded is gone. As often as you like; NULL allowed.
 */
ERRAND_API void errand_restore(errand *e);

/* What was recorded, or NULL for a handle that is no fake. Borrowed until errand_restore.
 */
typedef struct errand_fake_queue errand_fake_queue;
ERRAND_API const errand_fake_queue *errand_get_fake(errand *e);

/* How a recorded job was handed out. */
enum errand_fake_way {
    ERRAND_FAKE_DISPATCH = 0, /* by itself, or in bulk */
    ERRAND_FAKE_SYNC = 1,     /* it was to run at once */
    ERRAND_FAKE_CHAIN = 2,
    ERRAND_FAKE_BATCH = 3,
    ERRAND_FAKE_FLOW = 4,
    ERRAND_FAKE_AFTER = 5,    /* follows the end of a chain, batch or flow */
    ERRAND_FAKE_SCHEDULE = 6, /* a schedule fired or was triggered */
};

/* A job as it would have been stored: with what the call, the job, the queue and the
 * configuration say. Zero where nobody says anything. */
struct errand_fake_job {
    const char *name;         /* as dispatched */
    struct errand_slice data; /* a NUL after it */
    struct errand_id id;
    enum errand_fake_way way;
    const char *queue;
    int64_t delay_ms;  /* from the dispatch on; 0: now */
    int64_t run_at_ms; /* 0: now */
    int tries, priority;
    double timeout; /* seconds */
    struct errand_backoff backoff;
    const char *unique;      /* NULL: no key */
    const char *const *tags; /* NULL-terminated */
    struct errand_id batch;  /* chain, batch or flow it is a member of */
    bool is_duplicate;       /* its id or key was taken: nothing would have been stored */
    bool is_in_transaction;
};

/* The i-th job recorded under this name (NULL: any), in order, or NULL: there are fewer,
 * or the handle is no fake. Borrowed until errand_restore. */
ERRAND_API const struct errand_fake_job *errand_fake_dispatched(errand *e,
                                                                const char *name,
                                                                size_t i);
/* The same for those with a delay only. */
ERRAND_API const struct errand_fake_job *errand_fake_pushed(errand *e, const char *name,
                                                            size_t i);
ERRAND_API size_t errand_fake_dispatched_n(errand *e, const char *name);
ERRAND_API bool errand_has_dispatched(errand *e, const char *name);

/* ------------------------------------------------------------------ checks */

/* At least once. */
ERRAND_API bool errand_check_dispatched(errand *e, const char *name,
                                        struct errand_error *err);
ERRAND_API bool errand_check_dispatched_times(errand *e, const char *name, size_t n,
                                              struct errand_error *err);
/* With data that means the same: the order of keys makes no difference. */
ERRAND_API bool errand_check_dispatched_with(errand *e, const char *name,
                                             const char *json, struct errand_error *err);
ERRAND_API bool errand_check_not_dispatched(errand *e, const char *name,
                                            struct errand_error *err);
ERRAND_API bool errand_check_nothing_dispatched(errand *e, struct errand_error *err);
ERRAND_API bool errand_check_pushed_on(errand *e, const char *name, const char *queue,
                                       struct errand_error *err);
/* To the second, or exactly where the test owns the clock. */
ERRAND_API bool errand_check_pushed_with_delay(errand *e, const char *name,
                                               double seconds, struct errand_error *err);
/* Jobs of these names (NULL-terminated), each waiting for the one before, and no others
 * in the chain. */
ERRAND_API bool errand_check_chained(errand *e, const char *const *names,
                                     struct errand_error *err);
/* A batch of jobs of these names, in any order, and no others. */
ERRAND_API bool errand_check_batched(errand *e, const char *const *names,
                                     struct errand_error *err);
/* Do two JSON texts mean the same? The message names the place of the difference. */
ERRAND_API bool errand_check_json(const char *got, const char *want,
                                  struct errand_error *err);

#ifndef ERRAND_TEST_FAIL
#ifdef fail_msg
#define ERRAND_TEST_FAIL(message) fail_msg("%s", message)
#else
#define ERRAND_TEST_FAIL(message) \
    (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, message), abort())
#endif
#endif

#define ERRAND_TEST_CHECK_(call, ...)                     \
    do {                                                  \
        struct errand_error errand_test_error_;           \
        if (!call(__VA_ARGS__, &errand_test_error_))      \
            ERRAND_TEST_FAIL(errand_test_error_.message); \
    } while (0)
#define ERRAND_TEST_NAMES_(...) ((const char *const[]){__VA_ARGS__, NULL})

#define errand_assert_dispatched(e, name) \
    ERRAND_TEST_CHECK_(errand_check_dispatched, e, name)
#define errand_assert_dispatched_times(e, name, n) \
    ERRAND_TEST_CHECK_(errand_check_dispatched_times, e, name, n)
#define errand_assert_dispatched_with(e, name, json) \
    ERRAND_TEST_CHECK_(errand_check_dispatched_with, e, name, json)
#define errand_assert_not_dispatched(e, name) \
    ERRAND_TEST_CHECK_(errand_check_not_dispatched, e, name)
#define errand_assert_nothing_dispatched(e) \
    ERRAND_TEST_CHECK_(errand_check_nothing_dispatched, e)
#define errand_assert_pushed_on(e, name, queue) \
    ERRAND_TEST_CHECK_(errand_check_pushed_on, e, name, queue)
#define errand_assert_pushed_with_delay(e, name, seconds) \
    ERRAND_TEST_CHECK_(errand_check_pushed_with_delay, e, name, seconds)
#define errand_assert_chained(e, ...) \
    ERRAND_TEST_CHECK_(errand_check_chained, e, ERRAND_TEST_NAMES_(__VA_ARGS__))
#define errand_assert_batched(e, ...) \
    ERRAND_TEST_CHECK_(errand_check_batched, e, ERRAND_TEST_NAMES_(__VA_ARGS__))
#define errand_assert_json(got, want) ERRAND_TEST_CHECK_(errand_check_json, got, want)

/* ------------------------------------------------------------------ time */

/* Time stands still at this instant (ms, UTC) for this handle and its store: what it
 * dispatches, drains, counts and looks at. 0: the real time again. Workers and other
 * handles on the same store go by their own time, so leave them out. */
ERRAND_API int errand_test_set_time(errand *e, int64_t now_ms, struct errand_error *err);
/* So many seconds pass: from where time stands still, else from now, where it then stands
 * still. EINVAL for NaN and less than 0. */
ERRAND_API int errand_test_pass(errand *e, double seconds, struct errand_error *err);
/* The time of this handle, ms UTC. */
ERRAND_API int64_t errand_test_time(errand *e);

/* ------------------------------------------------------------------ a store that fails
 */

struct errand_test_failure {
    int code;         /* ERRAND_EBUSY, …; 0: nothing fails any more */
    const char *call; /* "push", "exchange", "get", … as in errand/driver.h; NULL: any */
    int64_t skip_n;   /* calls that work before */
    int64_t times;    /* 0: once; < 0: until further notice */
    /* it was done, but the answer is lost: what a broken connection does */
    bool is_after_commit;
};
/* Calls of this handle on its store fail so. errand_dispatch repeats what may be repeated
 * (EBUSY, for busy_ms), so a single EBUSY is not seen by its caller. EINVAL: no such
 * call, or no code of enum errand_code. */
ERRAND_API int errand_test_fail(errand *e, const struct errand_test_failure *failure,
                                struct errand_error *err);
/* The next call fails with this code. */
ERRAND_API int errand_test_fail_next(errand *e, int code, struct errand_error *err);

/* ------------------------------------------------------------------ running one job */

/* Zero means default. */
struct errand_test_options {
    struct errand_options job; /* id, queue, tries and timeout count here */
    int attempt;               /* 1 */
    /* Where errand_job_dispatch and its like go; a fake records them. NULL: nowhere, they
     * answer EUNSUPPORTED. The job itself is in no store. */
    errand *e;
};

/* What became of one attempt. Freed by errand_test_result_free. */
struct errand_test_result {
    bool is_success; /* the handler answered ERRAND_DONE, and in time */
    int verdict;     /* enum errand_verdict */
    bool is_timed_out;
    struct errand_error error; /* no success: what the handler set, or why it is none */
    const char *result;        /* JSON; NULL: none */
    const char *log;           /* the lines of errand_job_log; "" for none */
    int percent;               /* the last progress; -1: none */
    const char *note;
    double snooze; /* seconds, with ERRAND_SNOOZE */
    int64_t took_ms;
};

/* Runs one attempt of a job class of this program, in this process: with its middleware,
 * its time-out and its timed_out hook, without a store and without a retry. Data is
 * checked as when it is dispatched. 0 whatever the handler answers; ENOTFOUND: no such
 * class; EJSON, ETOOBIG, EINVAL. What overruns its time is not stopped:
 * errand_job_stopping tells it, and what it answers then does not count. */
ERRAND_API int errand_run_test_job(const char *name, const char *data,
                                   const struct errand_test_options *options,
                                   struct errand_test_result **ret_result,
                                   struct errand_error *err);
/* The same for a class at hand, registered or not. */
ERRAND_API int errand_run_test_class(const struct errand_job_class *job_class,
                                     const char *data,
                                     const struct errand_test_options *options,
                                     struct errand_test_result **ret_result,
                                     struct errand_error *err);
ERRAND_API void errand_test_result_free(struct errand_test_result *result);

/* ------------------------------------------------------------------ draining */

enum { ERRAND_DRAIN_MAX = 10000 };

/* Zero means default. */
struct errand_drain_options {
    const char *const *queues; /* NULL-terminated, left first; NULL: all */
    int64_t max_attempts;      /* ERRAND_DRAIN_MAX */
    /* Each attempt that is done is run again, as if its worker had died before it could
     * say so: handlers must bear that. The second answer is the one that counts, and
     * where it is another than the first, `differs_n` counts it. */
    bool twice;
};

struct errand_drained {
    int64_t attempts; /* that ended; a second run of the same is none */
    int64_t completed, failed, retried, snoozed, hooks;
    int64_t differs_n; /* twice: answers that differ */
    char differs[256]; /* the first of them: which job, and how */
};

/* Works all that is READY, one by one, in this process, until nothing is: with retries,
 * hooks, followers, limits and events as a worker has them. What waits for its time waits
 * on: see errand_test_pass. Job classes of this program only; a job of another name fails
 * its attempt. `ret_drained` may be NULL. 0, or ECONFLICT when max_attempts were not
 * enough (a job that dispatches itself), or the store's error; what was drained until
 * then is told. An attempt that overruns its time is told, and counted, when it returns:
 * nothing in this process can stop a handler that hangs, so a test of one belongs to a
 * worker or to errand_dispatch_sync with `isolate`. A lease is 30 s long: a job whose
 * answer a failing store lost is READY after that. */
ERRAND_API int errand_drain(errand *e, const struct errand_drain_options *options,
                            struct errand_drained *ret_drained, struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
