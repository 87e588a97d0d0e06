/* main.c: how many jobs a second one runner does when nothing else is in the way: no
 * store, no supervisor, only the socket and the marks. `bench-runner [WINDOW…]` keeps so
 * many jobs handed ahead and prints a figure each; BENCH_JOBS says of how many jobs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "errand/job.h"
#include "measure.h"
#include "worker/protocol.h"
#include "worker/runner.h"

static int noop(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = noop)

static int result(errand_job *job, struct errand_error *err)
{
    return errand_job_result(job, "{\"ok\":true}", err) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(Result, .handle = result)

struct runner {
    pid_t pid;
    int fd;
    struct er_shared *shared;
    struct er_buf in, out;
};

/* What a supervisor would give it: nothing on 0, memory on 1 and 2, socket, marks. */
static void child(int sock, int shared)
{
    char *argv[] = {"runner", ER_RUNNER_ARG, NULL};
    int log = memfd_create("log", MFD_CLOEXEC), null = open("/dev/null", O_RDONLY);
    int fds[] = {null, log, log, sock, shared};

    fcntl(log, F_SETFL, O_APPEND);
    for (int i = 0; i < 5; i++)
        fds[i] = fcntl(fds[i], F_DUPFD, 20);
    for (int i = 0; i < 5; i++)
        dup2(fds[i], i);
    close_range(5, ~0U, 0);
    execv("/proc/self/exe", argv);
    _exit(127);
}

static void runner_start(struct runner *r)
{
    int pair[2], shared = memfd_create("shared", MFD_CLOEXEC);

    *r = (struct runner){0};
    er_buf_init(&r->in, 1 << 24);
    er_buf_init(&r->out, 1 << 24);
    if (shared < 0 || ftruncate(shared, sizeof *r->shared) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        die("making a runner: %s", strerror(errno));
    r->shared =
        mmap(NULL, sizeof *r->shared, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (r->shared == MAP_FAILED)
        die("mapping memory: %s", strerror(errno));
    r->shared->version = ER_PROTOCOL_VERSION;
    r->shared->slots = ER_SLOTS;
    if ((r->pid = fork()) == 0)
        child(pair[1], shared);
    close(pair[1]);
    close(shared);
    r->fd = pair[0];
}

/* Reads what is there; how many DONE frames that were. */
static long runner_read(struct runner *r)
{
    struct er_frame frame;
    struct er_frame_done done;
    size_t at = 0;
    long n, done_n = 0;
    ssize_t got;

    if (er_buf_reserve(&r->in, 1 << 16) < 0)
        die("out of memory");
    if ((got = read(r->fd, r->in.ptr + r->in.len, 1 << 16)) <= 0)
        die("the runner is gone");
    r->in.len += (size_t)got;
    while ((n = er_frame_next(r->in.ptr + at, r->in.len - at, &frame)) > 0) {
        at += (size_t)n;
        if (frame.type != ER_FRAME_DONE)
            continue;
        if (er_frame_read_done(&frame, &done) < 0 || done.verdict != ERRAND_DONE)
            die("a job failed");
        done_n++;
    }
    er_buf_drop(&r->in, at);
    return done_n;
}

static void job_add(struct runner *r, const char *name, long number)
{
    char data[PAYLOAD_LEN + 1];
    struct er_frame_job job = {
        .slot = (uint32_t)(number % ER_SLOTS), .attempt = 1, .tries = 3};

    payload_write(data, number, 0);
    job.id = (struct errand_slice){"0190c7d2-0000-7000-8000-000000000001", 36};
    job.name = (struct errand_slice){name, strlen(name)};
    job.queue = (struct errand_slice){"default", 7};
    job.data = (struct errand_slice){data, PAYLOAD_LEN};
    atomic_store(&r->shared->marks[job.slot], ER_MARK_GIVEN);
    if (er_frame_write_job(&r->out, &job) < 0)
        die("out of memory");
}

static void out_send(struct runner *r)
{
    for (size_t at = 0; at < r->out.len;) {
        ssize_t n = send(r->fd, r->out.ptr + at, r->out.len - at, MSG_NOSIGNAL);

        if (n < 0)
            die("the runner is gone");
        at += (size_t)n;
    }
    er_buf_reset(&r->out);
}

static void measure(struct runner *r, const char *name, long window, long jobs)
{
    int64_t from = now_ns(), cpu = cpu_ns(r->pid);
    long given = 0, ended = 0;
    char what[64];

    while (ended < jobs) {
        for (; given - ended < window && given < jobs; given++)
            job_add(r, name, given);
        out_send(r);
        ended += runner_read(r);
    }
    snprintf(what, sizeof what, "runner-%s-window-%ld", name, window);
    figure_rate(what, (double)jobs, from);
    snprintf(what, sizeof what, "runner-%s-window-%ld-cpu-ns", name, window);
    figure(what, (double)(cpu_ns(r->pid) - cpu) / (double)jobs);
}

int main(int argc, char **argv)
{
    static const long standard[] = {1, 16, 64, 256};
    long jobs = (long)setting("BENCH_JOBS", 300000);
    struct runner r;

    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    runner_start(&r);
    runner_read(&r); /* HELLO */
    for (int i = 0; i < (argc > 1 ? argc - 1 : 4); i++) {
        long window = argc > 1 ? strtol(argv[i + 1], NULL, 10) : standard[i];

        if (window < 1 || window > ER_SLOTS)
            die("a window is from 1 to %d", ER_SLOTS);
        measure(&r, "Noop", window, window == 1 ? jobs / 10 : jobs);
        measure(&r, "Result", window, window == 1 ? jobs / 10 : jobs);
    }
    figure("runner-rss-mib", rss_mib(r.pid));
    close(r.fd);
    wait_for(r.pid);
    return 0;
}
