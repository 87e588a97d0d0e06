/* check.c: does everything fit together? What one place says is counted again from the
 * others: the counters in one step, everything else in steps of some thousand rows, each
 * of which is right by itself, whatever happens between them. */
#include "store/redis/redis.h"

#include "base/error.h"

enum { FINDINGS_MAX = 100 };

struct findings {
    const char **rows;
    size_t n;
};

static int findings_read(const struct er_call *call, struct findings *f,
                         struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 1);
    size_t n = er_unpack_array(&u);

    for (size_t i = 0; i < n && f->n < FINDINGS_MAX; i++)
        f->rows[f->n++] = er_unpack_text(&u, call->arena);
    return u.is_bad ? er_reply_bad(call, err) : 0;
}

/* *cursor: where the step begins, and then where the next does; empty: that was all. */
static int step(struct errand_conn *conn, enum er_lua script, int64_t now_ms,
                struct errand_arena *arena, struct errand_slice *cursor,
                struct findings *f, struct errand_error *err)
{
    struct errand_slice next;
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "check", script, ER_REPEAT_HARMLESS, now_ms, arena);
    er_call_slice(&call, *cursor);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = findings_read(&call, f, err);
    if (rc == 0) {
        next = er_reply_slice(&call, 0);
        cursor->len = next.len;
        if (!(cursor->ptr = errand_arena_copy(arena, next.ptr, next.len)))
            rc = er_error_nomem(err);
    }
    er_call_end(&call);
    return rc;
}

int er_redis_op_check(struct errand_conn *conn, int64_t now_ms,
                      struct errand_arena *arena, struct errand_check_result *ret,
                      struct errand_error *err)
{
    static const enum er_lua scripts[] = {ER_LUA_CHECK_COUNTS, ER_LUA_CHECK_JOBS,
                                          ER_LUA_CHECK_LINES,  ER_LUA_CHECK_BATCHES,
                                          ER_LUA_CHECK_EDGES,  ER_LUA_CHECK_CLAIMS};
    struct findings f = {errand_arena_alloc(arena, FINDINGS_MAX * sizeof *f.rows), 0};
    int rc;

    if (!f.rows)
        return er_error_nomem(err);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct errand_slice cursor = {"", 0};
        do {
            if ((rc = step(conn, scripts[i], now_ms, arena, &cursor, &f, err)) < 0)
                return rc;
        } while (cursor.len);
    }
    *ret = (struct errand_check_result){.findings = f.rows, .findings_n = f.n};
    return 0;
}
