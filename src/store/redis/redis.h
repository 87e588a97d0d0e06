/* redis.h: what the files of this driver share: a connection and a call of a script.
 *
 * One operation is one Lua script (lua/NAME.lua) and one round trip. A call is built up
 * (er_call_begin, arguments, er_call_run), its reply is read, and er_call_end lets go.
 * docs/stores/redis.md describes the keys. */
#ifndef ER_STORE_REDIS_REDIS_H
#define ER_STORE_REDIS_REDIS_H

#include <hiredis/hiredis.h>

#include "core/id.h"
#include "redis_lua.h"
#include "store/ops.h"
#include "store/redis/pack.h"
#include "store/redis/target.h"

enum { ER_REDIS_SCHEMA = 2 };

/* ------------------------------------------------------------------ connection */

/* An argument of a call: borrowed bytes, or (ptr NULL) a part of the pack buffer. */
struct er_redis_arg {
    const char *ptr;
    size_t at, len;
};

struct er_redis_wake;
struct er_redis {
    struct errand_conn base;
    struct errand_arena *arena; /* of the target and the strings below */
    struct er_redis_target target;
    const char *url, *meta_key, *none_key; /* "{PREFIX}:meta", "{PREFIX}:none" */
    const char *inbox_key, *ready_channel; /* "{PREFIX}:inbox:2", "{PREFIX}:w:1" */
    bool is_read_only;
    int64_t busy_ms, keep_ms, keep_n;
    enum errand_durable durable;
    uint64_t random;
    int64_t beat_number; /* of the next heartbeat, until it is answered */
    struct er_id_source ids;

    redisContext *link;            /* NULL: to be made */
    struct er_redis_address place; /* where it leads; host owned (malloc) */
    uint64_t generation;           /* grows with every link that is made */

    /* of the call under way; kept for the next */
    struct er_buf pack, wire; /* wire: as it is sent */
    struct er_redis_arg *args;
    size_t args_n, args_size;
    const char **argv;
    size_t *argv_lens, argv_size;

    struct er_redis_wake *wake; /* NULL until somebody waits */
};

/* ------------------------------------------------------------------ a call */

/* What may be done when the answer was lost, and it is not known whether the script ran.
 */
enum er_repeat {
    ER_REPEAT_NO,
    ER_REPEAT_HARMLESS, /* it reads, or doing it twice is as doing it once */
};

struct er_call {
    struct er_redis *conn;
    const char *name; /* of the operation, for failpoints and messages */
    enum er_lua script;
    enum er_repeat repeat;
    struct errand_arena *arena;
    size_t open_at;    /* where the argument that is being packed begins */
    bool was_repeated; /* an earlier try may have been carried out */
    char as_is[32];    /* the time with a '-' before it */
    redisReply *reply; /* after er_call_run */
};

/* The first argument is the time: ARGV[1]. */
void er_call_begin(struct er_call *call, struct errand_conn *conn, const char *name,
                   enum er_lua script, enum er_repeat repeat, int64_t now_ms,
                   struct errand_arena *arena);
void er_call_bytes(struct er_call *call, const void *ptr, size_t len); /* borrowed */
void er_call_slice(struct er_call *call, struct errand_slice slice);   /* borrowed */
void er_call_text(struct er_call *call, const char *text);             /* borrowed */
void er_call_int(struct er_call *call, int64_t number);
void er_call_id(struct er_call *call, const struct errand_id *id);
/* What is packed between the two is one argument. */
struct er_buf *er_call_pack(struct er_call *call);
void er_call_packed(struct er_call *call);
/* Runs the script; waits and repeats as far as busy_ms and `repeat` allow. */
int er_call_run(struct er_call *call, struct errand_error *err);
/* Once, without waiting: what went wrong says nothing about what was done. */
int er_call_once(struct er_call *call);
void er_call_end(struct er_call *call);

/* Reads the reply. Element i of an array, or the reply itself when it is none. */
size_t er_reply_n(const struct er_call *call);
struct errand_slice er_reply_slice(const struct er_call *call, size_t i); /* borrowed */
int64_t er_reply_int(const struct er_call *call, size_t i);
struct er_unpack er_reply_unpack(const struct er_call *call, size_t i);
/* ECORRUPT: the reply is not what it should be. */
int er_reply_bad(const struct er_call *call, struct errand_error *err);

/* look.c: an argument as lua/parts/filter.lua reads it. */
void er_redis_filter_add(struct er_call *call, const struct errand_filter *filter);

/* ------------------------------------------------------------------ the server */

struct er_redis_login {
    const char *user, *password; /* NULL: none */
    int64_t db;
};
/* link.c: a fresh connection to one address, authenticated, on its database. */
int er_link_make(const struct er_redis *conn, const struct er_redis_address *address,
                 const struct er_redis_login *login, redisContext **ret,
                 struct errand_error *err);
/* One command that is no script, such as a check at start. *ret is yours; an error reply
 * is an error. */
int er_link_command(redisContext *link, redisReply **ret, struct errand_error *err,
                    const char *format, ...);

/* place.c: the node that has the store: where the URL says, what Sentinel says, or the
 * owner of our slot. */
int er_place_connect(struct er_redis *conn, struct errand_error *err);
void er_place_disconnect(struct er_redis *conn);
/* "MOVED 1234 host:port": goes there. */
int er_place_follow(struct er_redis *conn, const char *moved, struct errand_error *err);
/* A second connection to where the first one leads now. */
int er_redis_connect(struct er_redis *conn, redisContext **ret, struct errand_error *err);

/* migrate.c */
int er_redis_migrate(struct er_redis *conn, bool create, int *ret_found,
                     struct errand_error *err);
int er_redis_no_schema(int found, struct errand_error *err);

/* ------------------------------------------------------------------ errors */

/* The error that a reply tells of, in our words. */
int er_redis_error(const char *reply, struct errand_error *err);
/* What became of the connection. */
int er_link_error(const redisContext *link, struct errand_error *err, const char *doing);
/* Whether the server refused without having done anything, and will not for ever. */
bool er_redis_is_passing(const char *reply);

/* ------------------------------------------------------------------ the operations */

ER_STORE_OPS(er_redis_op_);
int er_redis_op_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                      struct errand_error *err);
/* wake.c: lets go of what belongs to er_redis_op_wait_fd, also in the child of a fork;
 * NULL allowed. */
void er_redis_wake_free(struct er_redis_wake *wake);

/* A connection whose schema nobody has looked at. */
int er_redis_conn_new(const char *url, const struct errand_open_params *p,
                      struct er_redis **ret, struct errand_error *err);
int er_redis_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                  struct errand_error *err);
int er_redis_again(struct errand_conn *conn, const struct errand_open_params *p,
                   struct errand_conn **ret_conn, struct errand_error *err);
void er_redis_close(struct errand_conn *conn);
void er_redis_abandon(struct errand_conn *conn);
int er_redis_op_migrate(const struct errand_open_params *p, bool apply,
                        struct errand_migrate_result *ret, struct errand_error *err);

#endif
