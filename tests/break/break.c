/* break.c: processes, ledger and judge of the break suite. */
#include "break.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/fresh.h"

bool is_long(void)
{
    const char *text = getenv("ERRAND_LONG");

    return text && *text && strcmp(text, "0") != 0;
}

long scaled(long short_run, long long_run)
{
    return is_long() ? long_run : short_run;
}

int64_t mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

uint64_t world_random(struct world *w, uint64_t below)
{
    /* splitmix64: any seed is a good seed. */
    uint64_t z = (w->random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* The judge looks for every completed job: none may be pruned before. */
static void project_write(const struct world *w)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof path, "%s/errand.yml", w->dir);
    assert_non_null(file = fopen(path, "we"));
    fputs("keep_completed: all\nkeep_completed_max: all\n", file);
    fclose(file);
}

void world_make(struct world *w, const char *claim)
{
    const char *seed = getenv("ERRAND_SEED"), *kind = getenv("ERRAND_TEST_URL");
    char file[160];

    *w = (struct world){.random = seed ? strtoull(seed, NULL, 10) : (uint64_t)mono_ms()};
    printf("%s: ERRAND_SEED=%llu\n", claim, (unsigned long long)w->random);
    fflush(stdout);
    snprintf(w->dir, sizeof w->dir, "/tmp/errand-break-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(file, sizeof file, "sqlite:%s/jobs.db", w->dir);
    if (!kind) { /* under this name, which tests take for granted */
        snprintf(w->url, sizeof w->url, "%s", file);
    } else if (!fresh_url(kind, w->dir, w->url, sizeof w->url)) {
        folder_remove(w->dir);
        skip();
    }
    snprintf(w->ledger, sizeof w->ledger, "%s/ledger", w->dir);
    snprintf(w->accepted, sizeof w->accepted, "%s/accepted", w->dir);
    project_write(w);
}

void world_free(struct world *w)
{
    pid_t left[64];
    size_t n = 0;

    for (int i = 0; i < 50 && (n = world_processes(w, left, 64)); i++)
        sleep_ms(100);
    for (size_t i = 0; i < n; i++)
        kill(left[i], SIGKILL);
    assert_int_equal(n, 0);
    if (getenv("ERRAND_KEEP"))
        return;
    assert_true(fresh_remove(w->url));
    folder_remove(w->dir);
}

/* ---- processes */

static const char *program(void)
{
    const char *path = getenv("ERRAND_BREAK_JOBS");

    assert_non_null(path);
    return path;
}

static pid_t spawn(struct world *w, const char *const *argv, int out_fd)
{
    char ledger_env[200];
    pid_t pid;

    snprintf(ledger_env, sizeof ledger_env, "%s", w->ledger);
    fflush(NULL);
    if ((pid = fork()) != 0)
        return pid;
    setenv("BREAK_LEDGER", ledger_env, 1);
    if (chdir(w->dir) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
        _exit(99);
    execv(argv[0], (char *const *)argv);
    _exit(98);
}

static int log_open(struct world *w)
{
    char path[200];

    snprintf(path, sizeof path, "%s/out.log", w->dir);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

size_t world_said(const struct world *w, const char *words)
{
    char path[200], *text;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/out.log", w->dir);
    file_read(path, &text);
    for (const char *at = text; (at = strstr(at, words)); at++)
        n++;
    free(text);
    return n;
}

static size_t arguments(struct world *w, const char *const *args, const char **argv)
{
    size_t n = 0;

    argv[n++] = program();
    argv[n++] = args[0];
    argv[n++] = "--url";
    argv[n++] = w->url;
    for (size_t i = 1; args[i]; i++)
        argv[n++] = args[i];
    argv[n] = NULL;
    return n;
}

pid_t world_start(struct world *w, const char *const *args)
{
    const char *argv[40];
    int fd = log_open(w);
    pid_t pid;

    arguments(w, args, argv);
    pid = spawn(w, argv, fd);
    close(fd);
    assert_true(pid > 0);
    return pid;
}

pid_t world_produce(struct world *w, long count, long batch, const char *job)
{
    char count_text[24], batch_text[24];
    const char *argv[] = {program(),  "__produce", w->url, w->accepted,
                          count_text, batch_text,  job,    NULL};
    int fd = log_open(w);
    pid_t pid;

    snprintf(count_text, sizeof count_text, "%ld", count);
    snprintf(batch_text, sizeof batch_text, "%ld", batch);
    pid = spawn(w, argv, fd);
    close(fd);
    assert_true(pid > 0);
    return pid;
}

int process_wait(pid_t pid, int64_t timeout_ms)
{
    int64_t until = mono_ms() + timeout_ms;
    int status;

    do {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (got < 0 && errno != EINTR)
            return -1;
        sleep_ms(5);
    } while (mono_ms() < until);
    return -1;
}

int world_run(struct world *w, const char *const *args, char *out, size_t size)
{
    const char *argv[40];
    size_t used = 0;
    ssize_t n;
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    arguments(w, args, argv);
    pid = spawn(w, argv, fds[1]);
    close(fds[1]);
    while ((n = read(fds[0], out + used, size - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = '\0';
    close(fds[0]);
    return process_wait(pid, PATIENCE_MS);
}

static bool belongs(const struct world *w, const char *pid)
{
    char path[300], text[65536], want[200];
    size_t used = 0, want_len;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    while (used < sizeof text && (n = read(fd, text + used, sizeof text - used)) > 0)
        used += (size_t)n;
    close(fd);
    want_len = (size_t)snprintf(want, sizeof want, "BREAK_LEDGER=%s", w->ledger) + 1;
    return memmem(text, used, want, want_len) != NULL;
}

/* Where nobody may read it: the checkout may be in a folder that is closed to others. */
static void program_copy(const struct world *w, char *path, size_t size)
{
    char *bytes;
    size_t len = file_read(program(), &bytes);
    int fd;

    snprintf(path, size, "%s/program", w->dir);
    assert_true((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755)) >= 0);
    assert_int_equal(write(fd, bytes, len), (long)len);
    close(fd);
    free(bytes);
    assert_int_equal(chmod(path, 0755), 0);
}

int world_run_as_nobody(struct world *w, const char *const *args, char *out, size_t size)
{
    char path[200];
    int fds[2], status;
    size_t used = 0;
    ssize_t n;
    pid_t pid;

    program_copy(w, path, sizeof path);
    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    if ((pid = fork()) == 0) {
        const char *argv[16];
        arguments(w, args, argv);
        argv[0] = path;
        dup2(fds[1], 1), dup2(fds[1], 2);
        if (setgid(65534) < 0 || setuid(65534) < 0 || chdir(w->dir) < 0)
            _exit(99);
        execv(argv[0], (char *const *)argv);
        _exit(98);
    }
    close(fds[1]);
    while ((n = read(fds[0], out + used, size - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = '\0';
    close(fds[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

size_t world_processes(const struct world *w, pid_t *pids, size_t max)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    size_t n = 0;

    while (proc && n < max && (entry = readdir(proc))) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 1 && pid != getpid() && belongs(w, entry->d_name))
            pids[n++] = (pid_t)pid;
    }
    if (proc)
        closedir(proc);
    return n;
}

/* ---- the store */

struct er_store *world_store(const struct world *w)
{
    struct errand_error err = {0};
    struct er_store *store = NULL;

    if (er_store_open(w->url, &(struct er_store_options){.open = {.create = true}},
                      &store, &err) < 0)
        fail_msg("%s", err.message);
    return store;
}

static void counts_read(struct er_store *store, int64_t counts[ERRAND_STATES_N])
{
    struct errand_arena *arena = er_arena_new();
    struct errand_queues_result queues = {0};
    struct errand_error err = {0};

    memset(counts, 0, ERRAND_STATES_N * sizeof *counts);
    if (er_store_queues(store, 0, arena, &queues, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < queues.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            counts[s] += queues.queues[i].counts[s];
    er_arena_free(arena);
}

int64_t world_count(const struct world *w, enum errand_state state)
{
    struct er_store *store = world_store(w);
    int64_t counts[ERRAND_STATES_N];

    counts_read(store, counts);
    er_store_close(store);
    return counts[state];
}

bool world_drained(const struct world *w, int64_t timeout_ms)
{
    struct er_store *store = world_store(w);
    int64_t counts[ERRAND_STATES_N], until = mono_ms() + timeout_ms;
    bool is_drained = false;

    do {
        counts_read(store, counts);
        is_drained = counts[ERRAND_HELD] + counts[ERRAND_SCHEDULED] +
                         counts[ERRAND_READY] + counts[ERRAND_RUNNING] ==
                     0;
        if (!is_drained)
            sleep_ms(50);
    } while (!is_drained && mono_ms() < until);
    er_store_close(store);
    return is_drained;
}

void push_jobs(const struct world *w, const char *name, const char *data, long n)
{
    struct errand_error err = {0};
    errand *e = errand_open(w->url, NULL, &err);

    for (long i = 0; e && i < n; i++)
        if (errand_dispatch(e, name, data, NULL, NULL, &err) < 0)
            break;
    if (err.code)
        fail_msg("%s", err.message);
    errand_close(e);
}

/* ---- the judge */

size_t file_read(const char *path, char **ret)
{
    FILE *file = fopen(path, "re");
    size_t used = 0, size = 1 << 16, n;
    char *text = malloc(size);

    while (file && (n = fread(text + used, 1, size - used - 1, file)) > 0)
        if ((used += n) == size - 1)
            text = realloc(text, size *= 2);
    if (file)
        fclose(file);
    text[used] = '\0';
    *ret = text;
    return used;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a file that begin with `prefix`, its next word each, sorted. */
static char **words_read(const char *path, const char *prefix, char **ret_text,
                         size_t *ret_n)
{
    char **words = calloc(WORLD_IDS_MAX, sizeof *words);
    size_t n = 0, prefix_len = strlen(prefix);

    file_read(path, ret_text);
    for (char *line = *ret_text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (strncmp(line, prefix, prefix_len) == 0 && n < WORLD_IDS_MAX) {
            words[n] = line + prefix_len;
            words[n++][strcspn(line + prefix_len, " ")] = '\0';
        }
    }
    qsort(words, n, sizeof *words, compare_lines);
    *ret_n = n;
    return words;
}

static size_t count_twice(char *const *words, size_t n)
{
    size_t twice = 0;

    for (size_t i = 1; i < n; i++)
        twice += strcmp(words[i], words[i - 1]) == 0 &&
                 (i == 1 || strcmp(words[i - 1], words[i - 2]) != 0);
    return twice;
}

struct seen {
    char **accepted;
    size_t accepted_n;
    bool *is_found;
};

static void job_judge(struct seen *seen, const struct errand_job_info *job,
                      struct verdict *v)
{
    const char *id = job->id.text;
    char **at = bsearch(&id, seen->accepted, seen->accepted_n, sizeof *at, compare_lines);

    v->completed += job->state == ERRAND_COMPLETED;
    v->failed += job->state == ERRAND_FAILED;
    v->unfinished += job->state != ERRAND_COMPLETED && job->state != ERRAND_FAILED &&
                     job->state != ERRAND_CANCELLED;
    if (!at) {
        v->extras++;
        return;
    }
    if (seen->is_found[at - seen->accepted])
        fail_msg("job %s is listed twice", id);
    seen->is_found[at - seen->accepted] = true;
}

static void store_judge(const struct world *w, struct seen *seen, struct verdict *v)
{
    struct er_store *store = world_store(w);
    struct errand_list_params p = {.max = 1000};
    struct errand_list_result page = {.more = true};
    struct errand_check_result check = {0};
    struct errand_arena *arena = er_arena_new();
    struct errand_error err = {0};

    while (page.more) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        if (er_store_list(store, &p, arena, &page, &err) < 0)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < page.jobs_n; i++)
            job_judge(seen, &page.jobs[i], v);
        if (page.jobs_n)
            p.after = page.jobs[page.jobs_n - 1].id;
    }
    if (er_store_check(store, 0, arena, &check, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < check.findings_n; i++)
        fprintf(stderr, "check: %s\n", check.findings[i]);
    assert_int_equal(check.findings_n, 0);
    er_arena_free(arena);
    er_store_close(store);
}

struct verdict world_judge(const struct world *w)
{
    char *accepted_text, *ledger_text, *start_text;
    struct verdict v = {0};
    struct seen seen = {0};
    size_t done_n;
    char **done, **started;

    seen.accepted = words_read(w->accepted, "", &accepted_text, &seen.accepted_n);
    seen.is_found = calloc(seen.accepted_n + 1, sizeof *seen.is_found);
    done = words_read(w->ledger, "done ", &ledger_text, &done_n);
    started = words_read(w->ledger, "start ", &start_text, &v.started);
    v.accepted = seen.accepted_n;
    v.twice = count_twice(done, done_n);
    store_judge(w, &seen, &v);
    for (size_t i = 0; i < seen.accepted_n; i++)
        v.missing += !seen.is_found[i];
    printf("  accepted %zu, completed %zu, failed %zu, unlogged %zu, missing %zu, twice "
           "%zu, "
           "unfinished %zu\n",
           v.accepted, v.completed, v.failed, v.extras, v.missing, v.twice, v.unfinished);
    assert_int_equal(v.missing, 0);
    assert_int_equal(v.unfinished, 0);
    free(seen.accepted), free(seen.is_found), free(done), free(started);
    free(accepted_text), free(ledger_text), free(start_text);
    return v;
}
