/* vet.c: loading a job file runs its code (constructors, ERRAND_JOB). Here it is loaded
 * for the first time, in a child that may crash or hang without harm: a file that takes
 * its process down must not take every runner down for ever. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/clock.h"
#include "core/json.h"
#include "worker/project.h"
#include "worker/protocol.h"
#include "worker/runner_inside.h"

/* Half of the ten seconds a runner has to say HELLO, so that it lives to remember which
 * file it was. */
enum { VET_MS = 5000, VET_SOON_MS = 300, ABOUT_MAX = 1 << 20, FD_ANSWER = 10 };

int er_file_load(struct er_classes *classes, const struct er_build *build,
                 struct errand_error *err)
{
    const struct errand_job_class *older = er_registry_newest();
    const char *why;

    if (!dlopen(build->so, RTLD_NOW | RTLD_LOCAL)) {
        why = dlerror();
        why = why ? why : "it cannot be loaded";
        return errand_error_set(
            err, ERRAND_EJOB, "%s: %s%s", build->file->path, why,
            strstr(why, "undefined symbol: errand_")
                ? " (the program must export errand's functions: link "
                  "it with -rdynamic, or with the shared liberrand)"
                : "");
    }
    if (er_registry_newest() == older)
        return errand_error_set(err, ERRAND_EJOB,
                                "%s: registers no job; write "
                                "ERRAND_JOB(Name, .handle = handle) at its end",
                                build->file->path);
    return er_classes_add(classes, older, build->file->path, err);
}

/* ------------------------------------------------------------------ in the child */

static void all_write(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno != EINTR)
            return;
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* The child keeps nothing of its parent's: not the socket, not the log. Where a runner
 * has its socket stands an empty file: what is written there when the file is loaded
 * would break the protocol of every runner. */
static void child_part(int out)
{
    int null = open("/dev/null", O_RDWR), trap = memfd_create("errand-trap", MFD_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    for (int i = 0; i <= 2; i++)
        dup2(null, i);
    if (out != FD_ANSWER)
        dup2(out, FD_ANSWER);
    if (trap != ER_FD_SOCKET && trap >= 0)
        dup2(trap, ER_FD_SOCKET);
    close_range(ER_FD_SOCKET + 1, FD_ANSWER - 1, 0);
    close_range(FD_ANSWER + 1, ~0U, 0);
}

static int trap_check(const struct er_build *build, struct errand_error *err)
{
    struct stat st;

    if (fstat(ER_FD_SOCKET, &st) == 0 && st.st_size == 0)
        return 0;
    return errand_error_set(err, ERRAND_EJOB,
                            "%s: it writes to descriptor %d when it is loaded, or closes "
                            "it, and that is the worker's; look at its constructors",
                            build->file->path, ER_FD_SOCKET);
}

/* Answers on FD_ANSWER: "+" and HELLO's JSON, or "-" and what is wrong. */
static void child_main(const struct er_build *build, int out)
{
    struct errand_error err = {0};
    struct er_classes classes;
    struct er_buf about;

    child_part(out);
    er_buf_init(&about, ABOUT_MAX);
    if (er_classes_init(&classes) < 0)
        _exit(1);
    if (er_file_load(&classes, build, &err) < 0 || trap_check(build, &err) < 0 ||
        (er_buf_str(&about, "+"), er_classes_about(&classes, &about, &err)) < 0) {
        all_write(FD_ANSWER, "-", 1);
        all_write(FD_ANSWER, err.message, strlen(err.message));
    } else
        all_write(FD_ANSWER, about.ptr, about.len);
    _exit(0);
}

/* ------------------------------------------------------------------ in the parent */

static int judge(const struct er_build *build, int ended, int status,
                 const struct er_buf *answer, struct errand_error *err)
{
    const char *path = build->file->path;

    if (ended < 0)
        return errand_error_set(err, ERRAND_EJOB,
                                "%s: loading it took longer than %d s and was stopped; "
                                "look at its constructors",
                                path, VET_MS / 1000);
    if (WIFSIGNALED(status))
        return errand_error_set(
            err, ERRAND_EJOB,
            "%s: it crashes when it is loaded (signal %d, %s); look at "
            "its constructors",
            path, WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (answer->len == 0)
        return errand_error_set(
            err, ERRAND_EJOB,
            "%s: it ends the program when it is loaded (exit %d); look "
            "at its constructors",
            path, WEXITSTATUS(status));
    if (answer->ptr[0] == '-')
        return errand_error_set(err, ERRAND_EJOB, "%s", answer->ptr + 1);
    if (answer->ptr[0] != '+' ||
        er_json_check("", (struct errand_slice){answer->ptr + 1, answer->len - 1}, NULL,
                      NULL) < 0)
        return errand_error_set(err, ERRAND_EJOB,
                                "%s: what it registers cannot be read; look at its "
                                "constructors",
                                path);
    return 0;
}

int er_vet(const struct er_build *build, struct er_buf *ret_about,
           struct errand_error *err)
{
    int64_t limit_ms = er_failpoint("vet-soon") ? VET_SOON_MS : VET_MS;
    int64_t until_ms = er_clock_mono_ms(NULL) + limit_ms, left;
    struct er_buf answer;
    int pair[2], rc, ended, status;
    pid_t pid;

    if (pipe2(pair, O_CLOEXEC) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "making a pipe");
    if ((pid = fork()) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "forking to load %s",
                            build->file->path);
        close(pair[0]);
        close(pair[1]);
        return rc;
    }
    if (pid == 0)
        child_main(build, pair[1]);
    close(pair[1]);
    er_buf_init(&answer, ABOUT_MAX + 8192);
    er_child_read(pair[0], until_ms, &answer);
    left = until_ms - er_clock_mono_ms(NULL);
    ended = er_child_wait(pid, left > 0 ? left : 0, &status);
    rc = judge(build, ended, status, &answer, err);
    if (rc == 0 && er_buf_add(ret_about, answer.ptr + 1, answer.len - 1) < 0)
        rc = er_error_nomem(err);
    er_buf_done(&answer);
    close(pair[0]);
    return rc;
}
