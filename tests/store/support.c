/* support.c: see support.h. */
#include "store/support.h"

#include <limits.h>
#include <unistd.h>

#include "store/rehearsal/rehearsal.h"
#include "support/fresh.h"

enum { SUITE_MAX = 1024, SECONDS_MAX = 8 };

struct er_store *store;
struct errand_arena *arena;
struct errand_error err;
int64_t now;
const int64_t START = 1700000000000; /* 2023-11-14 */

static struct CMUnitTest suite[SUITE_MAX];
static size_t suite_n;
static struct er_store *seconds[SECONDS_MAX];
static size_t seconds_n;
static char current_url[PATH_MAX];
static char temp_dir[32]; /* "" until it is needed */

/* ------------------------------------------------------------------ suites */

void suite_add(struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(suite_n < SUITE_MAX);
        suite[suite_n] = tests[i];
        suite[suite_n].setup_func = store_setup;
        suite[suite_n].teardown_func = store_teardown;
        suite_n++;
    }
}

int suite_run(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-t") == 0)
        cmocka_set_test_filter(argv[2]);
    return _cmocka_run_group_tests(argv[0], suite, suite_n, NULL, NULL);
}

/* ------------------------------------------------------------------ the store */

static const char *temp(void)
{
    if (!temp_dir[0]) {
        snprintf(temp_dir, sizeof temp_dir, "/tmp/errand-store-XXXXXX");
        assert_non_null(mkdtemp(temp_dir));
    }
    return temp_dir;
}

static const char *kind(void)
{
    const char *name = getenv("ERRAND_TEST_URL");

    return name ? name : "memory";
}

/* Before any test: without its server a suite is skipped as a whole. */
__attribute__((constructor)) static void server_need(void)
{
    char url[PATH_MAX];

    if (!fresh_url(kind(), "", url, sizeof url))
        _exit(FRESH_SKIPPED);
}

const char *store_fresh_url(void)
{
    static char url[PATH_MAX];

    assert_true(
        fresh_url(kind(), strcmp(kind(), "sqlite") == 0 ? temp() : "", url, sizeof url));
    return url;
}

const char *store_url(void)
{
    return current_url;
}

bool store_remove_under(void)
{
    return fresh_remove_under(current_url);
}

void store_remove(const char *url)
{
    if (!fresh_remove_under(url))
        return;
    /* Gone with the last store in it; the next one makes another. */
    if (temp_dir[0] && rmdir(temp_dir) == 0)
        temp_dir[0] = '\0';
}

static struct er_store_options with_defaults(struct er_store_options options)
{
    options.open.create = true;
    return options;
}

static struct er_store *open_it(struct er_store_options options)
{
    struct er_store *opened = NULL;

    ok(er_store_open(current_url, &options, &opened, &err));
    if (getenv("ERRAND_TEST_REHEARSED")) {
        struct er_rehearsal *rehearsal;
        ok(er_rehearsal_begin(opened, &rehearsal, &err));
    }
    return opened;
}

/* All history is kept unless a test says otherwise. */
static const struct er_store_options keep_all = {
    .open = {.keep_completed_ms = -1, .keep_completed_n = -1}};

int store_setup(void **state)
{
    (void)state;
    snprintf(current_url, sizeof current_url, "%s", store_fresh_url());
    now = START;
    arena = er_arena_new();
    assert_non_null(arena);
    store = open_it(with_defaults(keep_all));
    return 0;
}

int store_teardown(void **state)
{
    (void)state;
    if (store)
        assert_sound();
    while (seconds_n)
        er_store_close(seconds[--seconds_n]);
    er_store_close(store);
    store = NULL;
    er_arena_free(arena);
    arena = NULL;
    store_remove(current_url);
    return 0;
}

void store_reopen(struct er_store_options options)
{
    struct er_store *old = store;

    /* The new one first: a store in memory is gone with its last connection. */
    store = open_it(with_defaults(options));
    er_store_close(old);
}

void store_move_to(const char *url)
{
    struct er_store *old = store;
    char old_url[PATH_MAX];

    snprintf(old_url, sizeof old_url, "%s", current_url);
    snprintf(current_url, sizeof current_url, "%s", url);
    store = open_it(with_defaults(keep_all));
    er_store_close(old);
    store_remove(old_url);
}

struct er_store *store_second(void)
{
    assert_true(seconds_n < SECONDS_MAX);
    return seconds[seconds_n++] = open_it(with_defaults(keep_all));
}

void assert_ok(int rc, const char *call, const char *file, int line)
{
    if (rc >= 0)
        return;
    print_error("%s: %s (%s)\n", call, err.message, errand_code_name(rc));
    _fail(file, line);
}

void assert_fails(int code, int rc, const char *call, const char *file, int line)
{
    if (rc == code && err.code == code && err.message[0])
        return;
    print_error("%s: %s instead of %s: %s\n", call,
                rc < 0 ? errand_code_name(rc) : "worked", errand_code_name(code),
                rc < 0 ? err.message : "");
    _fail(file, line);
}

/* ------------------------------------------------------------------ push */

struct errand_id id_of(const char *text)
{
    struct errand_id id = {{0}};

    snprintf(id.text, sizeof id.text, "%s", text);
    return id;
}

static struct errand_push_job job_defaults(struct errand_push_job job)
{
    if (!job.name)
        job.name = "job";
    if (!job.queue)
        job.queue = DEFAULT_QUEUE;
    if (!job.tries)
        job.tries = 3;
    if (!job.data.ptr)
        job.data = slice("null");
    return job;
}

static struct errand_push_result last_push;

int try_push(struct errand_push_params p)
{
    struct errand_push_job *jobs = errand_arena_alloc(arena, p.jobs_n * sizeof *jobs);

    assert_non_null(jobs);
    for (size_t i = 0; i < p.jobs_n; i++)
        jobs[i] = job_defaults(p.jobs[i]);
    p.jobs = jobs;
    p.now_ms = now;
    return er_store_push(store, &p, arena, &last_push, &err);
}

struct errand_push_result push_all(struct errand_push_params p)
{
    ok(try_push(p));
    return last_push;
}

struct errand_pushed_job push_job(struct errand_push_job job)
{
    return push_all((struct errand_push_params){.jobs = &job, .jobs_n = 1}).jobs[0];
}

struct errand_id push(const char *name)
{
    return push_on(DEFAULT_QUEUE, name);
}

struct errand_id push_on(const char *queue, const char *name)
{
    struct errand_pushed_job pushed =
        push_job((struct errand_push_job){.name = name, .queue = queue});

    assert_int_equal(pushed.pushed, ERRAND_INSERTED);
    return pushed.id;
}

struct errand_id push_after(const char *name, struct errand_id parent,
                            enum errand_edge_on on)
{
    struct errand_push_job job = {.name = name};
    struct errand_edge edge = {.parent_id = parent, .on = on};

    return push_all((struct errand_push_params){
                        .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1})
        .jobs[0]
        .id;
}

/* ------------------------------------------------------------------ work */

struct errand_exchange_result exchange(struct errand_exchange_params p)
{
    struct errand_exchange_result ret;

    p.now_ms = now;
    if (!p.lease_ms)
        p.lease_ms = LEASE_MS;
    if (!p.worker)
        p.worker = "worker";
    p.want_moves = true;
    ok(er_store_exchange(store, &p, arena, &ret, &err));
    return ret;
}

struct errand_exchange_result reserve(size_t max)
{
    return exchange((struct errand_exchange_params){.max = max});
}

struct errand_exchange_result reserve_from(const char *queue, size_t max)
{
    return exchange(
        (struct errand_exchange_params){.max = max, .queues = &queue, .queues_n = 1});
}

struct errand_reserved reserve_one(void)
{
    struct errand_exchange_result ret = reserve(1);

    assert_int_equal(ret.jobs_n, 1);
    return ret.jobs[0];
}

void reserve_none(void)
{
    assert_int_equal(reserve(10).jobs_n, 0);
}

enum errand_settled settle_moves(struct errand_reserved job,
                                 struct errand_outcome outcome,
                                 struct errand_exchange_result *ret)
{
    outcome.token = job.token;
    outcome.key = job.key;
    outcome.id = job.id;
    *ret =
        exchange((struct errand_exchange_params){.outcomes = &outcome, .outcomes_n = 1});
    return ret->settled[0];
}

enum errand_settled settle(struct errand_reserved job, struct errand_outcome outcome)
{
    struct errand_exchange_result ret;

    return settle_moves(job, outcome, &ret);
}

void done(struct errand_reserved job)
{
    assert_int_equal(settle(job, (struct errand_outcome){.kind = ERRAND_OUT_DONE}),
                     ERRAND_SETTLED);
}

void failed(struct errand_reserved job)
{
    assert_int_equal(settle(job, (struct errand_outcome){.kind = ERRAND_OUT_FAIL,
                                                         .error = slice("no luck")}),
                     ERRAND_SETTLED);
}

struct errand_id run_done(const char *name)
{
    struct errand_id id = push(name);

    done(reserve_one());
    assert_state(id, ERRAND_COMPLETED);
    return id;
}

struct errand_id run_failed(const char *name)
{
    struct errand_id id = push(name);

    failed(reserve_one());
    assert_state(id, ERRAND_FAILED);
    return id;
}

struct errand_change_result change_all(struct errand_change_params p)
{
    struct errand_change_result ret;

    p.now_ms = now;
    p.want_moves = true;
    ok(er_store_change(store, &p, arena, &ret, &err));
    return ret;
}

enum errand_changed change(enum errand_change_kind kind, struct errand_id id)
{
    struct errand_change_params p = {.kind = kind, .ids = &id, .ids_n = 1};

    return change_all(p).changed[0];
}

struct errand_reap_result reap(void)
{
    struct errand_reap_params p = {.now_ms = now, .max = 1000, .want_moves = true};
    struct errand_reap_result ret;

    ok(er_store_reap(store, &p, arena, &ret, &err));
    return ret;
}

/* ------------------------------------------------------------------ look */

struct errand_job_detail look(struct errand_id id)
{
    struct errand_job_detail ret;

    ok(er_store_get(store, &id, now, arena, &ret, &err));
    return ret;
}

bool is_gone(struct errand_id id)
{
    struct errand_job_detail ret;
    int rc = er_store_get(store, &id, now, arena, &ret, &err);

    if (rc != ERRAND_ENOTFOUND)
        ok(rc);
    return rc == ERRAND_ENOTFOUND;
}

void assert_state(struct errand_id id, enum errand_state state)
{
    assert_string_equal(errand_state_name(look(id).job.state), errand_state_name(state));
}

struct errand_queue_info queue_info(const char *queue)
{
    struct errand_queues_result ret;

    ok(er_store_queues(store, now, arena, &ret, &err));
    for (size_t i = 0; i < ret.queues_n; i++)
        if (strcmp(ret.queues[i].name, queue) == 0)
            return ret.queues[i];
    return (struct errand_queue_info){0};
}

int64_t count_of(const char *queue, enum errand_state state)
{
    return queue_info(queue).counts[state];
}

struct errand_batch_info batch_info(struct errand_id id)
{
    struct errand_batch_info ret;

    ok(er_store_batch_get(store, &id, arena, &ret, &err));
    return ret;
}

void assert_sound(void)
{
    struct errand_check_result ret;

    ok(er_store_check(store, now, arena, &ret, &err));
    for (size_t i = 0; i < ret.findings_n; i++)
        print_error("%s\n", ret.findings[i]);
    assert_int_equal(ret.findings_n, 0);
}
