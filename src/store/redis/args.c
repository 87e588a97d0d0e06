/* args.c: the arguments of a call, and its reply. */
#include "store/redis/redis.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/redis/wake.h"

enum { PACK_MAX = 512 << 20 }; /* the most that the server takes as one value */

/* ------------------------------------------------------------------ arguments */

static void add(struct er_call *call, const char *ptr, size_t at, size_t len)
{
    struct er_redis *conn = call->conn;

    if (conn->args_n == conn->args_size) {
        size_t size = conn->args_size ? conn->args_size * 2 : 64;
        struct er_redis_arg *args = realloc(conn->args, size * sizeof *args);
        if (!args) {
            conn->pack.has_failed = true;
            return;
        }
        conn->args = args;
        conn->args_size = size;
    }
    conn->args[conn->args_n++] = (struct er_redis_arg){ptr, at, len};
}

void er_call_begin(struct er_call *call, struct errand_conn *conn, const char *name,
                   enum er_lua script, enum er_repeat repeat, int64_t now_ms,
                   struct errand_arena *arena)
{
    struct er_redis *r = (struct er_redis *)conn;

    *call = (struct er_call){
        .conn = r, .name = name, .script = script, .repeat = repeat, .arena = arena};
    r->args_n = 0;
    er_buf_reset(&r->pack);
    r->pack.max = PACK_MAX;
    r->pack.has_failed = false;
    er_call_int(call, now_ms);
}

void er_call_bytes(struct er_call *call, const void *ptr, size_t len)
{
    add(call, ptr ? ptr : "", 0, len);
}

void er_call_slice(struct er_call *call, struct errand_slice slice)
{
    er_call_bytes(call, slice.ptr, slice.len);
}

void er_call_text(struct er_call *call, const char *text)
{
    er_call_bytes(call, text, strlen(text));
}

struct er_buf *er_call_pack(struct er_call *call)
{
    call->open_at = call->conn->pack.len;
    return &call->conn->pack;
}

void er_call_packed(struct er_call *call)
{
    add(call, NULL, call->open_at, call->conn->pack.len - call->open_at);
}

void er_call_int(struct er_call *call, int64_t number)
{
    if (number > ER_PACK_MOST)
        number = ER_PACK_MOST;
    er_buf_printf(er_call_pack(call), "%" PRId64, number);
    er_call_packed(call);
}

void er_call_id(struct er_call *call, const struct errand_id *id)
{
    char key[ERRAND_ID_MAX];

    er_buf_add(er_call_pack(call), key, er_id_to_key(id, key));
    er_call_packed(call);
}

void er_call_end(struct er_call *call)
{
    enum { KEEP_MAX = 1 << 20 }; /* one huge call is not kept for the life of the store */

    if (call->reply)
        freeReplyObject(call->reply);
    call->reply = NULL;
    er_redis_wake_rest(call->conn);
    if (call->conn->pack.size > KEEP_MAX)
        er_buf_done(&call->conn->pack);
    if (call->conn->wire.size > KEEP_MAX)
        er_buf_done(&call->conn->wire);
}

/* ------------------------------------------------------------------ reply */

static const redisReply *element(const struct er_call *call, size_t i)
{
    static const redisReply none = {.type = REDIS_REPLY_NIL};
    const redisReply *reply = call->reply;

    if (reply->type != REDIS_REPLY_ARRAY)
        return i == 0 ? reply : &none;
    return i < reply->elements ? reply->element[i] : &none;
}

size_t er_reply_n(const struct er_call *call)
{
    return call->reply->type == REDIS_REPLY_ARRAY ? call->reply->elements : 1;
}

struct errand_slice er_reply_slice(const struct er_call *call, size_t i)
{
    const redisReply *e = element(call, i);

    if (e->type != REDIS_REPLY_STRING && e->type != REDIS_REPLY_STATUS)
        return (struct errand_slice){"", 0};
    return (struct errand_slice){e->str, (size_t)e->len};
}

int64_t er_reply_int(const struct er_call *call, size_t i)
{
    const redisReply *e = element(call, i);

    return e->type == REDIS_REPLY_INTEGER ? e->integer : 0;
}

struct er_unpack er_reply_unpack(const struct er_call *call, size_t i)
{
    struct errand_slice slice = er_reply_slice(call, i);

    return er_unpack_init(slice.ptr, slice.len);
}

int er_reply_bad(const struct er_call *call, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ECORRUPT,
                            "the answer of script %s is not what it should be",
                            er_lua_texts[call->script].name);
}
