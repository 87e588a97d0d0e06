/* measure.c: see measure.h. */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

void sleep_ns(int64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

void figure(const char *name, double value)
{
    printf("%s\t%.6g\n", name, value);
    fflush(stdout);
}

void figure_rate(const char *name, double n, int64_t from_ns)
{
    figure(name, n / ((double)(now_ns() - from_ns) / 1e9));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double percentile(double *values, size_t n, double share)
{
    size_t at = (size_t)((double)n * share);

    if (n == 0)
        die("no values were measured");
    qsort(values, n, sizeof *values, by_value);
    return values[at < n ? at : n - 1];
}

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void payload_write(char buf[PAYLOAD_LEN + 1], int64_t number, int64_t time_ns)
{
    int n = snprintf(buf, PAYLOAD_LEN + 1, "{\"t\":%lld,\"i\":%lld,\"p\":\"",
                     (long long)time_ns, (long long)number);

    memset(buf + n, 'x', (size_t)(PAYLOAD_LEN - n));
    memcpy(buf + PAYLOAD_LEN - 2, "\"}", 3);
}

int64_t payload_time_ns(const char *json)
{
    return strtoll(json + strlen("{\"t\":"), NULL, 10);
}

void database_remove(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-wake"};
    char name[4096];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        if (unlink(name) < 0 && errno != ENOENT)
            die("removing %s: %s", name, strerror(errno));
    }
}

int64_t file_size(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        die("%s: %s", path, strerror(errno));
    return st.st_size;
}

int64_t setting(const char *name, int64_t standard)
{
    const char *text = getenv(name);

    return text && *text ? strtoll(text, NULL, 10) : standard;
}

pid_t spawn(char *const argv[])
{
    extern char **environ;
    pid_t pid;
    int rc = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

    if (rc != 0)
        die("starting %s: %s", argv[0], strerror(rc));
    return pid;
}

void wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waiting for %d: %s", (int)pid, strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("process %d ended with status 0x%x", (int)pid, (unsigned)status);
}

/* The whole of a small file of /proc, or "" when the process is gone. */
static void proc_read(pid_t pid, const char *file, char *buf, size_t size)
{
    char path[64];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    if ((f = fopen(path, "re"))) {
        n = fread(buf, 1, size - 1, f);
        fclose(f);
    }
    buf[n] = '\0';
}

int64_t cpu_ns(pid_t pid)
{
    char path[64], file[80], text[128];
    struct dirent *entry;
    int64_t sum = 0;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    if (!(dir = opendir(path)))
        return 0;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "task/%.20s/schedstat", entry->d_name);
        proc_read(pid, file, text, sizeof text);
        sum += strtoll(text, NULL, 10);
    }
    closedir(dir);
    return sum;
}

double rss_mib(pid_t pid)
{
    char text[4096];
    const char *at;

    proc_read(pid, "status", text, sizeof text);
    at = strstr(text, "VmRSS:");
    return at ? strtod(at + strlen("VmRSS:"), NULL) / 1024 : 0;
}

size_t children_of(pid_t pid, pid_t *ret, size_t max)
{
    char path[64], text[4096], *at, *end;
    size_t n = 0;

    snprintf(path, sizeof path, "task/%d/children", (int)pid);
    proc_read(pid, path, text, sizeof text);
    for (at = text; n < max; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        ret[n++] = (pid_t)child;
    }
    return n;
}
