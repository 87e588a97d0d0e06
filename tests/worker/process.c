/* process.c: workers as processes of their own on a shared file: signals, kills, leases,
 * commands. Tests wait for states, never for time to pass. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "client/client.h"
#include "core/clock.h"
#include "worker/place.h"
#include "worker/work.h"

enum { PATIENCE_MS = 20000, WORKERS_MAX = 4 };

static pid_t workers[WORKERS_MAX];

static int setup(void **state)
{
    struct errand_error err = {0};

    (void)state;
    place_make();
    snprintf(store_url, sizeof store_url, "sqlite:%s/jobs.db", place);
    store = errand_open(store_url, NULL, &err);
    if (!store)
        fprintf(stderr, "%s\n", err.message);
    return store ? 0 : -1;
}

static int teardown(void **state)
{
    for (int i = 0; i < WORKERS_MAX; i++)
        if (workers[i] > 0) {
            kill(workers[i], SIGKILL);
            waitpid(workers[i], NULL, 0);
            workers[i] = 0;
        }
    place_remove();
    return work_teardown(state);
}

TEST_FIXTURE(setup, teardown)

/* ------------------------------------------------------------------ job classes */

static void ledger(const char *what, const errand_job *job)
{
    char line[160];
    int fd = open("ledger", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int n = snprintf(line, sizeof line, "%s %s %d %ld\n", what, errand_job_id(job),
                     errand_job_attempt(job), (long)getpid());

    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

static int on_noop(errand_job *job, struct errand_error *err)
{
    (void)err;
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = on_noop)

/* Runs until the file `go` is there, or `stop` says so. */
static int on_wait(errand_job *job, struct errand_error *err)
{
    (void)err;
    ledger("start", job);
    while (access("go", F_OK) < 0)
        usleep(2000);
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Wait, .handle = on_wait, .backoff = ERRAND_BACKOFF(0.02))

static int on_polite(errand_job *job, struct errand_error *err)
{
    ledger("start", job);
    errand_job_progress(job, 30, "waiting", err);
    while (!errand_job_stopping(job))
        usleep(2000);
    ledger("stopped", job);
    return ERRAND_RETRY;
}
ERRAND_JOB(Polite, .handle = on_polite)

/* ------------------------------------------------------------------ workers */

/* `args` as in work_options_read, NULL-terminated. */
static pid_t worker_start(const char *const *args)
{
    const char *argv[16] = {"worker", "__work", store_url};
    int n = 3;
    pid_t pid;

    while (*args && n < 15)
        argv[n++] = *args++;
    argv[n] = NULL;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(place) == 0)
            execv("/proc/self/exe", (char *const *)argv);
        _exit(127);
    }
    for (int i = 0; i < WORKERS_MAX; i++)
        if (!workers[i]) {
            workers[i] = pid;
            return pid;
        }
    return pid;
}

#define WORKER(...) worker_start((const char *const[]){__VA_ARGS__, NULL})

static int worker_main(int argc, char **argv)
{
    struct errand_worker_options o = {.concurrency = 2, .is_quiet = !getenv("LOUD")};
    struct errand_error err = {0};

    for (int i = 3; i < argc; i++) {
        const char *value = strchr(argv[i], '=') + 1;
        if (strncmp(argv[i], "concurrency", 11) == 0)
            o.concurrency = (int)strtol(value, NULL, 10);
        else if (strncmp(argv[i], "grace", 5) == 0)
            o.grace = strtod(value, NULL);
        else if (strncmp(argv[i], "lease", 5) == 0)
            o.lease = strtod(value, NULL);
        else if (strncmp(argv[i], "name", 4) == 0)
            o.name = value;
        else if (strncmp(argv[i], "project", 7) == 0)
            o.project = value;
        else if (strncmp(argv[i], "recycle", 7) == 0)
            o.runner_max_jobs = (int)strtol(value, NULL, 10);
        else if (strncmp(argv[i], "empty", 5) == 0)
            o.stop_when_empty = true;
    }
    if (errand_worker_run(argv[2], NULL, &o, &err) == 0)
        return 0;
    fprintf(stderr, "worker: %s\n", err.message);
    return 1;
}

/* The exit status; the worker has `ms` for it. */
static int ended(pid_t pid, int64_t ms)
{
    int64_t until = er_clock_mono_ms(NULL) + ms;
    int status = -1;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("the worker did not end within %lld ms", (long long)ms);
        usleep(1000);
    }
    for (int i = 0; i < WORKERS_MAX; i++)
        if (workers[i] == pid)
            workers[i] = 0;
    return status;
}

static void go(void)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/go", place);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void until_state(struct errand_id id, enum errand_state state)
{
    int64_t until = er_clock_mono_ms(NULL) + PATIENCE_MS;
    enum errand_state now;

    while ((now = state_of(id)) != state) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("%s is %s, not %s", id.text, errand_state_name(now),
                     errand_state_name(state));
        usleep(2000);
    }
}

static const char *ledger_read(void)
{
    static char bytes[1 << 20];
    char path[128];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/ledger", place);
    if ((fd = open(path, O_RDONLY)) < 0)
        return "";
    n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    bytes[n > 0 ? n : 0] = '\0';
    return bytes;
}

static int ledger_count(const char *what, struct errand_id id)
{
    char line[128];
    int n = 0;

    snprintf(line, sizeof line, "%s %s ", what, id.text);
    for (const char *p = ledger_read(); (p = strstr(p, line)); p++)
        n++;
    return n;
}

/* The pid of the runner that wrote this line. */
static pid_t ledger_pid(const char *what, struct errand_id id)
{
    char line[128];
    const char *p;
    long pid;
    int attempt;

    snprintf(line, sizeof line, "%s %s ", what, id.text);
    p = strstr(ledger_read(), line);
    assert_non_null(p);
    assert_int_equal(sscanf(p + strlen(line), "%d %ld", &attempt, &pid), 2);
    return (pid_t)pid;
}

static void until_ledger(const char *what, struct errand_id id, int n)
{
    int64_t until = er_clock_mono_ms(NULL) + PATIENCE_MS;

    while (ledger_count(what, id) < n) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("'%s %s' was not written %d times: %s", what, id.text, n,
                     ledger_read());
        usleep(2000);
    }
}

/* A zombie that nobody has buried yet is dead all the same. */
static bool is_alive(pid_t pid)
{
    char path[64], bytes[256], *p;
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if ((fd = open(path, O_RDONLY)) < 0)
        return false;
    n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    bytes[n > 0 ? n : 0] = '\0';
    p = strrchr(bytes, ')');
    return p && p[2] != 'Z';
}

static void until_gone(pid_t pid, int64_t ms)
{
    int64_t until = er_clock_mono_ms(NULL) + ms;

    while (is_alive(pid)) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("process %ld is still there", (long)pid);
        usleep(1000);
    }
}

/* ------------------------------------------------------------------ shutdown */

/* T13 */
TEST(term_lets_what_runs_finish_and_begins_nothing_more)
{
    struct errand_id running[2], waiting[20];
    pid_t pid;

    for (int i = 0; i < 2; i++)
        running[i] = push("wait", "{}", NULL);
    for (int i = 0; i < 20; i++)
        waiting[i] = push("noop", "{}", NULL);
    pid = WORKER("concurrency=2");
    for (int i = 0; i < 2; i++)
        until_ledger("start", running[i], 1);
    kill(pid, SIGTERM);
    go();
    assert_int_equal(ended(pid, 5000), 0);
    for (int i = 0; i < 2; i++)
        assert_state(running[i], ERRAND_COMPLETED);
    for (int i = 0; i < 20; i++) {
        struct errand_job_detail *job = look(waiting[i]);
        assert_int_equal(job->job.state, ERRAND_READY);
        assert_int_equal(job->job.attempts, 0);
        errand_detail_free(job);
    }
}

TEST(what_does_not_finish_in_the_grace_is_handed_back)
{
    struct errand_id id = push("wait", "{}", NULL);
    struct errand_job_detail *job;
    pid_t pid = WORKER("grace=0.2"), runner;

    until_ledger("start", id, 1);
    runner = ledger_pid("start", id);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 2200), 0);
    assert_int_equal(kill(runner, 0), -1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_READY);
    assert_int_equal(job->job.attempts, 0);
    errand_detail_free(job);
}

TEST(a_second_term_ends_it_at_once)
{
    struct errand_id id = push("wait", "{}", NULL);
    pid_t pid = WORKER("grace=60");

    until_ledger("start", id, 1);
    kill(pid, SIGTERM);
    usleep(20000); /* else the two may arrive as one */
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 2000), 0);
    assert_state(id, ERRAND_READY);
}

TEST(int_stops_it_too)
{
    struct errand_id id = push("noop", "{}", NULL);
    pid_t pid = WORKER("concurrency=1");

    until_state(id, ERRAND_COMPLETED);
    kill(pid, SIGINT);
    assert_int_equal(ended(pid, 2000), 0);
}

TEST(a_handler_can_see_that_the_worker_stops)
{
    struct errand_id id = push("polite", "{}", NULL);
    pid_t pid = WORKER("grace=60");

    until_ledger("start", id, 1);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 5000), 0);
    assert_int_equal(ledger_count("stopped", id), 1);
}

TEST(tstp_quiets_it_and_cont_lets_it_go_on)
{
    struct errand_id first = push("noop", "{}", NULL), second;
    pid_t pid = WORKER("concurrency=1");

    until_state(first, ERRAND_COMPLETED);
    kill(pid, SIGTSTP);
    usleep(50000);
    second = push("noop", "{}", NULL);
    usleep(300000); /* a job would have been run long before */
    assert_state(second, ERRAND_READY);
    kill(pid, SIGCONT);
    until_state(second, ERRAND_COMPLETED);
}

TEST(other_signals_are_nothing_to_it)
{
    struct errand_id ids[200];
    pid_t pid = WORKER("concurrency=2");

    for (int i = 0; i < 200; i++) {
        ids[i] = push("noop", "{}", NULL);
        kill(pid, i % 2 ? SIGWINCH : SIGCHLD);
    }
    for (int i = 0; i < 200; i++) {
        until_state(ids[i], ERRAND_COMPLETED);
        kill(pid, SIGHUP);
    }
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid, 5000), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(ledger_count("done", ids[i]), 1);
}

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

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return access("broken", F_OK) == 0 ? 1 : er_runner_main(argc, argv);
    if (argc > 2 && strcmp(argv[1], "__work") == 0)
        return worker_main(argc, argv);
    return er_test_main(argc, argv);
}
