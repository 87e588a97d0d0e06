/* supervisor.c: what becomes of an attempt, seen from the store: real runners, real
 * crashes. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "client/client.h"
#include "worker/work.h"

TEST_FIXTURE(work_setup, work_teardown)

/* ------------------------------------------------------------------ job classes */

static int on_noop(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = on_noop)

static int on_talk(errand_job *job, struct errand_error *err)
{
    printf("printed by attempt %d\n", errand_job_attempt(job));
    errand_job_log(job, "logged %s", errand_job_name(job));
    return errand_job_result(job, "{\"answer\":42}", err);
}
ERRAND_JOB(Talk, .handle = on_talk)

static int on_retry(errand_job *job, struct errand_error *err)
{
    (void)job;
    errand_error_set(err, 7, "the other side is asleep");
    return ERRAND_RETRY;
}
ERRAND_JOB(Retry, .handle = on_retry, .tries = 3, .backoff = ERRAND_BACKOFF(0.02))

static int on_hopeless(errand_job *job, struct errand_error *err)
{
    (void)job;
    errand_error_set(err, 7, "no such user");
    return ERRAND_FAIL;
}
ERRAND_JOB(Hopeless, .handle = on_hopeless, .tries = 5)

static int on_second(errand_job *job, struct errand_error *err)
{
    (void)err;
    return errand_job_attempt(job) > 1 ? ERRAND_DONE : ERRAND_RETRY;
}
ERRAND_JOB(SecondTime, .handle = on_second, .backoff = ERRAND_BACKOFF(0.02))

static int on_snooze(errand_job *job, struct errand_error *err)
{
    long long until_ms;

    if (errand_job_int(job, "until", &until_ms, err) < 0)
        return ERRAND_FAIL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec * 1000LL + now.tv_nsec / 1000000 >= until_ms)
        return ERRAND_DONE;
    errand_job_snooze(job, 0.05, err);
    return ERRAND_SNOOZE;
}
ERRAND_JOB(Snooze, .handle = on_snooze, .tries = 1)

static int on_abort(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    printf("last words\n");
    abort();
}
ERRAND_JOB(Abort, .handle = on_abort, .tries = 3, .backoff = ERRAND_BACKOFF(0.02))

static int on_leave(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    exit(0);
}
ERRAND_JOB(Exit, .handle = on_leave, .tries = 1)

static int on_kill(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    kill(getpid(), SIGKILL);
    return ERRAND_DONE;
}
ERRAND_JOB(KillSelf, .handle = on_kill, .tries = 1)

static int on_close(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    close(3);
    return ERRAND_DONE;
}
ERRAND_JOB(CloseSocket, .handle = on_close, .tries = 1)

static int on_print_much(errand_job *job, struct errand_error *err)
{
    char line[1024];

    (void)job;
    (void)err;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    printf("the first line\n");
    for (int i = 0; i < 100 << 10; i++)
        puts(line);
    printf("the last line\n");
    return ERRAND_DONE;
}
ERRAND_JOB(PrintMuch, .handle = on_print_much, .tries = 1)

static int on_sleep(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    for (int i = 0; i < 300; i++)
        usleep(100000);
    return ERRAND_DONE;
}
static void note(const char *data, const char *what, const char *text)
{
    FILE *f = fopen(data, "a");

    if (!f)
        return;
    fprintf(f, "%s %s\n", what, text);
    fclose(f);
}
static void hook_note(errand_job *job, const char *what, const char *text)
{
    const char *path;
    struct errand_error err;

    if (errand_job_string(job, "notes", &path, &err) == 0)
        note(path, what, text);
}
static void on_timed_out(errand_job *job)
{
    hook_note(job, "timed-out", errand_job_name(job));
}
static void on_failed(errand_job *job, const struct errand_error *error)
{
    hook_note(job, "failed", error->message);
}
ERRAND_JOB(TooLong, .handle = on_sleep, .timeout = 0.2, .tries = 2,
           .backoff = ERRAND_BACKOFF(0.02), .timed_out = on_timed_out,
           .failed = on_failed)
ERRAND_JOB(Doomed, .handle = on_hopeless, .failed = on_failed)

static int on_stubborn(errand_job *job, struct errand_error *err)
{
    (void)err;
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0) { /* a child of its own, that does not listen either */
        for (;;)
            pause();
    }
    return on_sleep(job, err);
}
ERRAND_JOB(Stubborn, .handle = on_stubborn, .timeout = 0.1, .tries = 1)

/* ------------------------------------------------------------------ verdicts */

TEST(a_job_is_run_and_completed)
{
    struct errand_id id = push("noop", "{\"x\":1}", NULL);
    struct errand_job_detail *job;

    work_all();
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_int_equal(job->job.attempts, 1);
    assert_true(job->job.finished_ms >= job->job.started_ms);
    assert_true(job->job.started_ms >= job->job.created_ms);
    errand_detail_free(job);
}

TEST(result_and_log_are_kept_with_the_attempt)
{
    struct errand_id id = push("talk", "{}", NULL);
    struct errand_job_detail *job;

    work_all();
    job = look(id);
    assert_is(job->job.result, "{\"answer\":42}");
    assert_int_equal(job->attempts_n, 1);
    assert_holds(job->attempts[0].log, "printed by attempt 1");
    assert_holds(job->attempts[0].log, "logged talk");
    errand_detail_free(job);
}

TEST(retry_runs_until_the_tries_are_spent)
{
    struct errand_id id = push("retry", "{}", NULL);
    struct errand_job_detail *job;

    work_attempts(3);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts_n, 3);
    assert_is(job->attempts[0].error, "the other side is asleep");
    assert_int_equal(job->attempts[0].outcome, ERRAND_OUT_RETRY);
    assert_int_equal(job->attempts[2].outcome, ERRAND_OUT_FAIL);
    assert_int_equal(job->attempts[2].cause, ERRAND_CAUSE_ERROR);
    errand_detail_free(job);
}

TEST(a_second_try_may_succeed)
{
    struct errand_id id = push("second-time", "{}", NULL);

    work_attempts(2);
    assert_state(id, ERRAND_COMPLETED);
}

TEST(fail_is_for_good)
{
    struct errand_id id = push("hopeless", "{}", NULL);
    struct errand_job_detail *job;

    work_all();
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts_n, 1);
    assert_is(job->job.error, "no such user");
    errand_detail_free(job);
}

TEST(a_snooze_costs_no_attempt)
{
    char data[64];
    struct timespec now;
    struct errand_id id;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(data, sizeof data, "{\"until\":%lld}",
             now.tv_sec * 1000LL + now.tv_nsec / 1000000 + 120);
    id = push("snooze", data, NULL);
    while (state_of(id) != ERRAND_COMPLETED) {
        assert_int_not_equal(state_of(id), ERRAND_FAILED);
        work_attempts(1);
    }
}

TEST(a_name_that_nobody_knows_fails_with_a_remedy)
{
    struct errand_id id =
        push("no-such-job", "{}", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_START);
    assert_holds(job->job.error, "no job 'no-such-job'");
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ crashes */

TEST(a_crash_counts_as_an_attempt_with_its_signal)
{
    struct errand_id id = push("abort", "{}", NULL);
    struct errand_job_detail *job;

    work_attempts(3);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts_n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(job->attempts[i].cause, ERRAND_CAUSE_SIGNAL);
        assert_int_equal(job->attempts[i].signal, SIGABRT);
        assert_holds(job->attempts[i].error, "killed by signal 6 (SIGABRT)");
        assert_holds(job->attempts[i].log, "last words");
    }
    errand_detail_free(job);
}

TEST(an_exit_without_an_answer_is_a_failed_attempt)
{
    struct errand_id id = push("exit", "{}", NULL);
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_EXIT);
    assert_int_equal(job->attempts[0].exit_code, 0);
    assert_holds(job->job.error, "exited without an answer");
    errand_detail_free(job);
}

TEST(a_kill_from_outside_may_mean_out_of_memory)
{
    struct errand_id id = push("kill-self", "{}", NULL);
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].signal, SIGKILL);
    assert_holds(job->job.error, "SIGKILL");
    errand_detail_free(job);
}

/* T07: each is dead after its tries, and a thousand others beside them are done. */
TEST(poison_hurts_nobody_else)
{
    static const char *const poison[] = {"abort", "exit", "kill-self", "close-socket"};
    struct errand_id bad[4], good[1000];

    for (int i = 0; i < 1000; i++) {
        if (i % 250 == 100)
            bad[i / 250] =
                push(poison[i / 250], "{}", &(struct errand_options){.tries = 1});
        good[i] = push("noop", "{}", NULL);
    }
    work_all();
    for (int i = 0; i < 1000; i++) {
        struct errand_job_detail *job = look(good[i]);
        assert_int_equal(job->job.state, ERRAND_COMPLETED);
        assert_int_equal(job->job.attempts, 1);
        errand_detail_free(job);
    }
    for (int i = 0; i < 4; i++)
        assert_state(bad[i], ERRAND_FAILED);
}

TEST(of_much_output_the_ends_are_kept)
{
    struct errand_id id = push("print-much", "{}", NULL);
    struct errand_job_detail *job;

    work_all();
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_true(job->attempts[0].log.len <= 70000);
    assert_holds(job->attempts[0].log, "the first line");
    assert_holds(job->attempts[0].log, "the last line");
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ time and hooks */

static char notes[64];

static struct errand_id push_noted(const char *name)
{
    char data[128];
    int fd;

    snprintf(notes, sizeof notes, "/tmp/errand-notes-XXXXXX");
    assert_true((fd = mkstemp(notes)) >= 0);
    close(fd);
    snprintf(data, sizeof data, "{\"notes\":\"%s\"}", notes);
    return push(name, data, NULL);
}

static void assert_notes(const char *text)
{
    char bytes[512] = "";
    int fd = open(notes, O_RDONLY);

    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    close(fd);
    unlink(notes);
    assert_string_equal(bytes, text);
}

TEST(an_attempt_that_takes_too_long_is_stopped)
{
    struct errand_id id = push_noted("too-long");
    struct errand_job_detail *job;

    work_attempts(2);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts_n, 2);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_TIMEOUT);
    assert_is(job->attempts[0].error, "timed out after 0.2 s");
    assert_true(job->attempts[0].ended_ms - job->attempts[0].started_ms >= 200);
    errand_detail_free(job);
    work_all(); /* the failed hook */
    assert_notes(
        "timed-out too-long\ntimed-out too-long\nfailed timed out after 0.2 s\n");
}

TEST(the_failed_hook_runs_once)
{
    struct errand_id id = push_noted("doomed");

    work_all();
    work_all();
    assert_state(id, ERRAND_FAILED);
    assert_notes("failed no such user\n");
}

/* The whole group: what the handler started goes with it. */
TEST(what_does_not_listen_is_killed_with_its_children)
{
    struct errand_id id = push("stubborn", "{}", NULL);
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_TIMEOUT);
    errand_detail_free(job);
    /* All are gone or about to go: one that lives on would keep this test for ever. */
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* ------------------------------------------------------------------ when to end */

TEST(max_jobs_never_begins_more)
{
    struct errand_id ids[10];
    int done = 0;

    for (int i = 0; i < 10; i++)
        ids[i] = push("noop", "{}", NULL);
    work_attempts(4);
    for (int i = 0; i < 10; i++) {
        enum errand_state now = state_of(ids[i]);
        done += now == ERRAND_COMPLETED;
        assert_true(now == ERRAND_COMPLETED || now == ERRAND_READY);
    }
    assert_int_equal(done, 4);
}

TEST(completed_jobs_that_are_over_their_age_go)
{
    struct errand_config soon = {.keep_completed_ms = 1};
    struct errand_worker_options once = {
        .stop_when_empty = true, .concurrency = 1, .is_quiet = true, .max_time = 30};
    struct errand_id id = push("noop", "{}", NULL);
    struct errand_job_detail *detail;
    struct errand_error err = {0};

    work_all();
    assert_state(id, ERRAND_COMPLETED);
    usleep(5000); /* older than the age that is kept */
    assert_int_equal(errand_worker_run(store_url, &soon, &once, &err), 0);
    assert_int_equal(errand_get(store, &id, &detail, &err), ERRAND_ENOTFOUND);
}

TEST(delayed_jobs_do_not_keep_it_from_ending_when_empty)
{
    struct errand_id now = push("noop", "{}", NULL);
    struct errand_id later =
        push("noop", "{}", &(struct errand_options){.delay_ms = 3600000});

    work_all();
    assert_state(now, ERRAND_COMPLETED);
    assert_state(later, ERRAND_SCHEDULED);
}

TEST(a_delayed_job_runs_when_its_time_comes)
{
    struct errand_id id = push("noop", "{}", &(struct errand_options){.delay_ms = 150});
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_true(job->job.finished_ms >= job->job.created_ms + 150);
    errand_detail_free(job);
}

TEST(only_the_queues_asked_for_are_worked)
{
    static const char *const queues[] = {"mail", NULL};
    struct errand_id mail = push("noop", "{}", &(struct errand_options){.queue = "mail"});
    struct errand_id other = push("noop", "{}", NULL);

    work((struct errand_worker_options){.queues = queues, .stop_when_empty = true});
    assert_state(mail, ERRAND_COMPLETED);
    assert_state(other, ERRAND_READY);
}

TEST(many_jobs_are_all_done_once)
{
    enum { N = 5000 };
    static struct errand_id ids[N];
    static struct errand_dispatch_item items[N];

    for (int i = 0; i < N; i++)
        items[i] = (struct errand_dispatch_item){.name = "noop", .data = {"{}", 2}};
    assert_int_equal(errand_dispatch_bulk(store, items, N, ids, NULL), N);
    work_all();
    for (int i = 0; i < N; i++) {
        struct errand_job_detail *job = look(ids[i]);
        assert_int_equal(job->job.state, ERRAND_COMPLETED);
        assert_int_equal(job->job.attempts, 1);
        errand_detail_free(job);
    }
}

static int on_long(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    sleep(3);
    return ERRAND_DONE;
}
ERRAND_JOB(Slow, .handle = on_long)

/* The no-ops before it make the window wide, so that many are handed out behind it. */
TEST(nobody_waits_behind_a_slow_job)
{
    enum { N = 400 };
    struct errand_id quick[N], slow = {""};
    struct errand_job_detail *job;
    int64_t slow_ms;

    for (int i = 0; i < N; i++) {
        if (i == N / 2)
            slow = push("slow", "{}", NULL);
        quick[i] = push("noop", "{}", NULL);
    }
    work_all();
    job = look(slow);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    slow_ms = job->job.finished_ms;
    errand_detail_free(job);
    for (int i = 0; i < N; i++) {
        job = look(quick[i]);
        assert_int_equal(job->job.attempts, 1);
        assert_true(job->job.finished_ms < slow_ms);
        errand_detail_free(job);
    }
}

/* ------------------------------------------------------------------ what others see */

TEST(who_follows_the_events_sees_each_step)
{
    static const char *const want[] = {"job:dispatched", "job:started", "job:retrying",
                                       "job:started", "job:completed"};
    struct er_store *s = er_client_store(store);
    struct errand_arena *arena = er_arena_new();
    struct errand_events_params params = {.after = -1, .max = 100, .follow_ms = 60000};
    struct errand_events_result got = {0};
    struct errand_id id;
    size_t seen = 0;

    assert_int_equal(er_store_events_read(s, &params, arena, &got, NULL), 0);
    params.after = got.last;
    id = push("second-time", "{}", NULL);
    work_attempts(2);
    got = (struct errand_events_result){0};
    assert_int_equal(er_store_events_read(s, &params, arena, &got, NULL), 0);
    for (size_t i = 0; i < got.events_n; i++) {
        if (strncmp(got.events[i].type, "worker:", 7) == 0)
            continue;
        assert_string_equal(got.events[i].id.text, id.text);
        assert_true(seen < 5);
        assert_string_equal(got.events[i].type, want[seen++]);
    }
    assert_int_equal(seen, 5);
    er_arena_free(arena);
}

TEST(the_numbers_of_a_minute_add_up)
{
    struct er_store *s = er_client_store(store);
    struct errand_arena *arena = er_arena_new();
    struct errand_stats_params params = {.name = "noop"};
    struct errand_stats_result got = {0};
    int64_t done = 0, runs = 0;

    for (int i = 0; i < 50; i++)
        push("noop", "{}", NULL);
    work_all();
    assert_int_equal(er_store_stats_read(s, &params, arena, &got, NULL), 0);
    for (size_t i = 0; i < got.stats_n; i++) {
        done += got.stats[i].done;
        for (int k = 0; k < ERRAND_HISTOGRAM_N; k++)
            runs += got.stats[i].run_hist[k];
    }
    assert_int_equal(done, 50);
    assert_int_equal(runs, 50);
    er_arena_free(arena);
}

WORK_MAIN()
