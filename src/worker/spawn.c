/* spawn.c: vfork and exec.
 *
 * vfork, not fork: copying the page tables of a large host costs 9 ms at 256 MiB, and a
 * copied process would hold its locks. Until exec the child shares our memory, so it
 * makes async-signal-safe calls only, touches nothing but its own stack, and runs with
 * every signal blocked so that none of our handlers runs in it. */
#include "worker/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

static void limit_set(int resource, rlim_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

    setrlimit(resource, &limit);
}

/* When memory is short, a handler goes before the supervisor that can settle it. Said by
 * us once the child is another program: before, it is as closed to itself as we are
 * (errand_worker_run). */
static void oom_first(pid_t pid)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/oom_score_adj", (long)pid);
    if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
        return;
    if (write(fd, "500", 3) < 0) {
        /* Not allowed here: it keeps our own score. */
    }
    close(fd);
}

static int fds_place(const struct er_spawn *p)
{
    int copy[ER_SPAWN_FDS];

    /* First out of the way, then into place: a source may be another one's place. */
    for (int i = 0; i < p->fds_n; i++)
        if ((copy[i] = fcntl(p->fds[i], F_DUPFD, p->fds_n)) < 0)
            return -1;
    for (int i = 0; i < p->fds_n; i++)
        if (dup2(copy[i], i) < 0)
            return -1;
    if (syscall(SYS_close_range, (unsigned)p->fds_n, ~0U, 0) == 0)
        return 0;
    for (int fd = p->fds_n; fd < 65536; fd++)
        close(fd);
    return 0;
}

static void signals_reset(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < 32; i++)
        sigaction(i, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Runs in the child, on our memory: only what is async-signal-safe. Returns errno when
 * exec did not happen. */
static int child_exec(const struct er_spawn *p, pid_t parent)
{
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before we asked to be told */
        _exit(127);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit_set(RLIMIT_CORE, 0);
    if (p->memory_mib > 0 && !HAS_ASAN)
        limit_set(RLIMIT_AS, (rlim_t)p->memory_mib << 20);
    if (p->cwd && chdir(p->cwd) < 0)
        return errno;
    if (fds_place(p) < 0)
        return errno;
    signals_reset();
    execve(p->path, p->argv, p->envp);
    return errno;
}

int er_spawn(const struct er_spawn *p, struct er_child *ret, struct errand_error *err)
{
    sigset_t all, before;
    volatile int failed = 0; /* written by the child */
    pid_t self = getpid(), pid;
    int why;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        failed = child_exec(p, self);
        _exit(127);
    }
    why = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return er_error_errno(err, ERRAND_EIO, why, "starting '%s'", p->path);
    if (failed) {
        waitpid(pid, NULL, 0);
        return er_error_errno(err, ERRAND_EIO, failed, "executing '%s'%s", p->path,
                              failed == ENOEXEC ? ", whose first line names no program, "
                                                  "as #!/bin/sh does"
                                                : "");
    }
    ret->pid = pid;
    oom_first(pid);
    /* Kernels before 5.3 have none; then it is asked for now and then. */
    ret->pidfd = er_failpoint("no-pidfd") ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    return 0;
}

bool er_child_reap(struct er_child *child, int *ret_status, struct rusage *ret_usage)
{
    pid_t got;

    do
        got = wait4(child->pid, ret_status, WNOHANG, ret_usage);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    if (got < 0) { /* a host that waits for any child took it from us */
        *ret_status = 0x7f00;
        if (ret_usage)
            memset(ret_usage, 0, sizeof *ret_usage);
    }
    return true;
}

void er_child_signal(const struct er_child *child, int signal)
{
    if (child->pid > 0 && kill(-child->pid, signal) < 0)
        kill(child->pid, signal);
}

void er_child_done(struct er_child *child)
{
    if (child->pid > 0) {
        /* Its group id cannot be anybody else's while a member lives; when none does,
         * this finds nothing. */
        if (kill(-child->pid, SIGKILL) == 0)
            while (waitpid(-child->pid, NULL, WNOHANG) > 0)
                ;
    }
    if (child->pidfd >= 0)
        close(child->pidfd);
    *child = (struct er_child){.pidfd = -1};
}

int er_memory_file(const char *name, struct errand_slice bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC), why;

    if (fd < 0)
        return -1;
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = pwrite(fd, bytes.ptr + done, bytes.len - done, (off_t)done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR) {
            why = n ? errno : ENOSPC;
            close(fd);
            errno = why;
            return -1;
        }
    }
    return fd;
}
