/* cases.h: the acceptance cases (README.md has the list), each a test named after its
 * number:
 *
 *     CASE(case_07_one_worker_keeps_the_order) { … }       on every store
 *     TEST(case_18_the_queue_on_the_left_goes_first) { … }  by the command
 *
 * Inside, `e` is an open handle on a store of its own, `err` the error to pass, the_clock
 * its clock, and sh("…") a shell in the folder of a project on that store. There
 * `errand` is the command, with its jobs in app/Jobs, and `mine` is this very test
 * program as a command with the job classes of its file. Classes write what they do into
 * the ledger. The end of a file is CASES_MAIN(). */
#ifndef ER_TESTS_CASES_H
#define ER_TESTS_CASES_H

#include "cli/shell.h"

#include <signal.h>
#include <time.h>

#include <errand.h>

#include "client/client.h"
#include "core/clock.h"
#include "support/fresh.h"
#include "worker/runner.h"

enum { CASE_PATIENCE_MS = 20000, CASE_STARTED_MAX = 16 };

static errand *e;
static struct errand_error err;
static struct er_clock the_clock; /* fixed_ms 0: the real time */
static struct errand_arena *case_arena;
static char case_url[256];
static pid_t case_started[CASE_STARTED_MAX];

/* ------------------------------------------------------------------ the place */

static inline int case_setup(void **state)
{
    char path[PATH_MAX + 32], self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    shell_setup(state);
    assert_true(n > 0);
    self[n] = '\0';
    snprintf(path, sizeof path, "%s/../bin/mine", shell_folder);
    assert_int_equal(symlink(self, path), 0);
    snprintf(path, sizeof path, "%s/ledger", shell_folder);
    setenv("CASE_LEDGER", path, 1);
    sh("mkdir -p app/Jobs; : >errand.yml; : >ledger");
    assert_non_null(case_arena = er_arena_new());
    return 0;
}

static inline int case_teardown(void **state)
{
    for (int i = 0; i < CASE_STARTED_MAX; i++)
        if (case_started[i] > 0) {
            kill(-case_started[i], SIGKILL);
            waitpid(case_started[i], NULL, 0);
            case_started[i] = 0;
        }
    er_arena_free(case_arena);
    case_arena = NULL;
    if (case_url[0])
        assert_true(fresh_remove(case_url));
    case_url[0] = '\0';
    return shell_teardown(state);
}

TEST_FIXTURE(case_setup, case_teardown)

static inline errand *case_open(void)
{
    errand *opened = errand_open(case_url, NULL, &err);

    if (!opened)
        fail_msg("%s: %s", case_url, err.message);
    er_client_clock(opened, &the_clock);
    return opened;
}

static inline void case_run(const char *kind, void (*claim)(void))
{
    if (!fresh_url(kind, shell_folder, case_url, sizeof case_url))
        skip();
    if (strcmp(kind, "memory") != 0)
        setenv("ERRAND_URL", case_url, 1); /* for the command */
    err = (struct errand_error){0};
    the_clock.fixed_ms = 0;
    e = case_open();
    claim();
    errand_close(e);
    e = NULL;
}

#define CASE(claim)             \
    static void claim(void);    \
    FRESH_EACH(claim, case_run) \
    static void claim(void)

/* A claim that takes several processes, and so a store that they share. */
#define CASE_SHARED(claim)        \
    static void claim(void);      \
    FRESH_SHARED(claim, case_run) \
    static void claim(void)

/* ------------------------------------------------------------------ the ledger */

/* For job classes: a line, whole whoever else writes. */
static inline void ledger(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void ledger(const char *fmt, ...)
{
    int fd = open(getenv("CASE_LEDGER"), O_WRONLY | O_APPEND | O_CLOEXEC), n;
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    line[n++] = '\n';
    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

/* All of it; lives until the end of the test. */
static inline const char *ledger_read(void)
{
    return sh("cat ledger").out;
}

/* How many lines are exactly this. */
static inline int ledger_count(const char *line)
{
    size_t len = strlen(line);
    int n = 0;

    for (const char *p = ledger_read(); *p; p += strcspn(p, "\n") + 1)
        n += strcspn(p, "\n") == len && memcmp(p, line, len) == 0;
    return n;
}

static inline void assert_ledger(const char *expected)
{
    assert_string_equal(ledger_read(), expected);
}

/* ------------------------------------------------------------------ dispatch and work */

static inline struct errand_id push(const char *name, const char *data,
                                    const struct errand_options *options)
{
    struct errand_id id = {{0}};

    if (errand_dispatch(e, name, data, options, &id, &err) < 0)
        fail_msg("dispatching '%s': %s", name, err.message);
    return id;
}

/* Works in this process; what is not said: one at a time, quiet, at most 30 s. */
static inline void work(struct errand_worker_options options)
{
    if (!options.concurrency)
        options.concurrency = 1;
    if (options.max_time <= 0)
        options.max_time = 30;
    options.is_quiet = !getenv("LOUD");
    if (errand_worker_run(case_url, NULL, &options, &err) < 0)
        fail_msg("the worker ended: %s", err.message);
}

static inline void work_all(void)
{
    work((struct errand_worker_options){.stop_when_empty = true});
}

static inline void work_attempts(int64_t n)
{
    work((struct errand_worker_options){.max_jobs = n});
}

/* ------------------------------------------------------------------ what is stored */

/* Lives until the end of the test. */
static inline struct errand_job_detail *look(struct errand_id id)
{
    struct errand_job_detail *job = errand_arena_alloc(case_arena, sizeof *job);

    assert_non_null(job);
    if (er_store_get(er_client_store(e), &id, 0, case_arena, job, &err) < 0)
        fail_msg("looking at %s: %s", id.text, err.message);
    return job;
}

static inline void assert_state(struct errand_id id, enum errand_state state)
{
    assert_string_equal(errand_state_name(look(id)->job.state), errand_state_name(state));
}

/* How many jobs are in this state; state < 0: in any. `queue` NULL: on all. */
static inline int64_t count(int state, const char *queue)
{
    struct errand_filter filter = {.queue = queue, .states = state < 0 ? 0 : 1u << state};
    int64_t n;

    if (er_store_count(er_client_store(e), &filter, 0, &n, &err) < 0)
        fail_msg("counting: %s", err.message);
    return n;
}

static inline void assert_is(struct errand_slice text, const char *whole)
{
    if (text.len != strlen(whole) || memcmp(text.ptr, whole, text.len) != 0)
        fail_msg("'%.*s' is not '%s'", (int)text.len, text.ptr ? text.ptr : "", whole);
}

static inline void assert_holds(struct errand_slice text, const char *part)
{
    if (!memmem(text.ptr, text.len, part, strlen(part)))
        fail_msg("'%s' is not in '%.*s'", part, (int)text.len, text.ptr ? text.ptr : "");
}

/* ------------------------------------------------------------------ time and processes
 */

/* Waits for something to become true, never for time to pass. */
#define UNTIL(condition)                                                              \
    for (int64_t until_ = er_clock_mono_ms(NULL) + CASE_PATIENCE_MS;; usleep(2000)) { \
        if (condition)                                                                \
            break;                                                                    \
        if (er_clock_mono_ms(NULL) > until_)                                          \
            fail_msg("never came true: %s", #condition);                              \
    }

static inline void until_state(struct errand_id id, enum errand_state state)
{
    UNTIL(look(id)->job.state == state);
}

/* Starts a line of shell that stays in the background; killed with all it started when
 * the test ends. Its output is in the files NAME.out of the folder. */
static inline pid_t start(const char *name, const char *line)
{
    char text[PATH_MAX + 2048];
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        setpgid(0, 0);
        snprintf(text, sizeof text,
                 "cd %.1000s && exec >%.40s.out 2>&1 </dev/null; exec %.900s",
                 shell_folder, name, line);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < CASE_STARTED_MAX; i++)
        if (!case_started[i]) {
            case_started[i] = pid;
            return pid;
        }
    fail_msg("too many processes");
    return -1;
}

/* Waits for one of start(); answers its exit status as a shell does. */
static inline int ended(pid_t pid)
{
    int status = -1;

    UNTIL(waitpid(pid, &status, WNOHANG) == pid);
    for (int i = 0; i < CASE_STARTED_MAX; i++)
        if (case_started[i] == pid)
            case_started[i] = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* With arguments that are not the test's own, this program is the command. */
#define CASES_MAIN()                                \
    int main(int argc, char **argv)                 \
    {                                               \
        if (argc > 1 && strcmp(argv[1], "-t") != 0) \
            return errand_main(argc, argv);         \
        return er_test_main(argc, argv);            \
    }

#endif
