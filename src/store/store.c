/* store.c: opening and closing a store. The calls are in calls_jobs.c and calls_rest.c,
 * what they check in checks.c, the drivers in drivers.c. */
#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/drivers.h"
#include "store/internal.h"

enum { DATA_MAX_DEFAULT = 1 << 20, BUSY_MS_DEFAULT = 30000 };

int er_store_enter(struct er_store *store, struct errand_error *err)
{
    if (store->pid == getpid())
        return 0;
    return errand_error_set(err, ERRAND_EFORKED,
                            "%s: opened by process %ld, used in its child %ld: open the "
                            "store in the process that uses it",
                            store->shown, (long)store->pid, (long)getpid());
}

bool er_store_is_read_only(const struct er_store *store)
{
    return store->is_read_only;
}

int er_store_enter_write(struct er_store *store, struct errand_error *err)
{
    int rc = er_store_enter(store, err);

    if (rc == 0 && store->is_read_only)
        rc = errand_error_set(err, ERRAND_EREADONLY, "%s: opened for reading only",
                              store->shown);
    return rc;
}

int er_store_leave(const struct er_store *store, int rc, struct errand_error *err,
                   const char *fmt, ...)
{
    char what[256];
    va_list ap;

    if (rc >= 0)
        return rc;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return er_error_wrap(err, rc, "%s: %s", store->shown, what);
}

/* What the driver is told: the caller's wishes with the defaults filled in. */
static struct errand_open_params open_params(const char *url, const char *shown,
                                             const struct er_store_options *options)
{
    struct errand_open_params p = {0};

    if (options)
        p = options->open;
    p.url = url;
    p.shown = shown;
    if (p.busy_ms <= 0)
        p.busy_ms = BUSY_MS_DEFAULT;
    return p;
}

static int max_data_of(const struct er_store_options *options, size_t *ret,
                       struct errand_error *err)
{
    *ret = options && options->max_data ? options->max_data : DATA_MAX_DEFAULT;
    if (*ret <= ER_DATA_HARD_MAX)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "largest data of %zu bytes: %d is the most a store takes",
                            *ret, ER_DATA_HARD_MAX);
}

static int store_open(struct er_store *store, const char *url,
                      const struct er_store_options *options, struct errand_error *err)
{
    struct errand_open_params p;
    int rc;

    if (!(store->arena = er_arena_new()) ||
        !(store->shown = er_url_shown(url, store->arena)))
        return er_error_nomem(err);
    if ((rc = max_data_of(options, &store->max_data, err)) < 0 ||
        (rc = er_driver_of_url(url, &store->driver, err)) < 0)
        return rc;
    p = open_params(url, store->shown, options);
    store->is_read_only = p.read_only;
    store->params = p;
    store->params.url = "";
    store->pid = getpid();
    if ((rc = store->driver->open(&p, &store->conn, err)) < 0)
        return er_error_wrap(err, rc, "%s", store->shown);
    return 0;
}

int er_store_open(const char *url, const struct er_store_options *options,
                  struct er_store **ret, struct errand_error *err)
{
    struct er_store *store = calloc(1, sizeof *store);
    int rc;

    if (!store)
        return er_error_nomem(err);
    if ((rc = store_open(store, url, options, err)) < 0) {
        er_store_close(store);
        return rc;
    }
    *ret = store;
    return 0;
}

static int store_again(struct er_store *store, struct er_store *from,
                       struct errand_error *err)
{
    struct errand_open_params p = from->params;
    int rc;

    if (!(store->arena = er_arena_new()) ||
        !(store->shown =
              errand_arena_copy(store->arena, from->shown, strlen(from->shown))))
        return er_error_nomem(err);
    p.shown = store->shown;
    store->params = p;
    store->is_read_only = from->is_read_only;
    store->max_data = from->max_data;
    store->pid = getpid();
    if ((rc = from->driver->again(from->conn, &p, &store->conn, err)) < 0)
        return er_error_wrap(err, rc, "%s: opening it once more", store->shown);
    store->driver = store->conn->driver;
    return 0;
}

int er_store_again(struct er_store *from, struct er_store **ret, struct errand_error *err)
{
    struct er_store *store;
    int rc;

    if ((rc = er_store_enter(from, err)) < 0)
        return rc;
    if (!from->driver->again)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "%s: its driver cannot open it once more", from->shown);
    if (!(store = calloc(1, sizeof *store)))
        return er_error_nomem(err);
    if ((rc = store_again(store, from, err)) < 0) {
        er_store_close(store);
        return rc;
    }
    *ret = store;
    return 0;
}

void er_store_close(struct er_store *store)
{
    if (!store)
        return;
    if (store->conn && store->pid == getpid())
        store->driver->close(store->conn);
    else if (store->conn)
        store->driver->abandon(store->conn);
    er_arena_free(store->arena);
    free(store);
}

int er_store_migrate(const char *url, const struct er_store_options *options, bool apply,
                     struct errand_migrate_result *ret, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    const struct errand_driver *driver = NULL;
    struct errand_open_params p;
    const char *shown;
    int rc;

    if (!arena || !(shown = er_url_shown(url, arena))) {
        rc = er_error_nomem(err);
        goto out;
    }
    if ((rc = er_driver_of_url(url, &driver, err)) < 0)
        goto out;
    p = open_params(url, shown, options);
    *ret = (struct errand_migrate_result){0};
    if ((rc = driver->migrate(&p, apply, ret, err)) < 0)
        rc = er_error_wrap(err, rc, "%s", shown);
out:
    er_arena_free(arena);
    return rc;
}

const char *er_store_url(const struct er_store *store)
{
    return store->shown;
}

const struct errand_driver *er_store_driver(const struct er_store *store)
{
    return store->driver;
}

bool er_store_can(const struct er_store *store, enum errand_capability capability)
{
    return (store->driver->capabilities & (uint32_t)capability) == (uint32_t)capability;
}
