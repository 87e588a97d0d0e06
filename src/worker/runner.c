/* runner.c: the child process that runs handlers: what it finds open, what it says first,
 * and the loop. One attempt is in runner_run.c. It holds no store and knows nobody but
 * the supervisor at the other end of its socket; when that end closes, it exits. */
#include "worker/runner_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "client/notify.h"
#include "errand/worker.h"

enum {
    READ_SIZE = 64 << 10,
    KEEP_SIZE = 1 << 20, /* a buffer that one large job made grow beyond this is let go */
    EXIT_USAGE = 2,
    EXIT_BROKEN = 3,
};

/* 1 more to read, 0 end of file, -1 broken. */
static int input_read(struct er_self *r)
{
    ssize_t n;

    er_buf_drop(&r->in, r->at);
    r->at = 0;
    if (r->in.len == 0 && r->in.size > KEEP_SIZE)
        er_buf_done(&r->in);
    if (er_buf_reserve(&r->in, READ_SIZE) < 0)
        return -1;
    do
        n = read(ER_FD_SOCKET, r->in.ptr + r->in.len, r->in.size - r->in.len - 1);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return (int)n;
    r->in.len += (size_t)n;
    r->now_us = er_self_now_us();
    return 1;
}

static int fatal(struct er_self *r, const char *text)
{
    er_frame_write_bare(er_out_begin(&r->out), ER_FRAME_FATAL,
                        (struct errand_slice){.ptr = text, .len = strlen(text)});
    er_out_end(&r->out);
    (void)er_out_flush(&r->out);
    return EXIT_BROKEN;
}

/* What is in the buffer. 1: wants more, 0: told to stop, -1: broken. */
static int input_use(struct er_self *r)
{
    struct er_frame frame;
    struct er_frame_job job;
    long n;

    while ((n = er_frame_next(r->in.ptr + r->at, r->in.len - r->at, &frame)) > 0) {
        r->at += (size_t)n;
        if (frame.type == ER_FRAME_STOP)
            return 0;
        if (frame.type != ER_FRAME_JOB)
            continue; /* from a newer supervisor: not for us */
        if (er_frame_read_job(&frame, &job) < 0 || er_self_run(r, &job) < 0)
            return -1;
        er_self_ask_over(r);
    }
    return n < 0 ? -1 : 1;
}

static int loop(struct er_self *r)
{
    for (;;) {
        int rc = input_use(r);

        if (er_out_flush(&r->out) < 0)
            return EXIT_BROKEN;
        if (rc == 0)
            return 0;
        if (rc < 0)
            return fatal(r, "a frame from the worker could not be read");
        /* Before it may sleep, and cheap compared with the read. */
        r->cpu_us = er_self_cpu_us();
        if ((rc = input_read(r)) <= 0)
            return rc == 0 ? 0 : EXIT_BROKEN;
        r->cpu_at_us = r->now_us;
    }
}

/* Maps the shared area and closes its descriptor: a handler must not find it. */
static int shared_map(struct er_self *r, struct errand_error *err)
{
    struct stat st;
    void *p;

    if (fstat(ER_FD_SHARED, &st) < 0)
        return 0;
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct er_shared))
        return errand_error_set(err, ERRAND_EINVAL,
                                "descriptor %d is not the worker's shared memory",
                                ER_FD_SHARED);
    p = mmap(NULL, sizeof(struct er_shared), PROT_READ | PROT_WRITE, MAP_SHARED,
             ER_FD_SHARED, 0);
    if (p == MAP_FAILED)
        return er_error_errno(err, ERRAND_EIO, errno, "mapping the shared memory");
    close(ER_FD_SHARED);
    r->shared = p;
    if (r->shared->version != ER_PROTOCOL_VERSION || r->shared->slots != ER_SLOTS)
        return errand_error_set(err, ERRAND_ESCHEMA,
                                "the worker speaks version %u of the protocol, this "
                                "program %d: build both with one errand",
                                (unsigned)r->shared->version, ER_PROTOCOL_VERSION);
    return 0;
}

static bool is_stopping(void *ctx)
{
    const struct er_self *r = ctx;

    return r->shared &&
           (atomic_load_explicit(&r->shared->stopping, memory_order_relaxed) ||
            atomic_load_explicit(&r->shared->cancel, memory_order_relaxed) ==
                r->slot + 1);
}

static int hello(struct er_self *r, struct errand_error *err)
{
    struct er_frame_hello frame = {.version = ER_PROTOCOL_VERSION};
    struct er_buf about;
    int rc;

    er_buf_init(&about, ER_FRAME_MAX / 2);
    if ((rc = er_classes_about(&r->classes, &about, err)) == 0) {
        frame.about = (struct errand_slice){.ptr = about.ptr, .len = about.len};
        er_frame_write_hello(er_out_begin(&r->out), &frame);
        er_out_end(&r->out);
    }
    er_buf_done(&about);
    return rc;
}

/* A handler that calls exit() ends the runner; what was done before it is still told. */
static void at_exit(int status, void *arg)
{
    struct er_out *out = arg;

    (void)status;
    if (er_out_is_ours(out))
        (void)er_out_flush(out);
}

static void on_compile(void *ctx, const char *file)
{
    struct er_self *r = ctx;

    er_frame_write_bare(er_out_begin(&r->out), ER_FRAME_LOADING,
                        (struct errand_slice){.ptr = file, .len = strlen(file)});
    er_out_end(&r->out);
    (void)er_out_flush(&r->out);
}

static int start(struct er_self *r, const char *project, struct errand_error *err)
{
    int rc;

    r->host = (struct er_job_host){.progress = er_self_progress,
                                   .is_stopping = is_stopping,
                                   .ask = er_self_ask,
                                   .ctx = r};
    er_buf_init(&r->in, 2 * (size_t)ER_FRAME_MAX);
    er_buf_init(&r->ahead, 2 * (size_t)ER_FRAME_MAX);
    if (er_buf_reserve(&r->in, READ_SIZE) < 0 || er_job_init(&r->job, &r->host) < 0 ||
        er_classes_init(&r->classes) < 0)
        return er_error_nomem(err);
    r->classes.on_compile = on_compile;
    r->classes.on_compile_ctx = r;
    if ((rc = shared_map(r, err)) < 0 ||
        (rc = er_classes_load(&r->classes, project, err)) < 0 || (rc = hello(r, err)) < 0)
        return rc;
    /* What job files print while they are loaded is no job's log. */
    er_self_log_forget();
    r->cpu_us = er_self_cpu_us();
    r->now_us = r->cpu_at_us = er_self_now_us();
    return 0;
}

static bool socket_is_there(void)
{
    struct stat st;

    return fstat(ER_FD_SOCKET, &st) == 0 && S_ISSOCK(st.st_mode) &&
           fcntl(ER_FD_SOCKET, F_SETFD, FD_CLOEXEC) == 0;
}

/* Is `arg` the first argument of this process? */
static bool was_started_as(const char *arg)
{
    char line[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    const char *first;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    line[n] = '\0';
    first = line + strlen(line) + 1;
    return first < line + n && strcmp(first, arg) == 0;
}

int er_runner_is_stray(struct errand_error *err)
{
    static const char text[] = "this program was started to run its own jobs, and its "
                               "main did not call errand_runner_main (or errand_main) "
                               "before anything else";
    struct er_buf frame;

    if (!was_started_as(ER_RUNNER_ARG) && !was_started_as(ER_DESCRIBE_ARG) &&
        !was_started_as(ER_NOTIFY_ARG))
        return 0;
    er_buf_init(&frame, ER_FRAME_MAX);
    if (socket_is_there() &&
        er_frame_write_bare(&frame, ER_FRAME_FATAL,
                            (struct errand_slice){text, sizeof text - 1}) == 0)
        (void)!send(ER_FD_SOCKET, frame.ptr, frame.len, MSG_NOSIGNAL);
    er_buf_done(&frame);
    return errand_error_set(err, ERRAND_EINVAL, "%s", text);
}

int er_runner_main(int argc, char **argv)
{
    /* On the heap: it outlives this call, on_exit may still look at it. */
    struct er_self *r = calloc(1, sizeof *r);
    struct errand_error err = {0};
    int status;

    if (!socket_is_there()) {
        fprintf(stderr, "%s: '%s' is for the worker's own use; run queue:work\n", argv[0],
                argc > 1 ? argv[1] : ER_RUNNER_ARG);
        free(r);
        return EXIT_USAGE;
    }
    if (!r || er_out_init(&r->out, ER_FD_SOCKET) < 0 || on_exit(at_exit, &r->out) != 0) {
        free(r);
        return EXIT_BROKEN;
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not take the last line along */
    if (start(r, argc > 2 ? argv[2] : NULL, &err) < 0)
        return fatal(r, err.message);
    status = loop(r);
    er_job_done(&r->job);
    er_buf_done(&r->in);
    er_buf_done(&r->ahead);
    er_classes_done(&r->classes);
    return status;
}
