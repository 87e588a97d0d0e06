/* move_rest.c: what is beside the jobs: limits, definitions, batches, schedules. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/move_inside.h"

enum { PAGE = 100 };

/* ------------------------------------------------------------------ limits */

static int limits_load(struct er_moving *m, int64_t *ret_n, struct errand_error *err)
{
    struct errand_limits_result got;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_limits(m->from, m->move->now_ms, m->list, &got, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.limits_n; i++)
        rc = er_store_limit_put(m->to, &got.limits[i].limit, err);
    *ret_n = (int64_t)got.limits_n;
    return rc;
}

static int limits_take_out(struct er_moving *m, struct errand_error *err)
{
    struct errand_limits_result got;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_limits(m->from, m->move->now_ms, m->list, &got, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.limits_n; i++)
        rc = er_store_limit_delete(m->from, got.limits[i].limit.name, err);
    return rc;
}

/* ------------------------------------------------------------------ definitions */

static bool is_newer(const struct errand_definitions_result *there,
                     const struct errand_definition *d)
{
    for (size_t i = 0; i < there->definitions_n; i++)
        if (strcmp(there->definitions[i].key, d->key) == 0)
            return there->definitions[i].updated_ms > d->updated_ms;
    return false;
}

/* What an owner in the target has said since stays. */
static int definitions_load(struct er_moving *m, int64_t *ret_n, struct errand_error *err)
{
    struct errand_definitions_result got, there;
    int rc;

    er_arena_reset(m->list);
    er_arena_reset(m->page);
    if ((rc = er_store_definitions(m->from, NULL, m->list, &got, err)) < 0 ||
        (rc = er_store_definitions(m->to, NULL, m->page, &there, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.definitions_n; i++) {
        const struct errand_definition *d = &got.definitions[i];
        if (!is_newer(&there, d))
            rc = er_store_define(m->to, d, 1, d->updated_ms, err);
    }
    *ret_n = (int64_t)got.definitions_n;
    return rc;
}

/* ------------------------------------------------------------------ batches */

/* Where each page of the list begins: batches are listed newest first and loaded oldest
 * first, so that the target lists them in the same order. */
struct cursors {
    struct errand_id *after;
    size_t n, size;
};

static int cursor_add(struct cursors *c, const struct errand_id *after,
                      struct errand_error *err)
{
    struct errand_id *more;

    if (c->n == c->size) {
        c->size = c->size ? 2 * c->size : 16;
        if (!(more = realloc(c->after, c->size * sizeof *more)))
            return er_error_nomem(err);
        c->after = more;
    }
    c->after[c->n++] = *after;
    return 0;
}

static int page_read(struct er_moving *m, const struct errand_id *after,
                     struct errand_batch_info **ret, size_t *ret_n,
                     struct errand_error *err)
{
    er_arena_reset(m->list);
    return er_store_batches(m->from, after, PAGE, m->list, ret, ret_n, err);
}

static int cursors_fill(struct er_moving *m, struct cursors *c, struct errand_error *err)
{
    struct errand_id after = {{0}};
    struct errand_batch_info *rows;
    size_t n;
    int rc;

    do {
        if ((rc = cursor_add(c, &after, err)) < 0 ||
            (rc = page_read(m, &after, &rows, &n, err)) < 0)
            return rc;
        if (n)
            after = rows[n - 1].id;
    } while (n == PAGE);
    return 0;
}

static int batches_load_page(struct er_moving *m, struct errand_batch_info *rows,
                             size_t n, struct errand_error *err)
{
    struct errand_load_params p = {
        .now_ms = m->move->now_ms, .batches = rows, .batches_n = n};
    struct errand_load_result ret;

    for (size_t i = 0; i < n / 2; i++) {
        struct errand_batch_info row = rows[i];
        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = row;
    }
    er_arena_reset(m->page);
    return er_store_load(m->to, &p, m->page, &ret, err);
}

static int batches_check_page(struct er_moving *m, struct errand_batch_info *rows,
                              size_t n, struct errand_error *err)
{
    struct errand_batch_info there;
    const char *differs;
    int rc;

    er_arena_reset(m->page);
    for (size_t i = 0; i < n; i++) {
        rc = er_store_batch_get(m->to, &rows[i].id, m->page, &there, err);
        if (rc == ERRAND_ENOTFOUND && m->is_first)
            continue;
        if (rc < 0)
            return rc;
        if ((differs = er_move_batch_differs(&rows[i], &there)))
            return errand_error_set(err, ERRAND_ECONFLICT,
                                    "batch '%s' is in both stores and its %s is not the "
                                    "same",
                                    rows[i].id.text, differs);
    }
    return 0;
}

typedef int batches_fn(struct er_moving *m, struct errand_batch_info *rows, size_t n,
                       struct errand_error *err);

static int batches_walk(struct er_moving *m, batches_fn *each, int64_t *ret_n,
                        struct errand_error *err)
{
    struct cursors c = {0};
    int rc = cursors_fill(m, &c, err);

    *ret_n = 0;
    while (rc == 0 && c.n) {
        struct errand_batch_info *rows;
        size_t n;
        if ((rc = page_read(m, &c.after[--c.n], &rows, &n, err)) == 0 && n)
            rc = each(m, rows, n, err);
        if (rc == 0)
            rc = er_move_lock_keep(m, err);
        *ret_n += (int64_t)n;
    }
    free(c.after);
    return rc;
}

/* ------------------------------------------------------------------ schedules */

static int schedules_load(struct er_moving *m, int64_t *ret_n, struct errand_error *err)
{
    struct errand_schedules_result got;
    struct errand_load_result ret;
    struct errand_load_params p = {.now_ms = m->move->now_ms};
    int rc;

    er_arena_reset(m->list);
    er_arena_reset(m->page);
    if ((rc = er_store_schedules(m->from, m->list, &got, err)) < 0)
        return rc;
    p.schedules = got.schedules;
    p.schedules_n = got.schedules_n;
    *ret_n = (int64_t)got.schedules_n;
    return er_store_load(m->to, &p, m->page, &ret, err);
}

/* A scheduler that still runs on the source fires there what the target would fire once
 * more. */
static int schedule_check(struct er_moving *m, const struct errand_schedule *mine,
                          const struct errand_schedules_result *there,
                          struct errand_error *err)
{
    for (size_t i = 0; i < there->schedules_n; i++)
        if (strcmp(there->schedules[i].name, mine->name) == 0 &&
            there->schedules[i].last_slot_ms >= mine->last_slot_ms)
            return 0;
    return errand_error_set(err, ERRAND_EBUSY,
                            "schedule '%s' fired in %s during the move: stop its "
                            "scheduler and repeat the move",
                            mine->name, er_store_url(m->from));
}

static int schedules_check(struct er_moving *m, struct errand_error *err)
{
    struct errand_schedules_result got, there;
    int rc;

    er_arena_reset(m->list);
    er_arena_reset(m->page);
    if ((rc = er_store_schedules(m->from, m->list, &got, err)) < 0 ||
        (rc = er_store_schedules(m->to, m->page, &there, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.schedules_n; i++)
        rc = schedule_check(m, &got.schedules[i], &there, err);
    return rc;
}

static int schedules_take_out(struct er_moving *m, struct errand_error *err)
{
    struct errand_schedules_result got;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_schedules(m->from, m->list, &got, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < got.schedules_n; i++)
        rc = er_store_schedule_delete(m->from, got.schedules[i].name, err);
    return rc;
}

/* ------------------------------------------------------------------ all of it */

int er_move_rest_load(struct er_moving *m, struct er_move_result *ret,
                      struct errand_error *err)
{
    int rc;

    if ((rc = limits_load(m, &ret->limits_n, err)) < 0 ||
        (rc = definitions_load(m, &ret->definitions_n, err)) < 0 ||
        (rc = schedules_load(m, &ret->schedules_n, err)) < 0)
        return rc;
    return batches_walk(m, batches_load_page, &ret->batches_n, err);
}

int er_move_rest_check(struct er_moving *m, struct errand_error *err)
{
    int64_t n;
    int rc = m->is_first ? 0 : schedules_check(m, err);

    return rc < 0 ? rc : batches_walk(m, batches_check_page, &n, err);
}

int er_move_rest_take_out(struct er_moving *m, struct errand_error *err)
{
    int rc = schedules_take_out(m, err);

    return rc < 0 ? rc : limits_take_out(m, err);
}
