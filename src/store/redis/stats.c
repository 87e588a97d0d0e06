/* stats.c: how many attempts ended how and how long they took, per minute, queue and job
 * name. Read some hundred minutes at a time, so that a month of them holds up nobody. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MINUTE_MS = 60000, MINUTES_A_CALL = 500, FIRST_SIZE = 64 };

/* ------------------------------------------------------------------ add */

/* "queue\0name" */
static void key_add(struct er_call *call, const char *queue, const char *name)
{
    struct er_buf *buf = er_call_pack(call);

    er_buf_add(buf, queue, strlen(queue) + 1);
    er_buf_add(buf, name, strlen(name));
    er_call_packed(call);
}

static void numbers_add(struct er_call *call, const struct errand_stat *s)
{
    struct er_buf *buf = er_call_pack(call);

    er_pack_array(buf, 5 + 2 * ERRAND_HISTOGRAM_N);
    er_pack_int(buf, s->done);
    er_pack_int(buf, s->failed);
    er_pack_int(buf, s->retried);
    er_pack_int(buf, s->run_ms);
    er_pack_int(buf, s->wait_ms);
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++)
        er_pack_int(buf, s->run_hist[i]);
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++)
        er_pack_int(buf, s->wait_hist[i]);
    er_call_packed(call);
}

int er_redis_op_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                          struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "stats_add", ER_LUA_STATS_ADD, ER_REPEAT_NO, p->now_ms,
                  NULL);
    for (size_t i = 0; i < p->add_n; i++) {
        const struct errand_stat *s = &p->add[i];
        er_call_int(&call, s->minute_ms - s->minute_ms % MINUTE_MS);
        key_add(&call, s->queue, s->name);
        numbers_add(&call, s);
    }
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

/* ------------------------------------------------------------------ read */

struct rows {
    struct errand_stat *rows;
    size_t n, size;
};

static struct errand_stat *row_new(struct rows *rows, struct errand_arena *arena)
{
    struct errand_stat *more;
    size_t size = rows->size ? rows->size * 2 : FIRST_SIZE;

    if (rows->n < rows->size)
        return &rows->rows[rows->n++];
    if (!(more = errand_arena_alloc(arena, size * sizeof *more)))
        return NULL;
    if (rows->n)
        memcpy(more, rows->rows, rows->n * sizeof *more);
    rows->rows = more;
    rows->size = size;
    return &rows->rows[rows->n++];
}

static void numbers_read(struct errand_slice packed, struct errand_stat *ret,
                         bool *is_bad)
{
    struct er_unpack u = er_unpack_init(packed.ptr, packed.len);

    er_unpack_array(&u);
    ret->done = er_unpack_int(&u);
    ret->failed = er_unpack_int(&u);
    ret->retried = er_unpack_int(&u);
    ret->run_ms = er_unpack_int(&u);
    ret->wait_ms = er_unpack_int(&u);
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++)
        ret->run_hist[i] = er_unpack_int(&u);
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++)
        ret->wait_hist[i] = er_unpack_int(&u);
    *is_bad |= u.is_bad;
}

static int row_read(struct er_unpack *u, int64_t minute_ms,
                    const struct errand_stats_params *p, struct errand_arena *arena,
                    struct rows *rows)
{
    struct errand_slice key = er_unpack_copy(u, arena), packed = er_unpack_slice(u);
    const char *end = u->is_bad ? NULL : memchr(key.ptr, '\0', key.len);
    struct errand_stat *row;

    if (!end) {
        u->is_bad = true;
        return 0;
    }
    if ((p->queue && strcmp(key.ptr, p->queue) != 0) ||
        (p->name && strcmp(end + 1, p->name) != 0))
        return 0;
    if (!(row = row_new(rows, arena)))
        return -1;
    row->minute_ms = minute_ms;
    row->queue = key.ptr;
    row->name = end + 1;
    numbers_read(packed, row, &u->is_bad);
    return 0;
}

/* *next_ms: where to go on, 0 when that was all. */
static int page_read(const struct er_call *call, const struct errand_stats_params *p,
                     struct rows *rows, int64_t *next_ms, struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    size_t minutes_n = er_unpack_array(&u) / 2;

    *next_ms = er_unpack_int(&u);
    for (size_t i = 0; i < minutes_n && !u.is_bad; i++) {
        int64_t minute_ms = er_unpack_int(&u);
        size_t n = er_unpack_array(&u) / 2;
        for (size_t j = 0; j < n && !u.is_bad; j++)
            if (row_read(&u, minute_ms, p, call->arena, rows) < 0)
                return er_error_nomem(err);
    }
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

static int page(struct errand_conn *conn, const struct errand_stats_params *p,
                struct errand_arena *arena, struct rows *rows, int64_t *next_ms,
                struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "stats_read", ER_LUA_STATS_READ, ER_REPEAT_HARMLESS,
                  p->now_ms, arena);
    er_call_int(&call, *next_ms);
    er_call_int(&call, p->until_ms ? p->until_ms : ERRAND_FOREVER);
    er_call_int(&call, MINUTES_A_CALL);
    if (p->queue && p->name)
        key_add(&call, p->queue, p->name);
    else
        er_call_text(&call, "");
    if ((rc = er_call_run(&call, err)) == 0)
        rc = page_read(&call, p, rows, next_ms, err);
    er_call_end(&call);
    return rc;
}

static int in_order(const void *x, const void *y)
{
    const struct errand_stat *a = x, *b = y;
    int c;

    if (a->minute_ms != b->minute_ms)
        return a->minute_ms < b->minute_ms ? -1 : 1;
    return (c = strcmp(a->queue, b->queue)) ? c : strcmp(a->name, b->name);
}

int er_redis_op_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                           struct errand_arena *arena, struct errand_stats_result *ret,
                           struct errand_error *err)
{
    struct rows rows = {0};
    int64_t next_ms = p->since_ms;
    int rc;

    do {
        if ((rc = page(conn, p, arena, &rows, &next_ms, err)) < 0)
            return rc;
    } while (next_ms);
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, in_order);
    ret->stats = rows.rows;
    ret->stats_n = rows.n;
    return 0;
}
