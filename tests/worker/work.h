/* work.h: a store of its own for each test, and a worker that runs in this process until
 * it has nothing to do; the test program is its own runner. */
#ifndef ER_TESTS_WORKER_WORK_H
#define ER_TESTS_WORKER_WORK_H

#include <unistd.h>

#include "support/test.h"

#include "errand/client.h"
#include "errand/worker.h"
#include "worker/runner.h"

static errand *store;
static char store_url[128];
static int stores_n;

static inline int work_setup(void **state)
{
    struct errand_error err = {0};

    (void)state;
    snprintf(store_url, sizeof store_url, "memory:work-%d-%d", (int)getpid(), stores_n++);
    if (!(store = errand_open(store_url, NULL, &err)))
        fprintf(stderr, "%s\n", err.message);
    return store ? 0 : -1;
}

static inline int work_teardown(void **state)
{
    (void)state;
    errand_close(store);
    store = NULL;
    return 0;
}

static inline struct errand_id push(const char *name, const char *data,
                                    const struct errand_options *options)
{
    struct errand_error err = {0};
    struct errand_id id;

    if (errand_dispatch(store, name, data, options, &id, &err) < 0)
        fail_msg("dispatch %s: %s", name, err.message);
    return id;
}

/* Works; what is not said: two at a time, quiet, at most 30 s. */
static inline void work(struct errand_worker_options options)
{
    struct errand_error err = {0};

    if (!options.concurrency)
        options.concurrency = 2;
    if (options.max_time <= 0)
        options.max_time = 30;
    options.is_quiet = !getenv("LOUD");
    if (errand_worker_run(store_url, NULL, &options, &err) < 0)
        fail_msg("the worker ended: %s", err.message);
}

static inline void work_attempts(int n)
{
    work((struct errand_worker_options){.max_jobs = n});
}

static inline void work_all(void)
{
    work((struct errand_worker_options){.stop_when_empty = true});
}

static inline struct errand_job_detail *look(struct errand_id id)
{
    struct errand_error err = {0};
    struct errand_job_detail *job = NULL;

    if (errand_get(store, &id, &job, &err) < 0)
        fail_msg("get %s: %s", id.text, err.message);
    return job;
}

static inline enum errand_state state_of(struct errand_id id)
{
    struct errand_job_detail *job = look(id);
    enum errand_state state = job->job.state;

    errand_detail_free(job);
    return state;
}

static inline void assert_state(struct errand_id id, enum errand_state state)
{
    assert_string_equal(errand_state_name(state_of(id)), errand_state_name(state));
}

static inline void assert_holds(struct errand_slice text, const char *part)
{
    if (!memmem(text.ptr, text.len, part, strlen(part)))
        fail_msg("'%s' is not in '%.*s'", part, (int)text.len, text.ptr ? text.ptr : "");
}

static inline void assert_is(struct errand_slice text, const char *whole)
{
    if (text.len != strlen(whole) || memcmp(text.ptr, whole, text.len) != 0)
        fail_msg("'%.*s' is not '%s'", (int)text.len, text.ptr ? text.ptr : "", whole);
}

#define WORK_MAIN()                                          \
    int main(int argc, char **argv)                          \
    {                                                        \
        if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0) \
            return er_runner_main(argc, argv);               \
        return er_test_main(argc, argv);                     \
    }

#endif
