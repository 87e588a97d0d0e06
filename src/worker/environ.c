/* environ.c: what of our environment a child gets to see, and finding by it the processes
 * that ran away from their group. */
#include "worker/spawn.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "core/clock.h"
#include "store/store.h"

extern char **environ;

/* Whose child a process is, readable in /proc by its owner alone. */
#define MARK "ERRAND_SUPERVISOR="

static bool has_word(const char *name, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (strncmp(name + i, word, n) == 0)
            return true;
    return false;
}

/* Errand's own secrets. A store URL without a password is none: a handler may want to
 * dispatch. */
static bool is_secret(const char *entry, struct errand_arena *arena)
{
    static const char *const words[] = {"TOKEN", "SECRET", "PASSWORD", "KEY", "WEBHOOK"};
    size_t len = strcspn(entry, "=");

    if (strncmp(entry, "ERRAND_", 7) != 0)
        return false;
    if (len == 10 && strncmp(entry, "ERRAND_URL", 10) == 0 && entry[len]) {
        const char *shown = er_url_shown(entry + len + 1, arena);
        return !shown || strcmp(shown, entry + len + 1) != 0;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(entry, len, words[i]))
            return true;
    return false;
}

static bool is_named(const char *entry, const char *const *names)
{
    size_t len = strcspn(entry, "=");

    for (; *names; names++)
        if (strlen(*names) == len && strncmp(entry, *names, len) == 0)
            return true;
    return false;
}

static bool is_replaced(const char *entry, const char *const *more)
{
    size_t len = strcspn(entry, "=") + 1;

    for (; more && *more; more++)
        if (strncmp(entry, *more, len) == 0)
            return true;
    return strncmp(entry, MARK, strlen(MARK)) == 0;
}

char **er_environ_build(const char *const *allow, const char *const *more,
                        struct errand_arena *arena)
{
    size_t n = 0, have_n = 0, more_n = 0;
    char **list;

    while (environ && environ[have_n])
        have_n++;
    while (more && more[more_n])
        more_n++;
    if (!(list = errand_arena_alloc(arena, (have_n + more_n + 2) * sizeof *list)))
        return NULL;
    for (size_t i = 0; i < have_n; i++) {
        if (is_replaced(environ[i], more) || (allow && !is_named(environ[i], allow)) ||
            is_secret(environ[i], arena))
            continue;
        list[n++] = environ[i];
    }
    for (size_t i = 0; i < more_n; i++)
        list[n++] = (char *)more[i];
    if (!(list[n] = er_arena_printf(arena, MARK "%ld", (long)getpid())))
        return NULL;
    return list;
}

char **er_environ_job(const struct er_environ_job *job, const char *const *allow,
                      struct errand_arena *arena)
{
    enum { MORE_N = 8 };
    const char *more[MORE_N + 1] = {0};
    char deadline[32] = "";

    if (job->deadline_ms)
        er_time_format(job->deadline_ms, deadline, sizeof deadline);
    more[0] = er_arena_printf(arena, "ERRAND_JOB_ID=%s", job->id);
    more[1] = er_arena_printf(arena, "ERRAND_JOB_NAME=%s", job->name);
    more[2] = er_arena_printf(arena, "ERRAND_QUEUE=%s", job->queue);
    more[3] = er_arena_printf(arena, "ERRAND_ATTEMPT=%d", job->attempt);
    more[4] = er_arena_printf(arena, "ERRAND_TRIES=%d", job->tries);
    more[5] = er_arena_printf(arena, "ERRAND_DEADLINE=%s", deadline);
    more[6] = er_arena_printf(arena, "ERRAND_BATCH_ID=%s", job->batch ? job->batch : "");
    more[7] = job->has_parents ? "ERRAND_PARENTS=/dev/fd/4" : "ERRAND_PARENTS=";
    for (int i = 0; i < MORE_N; i++)
        if (!more[i])
            return NULL;
    return er_environ_build(allow, more, arena);
}

/* ------------------------------------------------------------------ runaways */

void er_adopt_begin(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static ssize_t file_read(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 0;

    if (fd < 0)
        return -1;
    while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    buf[len] = '\0';
    return (ssize_t)len;
}

/* A session leader of ours is a child we started; one that is not, with our mark, came to
 * us when its parent ended. */
static bool is_runaway(pid_t pid)
{
    char path[64], mark[64], bytes[32768];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
    if ((len = file_read(path, bytes, sizeof bytes)) <= 0)
        return false;
    snprintf(mark, sizeof mark, MARK "%ld", (long)getpid());
    for (const char *p = bytes; p < bytes + len; p += strlen(p) + 1)
        if (strcmp(p, mark) == 0)
            return true;
    return false;
}

/* A process of a session that is not ours and that nobody knows: what is left of a group
 * we ended. Zombies have no environment to look at. */
static bool is_leftover(pid_t pid)
{
    char path[64], bytes[1024], *p;
    char kind;
    int parent, group, session;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (file_read(path, bytes, sizeof bytes) <= 0 || !(p = strrchr(bytes, ')')))
        return false;
    if (sscanf(p + 1, " %c %d %d %d", &kind, &parent, &group, &session) != 4)
        return false;
    return kind == 'Z' && session != (int)getsid(0);
}

size_t er_adopt_sweep(const pid_t *known, size_t known_n)
{
    char path[64], list[16384], *end;
    size_t found = 0;
    long pid;

    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    if (file_read(path, list, sizeof list) <= 0)
        return 0;
    for (char *p = list; (pid = strtol(p, &end, 10)) > 0 && end != p; p = end) {
        bool is_known = false;
        for (size_t i = 0; i < known_n && !is_known; i++)
            is_known = known[i] == (pid_t)pid;
        if (is_known)
            continue;
        if (is_runaway((pid_t)pid) && ++found)
            kill((pid_t)pid, SIGKILL); /* a zombie by the next sweep */
        else if (is_leftover((pid_t)pid) && ++found)
            waitpid((pid_t)pid, NULL, WNOHANG);
    }
    return found;
}
