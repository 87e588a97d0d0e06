/* stat.c: counts of a minute, added up. */
#include "core/stat.h"

#include <string.h>

bool er_stat_is(const struct errand_stat *row, int64_t minute_ms, const char *queue,
                const char *name)
{
    return row->minute_ms == minute_ms && strcmp(row->name, name) == 0 &&
           strcmp(row->queue, queue) == 0;
}

void er_stat_add(struct errand_stat *to, const struct errand_stat *from)
{
    to->done += from->done;
    to->failed += from->failed;
    to->retried += from->retried;
    to->run_ms += from->run_ms;
    to->wait_ms += from->wait_ms;
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++) {
        to->run_hist[i] += from->run_hist[i];
        to->wait_hist[i] += from->wait_hist[i];
    }
}

static int bucket(int64_t ms)
{
    int i = ms < 1 ? 0 : 64 - __builtin_clzll((unsigned long long)ms);

    return i < ERRAND_HISTOGRAM_N ? i : ERRAND_HISTOGRAM_N - 1;
}

void er_stat_count(struct errand_stat *row, const struct errand_outcome *o,
                   int64_t run_at_ms)
{
    int64_t run_ms = o->ended_ms - o->started_ms;
    int64_t wait_ms = o->started_ms - run_at_ms;

    row->done += o->kind == ERRAND_OUT_DONE;
    row->failed += o->kind == ERRAND_OUT_FAIL;
    row->retried += o->kind == ERRAND_OUT_RETRY;
    run_ms = run_ms < 0 ? 0 : run_ms;
    wait_ms = wait_ms < 0 ? 0 : wait_ms;
    row->run_ms += run_ms;
    row->wait_ms += wait_ms;
    row->run_hist[bucket(run_ms)]++;
    row->wait_hist[bucket(wait_ms)]++;
}
