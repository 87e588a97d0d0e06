/* drive.h: a real runner under test: this program again, as `PROGRAM __runner`, with the
 * descriptors a supervisor would give it. The test plays the supervisor. */
#ifndef ER_TESTS_WORKER_DRIVE_H
#define ER_TESTS_WORKER_DRIVE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"
#include "worker/protocol.h"
#include "worker/runner.h"

struct drive {
    pid_t pid;
    int socket, log; /* log: the memory file behind 1 and 2 */
    struct er_shared *shared;
    struct er_buf in, out;
    size_t used; /* bytes of `in` whose frame was answered */
};

enum { DRIVE_WAIT_MS = 20000 }; /* only a runner that hangs is ever waited for so long */

static inline int drive_memory(const char *name, off_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    return fd;
}

/* In the child: moves descriptors out of the way first, then to where they belong. */
static inline void drive_exec(const char *program, int sock, int shared, int log,
                              const char *project)
{
    char *argv[] = {(char *)program, (char *)ER_RUNNER_ARG, (char *)project, NULL};
    int null = open("/dev/null", O_RDONLY);
    int fds[] = {null, log, log, sock, shared};

    for (int i = 0; i < 5; i++)
        if (fds[i] >= 0)
            fds[i] = fcntl(fds[i], F_DUPFD, 20);
    for (int i = 0; i < 5; i++)
        if (fds[i] >= 0)
            dup2(fds[i], i);
        else
            close(i);
    for (int i = 5; i < 64; i++)
        close(i);
    execv(argv[0], argv);
    _exit(127);
}

static inline void drive_start_program(struct drive *d, const char *program,
                                       const char *project, bool has_shared)
{
    int pair[2], shared = -1;

    *d = (struct drive){0};
    er_buf_init(&d->in, 64 << 20);
    er_buf_init(&d->out, 64 << 20);
    assert_int_equal(er_buf_reserve(&d->in, 1 << 16), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    d->log = drive_memory("log", 0);
    fcntl(d->log, F_SETFL, O_APPEND);
    if (has_shared) {
        shared = drive_memory("shared", sizeof(struct er_shared));
        d->shared = mmap(NULL, sizeof(struct er_shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED, shared, 0);
        assert_true(d->shared != MAP_FAILED);
        d->shared->version = ER_PROTOCOL_VERSION;
        d->shared->slots = ER_SLOTS;
    }
    d->pid = fork();
    assert_true(d->pid >= 0);
    if (d->pid == 0)
        drive_exec(program, pair[1], shared, d->log, project);
    close(pair[1]);
    if (shared >= 0)
        close(shared);
    d->socket = pair[0];
}

static inline void drive_start(struct drive *d, const char *project, bool has_shared)
{
    drive_start_program(d, "/proc/self/exe", project, has_shared);
}

/* Reads until a whole frame is there. False: end of file, or nothing for so long. */
static inline bool drive_frame_in(struct drive *d, struct er_frame *ret, int wait_ms)
{
    for (;;) {
        long n = er_frame_next(d->in.ptr + d->used, d->in.len - d->used, ret);
        ssize_t got;

        assert_true(n >= 0);
        if (n > 0) {
            d->used += (size_t)n;
            return true;
        }
        er_buf_drop(&d->in, d->used);
        d->used = 0;
        if (poll(&(struct pollfd){.fd = d->socket, .events = POLLIN}, 1, wait_ms) <= 0)
            return false;
        assert_int_equal(er_buf_reserve(&d->in, 1 << 16), 0);
        got = read(d->socket, d->in.ptr + d->in.len, 1 << 16);
        if (got <= 0)
            return false;
        d->in.len += (size_t)got;
        d->in.ptr[d->in.len] = '\0';
    }
}

static inline struct er_frame drive_frame(struct drive *d, enum er_frame_type want)
{
    struct er_frame frame = {0};

    do
        assert_true(drive_frame_in(d, &frame, DRIVE_WAIT_MS));
    while (want == ER_FRAME_HELLO && frame.type == ER_FRAME_LOADING);
    if (frame.type == ER_FRAME_FATAL)
        fail_msg("the runner says: %.*s", (int)frame.body.len, frame.body.ptr);
    assert_int_equal(frame.type, want);
    return frame;
}

/* HELLO's JSON, valid until the next frame is read. */
static inline const char *drive_hello(struct drive *d)
{
    struct er_frame frame = drive_frame(d, ER_FRAME_HELLO);
    static char text[65536];
    struct er_frame_hello hello;

    assert_int_equal(er_frame_read_hello(&frame, &hello), 0);
    assert_int_equal(hello.version, ER_PROTOCOL_VERSION);
    snprintf(text, sizeof text, "%.*s", (int)hello.about.len, hello.about.ptr);
    return text;
}

static inline struct errand_slice drive_text(const char *text)
{
    return (struct errand_slice){.ptr = text, .len = strlen(text)};
}

/* Puts a job where drive_send will send it, with its mark GIVEN. */
static inline void drive_add(struct drive *d, uint32_t slot, const char *name,
                             const char *data)
{
    if (d->shared)
        atomic_store(&d->shared->marks[slot], ER_MARK_GIVEN);
    assert_int_equal(er_frame_write_job(&d->out,
                                        &(struct er_frame_job){
                                            .slot = slot,
                                            .attempt = 1,
                                            .tries = 3,
                                            .timeout_ms = 60000,
                                            .id = drive_text("job-id"),
                                            .name = drive_text(name),
                                            .queue = drive_text("default"),
                                            .data = drive_text(data),
                                            .options = drive_text("{}"),
                                        }),
                     0);
}

static inline void drive_send(struct drive *d)
{
    for (size_t at = 0; at < d->out.len;) {
        ssize_t n = send(d->socket, d->out.ptr + at, d->out.len - at, MSG_NOSIGNAL);

        assert_true(n > 0);
        at += (size_t)n;
    }
    er_buf_reset(&d->out);
}

static inline void drive_give(struct drive *d, uint32_t slot, const char *name,
                              const char *data)
{
    drive_add(d, slot, name, data);
    drive_send(d);
}

static inline struct er_frame_done drive_done(struct drive *d)
{
    struct er_frame frame = drive_frame(d, ER_FRAME_DONE);
    struct er_frame_done done;

    assert_int_equal(er_frame_read_done(&frame, &done), 0);
    return done;
}

static inline const char *drive_log(struct drive *d)
{
    struct er_frame frame = drive_frame(d, ER_FRAME_LOG);
    static char text[128 << 10];
    struct errand_slice log;
    uint32_t slot;

    assert_int_equal(er_frame_read_slot(&frame, &slot, &log), 0);
    snprintf(text, sizeof text, "%.*s", (int)log.len, log.ptr);
    return text;
}

static inline void assert_text(struct errand_slice got, const char *want)
{
    char text[4096];

    snprintf(text, sizeof text, "%.*s", (int)got.len, got.len ? got.ptr : "");
    assert_string_equal(text, want);
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

static inline int drive_wait(struct drive *d)
{
    int status = 0;

    assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
    d->pid = 0;
    return status;
}

static inline void drive_release(struct drive *d)
{
    close(d->socket);
    close(d->log);
    if (d->shared)
        munmap(d->shared, sizeof(struct er_shared));
    er_buf_done(&d->in);
    er_buf_done(&d->out);
}

/* STOP, and the runner leaves with 0. */
static inline void drive_stop_and_wait(struct drive *d)
{
    int status;

    er_frame_write_bare(&d->out, ER_FRAME_STOP, (struct errand_slice){0});
    drive_send(d);
    status = drive_wait(d);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static inline void drive_stop(struct drive *d)
{
    drive_stop_and_wait(d);
    drive_release(d);
}

#endif
