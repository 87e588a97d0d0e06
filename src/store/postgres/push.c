/* push.c: storing jobs; the rules are in sql/push.sql. */
#include "store/postgres/job.h"
#include "store/postgres/rest.h"

#include <string.h>

#include "base/error.h"
#include "core/json.h"

/* ------------------------------------------------------------------ what a job asks */

static void hex(struct er_buf *buf, struct errand_slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    er_buf_str(buf, "\"");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        char two[] = {digits[c >> 4], digits[c & 15]};
        er_buf_add(buf, two, sizeof two);
    }
    er_buf_str(buf, "\"");
}

static void limits_write(struct er_buf *buf, const struct errand_limit_use *limits,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* A name has nothing that JSON would escape (er_name_check). */
        er_buf_printf(buf, "%s[%d,%lld,%lld,\"%s\",", i ? "," : "", (int)limits[i].kind,
                      (long long)limits[i].n, (long long)limits[i].per_ms,
                      limits[i].name);
        hex(buf, limits[i].key);
        er_buf_str(buf, "]");
    }
}

/* The key's and the limits' fields of an object. */
static void asks_write(struct er_buf *buf, const struct errand_unique *unique,
                       const struct errand_limit_use *limits, size_t limits_n)
{
    if (unique) {
        er_buf_printf(buf, "\"u\":[%d,%lld,", (int)unique->until,
                      (long long)unique->ttl_ms);
        hex(buf, unique->key);
        er_buf_str(buf, limits_n ? "]," : "]");
    }
    if (limits_n) {
        er_buf_str(buf, "\"l\":[");
        limits_write(buf, limits, limits_n);
        er_buf_str(buf, "]");
    }
}

void er_pg_asks_write(struct er_buf *buf, const struct errand_unique *unique,
                      const struct errand_limit_use *limits, size_t limits_n)
{
    if (!unique && !limits_n)
        return;
    er_buf_str(buf, ",\"asks\":{");
    asks_write(buf, unique, limits, limits_n);
    er_buf_str(buf, "}");
}

void er_pg_add_asks(struct er_pg_args *args, const struct errand_unique *unique,
                    const struct errand_limit_use *limits, size_t limits_n)
{
    struct er_buf buf;

    if (!unique && !limits_n) {
        er_pg_add_json(args, (struct errand_slice){0});
        return;
    }
    er_buf_init(&buf, 64 << 10);
    er_buf_str(&buf, "{");
    if (unique)
        er_buf_printf(&buf, "\"p\":%d,", (int)unique->policy);
    asks_write(&buf, unique, limits, limits_n);
    er_buf_str(&buf, "}");
    args->bytes.has_failed |= buf.has_failed;
    er_pg_add_json(args, (struct errand_slice){buf.ptr, buf.len});
    er_buf_done(&buf);
}

/* ------------------------------------------------------------------ parameters */

static void tags_add(struct er_pg_args *args, const struct errand_push_job *job)
{
    struct er_buf buf;

    er_buf_init(&buf, 64 << 10);
    for (size_t i = 0; i < job->tags_n; i++) {
        er_buf_str(&buf, i ? "," : "[");
        er_json_write_string(&buf, job->tags[i], strlen(job->tags[i]));
    }
    if (job->tags_n)
        er_buf_str(&buf, "]");
    args->bytes.has_failed |= buf.has_failed;
    er_pg_add_json(args, (struct errand_slice){buf.ptr, buf.len});
    er_buf_done(&buf);
}

/* What any of the jobs has: columns of which none has anything are not sent. */
struct has {
    bool ids, options, priority, run_at, flags, tags, asks, batch;
};

static struct has has_of(const struct errand_push_params *p)
{
    struct has has = {0};

    for (size_t i = 0; i < p->jobs_n; i++) {
        const struct errand_push_job *job = &p->jobs[i];
        has.ids |= job->id.text[0] != '\0';
        has.options |= job->options.len > 0;
        has.priority |= job->priority != 0;
        has.run_at |= job->run_at_ms != 0;
        has.flags |= job->has_failed_hook;
        has.tags |= job->tags_n > 0;
        has.asks |= job->unique || job->limits_n;
        has.batch |= job->batch.text[0] != '\0';
    }
    return has;
}

/* One column of the jobs: `add` says what of each. */
#define COLUMN(of, is_wanted, add)                                                     \
    ER_PG_COLUMN(args, of, is_wanted, struct errand_push_job, job, p->jobs, p->jobs_n, \
                 add)

static int64_t flags_of(const struct errand_push_job *job)
{
    return job->has_failed_hook ? ER_PG_FAILED_HOOK : 0;
}

static const char *id_or_null(const struct errand_id *id)
{
    return id->text[0] ? id->text : NULL;
}

static void jobs_args(struct er_pg_args *args, const struct errand_push_params *p)
{
    struct has has = has_of(p);

    COLUMN(ER_PG_TEXTS, has.ids, er_pg_add_text(args, id_or_null(&job->id)));
    COLUMN(ER_PG_TEXTS, true, er_pg_add_text(args, job->name));
    COLUMN(ER_PG_TEXTS, true, er_pg_add_text(args, job->queue));
    COLUMN(ER_PG_BLOBS, true, er_pg_add_bytes(args, job->data));
    COLUMN(ER_PG_BLOBS, has.options, er_pg_add_bytes(args, job->options));
    COLUMN(ER_PG_INTS, has.priority, er_pg_add_int(args, job->priority));
    COLUMN(ER_PG_INTS, true, er_pg_add_int(args, job->tries));
    COLUMN(ER_PG_INTS, has.run_at, er_pg_add_int(args, job->run_at_ms));
    COLUMN(ER_PG_INTS, has.flags, er_pg_add_int(args, flags_of(job)));
    COLUMN(ER_PG_JSONS, has.tags, tags_add(args, job));
    COLUMN(ER_PG_JSONS, has.asks,
           er_pg_add_asks(args, job->unique, job->limits, job->limits_n));
    COLUMN(ER_PG_TEXTS, has.batch, er_pg_add_text(args, id_or_null(&job->batch)));
}

/* Nothing stands in its way, and it is alone: the shorter of the two functions. */
static bool is_plain_one(const struct errand_push_params *p)
{
    const struct errand_push_job *job = p->jobs;

    return p->jobs_n == 1 && !p->edges_n && !p->batch && !job->id.text[0] &&
           !job->unique && !job->batch.text[0];
}

static void one_args(struct er_pg_args *args, const struct errand_push_params *p)
{
    const struct errand_push_job *one = p->jobs;

    er_pg_text(args, one->name);
    er_pg_text(args, one->queue);
    er_pg_bytes(args, one->data);
    er_pg_bytes(args, one->options);
    er_pg_int(args, one->priority);
    er_pg_int(args, one->tries);
    er_pg_int(args, one->run_at_ms);
    er_pg_int(args, flags_of(one));
    COLUMN(ER_PG_JSONS, one->tags_n > 0, tags_add(args, job));
    COLUMN(ER_PG_JSONS, one->limits_n > 0,
           er_pg_add_asks(args, NULL, job->limits, job->limits_n));
}

#define EDGES(of, add)                                                         \
    ER_PG_COLUMN(args, of, p->edges_n > 0, struct errand_edge, edge, p->edges, \
                 p->edges_n, add)

static void edges_args(struct er_pg_args *args, const struct errand_push_params *p)
{
    EDGES(ER_PG_INTS, er_pg_add_int(args, (int64_t)edge->child));
    EDGES(ER_PG_INTS, er_pg_add_int(args, (int64_t)edge->parent));
    EDGES(ER_PG_TEXTS, er_pg_add_text(args, id_or_null(&edge->parent_id)));
    EDGES(ER_PG_INTS, er_pg_add_int(args, edge->parent_is_batch));
    EDGES(ER_PG_INTS, er_pg_add_int(args, edge->on));
}

static void head_args(struct er_pg_args *args, const struct er_pg *conn,
                      const struct errand_push_params *p)
{
    er_pg_int(args, p->now_ms);
    er_pg_int(args, conn->salt);
    er_pg_bool(args, !p->transaction);
}

void er_pg_push_args(struct er_pg_args *args, const struct er_pg *conn,
                     const struct errand_push_params *p)
{
    head_args(args, conn, p);
    jobs_args(args, p);
    edges_args(args, p);
    er_pg_text(args, p->batch ? p->batch->id.text : NULL);
    er_pg_text(args, p->batch ? p->batch->name : NULL);
    er_pg_bool(args, p->batch && p->batch->allow_failures);
    er_pg_bytes(args, p->batch ? p->batch->options : (struct errand_slice){0});
}

/* ------------------------------------------------------------------ the answer */

int er_pg_push_answer(const struct er_pg *conn, const struct er_pg_rows *rows,
                      size_t jobs_n, struct errand_arena *arena,
                      struct errand_push_result *ret, struct errand_error *err)
{
    struct errand_pushed_job *jobs;
    int rc = er_pg_expect("push", (size_t)rows->n, jobs_n, err);

    if (rc < 0)
        return rc;
    if (!(jobs = errand_arena_alloc(arena, jobs_n * sizeof *jobs)))
        return er_error_nomem(err);
    for (int i = 0; i < rows->n; i++) {
        jobs[i].pushed = (enum errand_pushed)er_pg_get_int(rows, i, 0);
        jobs[i].state = (enum errand_state)er_pg_get_int(rows, i, 4);
        er_pg_id(conn, er_pg_get_int(rows, i, 2), er_pg_get_int(rows, i, 1),
                 er_pg_peek(rows, i, 3), &jobs[i].id);
        ret->hints = (uint32_t)er_pg_get_int(rows, i, 5);
    }
    ret->jobs = jobs;
    return 0;
}

/* Each job has an id of the caller's: repeated, it inserts nothing. */
static enum er_pg_repeat repeat_of(const struct errand_push_params *p)
{
    for (size_t i = 0; i < p->jobs_n; i++)
        if (!p->jobs[i].id.text[0] || p->jobs[i].unique)
            return ER_PG_ONCE;
    return ER_PG_HARMLESS;
}

static int push(struct er_pg *conn, const struct errand_push_params *p,
                struct er_pg_rows *ret, struct errand_error *err)
{
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    if (is_plain_one(p)) {
        head_args(&args, conn, p);
        one_args(&args, p);
    } else {
        er_pg_push_args(&args, conn, p);
    }
    rc = p->transaction ? er_pg_call_inside(conn, p->transaction, "push", &args, ret, err)
                        : er_pg_call(conn, "push", repeat_of(p), &args, ret, err);
    er_pg_args_done(&args);
    return rc;
}

int er_pg_op_push(struct errand_conn *base, const struct errand_push_params *p,
                  struct errand_arena *arena, struct errand_push_result *ret,
                  struct errand_error *err)
{
    struct er_pg *conn = (struct er_pg *)base;
    struct er_pg_rows rows = {0};
    int rc = push(conn, p, &rows, err);

    if (rc < 0 && er_pg_salt_renew(conn))
        rc = push(conn, p, &rows, err);
    if (rc == 0)
        rc = er_pg_push_answer(conn, &rows, p->jobs_n, arena, ret, err);
    er_pg_rows_done(&rows);
    return rc;
}
