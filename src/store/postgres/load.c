/* load.c: what another store held; the rules are in sql/load.sql. */
#include "store/postgres/job.h"
#include "store/postgres/rest.h"

#include <string.h>

#include "base/error.h"
#include "core/json.h"

enum { OBJECT_MAX = 16 << 20, HAS_ATTEMPTS = 512 };

/* ------------------------------------------------------------------ objects */

static void field_int(struct er_buf *buf, const char *name, int64_t value)
{
    er_buf_printf(buf, "%s\"%s\":%lld", buf->len > 1 ? "," : "", name, (long long)value);
}

static void field_bool(struct er_buf *buf, const char *name, bool value)
{
    er_buf_printf(buf, "%s\"%s\":%s", buf->len > 1 ? "," : "", name,
                  value ? "true" : "false");
}

static void field_text(struct er_buf *buf, const char *name, const char *text)
{
    er_buf_printf(buf, "%s\"%s\":", buf->len > 1 ? "," : "", name);
    er_json_write_string(buf, text, strlen(text));
}

static void object_begin(struct er_buf *buf)
{
    er_buf_init(buf, OBJECT_MAX);
    er_buf_str(buf, "{");
}

static void object_end(struct er_buf *buf, struct er_pg_args *args)
{
    er_buf_str(buf, "}");
    args->bytes.has_failed |= buf->has_failed;
    er_pg_add_json(args, (struct errand_slice){buf->ptr, buf->len});
    er_buf_done(buf);
}

/* ------------------------------------------------------------------ jobs */

static void tags_write(struct er_buf *buf, const struct errand_job_info *job)
{
    if (!job->tags_n)
        return;
    er_buf_str(buf, ",\"tags\":[");
    for (size_t i = 0; i < job->tags_n; i++) {
        er_buf_str(buf, i ? "," : "");
        er_json_write_string(buf, job->tags[i], strlen(job->tags[i]));
    }
    er_buf_str(buf, "]");
}

static void parents_write(struct er_buf *buf, const struct errand_job_detail *d)
{
    if (!d->parents_n)
        return;
    er_buf_str(buf, ",\"parents\":[");
    for (size_t i = 0; i < d->parents_n; i++) {
        const struct errand_edge_info *e = &d->parents[i];
        /* An id has nothing that JSON would escape (er_check_id). */
        er_buf_printf(buf,
                      "%s{\"id\":\"%s\",\"is_batch\":%s,\"on\":%d,\"is_satisfied\":%s,"
                      "\"has_cancelled\":%s}",
                      i ? "," : "", e->id.text, e->is_batch ? "true" : "false",
                      (int)e->on, e->is_satisfied ? "true" : "false",
                      e->has_cancelled ? "true" : "false");
    }
    er_buf_str(buf, "]");
}

/* The attempt that stands in the row of a completed job. */
static bool is_last(const struct errand_job_detail *d, size_t i)
{
    return d->job.state == ERRAND_COMPLETED && i + 1 == d->attempts_n &&
           d->attempts[i].outcome == ERRAND_OUT_DONE;
}

static int64_t flags_of(const struct errand_job_detail *d)
{
    bool has_attempts = d->attempts_n && !(d->attempts_n == 1 && is_last(d, 0));

    return (d->unique ? ER_PG_UNIQUE : 0) | (d->limits_n ? ER_PG_LIMITS : 0) |
           (d->job.batch.text[0] ? ER_PG_BATCH : 0) | (d->parents_n ? ER_PG_PARENTS : 0) |
           (d->has_failed_hook ? ER_PG_FAILED_HOOK : 0) |
           (has_attempts ? HAS_ATTEMPTS : 0);
}

static void job_add(struct er_pg_args *args, const struct errand_job_detail *d)
{
    const struct errand_job_info *job = &d->job;
    struct er_buf buf;

    object_begin(&buf);
    field_text(&buf, "id", job->id.text);
    field_text(&buf, "name", job->name);
    field_text(&buf, "queue", job->queue);
    field_text(&buf, "worker", job->worker);
    if (job->batch.text[0])
        field_text(&buf, "batch", job->batch.text);
    field_int(&buf, "state", job->state);
    field_int(&buf, "priority", job->priority);
    field_int(&buf, "attempts", job->attempts);
    field_int(&buf, "tries", job->tries);
    field_int(&buf, "waits", (int64_t)job->waits_n);
    field_int(&buf, "flags", flags_of(d));
    field_int(&buf, "run_at", job->run_at_ms);
    field_int(&buf, "created_at", job->created_ms);
    field_int(&buf, "started_at", job->started_ms);
    field_int(&buf, "ended_at", job->finished_ms);
    field_int(&buf, "unique_until", d->unique_until_ms);
    field_bool(&buf, "is_hook_due", d->is_hook_due);
    tags_write(&buf, job);
    parents_write(&buf, d);
    er_pg_asks_write(&buf, d->unique, d->limits, d->limits_n);
    object_end(&buf, args);
}

/* One column of bytes of the jobs. */
#define BYTES(of)                                                                    \
    ER_PG_COLUMN(args, ER_PG_BLOBS, true, struct errand_job_detail, detail, p->jobs, \
                 p->jobs_n, er_pg_add_bytes(args, detail->of))

static void jobs_args(struct er_pg_args *args, const struct errand_load_params *p)
{
    ER_PG_COLUMN(args, ER_PG_JSONS, true, struct errand_job_detail, detail, p->jobs,
                 p->jobs_n, job_add(args, detail));
    BYTES(job.data);
    BYTES(job.options);
    BYTES(job.error);
    BYTES(job.result);
}

/* ------------------------------------------------------------------ attempts */

static void attempt_add(struct er_pg_args *args, const struct errand_attempt *a,
                        size_t job, bool is_last_one)
{
    struct er_buf buf;

    object_begin(&buf);
    field_int(&buf, "job", (int64_t)job + 1);
    field_bool(&buf, "is_last", is_last_one);
    field_int(&buf, "n", a->n);
    field_int(&buf, "started_at", a->started_ms);
    field_int(&buf, "ended_at", a->ended_ms);
    field_text(&buf, "worker", a->worker);
    field_int(&buf, "outcome", a->outcome);
    field_int(&buf, "cause", a->cause);
    field_int(&buf, "exit_code", a->exit_code);
    field_int(&buf, "signal", a->signal);
    field_int(&buf, "max_rss_kib", a->max_rss_kib);
    field_int(&buf, "cpu_ms", a->cpu_ms);
    object_end(&buf, args);
}

static void attempts_args(struct er_pg_args *args, const struct errand_load_params *p)
{
    er_pg_array_begin(args, ER_PG_JSONS);
    for (size_t i = 0; i < p->jobs_n; i++)
        for (size_t k = 0; k < p->jobs[i].attempts_n; k++)
            attempt_add(args, &p->jobs[i].attempts[k], i, is_last(&p->jobs[i], k));
    er_pg_array_end(args);
    for (int column = 0; column < 2; column++) {
        er_pg_array_begin(args, ER_PG_BLOBS);
        for (size_t i = 0; i < p->jobs_n; i++)
            for (size_t k = 0; k < p->jobs[i].attempts_n; k++)
                er_pg_add_bytes(args, column ? p->jobs[i].attempts[k].log
                                             : p->jobs[i].attempts[k].error);
        er_pg_array_end(args);
    }
}

/* ------------------------------------------------------------------ the rest */

static void batch_add(struct er_pg_args *args, const struct errand_batch_info *b)
{
    struct er_buf buf;

    object_begin(&buf);
    field_text(&buf, "id", b->id.text);
    field_text(&buf, "name", b->name);
    field_bool(&buf, "allow", b->allow_failures);
    field_bool(&buf, "is_cancelled", b->cancelled);
    field_int(&buf, "total", b->total);
    field_int(&buf, "pending", b->pending);
    field_int(&buf, "failed", b->failed);
    field_int(&buf, "cancelled", b->cancelled_n);
    field_int(&buf, "created_at", b->created_ms);
    field_int(&buf, "ended_at", b->ended_ms);
    object_end(&buf, args);
}

static void schedule_add(struct er_pg_args *args, const struct errand_schedule *s)
{
    struct er_buf buf;

    object_begin(&buf);
    field_text(&buf, "name", s->name);
    field_bool(&buf, "paused", s->paused);
    field_int(&buf, "next_ms", s->next_ms);
    field_int(&buf, "last_slot_ms", s->last_slot_ms);
    field_text(&buf, "last_job", s->last_job.text);
    field_int(&buf, "missed_n", s->missed_n);
    object_end(&buf, args);
}

static void batches_args(struct er_pg_args *args, const struct errand_load_params *p)
{
    ER_PG_COLUMN(args, ER_PG_JSONS, true, struct errand_batch_info, batch, p->batches,
                 p->batches_n, batch_add(args, batch));
    ER_PG_COLUMN(args, ER_PG_BLOBS, true, struct errand_batch_info, batch, p->batches,
                 p->batches_n, er_pg_add_bytes(args, batch->options));
}

static void schedules_args(struct er_pg_args *args, const struct errand_load_params *p)
{
    ER_PG_COLUMN(args, ER_PG_JSONS, true, struct errand_schedule, schedule, p->schedules,
                 p->schedules_n, schedule_add(args, schedule));
    ER_PG_COLUMN(args, ER_PG_BLOBS, true, struct errand_schedule, schedule, p->schedules,
                 p->schedules_n, er_pg_add_bytes(args, schedule->spec));
}

static int answer(const struct errand_load_params *p, const struct er_pg_rows *rows,
                  struct errand_arena *arena, struct errand_load_result *ret,
                  struct errand_error *err)
{
    struct errand_pushed_job *jobs;
    int rc = er_pg_expect("load", (size_t)rows->n, p->jobs_n, err);

    if (rc < 0)
        return rc;
    if (!(jobs = errand_arena_alloc(arena, p->jobs_n * sizeof *jobs)))
        return er_error_nomem(err);
    for (int i = 0; i < rows->n; i++)
        jobs[i] = (struct errand_pushed_job){
            .pushed = (enum errand_pushed)er_pg_get_int(rows, i, 0),
            .id = p->jobs[i].job.id,
            .state = (enum errand_state)er_pg_get_int(rows, i, 1)};
    ret->jobs = jobs;
    return 0;
}

int er_pg_op_load(struct errand_conn *base, const struct errand_load_params *p,
                  struct errand_arena *arena, struct errand_load_result *ret,
                  struct errand_error *err)
{
    struct er_pg_rows rows = {0};
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    jobs_args(&args, p);
    attempts_args(&args, p);
    batches_args(&args, p);
    schedules_args(&args, p);
    rc = er_pg_ask(base, "load", ER_PG_HARMLESS, &args, &rows, err);
    if (rc == 0)
        rc = answer(p, &rows, arena, ret, err);
    er_pg_rows_done(&rows);
    return rc;
}
