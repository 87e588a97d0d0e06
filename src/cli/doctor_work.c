/* doctor_work.c: queues, and the workers that should empty them. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "cli/doctor.h"
#include "client/schedules.h"
#include "client/worker_view.h"
#include "core/clock.h"

enum { LONG_WAIT_MS = 60000 };

static bool is_served(struct er_doctor *d, const struct errand_workers_result *workers,
                      const char *queue)
{
    struct er_worker_view view;

    for (size_t i = 0; i < workers->workers_n; i++) {
        er_worker_view(&workers->workers[i], d->cli->arena, &view);
        if (view.takes_jobs && er_worker_serves(&workers->workers[i], queue))
            return true;
    }
    return false;
}

static void waiting(struct er_doctor *d, const struct errand_queue_info *q,
                    const struct errand_workers_result *workers, int64_t now_ms)
{
    int64_t ready_n = q->counts[ERRAND_READY], waits_ms = now_ms - q->oldest_ready_ms;

    if (!is_served(d, workers, q->name))
        er_doctor_say(
            d, ER_WARN, "queues",
            er_arena_printf(d->cli->arena, "errand queue:work --queue=%s", q->name),
            "no worker takes '%s', where %" PRId64 " %s ready", q->name, ready_n,
            ready_n == 1 ? "job is" : "jobs are");
    else if (q->oldest_ready_ms && waits_ms > LONG_WAIT_MS)
        er_doctor_say(d, ER_WARN, "queues",
                      "errand queue:workers shows what they do; more workers, a larger "
                      "--concurrency, or cancel what hangs",
                      "'%s' does not keep up: %" PRId64 " ready, the first since %" PRId64
                      " min",
                      q->name, ready_n, waits_ms / 60000);
}

static void queues(struct er_doctor *d, const struct errand_workers_result *workers)
{
    int64_t failed_n = 0, now_ms = er_store_wall_ms(d->cli->store);
    struct errand_queues_result r = {0};
    struct errand_error err = {0};

    if (er_store_queues(d->cli->store, 0, d->cli->arena, &r, &err) < 0) {
        er_doctor_say(d, ER_FAIL, "queues", NULL, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < r.queues_n; i++) {
        const struct errand_queue_info *q = &r.queues[i];

        failed_n += q->counts[ERRAND_FAILED];
        if (q->paused_until_ms > now_ms)
            er_doctor_say(
                d, ER_WARN, "queues",
                er_arena_printf(d->cli->arena, "errand queue:resume --queue=%s", q->name),
                "'%s' is paused", q->name);
        else if (q->counts[ERRAND_READY])
            waiting(d, q, workers, now_ms);
    }
    if (failed_n)
        er_doctor_say(d, ER_WARN, "queues",
                      "errand queue:failed, then queue:retry or "
                      "queue:forget",
                      "%" PRId64 " failed %s for you", failed_n,
                      failed_n == 1 ? "job waits" : "jobs wait");
    else
        er_doctor_say(d, ER_OK, "queues", NULL, "%zu, no failed jobs", r.queues_n);
}

static void schedules(struct er_doctor *d)
{
    int64_t due_ms, now_ms = er_store_wall_ms(d->cli->store);
    struct er_schedule_rows rows = {0};
    struct errand_error err = {0};
    size_t overdue_n = 0;

    if (er_schedules_read(d->cli->store, d->cli->arena, &rows, &err) < 0) {
        er_doctor_say(d, ER_FAIL, "schedules", NULL, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < rows.n; i++) {
        const struct er_schedule_row *row = &rows.rows[i];
        due_ms = er_schedule_overdue(row, now_ms);
        if (row->error)
            er_doctor_say(d, ER_WARN, "schedules", NULL, "'%s' cannot fire: %s",
                          row->stored.name, row->error);
        else if (due_ms && overdue_n++ == 0)
            er_doctor_say(d, ER_WARN, "schedules",
                          "errand queue:schedule, or queue:work --schedule",
                          "no scheduler runs: '%s' should have fired %" PRId64 " min ago",
                          row->stored.name, (now_ms - due_ms) / 60000);
    }
    if (rows.n && !overdue_n)
        er_doctor_say(d, ER_OK, "schedules", NULL, "%zu, none is late", rows.n);
}

/* The dead are remembered for an hour; what they ran may still be there. */
static void orphans(struct er_doctor *d)
{
    struct errand_filter filter = {.states = 1u << ERRAND_RUNNING};
    int64_t n = 0;

    if (er_store_count(d->cli->store, &filter, 0, &n, NULL) == 0 && n)
        er_doctor_say(d, ER_WARN, "workers", "errand queue:work",
                      "no worker is known any more, and %" PRId64
                      " %s as running; with the next one %s",
                      n, n == 1 ? "job counts" : "jobs count",
                      n == 1 ? "it comes back" : "they come back");
}

void er_doctor_work(struct er_doctor *d)
{
    struct errand_workers_result r = {0};
    struct errand_error err = {0};
    struct er_worker_view view;
    size_t alive = 0;

    if (er_store_workers(d->cli->store, 0, d->cli->arena, &r, &err) < 0) {
        er_doctor_say(d, ER_FAIL, "workers", NULL, "%s", err.message);
        return;
    }
    queues(d, &r);
    for (size_t i = 0; i < r.workers_n; i++) {
        er_worker_view(&r.workers[i], d->cli->arena, &view);
        alive += view.takes_jobs;
        if (view.trouble)
            er_doctor_say(d, strcmp(view.state, "blocked") == 0 ? ER_FAIL : ER_WARN,
                          "workers", view.remedy, "%s %s", r.workers[i].worker,
                          view.trouble);
    }
    if (!r.workers_n)
        orphans(d);
    schedules(d);
    if (alive)
        er_doctor_say(d, ER_OK, "workers", NULL, "%zu at work", alive);
    else
        er_doctor_say(d, ER_OK, "workers", NULL, "none is at work");
}
