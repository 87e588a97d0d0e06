/* calls_jobs.c: the calls of store.h about jobs. Each checks what it was given, asks the
 * driver, and gives the driver's error its context. */
#include <string.h>

#include "base/error.h"
#include "store/internal.h"

/* What a call does at once when its caller does not say how much, and what a page has. */
enum { AT_ONCE = 1000, PAGE = 100 };

int er_store_push(struct er_store *store, const struct errand_push_params *p,
                  struct errand_arena *arena, struct errand_push_result *ret,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_push(store, p, err)) < 0)
        return rc;
    *ret = (struct errand_push_result){0};
    return er_store_leave(store, store->driver->push(store->conn, p, arena, ret, err),
                          err, "storing %zu %s", p->jobs_n,
                          p->jobs_n == 1 ? "job" : "jobs");
}

int er_store_exchange(struct er_store *store, const struct errand_exchange_params *p,
                      struct errand_arena *arena, struct errand_exchange_result *ret,
                      struct errand_error *err)
{
    struct errand_exchange_params cut = *p;
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_exchange(p, err)) < 0)
        return rc;
    if (!(cut.outcomes = er_outcomes_cut(p->outcomes, p->outcomes_n, arena)) &&
        p->outcomes_n)
        return er_error_nomem(err);
    *ret = (struct errand_exchange_result){0};
    return er_store_leave(
        store, store->driver->exchange(store->conn, &cut, arena, ret, err), err,
        "settling %zu and reserving %zu jobs", p->outcomes_n, p->max);
}

int er_store_extend(struct er_store *store, const struct errand_extend_params *p,
                    struct errand_arena *arena, struct errand_extend_result *ret,
                    struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 || (rc = er_check_extend(p, err)) < 0)
        return rc;
    *ret = (struct errand_extend_result){0};
    return er_store_leave(store, store->driver->extend(store->conn, p, arena, ret, err),
                          err, "extending %zu leases", p->tokens_n);
}

int er_store_reap(struct er_store *store, const struct errand_reap_params *p,
                  struct errand_arena *arena, struct errand_reap_result *ret,
                  struct errand_error *err)
{
    struct errand_reap_params params = *p;
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    if (!params.max)
        params.max = AT_ONCE;
    *ret = (struct errand_reap_result){0};
    return er_store_leave(store,
                          store->driver->reap(store->conn, &params, arena, ret, err), err,
                          "reaping leases that are over");
}

static const char *change_doing(enum errand_change_kind kind)
{
    switch (kind) {
    case ERRAND_CHANGE_CANCEL:
        return "cancelling jobs";
    case ERRAND_CHANGE_RETRY:
        return "retrying jobs";
    case ERRAND_CHANGE_DELETE:
        return "deleting jobs";
    case ERRAND_CHANGE_RUN_NOW:
        return "running jobs now";
    case ERRAND_CHANGE_EDIT:
        return "editing jobs";
    case ERRAND_CHANGE_MOVED:
        return "taking out jobs that have moved";
    }
    return "changing jobs";
}

int er_store_change(struct er_store *store, const struct errand_change_params *p,
                    struct errand_arena *arena, struct errand_change_result *ret,
                    struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_change(store, p, err)) < 0)
        return rc;
    *ret = (struct errand_change_result){0};
    return er_store_leave(store, store->driver->change(store->conn, p, arena, ret, err),
                          err, "%s", change_doing(p->kind));
}

int er_store_prune(struct er_store *store, const struct errand_prune_params *p,
                   size_t *ret_n, struct errand_error *err)
{
    struct errand_prune_params params = *p;
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    if (!params.max)
        params.max = AT_ONCE;
    return er_store_leave(store, store->driver->prune(store->conn, &params, ret_n, err),
                          err, "pruning jobs");
}

int er_store_get(struct er_store *store, const struct errand_id *id, int64_t now_ms,
                 struct errand_arena *arena, struct errand_job_detail *ret,
                 struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_id("id", id, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_job_detail){0};
    return er_store_leave(store,
                          store->driver->get(store->conn, id, now_ms, arena, ret, err),
                          err, "reading job '%s'", id->text);
}

/* For a driver that has no call for several. */
static int get_each(struct er_store *store, const struct errand_details_params *p,
                    struct errand_arena *arena, struct errand_details_result *ret,
                    struct errand_error *err)
{
    size_t used = er_arena_used(arena);
    int rc = 0;

    ret->details = errand_arena_alloc(arena, p->ids_n * sizeof *ret->details);
    if (!ret->details)
        return er_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < p->ids_n; i++) {
        if (i && p->max_bytes && er_arena_used(arena) - used > p->max_bytes)
            break;
        rc = store->driver->get(store->conn, &p->ids[i], p->now_ms, arena,
                                &ret->details[ret->details_n++], err);
        if (rc == ERRAND_ENOTFOUND)
            rc = 0;
    }
    return rc;
}

int er_store_details(struct er_store *store, const struct errand_details_params *p,
                     struct errand_arena *arena, struct errand_details_result *ret,
                     struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    for (size_t i = 0; i < p->ids_n; i++)
        if ((rc = er_check_id("id", &p->ids[i], err)) < 0)
            return rc;
    *ret = (struct errand_details_result){0};
    rc = store->driver->details ? store->driver->details(store->conn, p, arena, ret, err)
                                : get_each(store, p, arena, ret, err);
    return er_store_leave(store, rc, err, "reading %zu jobs", p->ids_n);
}

int er_store_list(struct er_store *store, const struct errand_list_params *p,
                  struct errand_arena *arena, struct errand_list_result *ret,
                  struct errand_error *err)
{
    struct errand_list_params params = *p;
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 ||
        (rc = er_check_now(p->now_ms, err)) < 0 ||
        (rc = er_check_filter(&p->filter, err)) < 0 ||
        (p->after.text[0] && (rc = er_check_id("cursor", &p->after, err)) < 0))
        return rc;
    if (!params.max)
        params.max = PAGE;
    if (params.max > ER_PAGE_MAX)
        params.max = ER_PAGE_MAX;
    *ret = (struct errand_list_result){0};
    return er_store_leave(store,
                          store->driver->list(store->conn, &params, arena, ret, err), err,
                          "listing jobs");
}

int er_store_count(struct er_store *store, const struct errand_filter *filter,
                   int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 ||
        (rc = er_check_filter(filter, err)) < 0 || (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    return er_store_leave(store,
                          store->driver->count(store->conn, filter, now_ms, ret_n, err),
                          err, "counting jobs");
}
