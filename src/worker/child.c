/* child.c: short-lived children of the build: their environment, what they say, and their
 * end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "worker/project.h"
#include "worker/spawn.h"

enum { NAP_NS = 5000000, CHUNK = 4096 };

char **er_child_env(struct errand_arena *arena)
{
    static const char *const english[] = {"LC_ALL=C", NULL};

    return er_environ_build(NULL, english, arena);
}

/* A poll that ends in time also where `until_ms` is further off than an int. */
static int poll_until(int fd, int64_t left_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, left_ms > 1000 ? 1000 : (int)left_ms);
}

void er_child_read(int fd, int64_t until_ms, struct er_buf *buf)
{
    for (;;) {
        int64_t left = until_ms - er_clock_mono_ms(NULL);
        ssize_t n;

        if (left <= 0 || er_buf_reserve(buf, CHUNK) < 0)
            return;
        if (poll_until(fd, left) <= 0)
            continue;
        n = read(fd, buf->ptr + buf->len, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        buf->len += (size_t)n;
        buf->ptr[buf->len] = '\0';
    }
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
            (void)poll_until(pidfd, left);
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
