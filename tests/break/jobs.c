/* jobs.c: the program under test of the break suite: errand with jobs that keep a ledger
 * and jobs that misbehave.
 *
 * Beside the command it is a producer: `PROGRAM __produce URL ACCEPTED COUNT BATCH JOB`
 * pushes COUNT jobs and appends to ACCEPTED each id that was answered, after it was
 * answered. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "errand.h"

static int64_t boot_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* One O_APPEND write and an fsync: a line is there whole or not at all, whoever is killed
 * when. */
static void line_append(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) || fsync(fd) < 0)
        abort();
    close(fd);
}

static void ledger(const char *what, errand_job *job)
{
    const char *path = getenv("BREAK_LEDGER");
    char line[256];

    if (!path)
        return;
    snprintf(line, sizeof line, "%s %s %d %d %lld\n", what, errand_job_id(job),
             errand_job_attempt(job), (int)getpid(), (long long)boot_ms());
    line_append(path, line);
}

static void sleep_ms(long long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/* {"ms": 20}: takes so long. */
static int work(errand_job *job, struct errand_error *err)
{
    long long ms = 0;

    ledger("start", job);
    if (errand_job_has(job, "ms") && errand_job_int(job, "ms", &ms, err) < 0)
        return ERRAND_FAIL;
    sleep_ms(ms);
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Work, .handle = work, .tries = 50, .timeout = 60, .backoff = ERRAND_BACKOFF(0))

/* Fails for good while the file LEDGER.fail has its id in it. */
static int link_job(errand_job *job, struct errand_error *err)
{
    char path[300], id[80] = "";
    const char *name = getenv("BREAK_LEDGER");
    FILE *file;

    ledger("start", job);
    sleep_ms(5);
    snprintf(path, sizeof path, "%s.fail", name ? name : "");
    if ((file = fopen(path, "re"))) {
        if (!fgets(id, sizeof id, file))
            id[0] = '\0';
        fclose(file);
    }
    if (strcmp(id, errand_job_id(job)) == 0)
        return errand_error_set(err, ERRAND_EJOB, "told to fail"), ERRAND_FAIL;
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Link, .handle = link_job, .tries = 50, .backoff = ERRAND_BACKOFF(0))

/* A member that adds two others, and dispatches one that is none. */
static int grow(errand_job *job, struct errand_error *err)
{
    ledger("start", job);
    if (errand_job_batch_add(job, "Link", NULL, NULL, NULL, err) < 0 ||
        errand_job_batch_add(job, "Link", NULL, NULL, NULL, err) < 0 ||
        errand_job_dispatch(job, "Link", NULL, NULL, NULL, err) < 0)
        return ERRAND_RETRY;
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Grow, .handle = grow, .tries = 50, .backoff = ERRAND_BACKOFF(0))

/* {"key": "a", "ms": 5}: beside the ledger, when a job of a key was inside. */
static int keyed(errand_job *job, struct errand_error *err)
{
    const char *key;
    long long ms = 0;
    char what[40];

    if (errand_job_string(job, "key", &key, err) < 0 ||
        errand_job_int(job, "ms", &ms, err) < 0)
        return ERRAND_FAIL;
    ledger("start", job);
    snprintf(what, sizeof what, "in %s", key);
    ledger(what, job);
    sleep_ms(ms);
    snprintf(what, sizeof what, "out %s", key);
    ledger(what, job);
    ledger("done", job);
    return ERRAND_DONE;
}
ERRAND_JOB(Keyed, .handle = keyed, .tries = 50, .backoff = ERRAND_BACKOFF(0))
/* One whose dispatcher knows nothing of its limits. */
ERRAND_JOB(Strict, .handle = keyed, .tries = 50, .backoff = ERRAND_BACKOFF(0),
           .middleware = ERRAND_MIDDLEWARE(ERRAND_WITHOUT_OVERLAPPING(.key = "{key}"),
                                           ERRAND_THROTTLE(.max = 100000, .per = 3600,
                                                           .key = "{key}")))

static int noop(errand_job *job, struct errand_error *err)
{
    (void)job, (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = noop)

/* Fails each time, and is tried again in a minute, give or take. */
static int refuse(errand_job *job, struct errand_error *err)
{
    (void)job;
    return errand_error_set(err, ERRAND_EJOB, "the other side is down"), ERRAND_RETRY;
}
ERRAND_JOB(Refuse, .handle = refuse, .tries = 2,
           .backoff = {.strategy = ERRAND_BACKOFF_FIXED, .base = 60, .jitter = 0.2})

static volatile int sink;

static int overflow(int depth)
{
    volatile char frame[4096];

    frame[depth % 4096] = (char)depth;
    return depth < 1 << 30 ? overflow(depth + 1) + frame[depth % 4096] : 0;
}

static void hoard(void)
{
    struct rlimit limit = {.rlim_cur = 256 << 20, .rlim_max = 256 << 20};
    char *p;

    setrlimit(RLIMIT_AS, &limit);
    while ((p = malloc(1 << 20)))
        memset(p, 1, 1 << 20);
    abort(); /* what most programs do when malloc answers NULL */
}

static void flood(void)
{
    static char text[1 << 16];

    memset(text, 'x', sizeof text);
    for (int i = 0; i < 1600; i++) /* 100 MiB */
        if (write(1, text, sizeof text) < 0)
            break;
}

/* {"how": "segv"}: the ways in which a handler can die. */
static int poison(errand_job *job, struct errand_error *err)
{
    const char *how;

    ledger("start", job);
    if (errand_job_string(job, "how", &how, err) < 0)
        return ERRAND_FAIL;
    if (strcmp(how, "abort") == 0)
        abort();
    else if (strcmp(how, "segv") == 0)
        raise(SIGSEGV);
    else if (strcmp(how, "stack") == 0)
        sink = overflow(1);
    else if (strcmp(how, "exit") == 0)
        exit(0);
    else if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    else if (strcmp(how, "memory") == 0)
        hoard();
    else if (strcmp(how, "flood") == 0)
        flood();
    else if (strcmp(how, "close") == 0)
        close(3);
    return errand_error_set(err, ERRAND_EJOB, "still here after '%s'", how), ERRAND_RETRY;
}
ERRAND_JOB(Poison, .handle = poison, .tries = 3, .timeout = 20,
           .backoff = ERRAND_BACKOFF(0))

/* {"how": "later", "slot": 12}: a handler that writes to its runner's socket as if it
 * were the runner. */
static int forge(errand_job *job, struct errand_error *err)
{
    /* DONE of protocol.h with nothing in it but the slot. */
    char done[] = {30, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                   0,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const char huge[] = "\xff\xff\xff\xff\x12huge",
                      hello[] = "\x09\0\0\0\x10\x01\0\0\0\0\0\0";
    const char *how, *bytes = done;
    size_t len = sizeof done;
    long long slot = 0;

    ledger("start", job);
    if (errand_job_string(job, "how", &how, err) < 0)
        return ERRAND_FAIL;
    errand_job_int(job, "slot", &slot, NULL);
    done[5] = (char)slot;
    if (strcmp(how, "huge") == 0)
        bytes = huge, len = sizeof huge - 1;
    else if (strcmp(how, "hello") == 0)
        bytes = hello, len = 13;
    else if (strcmp(how, "text") == 0)
        bytes = "hello, world\n", len = 13;
    if (strcmp(how, "nothing") == 0) /* so that it is known for a quick one */
        return ERRAND_DONE;
    if (write(3, bytes, len) != (ssize_t)len)
        return ERRAND_RETRY;
    sleep_ms(100);
    return errand_error_set(err, ERRAND_EJOB, "still here after '%s'", how), ERRAND_RETRY;
}
ERRAND_JOB(Forge, .handle = forge, .tries = 2, .timeout = 20,
           .backoff = ERRAND_BACKOFF(0))

static int open_files(errand_job *job, struct errand_error *err)
{
    char list[1024] = "[";
    size_t used = 1;

    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%d",
                                     used > 1 ? "," : "", fd);
    snprintf(list + used, sizeof list - used, "]");
    return errand_job_result(job, list, err) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(OpenFiles, .handle = open_files, .tries = 1)

static void accepted_write(const char *path, const struct errand_id *ids, size_t n)
{
    char lines[64 * 64];
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used, "%s\n", ids[i].text);
    line_append(path, lines);
}

/* Jobs of 0 to 20 ms, in an order that mixes them. */
static void data_write(char data[32], long i)
{
    snprintf(data, 32, "{\"ms\":%ld}", i * 8 % 21);
}

static int push(errand *e, const char *name, long from, long n, struct errand_id *ids,
                struct errand_error *err)
{
    struct errand_dispatch_item items[64];
    char data[64][32];

    for (long k = 0; k < n; k++) {
        data_write(data[k], from + k);
        items[k] = (struct errand_dispatch_item){.name = name,
                                                 .data = {data[k], strlen(data[k])}};
    }
    return n == 1 ? errand_dispatch(e, name, data[0], NULL, ids, err)
                  : errand_dispatch_bulk(e, items, (size_t)n, ids, err);
}

static int produce(const char *url, const char *accepted, long count, long batch,
                   const char *name)
{
    struct errand_error err = {0};
    struct errand_id ids[64];
    errand *e = errand_open(url, NULL, &err);

    for (long i = 0; e && i < count; i += batch) {
        if (push(e, name, i, batch, ids, &err) < 0)
            break;
        accepted_write(accepted, ids, (size_t)batch);
    }
    if (err.code)
        fprintf(stderr, "producer: %s\n", err.message);
    errand_close(e);
    return err.code ? 1 : 0;
}

/* A runner that cannot start: LEDGER.init says "exit" or "hang". */
static void init_break(void)
{
    char path[300], how[16] = "";
    const char *name = getenv("BREAK_LEDGER");
    FILE *file;

    snprintf(path, sizeof path, "%s.init", name ? name : "");
    if (!(file = fopen(path, "re")))
        return;
    if (!fgets(how, sizeof how, file))
        how[0] = '\0';
    fclose(file);
    snprintf(path, sizeof path, "%s.forks", name);
    line_append(path, "x\n");
    if (strcmp(how, "exit") == 0)
        exit(1);
    if (strcmp(how, "hang") == 0)
        sleep_ms(1000000);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__runner") == 0)
        init_break();
    if (argc == 7 && strcmp(argv[1], "__produce") == 0)
        return produce(argv[2], argv[3], strtol(argv[4], NULL, 10),
                       strtol(argv[5], NULL, 10), argv[6]);
    return errand_main(argc, argv);
}
