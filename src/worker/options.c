/* options.c: what a worker was told, with every default filled in. All of it is copied:
 * who starts a worker on a thread need not keep what he wrote. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "client/config.h"
#include "worker/supervisor.h"

static int queues_keep(struct errand_arena *arena, struct errand_worker_options *o)
{
    struct errand_worker_queue *copy;

    if (!o->queue_options_n)
        return 0;
    copy = errand_arena_alloc(arena, o->queue_options_n * sizeof *copy);
    if (!copy)
        return -1;
    memcpy(copy, o->queue_options, o->queue_options_n * sizeof *copy);
    for (size_t i = 0; i < o->queue_options_n; i++)
        if (er_arena_keep(arena, &copy[i].name) < 0)
            return -1;
    o->queue_options = copy;
    return 0;
}

static int notify_keep(struct errand_arena *arena, struct errand_worker_options *o)
{
    struct errand_notify *copy;

    if (!o->notify)
        return 0;
    if (!(copy = errand_arena_alloc(arena, sizeof *copy)) ||
        er_notify_copy(o->notify, arena, copy) < 0)
        return -1;
    o->notify = copy;
    return 0;
}

int er_options_keep(const struct errand_worker_options *given, struct errand_arena *arena,
                    struct errand_worker_options *ret)
{
    static const struct errand_worker_options none = {0};

    *ret = given ? *given : none;
    if (er_arena_keep_list(arena, &ret->queues) < 0 ||
        er_arena_keep_list(arena, &ret->env_allow) < 0 ||
        er_arena_keep(arena, &ret->name) < 0 || er_arena_keep(arena, &ret->project) < 0 ||
        er_arena_keep(arena, &ret->project_name) < 0 || queues_keep(arena, ret) < 0 ||
        notify_keep(arena, ret) < 0)
        return -1;
    return 0;
}

static void defaults_fill(struct er_supervisor *s, struct errand_worker_options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (o->concurrency <= 0)
        o->concurrency = cores > 0 ? (int)cores : 1;
    if (o->runner_max_jobs <= 0)
        o->runner_max_jobs = 100000;
    if (o->runner_max_age <= 0)
        o->runner_max_age = 3600;
    s->grace_ms = (int64_t)((o->grace > 0 ? o->grace : 30) * 1000);
    s->lease_ms = (int64_t)((o->lease > 0 ? o->lease : 30) * 1000);
    s->sleep_ms = (int64_t)((o->sleep > 0 ? o->sleep : 1) * 1000);
    if (s->sleep_ms < 1)
        s->sleep_ms = 1;
}

/* Children start in the folder, so a relative name would mean another one there. */
static int project_find(struct er_supervisor *s, struct errand_error *err)
{
    const char *given = s->options.project;
    char path[PATH_MAX];

    if (!given)
        return 0;
    if (!realpath(given, path))
        return er_error_errno(err, ERRAND_ENOTFOUND, errno, "project folder '%s'", given);
    s->options.project = errand_arena_copy(s->arena, path, strlen(path));
    return s->options.project ? 0 : er_error_nomem(err);
}

/* `queues` and `concurrency` become the sum of all: what is shown, and what
 * stop_when_empty looks at. */
static int pools_sum(struct er_supervisor *s)
{
    struct errand_worker_options *o = &s->options;
    const char **all;
    size_t n = 0, at = 0;

    o->concurrency = 0;
    for (size_t i = 0; i < s->pools_n; i++) {
        o->concurrency += (int)s->pools[i].concurrency;
        n += s->pools[i].queues_n;
    }
    if (!(all = errand_arena_alloc(s->arena, (n + 1) * sizeof *all)))
        return -1;
    for (size_t i = 0; i < s->pools_n; i++) {
        if (!s->pools[i].queues)
            return 0; /* all of them */
        for (size_t k = 0; k < s->pools[i].queues_n; k++)
            all[at++] = s->pools[i].queues[k];
    }
    o->queues = all;
    return 0;
}

static int pool_make(struct er_supervisor *s, struct er_pool *pool,
                     const char *const *queues, int concurrency)
{
    pool->queues = queues;
    pool->concurrency = concurrency > 0 ? (size_t)concurrency : 1;
    if (er_arena_keep_list(s->arena, &pool->queues) < 0)
        return -1;
    while (pool->queues && pool->queues[pool->queues_n])
        pool->queues_n++;
    return 0;
}

static int pools_make(struct er_supervisor *s)
{
    const struct errand_worker_options *o = &s->options;

    s->pools_n = o->pools_n ? o->pools_n : 1;
    s->pools = errand_arena_alloc(s->arena, s->pools_n * sizeof *s->pools);
    if (!s->pools)
        return -1;
    if (!o->pools_n)
        return pool_make(s, &s->pools[0], o->queues, o->concurrency);
    for (size_t i = 0; i < s->pools_n; i++)
        if (pool_make(s, &s->pools[i], o->pools[i].queues, o->pools[i].concurrency) < 0)
            return -1;
    return pools_sum(s);
}

static int pools_check(const struct errand_worker_options *o, struct errand_error *err)
{
    if (!o->pools_n)
        return 0;
    if (o->pools_n > ER_POOLS_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "%zu pools; at most %d", o->pools_n,
                                ER_POOLS_MAX);
    if (o->queues || o->concurrency)
        return errand_error_set(err, ERRAND_EINVAL,
                                "queues or concurrency beside pools: say them in a pool");
    for (size_t i = 0; i < o->pools_n; i++)
        if (o->pools[i].concurrency < 0)
            return errand_error_set(err, ERRAND_EINVAL, "concurrency of pool %zu: %d",
                                    i + 1, o->pools[i].concurrency);
    return 0;
}

static int memory_check(const struct errand_worker_options *o, struct errand_error *err)
{
    if (!o->memory ||
        (o->memory >= ER_WORKER_MEMORY_LEAST && o->memory <= ER_WORKER_MEMORY_MOST))
        return 0;
    return errand_error_set(
        err, ERRAND_EINVAL, "memory of %lld MiB for a runner: from %d to %d",
        (long long)o->memory, ER_WORKER_MEMORY_LEAST, ER_WORKER_MEMORY_MOST);
}

int er_options_take(struct er_supervisor *s, const struct errand_worker_options *given,
                    struct errand_error *err)
{
    struct errand_worker_options *o = &s->options;
    int rc;

    if (er_options_keep(given, s->arena, o) < 0)
        return er_error_nomem(err);
    if ((rc = pools_check(o, err)) < 0 || (rc = memory_check(o, err)) < 0)
        return rc;
    if (s->host)
        o->is_quiet = true;
    defaults_fill(s, o);
    if (pools_make(s) < 0)
        return er_error_nomem(err);
    return project_find(s, err);
}
