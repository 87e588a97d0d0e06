/* schedules.c: what a scheduler costs that has ten thousand schedules and seldom
 * something to do: one in 1,440 is due each minute, as when each customer has a report a
 * day. Over a minute, so that the reading of all of them once a minute is in it. */
#include "errand/bench.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "store/store.h"

enum { SCHEDULES = 10000, DAY_MINUTES = 1440 };

/* Put as the store takes them: errand_schedule_put reads all of them for each. */
static void schedules_put(const struct place *p)
{
    const struct er_store_options options = {.open.create = true};
    struct er_store *store;
    struct errand_error err;

    if (er_store_open(p->url, &options, &store, &err) < 0)
        die("%s", err.message);
    for (int i = 0; i < SCHEDULES; i++) {
        struct errand_schedule row = {0};
        char name[32], spec[128];
        int minute = i % DAY_MINUTES;

        snprintf(name, sizeof name, "report-%05d", i);
        snprintf(spec, sizeof spec,
                 "{\"cron\":\"%d %d * * *\",\"zone\":\"Europe/Berlin\",\"job\":"
                 "\"BenchCount\",\"from\":\"hand\",\"since\":%lld}",
                 minute % 60, minute / 60, (long long)er_clock_wall_ms(NULL));
        row.name = name;
        row.spec = (struct errand_slice){spec, strlen(spec)};
        if (er_store_schedule_put(store, &row, &err) < 0)
            die("%s", err.message);
    }
    er_store_close(store);
}

void bench_schedules(struct place *p)
{
    int64_t seconds = setting("BENCH_SCHEDULES", 65), used;
    pid_t pid;

    schedules_put(p);
    pid = spawn(
        (char *[]){"/proc/self/exe", "queue:schedule", "--quiet", "--url", p->url, NULL});
    sleep_ns(2000000000);
    used = cpu_ns(pid);
    sleep_ns(seconds * 1000000000);
    used = cpu_ns(pid) - used;
    figure(figure_name("schedules-cpu-percent", p),
           (double)used / ((double)seconds * 1e7));
    figure(figure_name("scheduler-mib", p), rss_mib(pid));
    worker_stop(pid);
}
