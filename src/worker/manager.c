/* manager.c: pools by name, and the one worker that serves them. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "core/name.h"
#include "errand/worker.h"
#include "worker/supervisor.h"

struct errand_manager {
    struct errand_arena *arena;
    const char *url;
    const struct errand_config *config;
    struct errand_worker_options options;
    struct errand_worker_pool pools[ER_POOLS_MAX];
    errand_worker *worker; /* of the last start; it may have ended */
};

errand_manager *errand_manager_new(const char *url, const struct errand_config *config,
                                   const struct errand_worker_options *options,
                                   struct errand_error *err)
{
    errand_manager *m = calloc(1, sizeof *m);

    if (!m || !(m->arena = er_arena_new()) ||
        !(m->url = errand_arena_copy(m->arena, url ? url : "", url ? strlen(url) : 0)) ||
        er_options_keep(options, m->arena, &m->options) < 0) {
        errand_manager_free(m);
        er_error_nomem(err);
        return NULL;
    }
    m->config = config;
    return m;
}

static bool is_working(const errand_manager *m)
{
    struct errand_worker_status status;

    if (!m->worker)
        return false;
    errand_worker_status(m->worker, &status);
    return status.state != ERRAND_WORKER_ENDED;
}

/* "a,b" as a list of names. */
static int queues_read(errand_manager *m, const char *text, const char ***ret,
                       struct errand_error *err)
{
    char *copy = errand_arena_copy(m->arena, text, strlen(text)), *comma;
    const char **list;
    size_t n = 1, at = 0;
    int rc;

    for (const char *p = text; *p; p++)
        n += *p == ',';
    list = errand_arena_alloc(m->arena, (n + 1) * sizeof *list);
    if (!copy || !list)
        return er_error_nomem(err);
    for (char *name = copy; name; name = comma ? comma + 1 : NULL) {
        if ((comma = strchr(name, ',')))
            *comma = '\0';
        if ((rc = er_name_check("queue name", name, err)) < 0)
            return er_error_wrap(err, rc, "adding a pool for '%s'", text);
        list[at++] = name;
    }
    *ret = list;
    return 0;
}

int errand_manager_add(errand_manager *m, const char *queues, int concurrency,
                       struct errand_error *err)
{
    struct errand_worker_pool pool = {.concurrency = concurrency};
    const char **list = NULL;
    int rc;

    if (is_working(m))
        return errand_error_set(
            err, ERRAND_ECONFLICT,
            "adding a pool for '%s': the manager works; stop it first", queues);
    if (concurrency < 0)
        return errand_error_set(err, ERRAND_EINVAL, "concurrency of '%s': %d is negative",
                                queues, concurrency);
    if (m->options.pools_n == ER_POOLS_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "adding a pool for '%s': there are %d already", queues,
                                ER_POOLS_MAX);
    if ((rc = queues_read(m, queues, &list, err)) < 0)
        return rc;
    pool.queues = list;
    m->pools[m->options.pools_n++] = pool;
    return 0;
}

int errand_manager_start(errand_manager *m, struct errand_error *err)
{
    if (is_working(m))
        return errand_error_set(err, ERRAND_ECONFLICT, "the manager works already");
    if (!m->options.pools_n)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the manager has no pool; errand_manager_add makes one");
    errand_worker_free(m->worker);
    m->worker = NULL;
    m->options.pools = m->pools;
    return errand_worker_start(m->url, m->config, &m->options, &m->worker, err);
}

int errand_manager_stop(errand_manager *m, struct errand_error *err)
{
    return m->worker ? errand_worker_stop(m->worker, err) : 0;
}

errand_worker *errand_manager_worker(errand_manager *m)
{
    return m->worker;
}

void errand_manager_free(errand_manager *m)
{
    if (!m)
        return;
    errand_worker_free(m->worker);
    er_arena_free(m->arena);
    free(m);
}
