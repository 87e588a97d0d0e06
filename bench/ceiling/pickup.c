/* pickup.c: how soon a third process can have a job that another has just inserted, with
 * nothing between them but SQLite: the inserter writes a byte to a pipe, the one that
 * sleeps there reserves in a transaction and passes the payload on by a socket. Two
 * processes wake one after the other, as with errand. */
#include "ceiling/pickup.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

enum { JOBS_MAX = 10000, PAUSE_NS = 20000000 };

struct times {
    int64_t n;
    double ms[JOBS_MAX];
};

static void runner(int fd, struct times *times)
{
    char payload[PAYLOAD_LEN + 1] = "";

    while (read(fd, payload, PAYLOAD_LEN) == PAYLOAD_LEN && times->n < JOBS_MAX)
        times->ms[times->n++] = (double)(now_ns() - payload_time_ns(payload)) / 1e6;
    _exit(0);
}

static void worker(const struct pickup *p, int wake, int runner_fd)
{
    char byte;

    p->open(p->path);
    while (read(wake, &byte, 1) == 1) {
        const char *payload = p->reserve();
        if (payload && write(runner_fd, payload, PAYLOAD_LEN) != PAYLOAD_LEN)
            _exit(1);
    }
    _exit(0);
}

void pickup_measure(const struct pickup *p, int64_t n, const char *name)
{
    struct times *times = mmap(NULL, sizeof *times, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char figure_of[80];
    int wake[2], jobs[2];

    if (times == MAP_FAILED || pipe(wake) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, jobs))
        die("pick-up: no pipes");
    if (fork() == 0) {
        close(jobs[1]);
        close(wake[1]);
        runner(jobs[0], times);
    }
    close(jobs[0]);
    if (fork() == 0) {
        close(wake[1]);
        worker(p, wake[0], jobs[1]);
    }
    close(jobs[1]);
    p->open(p->path);
    for (int64_t i = 0; i < n; i++) {
        sleep_ns(PAUSE_NS);
        p->dispatch(i);
        if (write(wake[1], "w", 1) != 1)
            die("pick-up: nobody waits");
    }
    close(wake[1]);
    while (wait(NULL) > 0)
        ;
    if (times->n < n)
        die("pick-up: %lld of %lld jobs came", (long long)times->n, (long long)n);
    snprintf(figure_of, sizeof figure_of, "%s.p50_ms", name);
    figure(figure_of, percentile(times->ms, (size_t)n, 0.5));
    snprintf(figure_of, sizeof figure_of, "%s.p99_ms", name);
    figure(figure_of, percentile(times->ms, (size_t)n, 0.99));
    munmap(times, sizeof *times);
}
