/* dump.c: everything that can be seen of both stores. */
#include <inttypes.h>

#include "store/differential/pair.h"

static void dump_jobs(struct side *side, int64_t now)
{
    struct errand_list_params q = {.now_ms = now, .max = 100, .with_data = true};
    struct errand_list_result ret;

    do {
        if (!say_rc(side, er_store_list(side->store, &q, side->arena, &ret, &side->err)))
            return;
        for (size_t i = 0; i < ret.jobs_n; i++) {
            struct errand_job_detail d;
            say_info(side, &ret.jobs[i]);
            if (say_rc(side, er_store_get(side->store, &ret.jobs[i].id, now, side->arena,
                                          &d, &side->err)))
                say_detail(side, &d);
        }
        if (ret.jobs_n)
            q.after = ret.jobs[ret.jobs_n - 1].id;
    } while (ret.more);
}

static void dump_queues(struct side *side, int64_t now)
{
    struct errand_queues_result ret;

    if (!say_rc(side, er_store_queues(side->store, now, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.queues_n; i++) {
        say(side, "queue %s paused %" PRId64 " oldest %" PRId64, ret.queues[i].name,
            ret.queues[i].paused_until_ms, ret.queues[i].oldest_ready_ms);
        for (int j = 0; j < ERRAND_STATES_N; j++)
            say(side, " %" PRId64, ret.queues[i].counts[j]);
        say(side, "\n");
    }
}

static void dump_batches(struct side *side)
{
    struct errand_id after = {{0}};
    struct errand_batch_info *rows;
    size_t n;

    do {
        if (!say_rc(side, er_store_batches(side->store, &after, 50, side->arena, &rows,
                                           &n, &side->err)))
            return;
        for (size_t i = 0; i < n; i++)
            say_batch(side, &rows[i]);
        if (n)
            after = rows[n - 1].id;
    } while (n == 50);
}

static void dump_limits(struct side *side, int64_t now)
{
    struct errand_limits_result ret;

    if (!say_rc(side, er_store_limits(side->store, now, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.limits_n; i++) {
        const struct errand_limit *l = &ret.limits[i].limit;
        say(side,
            "limit %s kind %d scope %d %s %" PRId64 " per %" PRId64 " used %" PRId64 "\n",
            l->name, (int)l->kind, (int)l->scope, l->target, l->n, l->per_ms,
            ret.limits[i].used);
    }
}

static void dump_schedules(struct side *side)
{
    struct errand_schedules_result ret;

    if (!say_rc(side, er_store_schedules(side->store, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.schedules_n; i++) {
        const struct errand_schedule *s = &ret.schedules[i];
        say(side,
            "schedule %s paused %d next %" PRId64 " last %" PRId64 " missed %" PRId64,
            s->name, s->paused, s->next_ms, s->last_slot_ms, s->missed_n);
        say_slice(side, "spec", s->spec);
        say_id(side, &s->last_job);
        say(side, "\n");
    }
}

static void dump_workers(struct side *side, int64_t now)
{
    struct errand_workers_result ret;

    if (!say_rc(side, er_store_workers(side->store, now, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.workers_n; i++) {
        const struct errand_worker_info *w = &ret.workers[i];
        say(side, "worker %s %" PRId64 " %" PRId64 " %" PRId64 " alive %d running %zu\n",
            w->worker, w->since_ms, w->seen_ms, w->until_ms, w->is_alive, w->running_n);
    }
}

static void dump_definitions(struct side *side)
{
    struct errand_definitions_result ret;

    if (!say_rc(side,
                er_store_definitions(side->store, NULL, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.definitions_n; i++) {
        const struct errand_definition *d = &ret.definitions[i];
        say(side, "definition %s %s %" PRId64, d->key, d->name, d->updated_ms);
        say_slice(side, "spec", d->spec);
        say(side, "\n");
    }
}

static void dump_stats(struct side *side, int64_t now)
{
    struct errand_stats_params q = {.now_ms = now};
    struct errand_stats_result ret;

    if (!say_rc(side,
                er_store_stats_read(side->store, &q, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.stats_n; i++) {
        const struct errand_stat *s = &ret.stats[i];
        int64_t run = 0, wait = 0;
        for (int j = 0; j < ERRAND_HISTOGRAM_N; j++) {
            run += s->run_hist[j] * (j + 1);
            wait += s->wait_hist[j] * (j + 1);
        }
        say(side, "stat %" PRId64 " %s/%s %" PRId64 " %" PRId64 " %" PRId64, s->minute_ms,
            s->queue, s->name, s->done, s->failed, s->retried);
        say(side, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", s->run_ms,
            s->wait_ms, run, wait);
    }
}

static void dump_check(struct side *side, int64_t now)
{
    struct errand_check_result ret;

    if (!say_rc(side, er_store_check(side->store, now, side->arena, &ret, &side->err)))
        return;
    for (size_t i = 0; i < ret.findings_n; i++)
        say(side, "finding: %s\n", ret.findings[i]);
}

void dump_kept(struct side *side, int64_t now)
{
    dump_jobs(side, now);
    dump_queues(side, now);
    dump_batches(side);
    dump_schedules(side);
    dump_definitions(side);
    dump_check(side, now);
}

void dump_side(struct side *side, int64_t now)
{
    dump_kept(side, now);
    dump_limits(side, now);
    dump_workers(side, now);
    dump_stats(side, now);
}

void dump(struct pair *p)
{
    p->doing = "dump";
    for (size_t s = 0; s < SIDES; s++)
        dump_side(&p->sides[s], p->now);
}
