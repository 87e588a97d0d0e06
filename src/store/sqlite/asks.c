/* asks.c: what a job asks of the store, its unique key and its limits, as its row keeps
 * them: text with lengths, so that any bytes fit and plain SQL can write it (the view
 * `push`). 0004-asks.sql has the form. */
#include "store/sqlite/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

enum { ASKS_MAX = 64 << 10 };

/* " N", and at the end of the numbers "LEN:BYTES". */
static void put_number(struct er_buf *buf, int64_t n)
{
    er_buf_add(buf, " ", 1);
    er_buf_number(buf, n);
}

static void put_bytes(struct er_buf *buf, const char *ptr, size_t len)
{
    put_number(buf, (int64_t)len);
    er_buf_add(buf, ":", 1);
    er_buf_add(buf, ptr, len);
}

static void put_unique(struct er_buf *buf, const struct errand_unique *unique)
{
    er_buf_add(buf, "u", 1);
    put_number(buf, unique->until);
    put_number(buf, unique->ttl_ms);
    put_bytes(buf, unique->key.ptr, unique->key.len);
}

static void put_limit(struct er_buf *buf, const struct errand_limit_use *use)
{
    er_buf_add(buf, "l", 1);
    put_number(buf, use->kind);
    put_number(buf, use->n);
    put_number(buf, use->per_ms);
    put_bytes(buf, use->name, strlen(use->name));
    put_bytes(buf, use->key.ptr, use->key.len);
}

int er_asks_encode(struct er_tx *tx, const struct er_asks *asks, struct errand_slice *ret)
{
    struct er_buf buf;

    *ret = (struct errand_slice){0};
    if (!asks->unique && !asks->limits_n)
        return 0;
    er_buf_init(&buf, ASKS_MAX);
    if (asks->unique)
        put_unique(&buf, asks->unique);
    for (size_t i = 0; i < asks->limits_n; i++)
        put_limit(&buf, &asks->limits[i]);
    if (!buf.has_failed)
        *ret = er_arena_slice(tx->scratch, buf.ptr, buf.len);
    er_buf_done(&buf);
    return ret->ptr ? 0 : er_tx_nomem(tx);
}

/* ------------------------------------------------------------ reading */

struct reading {
    const char *p, *end;
    bool is_broken;
};

static int64_t number(struct reading *r)
{
    int64_t n = 0;

    if (r->p < r->end && *r->p == ' ')
        r->p++;
    if (r->p == r->end || *r->p < '0' || *r->p > '9')
        r->is_broken = true;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, *r->p - '0', &n))
            r->is_broken = true;
    return n;
}

static struct errand_slice bytes(struct reading *r)
{
    struct errand_slice s = {.len = (size_t)number(r)};

    if (r->is_broken || r->p == r->end || *r->p++ != ':' ||
        s.len > (size_t)(r->end - r->p)) {
        r->is_broken = true;
        return (struct errand_slice){"", 0};
    }
    s.ptr = r->p;
    r->p += s.len;
    return s;
}

static void read_unique(struct reading *r, struct errand_unique *ret)
{
    ret->until = (enum errand_unique_until)number(r);
    ret->ttl_ms = number(r);
    ret->key = bytes(r);
}

static int read_limit(struct er_tx *tx, struct reading *r, struct errand_limit_use *ret)
{
    struct errand_slice name;

    ret->kind = (enum errand_limit_kind)number(r);
    ret->n = number(r);
    ret->per_ms = number(r);
    name = bytes(r);
    ret->key = bytes(r);
    ret->name = errand_arena_copy(tx->scratch, name.ptr, name.len);
    return ret->name ? 0 : er_tx_nomem(tx);
}

int er_asks_decode(struct er_tx *tx, struct errand_slice text, struct er_asks_read *ret)
{
    struct reading r = {.p = text.ptr, .end = text.ptr + text.len};
    int rc;

    ret->is_unique = false;
    ret->limits_n = 0;
    while (r.p < r.end && !r.is_broken) {
        char what = *r.p++;
        if (what == 'u') {
            ret->is_unique = true;
            read_unique(&r, &ret->unique);
        } else if (what == 'l' && ret->limits_n < ER_ASKS_LIMITS_MAX) {
            if ((rc = read_limit(tx, &r, &ret->limits[ret->limits_n++])) < 0)
                return rc;
        } else {
            r.is_broken = true;
        }
    }
    return r.is_broken ? errand_error_set(tx->err, ERRAND_ECORRUPT,
                                          "the limits of a job cannot be read; run "
                                          "'errand doctor'")
                       : 0;
}

int er_asks_read(struct er_tx *tx, int64_t job, struct er_asks_read *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_ASKS_READ, ER_ARGS(er_int(job)));
    struct errand_slice text;
    int rc;

    ret->is_unique = false;
    ret->limits_n = 0;
    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    text = er_col_slice(st, 0, tx->scratch);
    sqlite3_reset(st);
    if (!text.ptr)
        return text.len ? er_tx_nomem(tx) : 0;
    return er_asks_decode(tx, text, ret);
}

int er_asks_write(struct er_tx *tx, int64_t job, const struct er_asks *asks,
                  uint32_t flags)
{
    struct errand_slice text;
    int rc = er_asks_encode(tx, asks, &text);

    if (rc < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_ASKS_WRITE,
                     ER_ARGS(er_int(job), er_blob_or_null(text), er_int(flags)));
}
