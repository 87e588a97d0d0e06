/* definitions.c: what the owners of jobs say about them. */
#include "store/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int er_redis_op_define(struct errand_conn *conn,
                       const struct errand_definition *definitions, size_t n,
                       int64_t now_ms, struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "define", ER_LUA_DEFINE, ER_REPEAT_HARMLESS, now_ms, NULL);
    for (size_t i = 0; i < n; i++) {
        struct er_buf *buf;
        er_call_text(&call, definitions[i].key);
        buf = er_call_pack(&call);
        er_pack_array(buf, 2);
        er_pack_text(buf, definitions[i].name);
        er_pack_slice(buf, definitions[i].spec);
        er_call_packed(&call);
    }
    rc = er_call_run(&call, err);
    er_call_end(&call);
    return rc;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct errand_definition *)a)->key,
                  ((const struct errand_definition *)b)->key);
}

static void definition_read(struct er_unpack *u, struct errand_arena *arena,
                            struct errand_definition *ret)
{
    struct errand_slice packed;
    struct er_unpack row;

    ret->key = er_unpack_text(u, arena);
    packed = er_unpack_slice(u);
    row = er_unpack_init(packed.ptr, packed.len);
    er_unpack_array(&row);
    ret->name = er_unpack_text(&row, arena);
    ret->updated_ms = er_unpack_int(&row);
    ret->spec = er_unpack_copy(&row, arena);
    u->is_bad |= row.is_bad;
}

static int definitions_read(const struct er_call *call,
                            struct errand_definitions_result *ret,
                            struct errand_error *err)
{
    struct er_unpack u = er_reply_unpack(call, 0);
    size_t n = er_unpack_array(&u) / 2;

    if (!(ret->definitions =
              errand_arena_alloc(call->arena, n * sizeof *ret->definitions)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        definition_read(&u, call->arena, &ret->definitions[i]);
    if (u.is_bad)
        return er_reply_bad(call, err);
    ret->definitions_n = n;
    qsort(ret->definitions, n, sizeof *ret->definitions, by_key);
    return 0;
}

int er_redis_op_definitions(struct errand_conn *conn, const char *key,
                            struct errand_arena *arena,
                            struct errand_definitions_result *ret,
                            struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, conn, "definitions", ER_LUA_DEFINITIONS, ER_REPEAT_HARMLESS, 0,
                  arena);
    if (key)
        er_call_text(&call, key);
    if ((rc = er_call_run(&call, err)) == 0)
        rc = definitions_read(&call, ret, err);
    er_call_end(&call);
    return rc;
}
