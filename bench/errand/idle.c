/* idle.c: what a worker costs that has nothing to do. */
#include "errand/bench.h"

void bench_idle(struct place *p)
{
    enum { CHILDREN_MAX = 16 };
    int64_t seconds = setting("BENCH_IDLE", 5), used = 0;
    pid_t children[CHILDREN_MAX], pid;
    double largest = 0;
    size_t n;

    store_fill(p, "BenchCount", 2000);
    board_reset();
    pid = worker_start(p, &(struct worker_args){.concurrency = 2});
    board_await(2000);
    sleep_ns(2000000000);

    n = children_of(pid, children, CHILDREN_MAX);
    used -= cpu_ns(pid);
    for (size_t i = 0; i < n; i++)
        used -= cpu_ns(children[i]);
    sleep_ns(seconds * 1000000000);
    used += cpu_ns(pid);
    for (size_t i = 0; i < n; i++) {
        used += cpu_ns(children[i]);
        if (rss_mib(children[i]) > largest)
            largest = rss_mib(children[i]);
    }
    if (n == 0)
        die("the worker has no runners");
    figure(figure_name("idle-cpu-percent", p), (double)used / ((double)seconds * 1e7));
    figure(figure_name("supervisor-mib", p), rss_mib(pid));
    figure(figure_name("runner-mib", p), largest);
    worker_stop(pid);
}
