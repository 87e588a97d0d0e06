/* child.c: short-lived children of the build: their environment and their end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "worker/project.h"

enum { NAP_NS = 5000000 };

static bool is_passed_on(const char *entry)
{
    static const char own[] = "ERRAND_", include[] = "ERRAND_INCLUDE=", lc[] = "LC_ALL=";

    if (strncmp(entry, lc, sizeof lc - 1) == 0)
        return false;
    return strncmp(entry, own, sizeof own - 1) != 0 ||
           strncmp(entry, include, sizeof include - 1) == 0;
}

char **er_child_env(struct errand_arena *arena)
{
    size_t n = 0, kept = 0;
    char **env;

    while (environ[n])
        n++;
    if (!(env = errand_arena_alloc(arena, (n + 2) * sizeof *env)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (is_passed_on(environ[i]))
            env[kept++] = environ[i];
    env[kept] = errand_arena_copy(arena, "LC_ALL=C", 8);
    return env[kept] ? env : NULL;
}

/* Until the child has ended or the time is over. Kernels before 5.3 have no descriptor
 * for a process: there it is asked for every few milliseconds. */
static bool has_ended(pid_t pid, int pidfd, int64_t until_ms, int *ret_status)
{
    for (;;) {
        int64_t left = until_ms - er_clock_mono_ms(NULL);
        pid_t got = waitpid(pid, ret_status, WNOHANG);

        if (got == pid || (got < 0 && errno != EINTR))
            return true;
        if (left <= 0)
            return false;
        if (pidfd >= 0)
            (void)poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1,
                       left > 1000 ? 1000 : (int)left);
        else
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    }
}

int er_child_wait(pid_t pid, int64_t timeout_ms, int *ret_status)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec from birth */
    int rc = 0;

    *ret_status = 0;
    if (!has_ended(pid, pidfd, er_clock_mono_ms(NULL) + timeout_ms, ret_status)) {
        rc = ERRAND_ETIMEOUT;
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
            ;
    }
    if (pidfd >= 0)
        close(pidfd);
    return rc;
}
