/* rest.c: see rest.h. */
#include "store/postgres/rest.h"

#include <endian.h>
#include <string.h>

#include "base/error.h"

int er_pg_ask(struct errand_conn *conn, const char *function, enum er_pg_repeat repeat,
              struct er_pg_args *args, struct er_pg_rows *ret, struct errand_error *err)
{
    int rc = er_pg_call((struct er_pg *)conn, function, repeat, args, ret, err);

    er_pg_args_done(args);
    return rc;
}

int er_pg_tell(struct errand_conn *conn, const char *function, enum er_pg_repeat repeat,
               struct er_pg_args *args, struct errand_error *err)
{
    struct er_pg_rows rows;
    int rc = er_pg_ask(conn, function, repeat, args, &rows, err);

    if (rc == 0)
        er_pg_rows_done(&rows);
    return rc;
}

int er_pg_ask_int(struct errand_conn *conn, const char *function,
                  enum er_pg_repeat repeat, struct er_pg_args *args, int64_t *ret,
                  struct errand_error *err)
{
    struct er_pg_rows rows;
    int rc = er_pg_ask(conn, function, repeat, args, &rows, err);

    if (rc < 0)
        return rc;
    *ret = rows.n ? er_pg_get_int(&rows, 0, 0) : 0;
    er_pg_rows_done(&rows);
    return 0;
}

int er_pg_ask_rows(struct errand_conn *conn, const char *function,
                   struct er_pg_args *args, er_pg_fill_fn *fill, size_t size,
                   struct errand_arena *arena, void *ret_rows, size_t *ret_n,
                   struct errand_error *err)
{
    struct er_pg_rows rows;
    char *answer;
    int rc = er_pg_ask(conn, function, ER_PG_HARMLESS, args, &rows, err);

    if (rc < 0)
        return rc;
    answer = errand_arena_alloc(arena, (size_t)rows.n * size);
    for (int i = 0; answer && i < rows.n; i++)
        if (fill(&rows, i, arena, answer + (size_t)i * size) < 0)
            answer = NULL;
    if (answer) {
        memcpy(ret_rows, &answer, sizeof answer);
        *ret_n = (size_t)rows.n;
    } else {
        rc = er_error_nomem(err);
    }
    er_pg_rows_done(&rows);
    return rc;
}

/* The binary form: dimensions, whether there are NULLs, type, then a length and a lower
 * bound a dimension; before each element its length. */
enum { ARRAY_HEAD = 5 * sizeof(int32_t), ARRAY_STEP = sizeof(int32_t) + sizeof(int64_t) };

void er_pg_get_ints(const struct er_pg_rows *rows, int row, int col, int64_t *ret,
                    size_t n)
{
    struct errand_slice array = er_pg_peek(rows, row, col);
    uint64_t number;

    for (size_t i = 0; i < n; i++) {
        size_t at = ARRAY_HEAD + i * ARRAY_STEP + sizeof(int32_t);
        ret[i] = 0;
        if (at + sizeof number > array.len)
            continue;
        memcpy(&number, array.ptr + at, sizeof number);
        ret[i] = (int64_t)be64toh(number);
    }
}

void er_pg_get_id(const struct er_pg_rows *rows, int row, int col, struct errand_id *ret)
{
    struct errand_slice text = er_pg_peek(rows, row, col);
    size_t len = text.len < sizeof ret->text - 1 ? text.len : sizeof ret->text - 1;

    memset(ret, 0, sizeof *ret);
    memcpy(ret->text, text.ptr, len);
}

void er_pg_filter(struct er_pg_args *args, const struct errand_filter *f)
{
    er_pg_int(args, f->states);
    er_pg_text(args, f->queue);
    er_pg_text(args, f->name);
    er_pg_text(args, f->tag);
    er_pg_text(args, f->batch.text[0] ? f->batch.text : NULL);
    er_pg_text(args, f->search);
    er_pg_int(args, f->since_ms);
    er_pg_int(args, f->until_ms);
}
