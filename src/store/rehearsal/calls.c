/* calls.c: the calls of a driver on their way through a rehearsal: the time is filled in,
 * they fail where that was asked for, and go to the store that was set aside or to the
 * real one. Those about jobs alone are in calls_jobs.c. */
#include "store/rehearsal/inside.h"

/* ------------------------------------------------------------------ pushes, noted */

static int pass_push(struct errand_conn *conn, const struct errand_push_params *p,
                     struct errand_arena *arena, struct errand_push_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_push_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (r->aside.driver)
        q.transaction = NULL; /* that is one of the real store */
    if (er_rehearsal_fails(r, "push", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->push(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    if (rc >= 0 && r->listener.pushed) {
        q.transaction = p->transaction;
        r->listener.pushed(r->listener.ctx, &q, ret);
    }
    return er_rehearsal_answer(r, "push", rc, err);
}

static int pass_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                     struct errand_arena *arena, struct errand_fire_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_fire_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "fire", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->fire(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    if (rc >= 0 && r->listener.fired)
        r->listener.fired(r->listener.ctx, &q, ret);
    return er_rehearsal_answer(r, "fire", rc, err);
}

/* What jobs say about themselves is read where it was published, also when all else goes
 * elsewhere: queue, tries and key of what is dispatched are then the right ones. */
static int pass_definitions(struct errand_conn *conn, const char *key,
                            struct errand_arena *arena,
                            struct errand_definitions_result *ret,
                            struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "definitions", false, err))
        return r->failure.code;
    rc = r->real.driver->definitions(r->real.conn, key, arena, ret, err);
    return er_rehearsal_answer(r, "definitions", rc, err);
}

/* Waiting never fails: it is how the caller hears of anything. */
static int pass_wait_fd(struct errand_conn *conn, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);

    return er_rehearsal_goes_to(r)->driver->wait_fd(er_rehearsal_goes_to(r)->conn, err);
}

static int pass_wait_arm(struct errand_conn *conn, uint32_t wait_for,
                         struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);

    return er_rehearsal_goes_to(r)->driver->wait_arm(er_rehearsal_goes_to(r)->conn,
                                                     wait_for, err);
}

/* ------------------------------------------------------------------ all others */

static int pass_queues(struct errand_conn *conn, int64_t now_ms,
                       struct errand_arena *arena, struct errand_queues_result *ret,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "queues", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->queues(
        er_rehearsal_goes_to(r)->conn, er_rehearsal_now(r, now_ms), arena, ret, err);
    return er_rehearsal_answer(r, "queues", rc, err);
}

static int pass_queue_pause(struct errand_conn *conn, const char *queue, int64_t until_ms,
                            int64_t now_ms, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "queue_pause", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->queue_pause(
        er_rehearsal_goes_to(r)->conn, queue, until_ms, er_rehearsal_now(r, now_ms), err);
    return er_rehearsal_answer(r, "queue_pause", rc, err);
}

static int pass_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                          struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "limit_put", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->limit_put(er_rehearsal_goes_to(r)->conn, limit,
                                                    err);
    return er_rehearsal_answer(r, "limit_put", rc, err);
}

static int pass_limit_delete(struct errand_conn *conn, const char *name,
                             struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "limit_delete", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->limit_delete(er_rehearsal_goes_to(r)->conn,
                                                       name, err);
    return er_rehearsal_answer(r, "limit_delete", rc, err);
}

static int pass_limits(struct errand_conn *conn, int64_t now_ms,
                       struct errand_arena *arena, struct errand_limits_result *ret,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "limits", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->limits(
        er_rehearsal_goes_to(r)->conn, er_rehearsal_now(r, now_ms), arena, ret, err);
    return er_rehearsal_answer(r, "limits", rc, err);
}

static int pass_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                          struct errand_rate_result *ret, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_rate_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "rate_take", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->rate_take(er_rehearsal_goes_to(r)->conn, &q,
                                                    ret, err);
    return er_rehearsal_answer(r, "rate_take", rc, err);
}

static int pass_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                     struct errand_arena *arena, struct errand_lock_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_lock_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "lock", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->lock(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    return er_rehearsal_answer(r, "lock", rc, err);
}

static int pass_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_lock_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "unlock", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->unlock(er_rehearsal_goes_to(r)->conn, &q, err);
    return er_rehearsal_answer(r, "unlock", rc, err);
}

static int pass_batch_get(struct errand_conn *conn, const struct errand_id *id,
                          struct errand_arena *arena, struct errand_batch_info *ret,
                          struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "batch_get", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->batch_get(er_rehearsal_goes_to(r)->conn, id,
                                                    arena, ret, err);
    return er_rehearsal_answer(r, "batch_get", rc, err);
}

static int pass_batch_cancel(struct errand_conn *conn, const struct errand_id *id,
                             int64_t now_ms, size_t *ret_n, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "batch_cancel", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->batch_cancel(
        er_rehearsal_goes_to(r)->conn, id, er_rehearsal_now(r, now_ms), ret_n, err);
    return er_rehearsal_answer(r, "batch_cancel", rc, err);
}

static int pass_batches(struct errand_conn *conn, const struct errand_id *after,
                        size_t max, struct errand_arena *arena,
                        struct errand_batch_info **ret, size_t *ret_n,
                        struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "batches", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->batches(er_rehearsal_goes_to(r)->conn, after,
                                                  max, arena, ret, ret_n, err);
    return er_rehearsal_answer(r, "batches", rc, err);
}

static int pass_schedule_put(struct errand_conn *conn,
                             const struct errand_schedule *schedule,
                             struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "schedule_put", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->schedule_put(er_rehearsal_goes_to(r)->conn,
                                                       schedule, err);
    return er_rehearsal_answer(r, "schedule_put", rc, err);
}

static int pass_schedule_delete(struct errand_conn *conn, const char *name,
                                struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "schedule_delete", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->schedule_delete(er_rehearsal_goes_to(r)->conn,
                                                          name, err);
    return er_rehearsal_answer(r, "schedule_delete", rc, err);
}

static int pass_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                               struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "schedule_pause", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->schedule_pause(er_rehearsal_goes_to(r)->conn,
                                                         name, paused, err);
    return er_rehearsal_answer(r, "schedule_pause", rc, err);
}

static int pass_schedules(struct errand_conn *conn, struct errand_arena *arena,
                          struct errand_schedules_result *ret, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "schedules", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->schedules(er_rehearsal_goes_to(r)->conn, arena,
                                                    ret, err);
    return er_rehearsal_answer(r, "schedules", rc, err);
}

static int pass_beat(struct errand_conn *conn, const struct errand_beat_params *p,
                     struct errand_arena *arena, struct errand_beat_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_beat_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "beat", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->beat(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    return er_rehearsal_answer(r, "beat", rc, err);
}

static int pass_workers(struct errand_conn *conn, int64_t now_ms,
                        struct errand_arena *arena, struct errand_workers_result *ret,
                        struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "workers", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->workers(
        er_rehearsal_goes_to(r)->conn, er_rehearsal_now(r, now_ms), arena, ret, err);
    return er_rehearsal_answer(r, "workers", rc, err);
}

static int pass_command(struct errand_conn *conn, const char *worker,
                        enum errand_command command, int64_t now_ms, size_t *ret_n,
                        struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "command", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->command(er_rehearsal_goes_to(r)->conn, worker,
                                                  command, er_rehearsal_now(r, now_ms),
                                                  ret_n, err);
    return er_rehearsal_answer(r, "command", rc, err);
}

static int pass_define(struct errand_conn *conn, const struct errand_definition *list,
                       size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "define", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->define(er_rehearsal_goes_to(r)->conn, list, n,
                                                 er_rehearsal_now(r, now_ms), err);
    return er_rehearsal_answer(r, "define", rc, err);
}

static int pass_events_add(struct errand_conn *conn, const struct errand_event *list,
                           size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "events_add", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->events_add(er_rehearsal_goes_to(r)->conn, list,
                                                     n, er_rehearsal_now(r, now_ms), err);
    return er_rehearsal_answer(r, "events_add", rc, err);
}

static int pass_events_read(struct errand_conn *conn,
                            const struct errand_events_params *p,
                            struct errand_arena *arena, struct errand_events_result *ret,
                            struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_events_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "events_read", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->events_read(er_rehearsal_goes_to(r)->conn, &q,
                                                      arena, ret, err);
    return er_rehearsal_answer(r, "events_read", rc, err);
}

static int pass_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                          struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_stats_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "stats_add", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->stats_add(er_rehearsal_goes_to(r)->conn, &q,
                                                    err);
    return er_rehearsal_answer(r, "stats_add", rc, err);
}

static int pass_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                           struct errand_arena *arena, struct errand_stats_result *ret,
                           struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_stats_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "stats_read", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->stats_read(er_rehearsal_goes_to(r)->conn, &q,
                                                     arena, ret, err);
    return er_rehearsal_answer(r, "stats_read", rc, err);
}

static int pass_check(struct errand_conn *conn, int64_t now_ms,
                      struct errand_arena *arena, struct errand_check_result *ret,
                      struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "check", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->check(
        er_rehearsal_goes_to(r)->conn, er_rehearsal_now(r, now_ms), arena, ret, err);
    return er_rehearsal_answer(r, "check", rc, err);
}

static int pass_remarks(struct errand_conn *conn, struct errand_arena *arena,
                        struct errand_remarks_result *ret, struct errand_error *err)
{
    const struct er_rehearsal_to *store = er_rehearsal_goes_to(er_rehearsal_in(conn));

    if (!store->driver->remarks)
        return 0;
    return store->driver->remarks(store->conn, arena, ret, err);
}

static int pass_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                      struct errand_error *err)
{
    const struct er_rehearsal_to *store = er_rehearsal_goes_to(er_rehearsal_in(conn));

    if (store->driver->clock)
        return store->driver->clock(store->conn, ret_wall_ms, err);
    *ret_wall_ms = er_clock_wall_ms(NULL);
    return 0;
}

/* A function that the driver has and this file has not would pass by the rehearsal with a
 * connection that is not its own. */
_Static_assert(offsetof(struct errand_driver, details) + sizeof(void *) ==
                   sizeof(struct errand_driver),
               "a new function of the driver: it has to go through rehearsals as well");

void er_rehearsal_calls(struct errand_driver *driver)
{
    er_rehearsal_calls_jobs(driver);
    driver->push = pass_push;
    driver->queues = pass_queues;
    driver->queue_pause = pass_queue_pause;
    driver->limit_put = pass_limit_put;
    driver->limit_delete = pass_limit_delete;
    driver->limits = pass_limits;
    driver->rate_take = pass_rate_take;
    driver->lock = pass_lock;
    driver->unlock = pass_unlock;
    driver->batch_get = pass_batch_get;
    driver->batch_cancel = pass_batch_cancel;
    driver->batches = pass_batches;
    driver->schedule_put = pass_schedule_put;
    driver->schedule_delete = pass_schedule_delete;
    driver->schedule_pause = pass_schedule_pause;
    driver->schedules = pass_schedules;
    driver->fire = pass_fire;
    driver->beat = pass_beat;
    driver->workers = pass_workers;
    driver->command = pass_command;
    driver->define = pass_define;
    driver->definitions = pass_definitions;
    driver->events_add = pass_events_add;
    driver->events_read = pass_events_read;
    driver->stats_add = pass_stats_add;
    driver->stats_read = pass_stats_read;
    driver->wait_fd = pass_wait_fd;
    driver->wait_arm = pass_wait_arm;
    driver->check = pass_check;
    driver->remarks = pass_remarks;
    driver->clock = pass_clock;
}
