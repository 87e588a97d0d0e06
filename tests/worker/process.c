/* process.c: workers that die, are suspended, are told what to do, share their work. */
#include "worker/process.h"
#include "client/client.h"

/* ------------------------------------------------------------------ kills */

TEST(a_runner_that_is_told_to_end_costs_its_job_one_attempt)
{
    struct errand_id id = push("wait", "{}", NULL);
    struct errand_job_detail *job;
    pid_t pid = WORKER("concurrency=1");

    until_ledger("start", id, 1);
    kill(ledger_pid("start", id), SIGTERM);
    until_ledger("start", id, 2);
    go();
    until_state(id, ERRAND_COMPLETED);
    job = look(id);
    assert_int_equal(job->attempts_n, 2);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_SIGNAL);
    assert_int_equal(job->attempts[0].signal, SIGTERM);
    errand_detail_free(job);
    assert_int_equal(kill(pid, 0), 0);
}

/* T12 */
TEST(runners_die_with_their_supervisor_and_the_job_runs_again)
{
    struct errand_id id = push("wait", "{}", NULL);
    pid_t pid = WORKER("lease=1"), runner;

    until_ledger("start", id, 1);
    runner = ledger_pid("start", id);
    kill(pid, SIGKILL);
    ended(pid, 1000);
    until_gone(runner, 1000);
    WORKER("lease=1");
    until_ledger("start", id, 2);
    go();
    until_state(id, ERRAND_COMPLETED);
    assert_int_equal(ledger_count("done", id), 1);
}

/* The lease of the killed one does not end in this test: what runs again has been handed
 * back by the other. */
TEST(jobs_that_a_killed_worker_had_not_begun_lose_no_attempt)
{
    enum { N = 40, TAUGHT = 60 };
    struct errand_dispatch_item items[N];
    struct errand_id ids[N];
    struct errand_error err = {0};
    struct errand_job_detail *job;
    int running = 0;
    pid_t pid = WORKER("concurrency=1", "lease=600");

    for (int i = 0; i < TAUGHT; i++) /* that they are short */
        ids[0] = push("assassin", "{}", NULL);
    until_state(ids[0], ERRAND_COMPLETED);
    for (int i = 0; i < N; i++)
        items[i] = (struct errand_dispatch_item){
            .name = "assassin", .data = errand_text(i ? "{}" : "{\"kill\":1}")};
    assert_int_equal(errand_dispatch_bulk(store, items, N, ids, &err), N);
    ended(pid, PATIENCE_MS);
    for (int i = 1; i < N; i++)
        running += state_of(ids[i]) == ERRAND_RUNNING;
    assert_true(running > 0); /* reserved ahead */
    WORKER("concurrency=1", "lease=600");
    for (int i = 1; i < N; i++) {
        until_state(ids[i], ERRAND_COMPLETED);
        assert_int_equal(ledger_count("start", ids[i]), 1);
    }
    assert_int_equal(state_of(ids[0]), ERRAND_RUNNING);
    job = look(ids[1]);
    assert_int_equal(job->job.attempts, 1);
    errand_detail_free(job);
}

TEST(a_worker_that_was_suspended_cannot_undo_what_another_did)
{
    struct errand_id id = push("wait", "{}", NULL);
    struct errand_job_detail *job;
    pid_t first = WORKER("lease=1", "name=first"), runner;

    until_ledger("start", id, 1);
    runner = ledger_pid("start", id);
    kill(first, SIGSTOP);
    kill(runner, SIGSTOP);
    WORKER("lease=1", "name=second");
    until_ledger("start", id, 2);
    go();
    until_state(id, ERRAND_COMPLETED);
    kill(runner, SIGCONT);
    kill(first, SIGCONT);
    kill(first, SIGTERM);
    assert_int_equal(ended(first, 5000), 0);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_string_equal(job->attempts[job->attempts_n - 1].worker, "second");
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ commands */

static void cancel(struct errand_id id)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_change_params params = {
        .kind = ERRAND_CHANGE_CANCEL, .ids = &id, .ids_n = 1};
    struct errand_change_result got = {0};
    struct errand_error err = {0};

    assert_non_null(arena);
    if (er_store_change(er_client_store(store), &params, arena, &got, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(got.changed[0], ERRAND_CHANGED);
    er_arena_free(arena);
}

TEST(a_running_job_can_be_cancelled)
{
    struct errand_id id = push("polite", "{}", NULL);
    struct errand_id stubborn = push("wait", "{}", NULL);
    struct errand_job_detail *job;

    WORKER("concurrency=2");
    until_ledger("start", id, 1);
    until_ledger("start", stubborn, 1);
    cancel(id);
    cancel(stubborn);
    until_state(id, ERRAND_CANCELLED);
    until_state(stubborn, ERRAND_CANCELLED);
    assert_int_equal(ledger_count("stopped", id), 1);
    job = look(stubborn);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_CANCEL);
    errand_detail_free(job);
}

static void command(enum errand_command what)
{
    struct errand_error err = {0};
    size_t n = 0;

    if (er_store_command(er_client_store(store), NULL, what, 0, &n, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(n, 1);
}

TEST(commands_quiet_resume_and_stop_are_obeyed)
{
    struct errand_id first = push("noop", "{}", NULL), second;
    pid_t pid = WORKER("concurrency=1");

    until_state(first, ERRAND_COMPLETED);
    command(ERRAND_COMMAND_QUIET);
    usleep(200000);
    second = push("noop", "{}", NULL);
    usleep(200000);
    assert_state(second, ERRAND_READY);
    command(ERRAND_COMMAND_RESUME);
    until_state(second, ERRAND_COMPLETED);
    command(ERRAND_COMMAND_STOP);
    assert_int_equal(ended(pid, 5000), 0);
}

TEST(progress_is_seen_while_it_runs)
{
    struct errand_id id = push("polite", "{}", NULL);
    int64_t until = er_clock_mono_ms(NULL) + PATIENCE_MS;
    int progress = -1;

    WORKER("concurrency=1");
    while (progress != 30 && er_clock_mono_ms(NULL) < until) {
        struct errand_job_detail *job = look(id);
        progress = job->job.progress;
        if (progress == 30)
            assert_is(job->job.progress_note, "waiting");
        errand_detail_free(job);
        usleep(5000);
    }
    assert_int_equal(progress, 30);
}

/* ------------------------------------------------------------------ several, recycled */

TEST(several_workers_share_the_work)
{
    enum { N = 2000 };
    static struct errand_id ids[N];
    static struct errand_dispatch_item items[N];
    pid_t pids[3];

    for (int i = 0; i < N; i++)
        items[i] = (struct errand_dispatch_item){.name = "noop", .data = {"{}", 2}};
    assert_int_equal(errand_dispatch_bulk(store, items, N, ids, NULL), N);
    for (int i = 0; i < 3; i++)
        pids[i] = WORKER("empty=yes");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ended(pids[i], PATIENCE_MS), 0);
    for (int i = 0; i < N; i++)
        assert_state(ids[i], ERRAND_COMPLETED);
    for (int i = 0; i < N; i += 97)
        assert_int_equal(ledger_count("done", ids[i]), 1);
}

TEST(a_runner_is_replaced_after_so_many_jobs)
{
    struct errand_id ids[6];
    pid_t pid = WORKER("concurrency=1", "recycle=2");

    for (int i = 0; i < 6; i++) {
        ids[i] = push("noop", "{}", NULL);
        until_ledger("done", ids[i], 1);
    }
    assert_int_not_equal(ledger_pid("done", ids[0]), ledger_pid("done", ids[5]));
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 5000), 0);
}

TEST(a_runner_is_replaced_when_it_is_too_old)
{
    struct errand_id id = push("noop", "{}", NULL);
    long first;

    WORKER("concurrency=1", "age=0.3");
    until_ledger("done", id, 1);
    first = ledger_pid("done", id);
    for (int i = 0; i < 1000 && ledger_pid("done", id) == first; i++) {
        id = push("noop", "{}", NULL);
        until_ledger("done", id, 1);
        usleep(10000);
    }
    assert_int_not_equal(ledger_pid("done", id), first);
}

/* Without it the eighth job or so would meet the limit. */
TEST(a_runner_that_has_grown_is_replaced_before_a_job_meets_the_limit)
{
    struct errand_id first, id;

#if defined(__SANITIZE_ADDRESS__)
    skip(); /* has terabytes of address space */
#endif
    WORKER("concurrency=1", "memory=160");
    first = id = push("leak", "{}", NULL);
    until_state(id, ERRAND_COMPLETED);
    for (int i = 0; i < 15; i++) {
        id = push("leak", "{}", NULL);
        until_state(id, ERRAND_COMPLETED);
        usleep(110000); /* memory is looked at ten times a second */
    }
    assert_int_not_equal(ledger_pid("done", id), ledger_pid("done", first));
}

static int done_in(const struct errand_id *ids, int n)
{
    int done = 0;

    for (int i = 0; i < n; i++)
        done += ledger_count("done", ids[i]);
    return done;
}

/* Strict order would work "often" to its end first. */
TEST(queues_with_weights_share_and_none_starves)
{
    enum { N = 40 };
    struct errand_id often[N], seldom[N];
    int done;

    for (int i = 0; i < N; i++) {
        often[i] = push("nap", "{}", &(struct errand_options){.queue = "often"});
        seldom[i] = push("nap", "{}", &(struct errand_options){.queue = "seldom"});
    }
    WORKER("concurrency=1", "weights=yes");
    while (done_in(often, N) < N - 1)
        usleep(5000);
    done = done_in(seldom, N);
    assert_true(done > 0); /* chance: 0.75^40 */
    assert_true(done < N);
}

/* As on a kernel before 5.3. */
TEST(ends_are_seen_without_descriptors_for_processes)
{
    struct errand_job_detail *job;
    struct errand_id id, exec;
    char points[20 * 8];
    size_t len = 0;

#ifndef ERRAND_FAILPOINTS
    skip();
#endif
    for (int i = 0; i < 8; i++)
        len += (size_t)snprintf(points + len, sizeof points - len, "no-pidfd=error;");
    setenv("ERRAND_FAILPOINTS", points, 1);
    place_write("app/Jobs/quick.sh", "#!/bin/sh\nexit 3\n", 0755);
    WORKER("concurrency=2", "project=.");
    unsetenv("ERRAND_FAILPOINTS");
    id = push("die", "{}", NULL);
    exec = push("quick", "{}", &(struct errand_options){.tries = 1});
    until_state(id, ERRAND_FAILED);
    until_state(exec, ERRAND_FAILED);
    job = look(id);
    assert_int_equal(job->attempts_n, 2);
    assert_int_equal(job->attempts[1].signal, SIGKILL);
    errand_detail_free(job);
    job = look(exec);
    assert_int_equal(job->attempts[0].exit_code, 3);
    errand_detail_free(job);
}

/* T08: `broken` stands for whatever keeps a runner from starting. */
TEST(nothing_is_claimed_while_no_runner_starts)
{
    struct errand_id id = push("noop", "{}", NULL);
    struct errand_job_detail *job;
    char path[128];

    place_write("broken", "", 0600);
    WORKER("concurrency=2");
    usleep(600000);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_READY);
    assert_int_equal(job->job.attempts, 0);
    errand_detail_free(job);
    snprintf(path, sizeof path, "%s/broken", place);
    unlink(path);
    until_state(id, ERRAND_COMPLETED);
    /* At the start, and after one second and two: not in a loop. */
    assert_true(strlen(ledger_read()) > 0);
}

TEST(a_job_file_that_comes_later_is_found)
{
    struct errand_id id;

    WORKER("concurrency=1", "project=.");
    id = push("noop", "{}", NULL);
    until_state(id, ERRAND_COMPLETED);
    place_write("app/Jobs/later.sh", "#!/bin/sh\nexit 0\n", 0755);
    usleep(400000); /* the worker lets a writer finish before it looks */
    id = push("later", "{}", &(struct errand_options){.backoff = ERRAND_BACKOFF(0.1)});
    until_state(id, ERRAND_COMPLETED);
}

static int rename_into_place(const char *from, const char *to)
{
    char a[128], b[128];

    snprintf(a, sizeof a, "%s/app/Jobs/%s", place, from);
    snprintf(b, sizeof b, "%s/app/Jobs/%s", place, to);
    return rename(a, b);
}

static void until_final(struct errand_id id)
{
    int64_t until = er_clock_mono_ms(NULL) + PATIENCE_MS;

    while (state_of(id) < ERRAND_COMPLETED) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("%s does not end", id.text);
        usleep(2000);
    }
}

static void job_write(const char *body)
{
    char text[512];

    snprintf(
        text, sizeof text,
        "#include <errand.h>\nstatic int handle(errand_job *job, struct errand_error "
        "*err)\n{\n    (void)job;\n    (void)err;\n    %s\n}\n"
        "ERRAND_JOB(Changing, .handle = handle, .tries = 1)\n",
        body);
    place_write("app/Jobs/.new.c", text, 0644);
    assert_int_equal(rename_into_place(".new.c", "Changing.c"), 0);
}

/* A compiler that takes longer than a runner has to start (a second, by the failpoint) is
 * let finish: a runner that were killed for it would begin again, and never start. */
TEST(a_slow_compiler_stops_no_worker)
{
    char cc[300], text[400];
    struct errand_id id;

    snprintf(cc, sizeof cc, "%s/slow-cc", place);
    snprintf(text, sizeof text, "#!/bin/sh\necho x >>%s/calls\nsleep 3\nexec cc \"$@\"\n",
             place);
    place_write("slow-cc", text, 0755);
    place_job("slow.c", "Slow", "[1]");
    setenv("CC", cc, 1);
    setenv("ERRAND_FAILPOINTS", "hello-soon=error", 1);
    WORKER("concurrency=1", "project=.");
    unsetenv("ERRAND_FAILPOINTS");
    unsetenv("CC");
    id = push("slow", "{}", NULL);
    until_final(id);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(place_calls(), 1);
}

static enum errand_state until_rests(struct errand_id id)
{
    int64_t until = er_clock_mono_ms(NULL) + PATIENCE_MS;
    enum errand_state state;

    while ((state = state_of(id)) < ERRAND_COMPLETED && state != ERRAND_SCHEDULED) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("%s does not rest", id.text);
        usleep(2000);
    }
    return state;
}

/* Nobody else notices, and its own jobs wait without losing an attempt. */
TEST(a_job_file_that_does_not_compile_stops_nothing)
{
    struct errand_id id;
    struct errand_job_detail *job;

    job_write("return ERRAND_DONE;");
    WORKER("concurrency=1", "project=.");
    id = push("changing", "{}", NULL);
    until_state(id, ERRAND_COMPLETED);
    job_write("return NO_SUCH_NAME;");
    do /* until the new runner is there */
        id = push("changing", "{}", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    while (until_rests(id) != ERRAND_SCHEDULED);
    job = look(id);
    assert_int_equal(job->job.attempts, 0);
    errand_detail_free(job);
    until_state(push("noop", "{}", NULL), ERRAND_COMPLETED);
    job_write("return ERRAND_DONE;");
    until_state(id, ERRAND_COMPLETED); /* when it asks again, within ten seconds */
}

PROCESS_MAIN()
