/* place.c: filling a store, and a worker on it in a process of its own. */
#include "errand/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *figure_name(const char *what, const struct place *p)
{
    static char name[128];

    snprintf(name, sizeof name, "errand.%s.%s", what, p->name);
    return name;
}

void place_renew(struct place *p)
{
    const char *at = strchr(p->pattern, '%');

    if (p->path)
        database_remove(p->path);
    if (p->path || !at)
        snprintf(p->url, sizeof p->url, "%s", p->pattern);
    else
        snprintf(p->url, sizeof p->url, "%.*s%d%s", (int)(at - p->pattern), p->pattern,
                 ++p->number, at + 1);
}

errand *store_open(const struct place *p)
{
    struct errand_error err;
    errand *e = errand_open(p->url, &p->config, &err);

    if (!e)
        die("%s", err.message);
    return e;
}

void store_fill(const struct place *p, const char *job, int64_t n)
{
    enum { BULK = 1000 };
    static char data[BULK][PAYLOAD_LEN + 1];
    static struct errand_dispatch_item items[BULK];
    struct errand_error err;
    errand *e = store_open(p);

    for (int64_t i = 0; i < n; i += BULK) {
        size_t k, now = (size_t)(n - i < BULK ? n - i : BULK);
        for (k = 0; k < now; k++) {
            payload_write(data[k], i + (int64_t)k, now_ns());
            items[k] = (struct errand_dispatch_item){.name = job,
                                                     .data = {data[k], PAYLOAD_LEN}};
        }
        if (errand_dispatch_bulk(e, items, now, NULL, &err) < 0)
            die("%s", err.message);
    }
    errand_close(e);
}

pid_t worker_start(const struct place *p, const struct worker_args *args)
{
    char keep[24], concurrency[24], max_jobs[24];

    snprintf(keep, sizeof keep, "%lld", (long long)p->config.keep_completed_n);
    snprintf(concurrency, sizeof concurrency, "%d", args->concurrency);
    snprintf(max_jobs, sizeof max_jobs, "%lld", (long long)args->max_jobs);
    return spawn((char *[]){
        "/proc/self/exe", "__work", (char *)p->url, (char *)p->name, keep, concurrency,
        max_jobs, args->stops_when_empty ? "stop" : "stay", (char *)args->project, NULL});
}

void worker_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    wait_for(pid);
}

int worker_main(char **argv)
{
    struct errand_error err;
    struct errand_config config = {.durable = strcmp(argv[1], "full") == 0
                                                  ? ERRAND_DURABLE_FULL
                                                  : ERRAND_DURABLE_NORMAL,
                                   .keep_completed_n = strtoll(argv[2], NULL, 10)};
    struct errand_worker_options options = {.concurrency = (int)strtol(argv[3], NULL, 10),
                                            .max_jobs = strtoll(argv[4], NULL, 10),
                                            .stop_when_empty =
                                                strcmp(argv[5], "stop") == 0,
                                            .project = argv[6],
                                            .is_quiet = true};

    if (errand_worker_run(argv[0], &config, &options, &err) < 0)
        die("%s", err.message);
    return 0;
}
