/* process.h: workers as processes of their own on a shared file, and waiting for what
 * they do: tests wait for states, never for time to pass. */
#ifndef ER_TESTS_WORKER_PROCESS_H
#define ER_TESTS_WORKER_PROCESS_H

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "core/clock.h"
#include "worker/place.h"
#include "worker/work.h"

enum { PATIENCE_MS = 20000, WORKERS_MAX = 4 };

static pid_t workers[WORKERS_MAX];

static inline int process_setup(void **state)
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

static inline int process_teardown(void **state)
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

TEST_FIXTURE(process_setup, process_teardown)

/* ------------------------------------------------------------------ job classes */

static inline void ledger(const char *what, const errand_job *job)
{
    char line[160];
    int fd = open("ledger", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int n = snprintf(line, sizeof line, "%s %s %d %ld\n", what, errand_job_id(job),
                     errand_job_attempt(job), (long)getpid());

    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

static inline int on_noop(errand_job *job, struct errand_error *err)
{
    (void)err;
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = on_noop)

/* Keeps 16 MiB for ever, and says so when it gets none. */
static inline int on_leak(errand_job *job, struct errand_error *err)
{
    volatile char *more = malloc(16 << 20);

    if (!more)
        return errand_error_set(err, ERRAND_ENOMEM, "none left"), ERRAND_FAIL;
    for (size_t i = 0; i < 16 << 20; i += 4096)
        more[i] = 1; /* the compiler would drop a memset */
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Leak, .handle = on_leak)

/* Ends its worker when its data says so, before that can hear of anything. */
static inline int on_assassin(errand_job *job, struct errand_error *err)
{
    (void)err;
    ledger("start", job);
    if (errand_job_data(job).len > 2) {
        kill(getppid(), SIGKILL);
        for (;;)
            pause();
    }
    return ERRAND_DONE;
}
ERRAND_JOB(Assassin, .handle = on_assassin, .tries = ERRAND_NO_RETRY)

/* Long enough to be handed out alone. */
static inline int on_nap(errand_job *job, struct errand_error *err)
{
    (void)err;
    usleep(52000);
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Nap, .handle = on_nap)

static inline int on_die(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    raise(SIGKILL);
    return ERRAND_DONE;
}
ERRAND_JOB(Die, .handle = on_die, .tries = 2, .backoff = ERRAND_BACKOFF(0.01))

/* Runs until the file `go` is there, or `stop` says so. */
static inline int on_wait(errand_job *job, struct errand_error *err)
{
    (void)err;
    ledger("start", job);
    while (access("go", F_OK) < 0)
        usleep(2000);
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Wait, .handle = on_wait, .backoff = ERRAND_BACKOFF(0.02))

static inline int on_polite(errand_job *job, struct errand_error *err)
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
static inline pid_t worker_start(const char *const *args)
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

static inline int worker_main(int argc, char **argv)
{
    static const char *const weighted[] = {"often", "seldom", NULL};
    static const struct errand_worker_queue weights[] = {{.name = "often", .weight = 3},
                                                         {.name = "seldom", .weight = 1}};
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
        else if (strncmp(argv[i], "age", 3) == 0)
            o.runner_max_age = strtod(value, NULL);
        else if (strncmp(argv[i], "memory", 6) == 0)
            o.memory = strtol(value, NULL, 10);
        else if (strncmp(argv[i], "weights", 7) == 0) {
            o.queues = weighted;
            o.queue_options = weights;
            o.queue_options_n = 2;
        } else if (strncmp(argv[i], "empty", 5) == 0)
            o.stop_when_empty = true;
    }
    if (errand_worker_run(argv[2], NULL, &o, &err) == 0)
        return 0;
    fprintf(stderr, "worker: %s\n", err.message);
    return 1;
}

/* The exit status; the worker has `ms` for it. */
static inline int ended(pid_t pid, int64_t ms)
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

static inline void go(void)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/go", place);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static inline void until_state(struct errand_id id, enum errand_state state)
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

static inline const char *ledger_read(void)
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

static inline int ledger_count(const char *what, struct errand_id id)
{
    char line[128];
    int n = 0;

    snprintf(line, sizeof line, "%s %s ", what, id.text);
    for (const char *p = ledger_read(); (p = strstr(p, line)); p++)
        n++;
    return n;
}

/* The pid of the runner that wrote this line. */
static inline pid_t ledger_pid(const char *what, struct errand_id id)
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

static inline void until_ledger(const char *what, struct errand_id id, int n)
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
static inline bool is_alive(pid_t pid)
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

static inline void until_gone(pid_t pid, int64_t ms)
{
    int64_t until = er_clock_mono_ms(NULL) + ms;

    while (is_alive(pid)) {
        if (er_clock_mono_ms(NULL) > until)
            fail_msg("process %ld is still there", (long)pid);
        usleep(1000);
    }
}

#define PROCESS_MAIN()                                                           \
    int main(int argc, char **argv)                                              \
    {                                                                            \
        if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)                     \
            return access("broken", F_OK) == 0 ? 1 : er_runner_main(argc, argv); \
        if (argc > 2 && strcmp(argv[1], "__work") == 0)                          \
            return worker_main(argc, argv);                                      \
        return er_test_main(argc, argv);                                         \
    }

#endif
