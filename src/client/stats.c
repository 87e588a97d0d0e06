/* stats.c: the numbers of each minute, summed up as the caller wants them. */
#include "errand/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "core/stat.h"

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_stats {
    struct errand_stats stats;
    struct errand_arena *arena;
};

static int compare(const void *a, const void *b)
{
    const struct errand_stat *x = a, *y = b;
    int c;

    if (x->minute_ms != y->minute_ms)
        return x->minute_ms < y->minute_ms ? -1 : 1;
    return (c = strcmp(x->queue, y->queue)) ? c : strcmp(x->name, y->name);
}

/* What is not kept apart gets one name; equal neighbours become one row. */
static void sum_up(struct errand_stats *stats, const struct errand_stats_query *q)
{
    struct errand_stat *rows = stats->rows;
    size_t n = 0;

    for (size_t i = 0; i < stats->rows_n; i++) {
        rows[i].minute_ms = q->by_minute ? rows[i].minute_ms : 0;
        rows[i].queue = q->by_queue ? rows[i].queue : "";
        rows[i].name = q->by_name ? rows[i].name : "";
    }
    if (stats->rows_n > 1)
        qsort(rows, stats->rows_n, sizeof *rows, compare);
    for (size_t i = 0; i < stats->rows_n; i++) {
        if (n > 0 && compare(&rows[n - 1], &rows[i]) == 0)
            er_stat_add(&rows[n - 1], &rows[i]);
        else
            rows[n++] = rows[i];
    }
    stats->rows_n = n;
}

int errand_stats(errand *e, const struct errand_stats_query *query,
                 struct errand_stats **ret, struct errand_error *err)
{
    static const struct errand_stats_query all;
    struct errand_arena *arena = er_arena_new();
    struct owned_stats *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    struct errand_stats_params p = {0};
    struct errand_stats_result got = {0};
    int rc;

    query = query ? query : &all;
    if (!owned) {
        rc = er_error_nomem(err);
        goto out;
    }
    p = (struct errand_stats_params){.since_ms = query->since_ms,
                                     .until_ms = query->until_ms,
                                     .queue = query->queue,
                                     .name = query->name};
    if ((rc = er_store_stats_read(e->store, &p, arena, &got, err)) < 0)
        goto out;
    owned->arena = arena;
    owned->stats = (struct errand_stats){got.stats, got.stats_n};
    sum_up(&owned->stats, query);
    *ret = &owned->stats;
    return 0;
out:
    er_arena_free(arena);
    return rc;
}

void errand_stats_free(struct errand_stats *stats)
{
    if (stats)
        er_arena_free(((struct owned_stats *)stats)->arena);
}

/* Bucket i holds what took less than 2^i ms. */
int64_t errand_stat_quantile(const int64_t *histogram, double share)
{
    int64_t sum = 0, seen = 0;

    for (int i = 0; i < ERRAND_HISTOGRAM_N; i++)
        sum += histogram[i];
    if (sum == 0)
        return -1;
    for (int i = 0; i < ERRAND_HISTOGRAM_N; i++)
        if ((double)(seen += histogram[i]) >= share * (double)sum)
            return INT64_C(1) << i;
    return INT64_C(1) << (ERRAND_HISTOGRAM_N - 1);
}
