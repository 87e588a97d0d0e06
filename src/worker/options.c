/* options.c: what a worker was told, with every default filled in. All of it is copied:
 * who starts a worker on a thread need not keep what he wrote. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/supervisor.h"

/* NULL stays NULL. */
static int text_keep(struct er_supervisor *s, const char **text)
{
    if (*text && !(*text = errand_arena_copy(s->arena, *text, strlen(*text))))
        return -1;
    return 0;
}

static int list_keep(struct er_supervisor *s, const char *const **list)
{
    const char **copy;
    size_t n = 0;

    if (!*list)
        return 0;
    while ((*list)[n])
        n++;
    if (!(copy = errand_arena_alloc(s->arena, (n + 1) * sizeof *copy)))
        return -1;
    for (size_t i = 0; i < n; i++) {
        copy[i] = (*list)[i];
        if (text_keep(s, &copy[i]) < 0)
            return -1;
    }
    *list = copy;
    return 0;
}

static int queues_keep(struct er_supervisor *s, struct errand_worker_options *o)
{
    struct errand_worker_queue *copy;

    if (!o->queue_options_n)
        return 0;
    copy = errand_arena_alloc(s->arena, o->queue_options_n * sizeof *copy);
    if (!copy)
        return -1;
    memcpy(copy, o->queue_options, o->queue_options_n * sizeof *copy);
    for (size_t i = 0; i < o->queue_options_n; i++)
        if (text_keep(s, &copy[i].name) < 0)
            return -1;
    o->queue_options = copy;
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

int er_options_take(struct er_supervisor *s, const struct errand_worker_options *given,
                    struct errand_error *err)
{
    static const struct errand_worker_options none = {0};
    struct errand_worker_options *o = &s->options;

    *o = given ? *given : none;
    if (s->host)
        o->is_quiet = true;
    defaults_fill(s, o);
    if (list_keep(s, &o->queues) < 0 || list_keep(s, &o->env_allow) < 0 ||
        text_keep(s, &o->name) < 0 || queues_keep(s, o) < 0)
        return er_error_nomem(err);
    return project_find(s, err);
}
