/* race.c: eight processes on one store: two that push, six that work, all of them reaping
 * and extending beside. Every job runs exactly once, tokens rise, limits hold, sleepers
 * are woken, and in the end all counts are right.
 *
 * ERRAND_RACE_JOBS makes it longer or shorter than 20,000 jobs. Time is real here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/support.h"

enum { PRODUCERS = 2, WORKERS = 6, GROUP = 40, PUSH_GROUP = 50, NARROW_CAP = 2 };

/* What the processes know of each other, beside the store. */
struct shared {
    _Atomic int64_t done;
    _Atomic int narrow_running; /* jobs of the narrow queue that are reserved right now */
    _Atomic int has_failed;
};

static struct shared *shared;
static int64_t jobs_total;
static int ledger;

/* A worker process. */
struct worker {
    struct er_store *store;
    struct errand_arena *arena;
    struct errand_error err;
    struct errand_outcome outcomes[GROUP];
    size_t outcomes_n;
    size_t narrow_n; /* of them, in the narrow queue */
    int64_t last_token;
    char name[32];
};

static void give_up(const char *what, const struct errand_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error ? error->message : "");
    atomic_store(&shared->has_failed, 1);
    _exit(1);
}

static struct er_store *open_here(void)
{
    struct er_store_options options = {
        .open = {.keep_completed_ms = -1, .keep_completed_n = -1}};
    struct errand_error error = {0};
    struct er_store *opened = NULL;

    if (er_store_open(store_url(), &options, &opened, &error) < 0)
        give_up("opening", &error);
    return opened;
}

/* ------------------------------------------------------------------ pushing */

/* Each job has an id of its own; every tenth is pushed twice, and every seventh goes
 * under a cap. */
static void produce(int which)
{
    struct er_store *here = open_here();
    struct errand_arena *memory = er_arena_new();
    struct errand_limit_use narrow = {
        .name = "narrow", .kind = ERRAND_LIMIT_CONCURRENCY, .n = NARROW_CAP};
    struct errand_error error = {0};

    for (int64_t first = which; first < jobs_total;) {
        struct errand_push_job jobs[PUSH_GROUP + 1] = {0};
        struct errand_push_params p = {.jobs = jobs};
        struct errand_push_result ret;
        for (; p.jobs_n < PUSH_GROUP && first < jobs_total; first += PRODUCERS) {
            struct errand_push_job *job = &jobs[p.jobs_n++];
            *job = (struct errand_push_job){.name = "job", .queue = "wide", .tries = 1};
            snprintf(job->id.text, sizeof job->id.text, "job-%lld", (long long)first);
            if (first % 7 == 0) {
                job->queue = "narrow";
                job->limits = &narrow;
                job->limits_n = 1;
            }
            if (first % 10 == 0 && p.jobs_n < PUSH_GROUP)
                jobs[p.jobs_n] = *job, p.jobs_n++;
        }
        if (er_store_push(here, &p, memory, &ret, &error) < 0)
            give_up("pushing", &error);
        er_arena_reset(memory);
    }
    er_arena_free(memory);
    er_store_close(here);
    _exit(0);
}

/* ------------------------------------------------------------------ working */

static void note(const struct worker *w, const struct errand_reserved *job)
{
    char line[160];
    int n = snprintf(line, sizeof line, "%s %d %lld %s\n", job->id.text, job->attempt,
                     (long long)job->token, w->name);

    if (write(ledger, line, (size_t)n) != n)
        give_up("ledger", NULL);
}

static void take(struct worker *w, const struct errand_exchange_result *ret)
{
    if (ret->token && ret->token <= w->last_token)
        give_up("a token did not grow", NULL);
    if (ret->token)
        w->last_token = ret->token;
    for (size_t i = 0; i < ret->jobs_n; i++) {
        const struct errand_reserved *job = &ret->jobs[i];
        bool is_narrow = strcmp(job->queue, "narrow") == 0;
        if (is_narrow && atomic_fetch_add(&shared->narrow_running, 1) >= NARROW_CAP)
            give_up("more run than the limit allows", NULL);
        w->narrow_n += is_narrow;
        note(w, job);
        w->outcomes[w->outcomes_n++] = (struct errand_outcome){
            .kind = ERRAND_OUT_DONE, .token = job->token, .key = job->key, .id = job->id};
    }
}

/* Settles the last group and reserves the next one. The narrow jobs are given up before
 * the call that gives them up in the store: the count here is never above the true one.
 */
static void turn(struct worker *w)
{
    struct errand_exchange_params p = {.outcomes = w->outcomes,
                                       .outcomes_n = w->outcomes_n,
                                       .max = GROUP,
                                       .lease_ms = 60000,
                                       .worker = w->name};
    struct errand_exchange_result ret;

    atomic_fetch_sub(&shared->narrow_running, (int)w->narrow_n);
    w->narrow_n = 0;
    if (er_store_exchange(w->store, &p, w->arena, &ret, &w->err) < 0)
        give_up("exchanging", &w->err);
    for (size_t i = 0; i < w->outcomes_n; i++)
        if (ret.settled[i] != ERRAND_SETTLED)
            give_up("an outcome was lost", NULL);
    atomic_fetch_add(&shared->done, (int64_t)w->outcomes_n);
    w->outcomes_n = 0;
    take(w, &ret);
}

static void side_work(struct worker *w)
{
    struct errand_reap_params reap_params = {.max = 100};
    struct errand_extend_params extend_params = {
        .tokens = &w->last_token, .tokens_n = 1, .lease_ms = 60000};
    struct errand_extend_result extended;
    struct errand_reap_result reaped;

    if (er_store_extend(w->store, &extend_params, w->arena, &extended, &w->err) < 0)
        give_up("extending", &w->err);
    if (er_store_reap(w->store, &reap_params, w->arena, &reaped, &w->err) < 0)
        give_up("reaping", &w->err);
    if (reaped.ready_n || reaped.failed_n)
        give_up("a living lease was reaped", NULL);
}

/* Sleeps until somebody says that there is work; the last job wakes nobody, so not for
 * ever. Arm, look, sleep: what comes between is not missed. */
static void sleep_until_woken(struct worker *w)
{
    struct pollfd p = {.fd = er_store_wait_fd(w->store, &w->err), .events = POLLIN};

    if (p.fd < 0 || er_store_wait_arm(w->store, ERRAND_WAIT_READY, &w->err) < 0)
        give_up("waiting", &w->err);
    turn(w);
    if (!w->outcomes_n && atomic_load(&shared->done) < jobs_total)
        poll(&p, 1, 100);
}

static void work(int which)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w || !(w->arena = er_arena_new()))
        give_up("no memory", NULL);
    snprintf(w->name, sizeof w->name, "worker-%d", which);
    w->store = open_here();
    for (int turns = 0; atomic_load(&shared->done) < jobs_total; turns++) {
        if (atomic_load(&shared->has_failed))
            _exit(1);
        turn(w);
        if (!w->outcomes_n)
            sleep_until_woken(w);
        if (turns % 16 == which)
            side_work(w);
        er_arena_reset(w->arena);
    }
    er_store_close(w->store);
    er_arena_free(w->arena);
    free(w);
    _exit(0);
}

/* ------------------------------------------------------------------ the ledger */

struct line {
    long long job, token;
    int attempt;
    char worker[32];
};

static int by_job(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return (x->job > y->job) - (x->job < y->job);
}

static int by_token(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return (x->token > y->token) - (x->token < y->token);
}

static struct line *ledger_read(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "r");
    struct line *lines = calloc((size_t)jobs_total + 1, sizeof *lines);
    size_t n = 0;

    assert_non_null(f);
    assert_non_null(lines);
    while (n <= (size_t)jobs_total &&
           fscanf(f, "job-%lld %d %lld %31s\n", &lines[n].job, &lines[n].attempt,
                  &lines[n].token, lines[n].worker) == 4)
        n++;
    fclose(f);
    *ret_n = n;
    return lines;
}

static void ledger_check(const char *path)
{
    size_t n;
    struct line *lines = ledger_read(path, &n);

    assert_int_equal(n, jobs_total);
    qsort(lines, n, sizeof *lines, by_job);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(lines[i].job, i);
        assert_int_equal(lines[i].attempt, 1);
    }
    /* A token belongs to one reserve of one process. */
    qsort(lines, n, sizeof *lines, by_token);
    for (size_t i = 1; i < n; i++)
        if (lines[i].token == lines[i - 1].token)
            assert_string_equal(lines[i].worker, lines[i - 1].worker);
    free(lines);
}

/* ------------------------------------------------------------------ the test */

static void spawn_all(pid_t pids[PRODUCERS + WORKERS])
{
    for (int i = 0; i < PRODUCERS + WORKERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0 && i < PRODUCERS)
            produce(i);
        if (pids[i] == 0)
            work(i - PRODUCERS);
    }
}

static void wait_all(pid_t pids[PRODUCERS + WORKERS])
{
    int failures = 0, status;

    for (int i = 0; i < PRODUCERS + WORKERS; i++) {
        while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
            continue;
        failures += status != 0;
    }
    assert_int_equal(failures, 0);
}

static void counts_check(void)
{
    int64_t total = 0;

    for (int s = 0; s < ERRAND_STATES_N; s++) {
        int64_t n = count_of("wide", (enum errand_state)s) +
                    count_of("narrow", (enum errand_state)s);
        total += n;
        if (s != ERRAND_COMPLETED)
            assert_int_equal(n, 0);
    }
    assert_int_equal(total, jobs_total);
    assert_sound();
}

TEST(every_job_runs_exactly_once)
{
    char path[] = "/tmp/errand-ledger-XXXXXX";
    const char *n = getenv("ERRAND_RACE_JOBS");
    pid_t pids[PRODUCERS + WORKERS];

    jobs_total = n ? strtoll(n, NULL, 10) : 20000;
    ledger = mkostemp(path, O_APPEND | O_CLOEXEC);
    assert_true(ledger >= 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    store_setup(NULL);
    if (!er_store_can(store, ERRAND_CAP_SHARED)) {
        store_teardown(NULL);
        skip();
    }
    /* No process inherits a handle. */
    er_store_close(store);
    store = NULL;
    spawn_all(pids);
    wait_all(pids);
    store = open_here();
    ledger_check(path);
    counts_check();
    store_teardown(NULL);
    munmap(shared, sizeof *shared);
    close(ledger);
    unlink(path);
}

TEST_MAIN()
