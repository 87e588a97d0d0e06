/* load.c: what another store held. The rules are in lua/load.lua. */
#include "store/redis/jobs.h"

#include "base/error.h"

static void rest_pack(struct er_buf *buf, const struct errand_job_detail *d)
{
    er_pack_array(buf, 9);
    er_pack_int(buf, d->job.state);
    er_pack_int(buf, d->job.attempts);
    er_pack_int(buf, d->job.created_ms);
    er_pack_int(buf, d->job.finished_ms);
    er_pack_text(buf, d->job.worker);
    er_pack_slice(buf, d->job.error);
    er_pack_slice(buf, d->job.result);
    er_pack_int(buf, d->unique_until_ms);
    er_pack_int(buf, d->is_hook_due);
}

static void attempts_pack(struct er_buf *buf, const struct errand_job_detail *d)
{
    er_pack_array(buf, d->attempts_n);
    for (size_t i = 0; i < d->attempts_n; i++) {
        const struct errand_attempt *a = &d->attempts[i];
        er_pack_array(buf, 12);
        er_pack_int(buf, a->n);
        er_pack_int(buf, a->started_ms);
        er_pack_int(buf, a->ended_ms);
        er_pack_text(buf, a->worker);
        er_pack_int(buf, a->outcome);
        er_pack_int(buf, a->cause);
        er_pack_int(buf, a->exit_code);
        er_pack_int(buf, a->signal);
        er_pack_int(buf, a->max_rss_kib);
        er_pack_int(buf, a->cpu_ms);
        er_pack_slice(buf, a->error);
        er_pack_slice(buf, a->log);
    }
}

static void parents_pack(struct er_buf *buf, const struct errand_job_detail *d)
{
    er_pack_array(buf, d->parents_n);
    for (size_t i = 0; i < d->parents_n; i++) {
        const struct errand_edge_info *e = &d->parents[i];
        er_pack_array(buf, 5);
        er_pack_id(buf, &e->id);
        er_pack_int(buf, e->is_batch);
        er_pack_int(buf, e->on);
        er_pack_int(buf, e->is_satisfied);
        er_pack_int(buf, e->has_cancelled);
    }
}

static void job_pack(struct er_buf *buf, const struct errand_job_detail *d)
{
    const struct errand_job_info *job = &d->job;
    const struct errand_push_job as_pushed = {.name = job->name,
                                              .queue = job->queue,
                                              .data = job->data,
                                              .options = job->options,
                                              .tags = job->tags,
                                              .tags_n = job->tags_n,
                                              .priority = job->priority,
                                              .tries = job->tries,
                                              .run_at_ms = job->run_at_ms,
                                              .unique = d->unique,
                                              .limits = d->limits,
                                              .limits_n = d->limits_n,
                                              .batch = job->batch,
                                              .has_failed_hook = d->has_failed_hook};

    er_push_pack(buf, &as_pushed, &job->id);
    rest_pack(buf, d);
    attempts_pack(buf, d);
    parents_pack(buf, d);
}

static void batches_pack(struct er_buf *buf, const struct errand_load_params *p)
{
    er_pack_array(buf, p->batches_n);
    for (size_t i = 0; i < p->batches_n; i++) {
        const struct errand_batch_info *b = &p->batches[i];
        er_pack_array(buf, 11);
        er_pack_id(buf, &b->id);
        er_pack_text(buf, b->name);
        er_pack_int(buf, b->allow_failures);
        er_pack_slice(buf, b->options);
        er_pack_int(buf, b->cancelled);
        er_pack_int(buf, b->total);
        er_pack_int(buf, b->pending);
        er_pack_int(buf, b->failed);
        er_pack_int(buf, b->cancelled_n);
        er_pack_int(buf, b->created_ms);
        er_pack_int(buf, b->ended_ms);
    }
}

/* Rows as they are kept, each after its name. */
static void schedules_pack(struct er_buf *buf, const struct errand_load_params *p)
{
    er_pack_array(buf, p->schedules_n);
    for (size_t i = 0; i < p->schedules_n; i++) {
        const struct errand_schedule *s = &p->schedules[i];
        er_pack_array(buf, 2);
        er_pack_text(buf, s->name);
        er_pack_array(buf, 6);
        er_pack_int(buf, s->paused);
        er_pack_int(buf, s->next_ms);
        er_pack_int(buf, s->last_slot_ms);
        er_pack_id(buf, &s->last_job);
        er_pack_int(buf, s->missed_n);
        er_pack_slice(buf, s->spec);
    }
}

static int load_call(struct er_call *call, const struct errand_load_params *p,
                     struct errand_error *err)
{
    struct er_buf *buf = er_call_pack(call);

    schedules_pack(buf, p);
    batches_pack(buf, p);
    er_pack_int(buf, (int64_t)p->jobs_n);
    er_call_packed(call);
    for (size_t i = 0; i < p->jobs_n; i++) {
        job_pack(er_call_pack(call), &p->jobs[i]);
        er_call_packed(call);
    }
    return er_call_run(call, err);
}

static int load_read(const struct er_call *call, size_t n, struct errand_load_result *ret,
                     struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    struct errand_pushed_job *jobs = errand_arena_alloc(call->arena, n * sizeof *jobs);

    if (!jobs)
        return er_error_nomem(err);
    if (er_unpack_array(&u) != n)
        u.is_bad = true;
    for (size_t i = 0; i < n && !u.is_bad; i++) {
        er_unpack_array(&u);
        jobs[i].pushed = (enum errand_pushed)er_unpack_int(&u);
        er_unpack_id(&u, &jobs[i].id);
        jobs[i].state = (enum errand_state)er_unpack_int(&u);
    }
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->jobs = jobs;
    return 0;
}

int er_redis_op_load(struct errand_conn *conn, const struct errand_load_params *p,
                     struct errand_arena *arena, struct errand_load_result *ret,
                     struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "load", ER_LUA_LOAD, ER_REPEAT_HARMLESS, p->now_ms, arena);
    if ((rc = load_call(&call, p, err)) == 0)
        rc = load_read(&call, p->jobs_n, ret, err);
    er_call_end(&call);
    return rc;
}
