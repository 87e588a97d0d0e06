/* events.c: case 24, events and health. */
#include "cases/cases.h"

#include <errand/events.h>
#include <errand/health.h>

static int on_second(errand_job *job, struct errand_error *error)
{
    if (errand_job_attempt(job) >= 2)
        return ERRAND_DONE;
    errand_error_set(error, ERRAND_EJOB, "not yet");
    return ERRAND_RETRY;
}
ERRAND_JOB(SecondTime, .handle = on_second, .tries = 2, .backoff = ERRAND_BACKOFF(0.05))

/* ------------------------------------------------------------------ events */

struct heard {
    struct errand_event events[16];
    char types[16][32];
    size_t n;
};

static void hear(const struct errand_event *event, void *ctx)
{
    struct heard *h = ctx;

    if (strncmp(event->type, "job:", 4) != 0 || h->n == 16)
        return;
    snprintf(h->types[h->n], sizeof h->types[0], "%s", event->type);
    h->events[h->n++] = *event;
}

static void assert_story(const struct heard *h, struct errand_id id)
{
    static const char *const want[] = {"job:dispatched", "job:started", "job:retrying",
                                       "job:started", "job:completed"};

    assert_int_equal(h->n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(h->types[i], want[i]);
        assert_string_equal(h->events[i].id.text, id.text);
    }
    assert_int_equal(h->events[1].attempt, 1);
    assert_int_equal(h->events[2].attempt, 2);
    assert_int_equal(h->events[2].delay_ms, 50);
    assert_int_equal(h->events[3].attempt, 2);
    assert_true(h->events[4].duration_ms >= 0);
}

CASE(case_24_a_job_that_fails_once_is_told_in_five_events)
{
    struct heard h = {0};
    errand_listener *listener = errand_on(e, NULL, hear, &h, &err);
    struct errand_id id;

    assert_non_null(listener);
    id = push("second-time", NULL, NULL);
    work_attempts(2);
    errand_off(listener);
    assert_story(&h, id);
    assert_state(id, ERRAND_COMPLETED);
}

/* The nearest thing in C to a listener that throws: one whose process dies of it. */
static void die(const struct errand_event *event, void *ctx)
{
    (void)event;
    (void)ctx;
    _exit(9);
}

CASE_SHARED(case_24_a_listener_that_dies_changes_nothing)
{
    struct heard h = {0};
    errand_listener *listener;
    int ready[2], status;
    struct errand_id id;
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        errand *own = errand_open(case_url, NULL, NULL);
        if (!own || !errand_on(own, "started", die, NULL, NULL) ||
            write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    /* After the fork: that is only safe in a process with one thread. */
    listener = errand_on(e, NULL, hear, &h, &err);
    id = push("second-time", NULL, NULL);
    work_attempts(2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 9);
    errand_off(listener);
    assert_story(&h, id);
    assert_state(id, ERRAND_COMPLETED);
    close(ready[0]);
    close(ready[1]);
}

CASE_SHARED(case_24_the_command_shows_the_same_five_events)
{
    struct run r;

    assert_code(
        sh("mine migrate >/dev/null; mine queue:events --follow --json >seen & pid=$!; "
           "i=0; until mine queue:dispatch probe --queue=probe --delay=1d >/dev/null && "
           "grep -q probe seen || [ $((i=i+1)) -gt 200 ]; do sleep 0.05; done; "
           "mine queue:dispatch second-time --id=the-job >/dev/null; "
           "mine queue:work --max-jobs=2 2>/dev/null; sleep 0.3; kill -INT $pid; "
           "wait $pid"),
        0);
    r = sh(
        "grep the-job seen | sed 's/.*\"type\":\"\\([^\"]*\\)\".*/\\1/' | tr '\\n' ' '");
    assert_string_equal(r.out, "job:dispatched job:started job:retrying job:started "
                               "job:completed ");
    assert_code(sh("grep the-job seen | sed -n 3p | grep '\"attempt\":2'"), 0);
}

/* ------------------------------------------------------------------ slow ones */

static int on_quick(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    return ERRAND_DONE;
}
ERRAND_JOB(Quick, .handle = on_quick)

enum { MANY = 10000, PART = 1000 };

static void push_many(void)
{
    struct errand_dispatch_item items[PART];

    for (size_t i = 0; i < PART; i++)
        items[i] = (struct errand_dispatch_item){.name = "quick"};
    for (int n = 0; n < MANY; n += PART)
        assert_int_equal(errand_dispatch_bulk(e, items, PART, NULL, &err), PART);
}

/* In a process of its own: says that it follows, is stopped, and when it goes on answers
 * whether it was told that it had missed something, and saw the last job. */
static void follow_and_stop(int out)
{
    errand *own = errand_open(case_url, NULL, NULL);
    errand_events *events = own ? errand_events_open(own, NULL, NULL) : NULL;
    const struct errand_event *event;
    char told = 'n';

    if (!events || write(out, "r", 1) != 1)
        _exit(1);
    raise(SIGSTOP);
    while (errand_events_next(events, 5000, &event, NULL) > 0) {
        if (strcmp(event->type, "events:missed") == 0)
            told = 'y';
        if (strcmp(event->id.text, "the-last") == 0)
            break;
    }
    if (write(out, &told, 1) != 1)
        _exit(1);
    _exit(0);
}

struct count {
    size_t dispatched, completed, missed;
};

static void tally(const struct errand_event *event, void *ctx)
{
    struct count *c = ctx;

    c->dispatched += strcmp(event->type, "job:dispatched") == 0;
    c->completed += strcmp(event->type, "job:completed") == 0;
    c->missed += strcmp(event->type, "events:missed") == 0;
}

CASE_SHARED(case_24_ten_thousand_jobs_do_not_wait_for_one_who_stands_still)
{
    struct count c = {0};
    errand_listener *listener;
    int answer[2], status;
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(answer), 0);
    if ((pid = fork()) == 0)
        follow_and_stop(answer[1]);
    assert_int_equal(read(answer[0], &byte, 1), 1);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    listener = errand_on(e, NULL, tally, &c, &err);
    push_many();
    work_all();
    assert_int_equal(count(ERRAND_COMPLETED, NULL), MANY);
    push("quick", NULL, &(struct errand_options){.id = {"the-last"}});
    kill(pid, SIGCONT);
    assert_int_equal(read(answer[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(waitpid(pid, &status, 0), pid);
    errand_off(listener);
    /* Who reads along has seen it all, or knows that it has not. */
    assert_true(c.missed > 0 || (c.dispatched == MANY + 1 && c.completed == MANY));
    close(answer[0]);
    close(answer[1]);
}

/* ------------------------------------------------------------------ health */

static int64_t now;

static void push_ready(size_t n)
{
    struct errand_push_job *jobs = errand_arena_alloc(case_arena, n * sizeof *jobs);
    struct errand_push_params p = {.now_ms = now, .jobs = jobs, .jobs_n = n};
    struct errand_push_result ret = {0};

    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct errand_push_job){
            .name = "second-time", .queue = "default", .data = {"{}", 2}, .tries = 1};
    assert_int_equal(er_store_push(er_client_store(e), &p, case_arena, &ret, &err), 0);
}

static void fail_ready(size_t n)
{
    struct errand_exchange_params p = {
        .now_ms = now, .max = n, .lease_ms = 1000, .worker = "w"};
    struct errand_exchange_result got = {0};
    struct errand_outcome *o = errand_arena_alloc(case_arena, n * sizeof *o);

    push_ready(n);
    assert_int_equal(er_store_exchange(er_client_store(e), &p, case_arena, &got, &err),
                     0);
    for (size_t i = 0; i < got.jobs_n; i++)
        o[i] = (struct errand_outcome){.token = got.token,
                                       .key = got.jobs[i].key,
                                       .id = got.jobs[i].id,
                                       .kind = ERRAND_OUT_FAIL};
    p = (struct errand_exchange_params){
        .now_ms = now, .outcomes = o, .outcomes_n = got.jobs_n};
    assert_int_equal(er_store_exchange(er_client_store(e), &p, case_arena, &got, &err),
                     0);
}

/* A worker is alive now. */
static void at(int64_t ms)
{
    struct errand_beat_params p = {.worker = "w", .ttl_ms = 30000};
    struct errand_beat_result ret = {0};

    the_clock.fixed_ms = p.now_ms = now = ms;
    assert_int_equal(er_store_beat(er_client_store(e), &p, case_arena, &ret, &err), 0);
}

static void assert_health(enum errand_health_status status, size_t alerts_n)
{
    struct errand_health *h = NULL;

    assert_int_equal(errand_health(e, NULL, &h, &err), 0);
    if (h->status != status || h->alerts_n != alerts_n)
        fail_msg("%s with %zu alerts: %s", errand_health_name(h->status), h->alerts_n,
                 h->alerts_n ? h->alerts[0].text : "");
    assert_int_equal(errand_is_healthy(e, NULL), status == ERRAND_HEALTHY);
    errand_health_free(h);
}

enum { HOUR_MS = 3600000 };
#define BEGIN INT64_C(1750000000000)

CASE(case_24_ready_jobs_decide_about_health)
{
    at(BEGIN);
    assert_health(ERRAND_HEALTHY, 0);
    push_ready(999);
    assert_health(ERRAND_HEALTHY, 0);
    push_ready(1);
    assert_health(ERRAND_DEGRADED, 1);
    push_ready(3999);
    assert_health(ERRAND_DEGRADED, 1);
    push_ready(1);
    assert_health(ERRAND_UNHEALTHY, 1);
}

CASE(case_24_failed_jobs_decide_about_health)
{
    at(BEGIN);
    fail_ready(9);
    assert_health(ERRAND_HEALTHY, 0);
    fail_ready(1);
    assert_health(ERRAND_DEGRADED, 1);
    fail_ready(90);
    assert_health(ERRAND_UNHEALTHY, 1);
}

CASE(case_24_the_oldest_job_decides_about_health)
{
    at(BEGIN);
    push_ready(1);
    at(BEGIN + HOUR_MS - 1);
    assert_health(ERRAND_HEALTHY, 0);
    at(BEGIN + HOUR_MS);
    assert_health(ERRAND_DEGRADED, 1);
    at(BEGIN + 24 * (int64_t)HOUR_MS);
    assert_health(ERRAND_UNHEALTHY, 1);
}

CASE(case_24_one_failure_after_a_thousand_successes_is_healthy)
{
    struct errand_stat stat = {.minute_ms = BEGIN,
                               .queue = "default",
                               .name = "second-time",
                               .done = 1000,
                               .failed = 1};
    struct errand_stats_params p = {.now_ms = BEGIN, .add = &stat, .add_n = 1};

    at(BEGIN);
    assert_int_equal(er_store_stats_add(er_client_store(e), &p, &err), 0);
    assert_health(ERRAND_HEALTHY, 0);
}

TEST(case_24_a_store_out_of_reach_is_unhealthy_and_no_error)
{
    struct errand_health *h = NULL;

    assert_int_equal(errand_health_at("sqlite:/no/such/place.db", NULL, NULL, &h, &err),
                     0);
    assert_int_equal(h->status, ERRAND_UNHEALTHY);
    errand_health_free(h);
}

TEST(case_24_the_command_answers_with_its_exit_code)
{
    assert_code(sh("mine queue:health"), 2); /* there is no store */
    assert_code(sh("mine migrate >/dev/null; mine queue:health"), 0);
    assert_code(sh("seq 1000 | mine queue:dispatch second-time --file=- >/dev/null; "
                   "mine queue:health --quiet"),
                1);
    assert_code(sh("seq 4000 | mine queue:dispatch second-time --file=- >/dev/null; "
                   "mine queue:health --json | grep '\"status\":\"unhealthy\"'; "
                   "mine queue:health --quiet"),
                2);
}

CASES_MAIN()
