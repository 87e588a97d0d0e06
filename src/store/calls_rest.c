/* calls_rest.c: the calls of store.h about all that is beside the jobs: queues, limits,
 * locks, batches, schedules, workers, definitions, events, stats, waiting, checking. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/name.h"
#include "store/internal.h"

enum { PAGE = 100 };

int er_store_queues(struct er_store *store, int64_t now_ms, struct errand_arena *arena,
                    struct errand_queues_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_queues_result){0};
    return er_store_leave(store,
                          store->driver->queues(store->conn, now_ms, arena, ret, err),
                          err, "reading the queues");
}

int er_store_queue_pause(struct er_store *store, const char *queue, int64_t until_ms,
                         int64_t now_ms, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_name_check("queue name", queue, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0 || (rc = er_check_now(until_ms, err)) < 0)
        return rc;
    return er_store_leave(
        store, store->driver->queue_pause(store->conn, queue, until_ms, now_ms, err), err,
        "%s queue '%s'", until_ms ? "pausing" : "resuming", queue);
}

int er_store_limit_put(struct er_store *store, const struct errand_limit *limit,
                       struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_limit(limit, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->limit_put(store->conn, limit, err), err,
                          "setting limit '%s'", limit->name);
}

int er_store_limit_delete(struct er_store *store, const char *name,
                          struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_name_check("limit name", name, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->limit_delete(store->conn, name, err), err,
                          "deleting limit '%s'", name);
}

int er_store_limits(struct er_store *store, int64_t now_ms, struct errand_arena *arena,
                    struct errand_limits_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_limits_result){0};
    return er_store_leave(store,
                          store->driver->limits(store->conn, now_ms, arena, ret, err),
                          err, "reading the limits");
}

static int check_rate(const struct errand_rate_params *p, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0 ||
        (rc = er_name_check("limit name", p->name, err)) < 0 ||
        (rc = er_check_key("limit key", p->key, err)) < 0)
        return rc;
    if (p->n < 1 || p->per_ms < 1 || p->take < 1 || p->take > p->n)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "taking %lld of %lld per %lld ms from limit '%s' can never be allowed",
            (long long)p->take, (long long)p->n, (long long)p->per_ms, p->name);
    return 0;
}

int er_store_rate_take(struct er_store *store, const struct errand_rate_params *p,
                       struct errand_rate_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 || (rc = check_rate(p, err)) < 0)
        return rc;
    *ret = (struct errand_rate_result){0};
    return er_store_leave(store, store->driver->rate_take(store->conn, p, ret, err), err,
                          "taking from limit '%s'", p->name);
}

static int check_lock(const struct errand_lock_params *p, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0 ||
        (rc = er_check_key("lock key", p->key, err)) < 0 ||
        (rc = er_name_check("lock owner", p->owner, err)) < 0)
        return rc;
    return p->key.len ? 0 : errand_error_set(err, ERRAND_EINVAL, "lock key is empty");
}

static int check_lock_ttl(const struct errand_lock_params *p, struct errand_error *err)
{
    if (p->ttl_ms >= 1)
        return check_lock(p, err);
    return errand_error_set(err, ERRAND_EINVAL, "lock for %lld ms: at least 1",
                            (long long)p->ttl_ms);
}

int er_store_lock(struct er_store *store, const struct errand_lock_params *p,
                  struct errand_arena *arena, struct errand_lock_result *ret,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 || (rc = check_lock_ttl(p, err)) < 0)
        return rc;
    *ret = (struct errand_lock_result){0};
    return er_store_leave(store, store->driver->lock(store->conn, p, arena, ret, err),
                          err, "locking");
}

int er_store_unlock(struct er_store *store, const struct errand_lock_params *p,
                    struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 || (rc = check_lock(p, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->unlock(store->conn, p, err), err,
                          "unlocking");
}

int er_store_batch_get(struct er_store *store, const struct errand_id *id,
                       struct errand_arena *arena, struct errand_batch_info *ret,
                       struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 ||
        (rc = er_check_id("batch id", id, err)) < 0)
        return rc;
    *ret = (struct errand_batch_info){0};
    return er_store_leave(store,
                          store->driver->batch_get(store->conn, id, arena, ret, err), err,
                          "reading batch '%s'", id->text);
}

int er_store_batch_cancel(struct er_store *store, const struct errand_id *id,
                          int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_id("batch id", id, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    return er_store_leave(
        store, store->driver->batch_cancel(store->conn, id, now_ms, ret_n, err), err,
        "cancelling batch '%s'", id->text);
}

int er_store_batches(struct er_store *store, const struct errand_id *after, size_t max,
                     struct errand_arena *arena, struct errand_batch_info **ret,
                     size_t *ret_n, struct errand_error *err)
{
    static const struct errand_id none;
    int rc;

    if (!after)
        after = &none;
    if ((rc = er_store_enter(store, err)) < 0 ||
        (after->text[0] && (rc = er_check_id("cursor", after, err)) < 0))
        return rc;
    if (!max)
        max = PAGE;
    if (max > ER_PAGE_MAX)
        max = ER_PAGE_MAX;
    return er_store_leave(
        store, store->driver->batches(store->conn, after, max, arena, ret, ret_n, err),
        err, "listing batches");
}

int er_check_schedule(const struct errand_schedule *schedule, struct errand_error *err)
{
    int rc;

    if ((rc = er_name_check("schedule name", schedule->name, err)) < 0 ||
        (rc = er_check_now(schedule->next_ms, err)) < 0)
        return rc;
    if (schedule->spec.len <= ER_TEXT_MAX)
        return 0;
    return errand_error_set(err, ERRAND_ETOOBIG,
                            "schedule '%s' has %zu bytes, more than the %d allowed",
                            schedule->name, schedule->spec.len, ER_TEXT_MAX);
}

int er_store_schedule_put(struct er_store *store, const struct errand_schedule *schedule,
                          struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_schedule(schedule, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->schedule_put(store->conn, schedule, err),
                          err, "setting schedule '%s'", schedule->name);
}

int er_store_schedule_delete(struct er_store *store, const char *name,
                             struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_name_check("schedule name", name, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->schedule_delete(store->conn, name, err),
                          err, "deleting schedule '%s'", name);
}

int er_store_schedule_pause(struct er_store *store, const char *name, bool paused,
                            struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_name_check("schedule name", name, err)) < 0)
        return rc;
    return er_store_leave(store,
                          store->driver->schedule_pause(store->conn, name, paused, err),
                          err, "%s schedule '%s'", paused ? "pausing" : "resuming", name);
}

int er_store_schedules(struct er_store *store, struct errand_arena *arena,
                       struct errand_schedules_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    *ret = (struct errand_schedules_result){0};
    return er_store_leave(store, store->driver->schedules(store->conn, arena, ret, err),
                          err, "reading the schedules");
}

static int check_fire(const struct er_store *store, const struct errand_fire_params *p,
                      struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0 ||
        (rc = er_name_check("schedule name", p->name, err)) < 0 ||
        (rc = er_check_now(p->next_ms, err)) < 0)
        return rc;
    if (p->slot_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "slot %lld of schedule '%s' is not after 1970",
                                (long long)p->slot_ms, p->name);
    if (p->slots_n < 0 || (p->job && p->slots_n > 1))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%lld slots of schedule '%s' in one call",
                                (long long)p->slots_n, p->name);
    return p->job ? er_check_job(store, p->job, err) : 0;
}

int er_store_fire(struct er_store *store, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = check_fire(store, p, err)) < 0)
        return rc;
    *ret = (struct errand_fire_result){0};
    return er_store_leave(store, store->driver->fire(store->conn, p, arena, ret, err),
                          err, "firing schedule '%s'", p->name);
}

static int check_beat(const struct errand_beat_params *p, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0 ||
        (rc = er_name_check("worker name", p->worker, err)) < 0)
        return rc;
    if (!p->bye && p->ttl_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "worker '%s' lives %lld ms: at least 1", p->worker,
                                (long long)p->ttl_ms);
    if (p->info.len <= ER_TEXT_MAX)
        return 0;
    return errand_error_set(err, ERRAND_ETOOBIG,
                            "info of worker '%s' has %zu bytes, more than the %d allowed",
                            p->worker, p->info.len, ER_TEXT_MAX);
}

int er_store_beat(struct er_store *store, const struct errand_beat_params *p,
                  struct errand_arena *arena, struct errand_beat_result *ret,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 || (rc = check_beat(p, err)) < 0)
        return rc;
    *ret = (struct errand_beat_result){0};
    return er_store_leave(store, store->driver->beat(store->conn, p, arena, ret, err),
                          err, "beating for worker '%s'", p->worker);
}

int er_store_workers(struct er_store *store, int64_t now_ms, struct errand_arena *arena,
                     struct errand_workers_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_workers_result){0};
    return er_store_leave(store,
                          store->driver->workers(store->conn, now_ms, arena, ret, err),
                          err, "reading the workers");
}

static int check_command(const char *worker, enum errand_command command,
                         struct errand_error *err)
{
    if (command < ERRAND_COMMAND_QUIET || command > ERRAND_COMMAND_STOP)
        return errand_error_set(err, ERRAND_EINVAL, "no command %d for workers",
                                (int)command);
    return worker ? er_name_check("worker name", worker, err) : 0;
}

int er_store_command(struct er_store *store, const char *worker,
                     enum errand_command command, int64_t now_ms, size_t *ret_n,
                     struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = check_command(worker, command, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    return er_store_leave(
        store, store->driver->command(store->conn, worker, command, now_ms, ret_n, err),
        err, "commanding %s", worker ? worker : "all workers");
}

static int check_definitions(const struct errand_definition *definitions, size_t n,
                             struct errand_error *err)
{
    int rc;

    for (size_t i = 0; i < n; i++) {
        const struct errand_definition *d = &definitions[i];
        if ((rc = er_name_check("job name", d->name, err)) < 0 ||
            (rc = er_name_check("job key", d->key, err)) < 0)
            return rc;
        if (d->spec.len > ER_TEXT_MAX)
            return errand_error_set(
                err, ERRAND_ETOOBIG,
                "definition of '%s' has %zu bytes, more than the %d allowed", d->name,
                d->spec.len, ER_TEXT_MAX);
    }
    return 0;
}

int er_store_define(struct er_store *store, const struct errand_definition *definitions,
                    size_t n, int64_t now_ms, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0 ||
        (rc = check_definitions(definitions, n, err)) < 0)
        return rc;
    return er_store_leave(store,
                          store->driver->define(store->conn, definitions, n, now_ms, err),
                          err, "publishing %zu definitions", n);
}

int er_store_definitions(struct er_store *store, const char *key,
                         struct errand_arena *arena,
                         struct errand_definitions_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    *ret = (struct errand_definitions_result){0};
    return er_store_leave(store,
                          store->driver->definitions(store->conn, key, arena, ret, err),
                          err, "reading definitions");
}

/* With their errors cut: `events` itself when none is too long. *ret_copy is to be freed.
 */
static const struct errand_event *events_cut(const struct errand_event *events, size_t n,
                                             struct errand_event **ret_copy)
{
    size_t i = 0;

    *ret_copy = NULL;
    while (i < n && events[i].error.len <= ER_EVENT_TEXT_MAX)
        i++;
    if (i == n)
        return events;
    if (!(*ret_copy = malloc(n * sizeof **ret_copy)))
        return NULL;
    memcpy(*ret_copy, events, n * sizeof **ret_copy);
    for (; i < n; i++)
        (*ret_copy)[i].error = er_cut_to(events[i].error, ER_EVENT_TEXT_MAX);
    return *ret_copy;
}

int er_store_events_add(struct er_store *store, const struct errand_event *events,
                        size_t n, int64_t now_ms, struct errand_error *err)
{
    const struct errand_event *cut;
    struct errand_event *copy;
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    if (!(cut = events_cut(events, n, &copy)) && n)
        return er_error_nomem(err);
    rc = store->driver->events_add(store->conn, cut, n, now_ms, err);
    free(copy);
    return er_store_leave(store, rc, err, "adding %zu events", n);
}

int er_store_events_read(struct er_store *store, const struct errand_events_params *p,
                         struct errand_arena *arena, struct errand_events_result *ret,
                         struct errand_error *err)
{
    struct errand_events_params params = *p;
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    if (params.after < -1 || params.follow_ms < 0)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "events after %lld, followed for %lld ms: no such place or time",
            (long long)params.after, (long long)params.follow_ms);
    if (!params.max)
        params.max = PAGE;
    if (params.max > ER_PAGE_MAX)
        params.max = ER_PAGE_MAX;
    if (store->is_read_only)
        params.follow_ms = 0; /* saying that somebody follows is a write */
    *ret = (struct errand_events_result){0};
    return er_store_leave(
        store, store->driver->events_read(store->conn, &params, arena, ret, err), err,
        "reading events");
}

int er_store_stats_add(struct er_store *store, const struct errand_stats_params *p,
                       struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter_write(store, err)) < 0 ||
        (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->stats_add(store->conn, p, err), err,
                          "adding to the stats");
}

int er_store_stats_read(struct er_store *store, const struct errand_stats_params *p,
                        struct errand_arena *arena, struct errand_stats_result *ret,
                        struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_stats_result){0};
    return er_store_leave(store,
                          store->driver->stats_read(store->conn, p, arena, ret, err), err,
                          "reading the stats");
}

int er_store_wait_fd(struct er_store *store, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->wait_fd(store->conn, err), err,
                          "watching the store");
}

int er_store_wait_arm(struct er_store *store, uint32_t wait_for, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    return er_store_leave(store, store->driver->wait_arm(store->conn, wait_for, err), err,
                          "watching the store");
}

int er_store_check(struct er_store *store, int64_t now_ms, struct errand_arena *arena,
                   struct errand_check_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0 || (rc = er_check_now(now_ms, err)) < 0)
        return rc;
    *ret = (struct errand_check_result){0};
    return er_store_leave(store,
                          store->driver->check(store->conn, now_ms, arena, ret, err), err,
                          "checking the store");
}

int er_store_remarks(struct er_store *store, struct errand_arena *arena,
                     struct errand_remarks_result *ret, struct errand_error *err)
{
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    *ret = (struct errand_remarks_result){0};
    if (!store->driver->remarks)
        return 0;
    return er_store_leave(store, store->driver->remarks(store->conn, arena, ret, err),
                          err, "looking at what surrounds the store");
}
