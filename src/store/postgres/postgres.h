/* postgres.h: what the files of the PostgreSQL driver share: the connection, and how an
 * operation calls its function in the server.
 *
 * The rules run in the server (sql/): an operation here packs its parameters, calls one
 * function, and unpacks the answer. A connection may pass through a pooler that changes
 * servers between transactions: what it keeps in its session (settings, named statements)
 * it keeps only where the session is the server's own, and no lock outlives a
 * transaction. */
#ifndef ER_STORE_POSTGRES_POSTGRES_H
#define ER_STORE_POSTGRES_POSTGRES_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/buf.h"
#include "errand/driver.h"

/* What the module exports (store/modules.h). */
ERRAND_API extern const struct errand_driver errand_store_module;

/* Where a store is: shared by nobody, copied by `again`. */
struct er_pg_place {
    char *uri;      /* for libpq, without what is ours; may hold a password */
    char *schema;   /* as it is called */
    char *prefix;   /* quoted, with a dot: "errand". */
    char *listen;   /* HOST:PORT of who can be listened to, "poll", or NULL: the same */
    char *owner;    /* the role whose functions may be called with our rights, or NULL */
    bool is_remote; /* what is sent passes other machines */
};

struct er_pg_wait;

enum { ER_PG_NAMES_MAX = 80 };

/* What the present session of a direct connection keeps. */
struct er_pg_session {
    bool has_settings;
    int n;
    struct er_pg_name {
        const char *function;
        int args_n;
        char text[32];
        bool is_kept; /* the server has the statement by this name */
    } names[ER_PG_NAMES_MAX];
};

struct er_pg {
    struct errand_conn base;
    struct er_pg_place place;
    PGconn *pg; /* NULL: to be connected by the next call */
    int64_t busy_ms, keep_ms, keep_n;
    /* of the store: ids are computed from it. As the last answer that named it said: the
     * schema can be dropped and made anew under an open connection */
    int64_t salt;
    bool is_salt_old; /* the last push met another one */
    bool is_read_only;
    /* the role's transactions are not READ COMMITTED by themselves, or not safe on the
     * disk when they are committed */
    bool needs_settings;
    bool is_direct; /* no pooler is between: the session stays the same */
    struct er_pg_session session;
    bool has_written;        /* it was not always read-only */
    struct er_pg_wait *wait; /* NULL until wait_fd; wait.c */
    int64_t upkeep_ms;       /* not before, see upkeep.c */
    uint64_t random;         /* of pauses between tries */
    struct er_buf sql;
    struct errand_error error; /* stands in when the caller wants none */
};

/* ------------------------------------------------------------------ args.c */

enum { ER_PG_ARGS_MAX = 40 };

/* Parameters in binary form. Failing to allocate is remembered until the call. */
struct er_pg_args {
    struct er_buf bytes;
    Oid types[ER_PG_ARGS_MAX];
    size_t at[ER_PG_ARGS_MAX];
    int lens[ER_PG_ARGS_MAX]; /* negative: NULL */
    int n;
    size_t count_at; /* of the array that is open */
    uint32_t count;
};

void er_pg_args_init(struct er_pg_args *args);
void er_pg_args_done(struct er_pg_args *args);
void er_pg_int(struct er_pg_args *args, int64_t value); /* bigint */
void er_pg_bool(struct er_pg_args *args, bool value);
void er_pg_text(struct er_pg_args *args, const char *text);           /* NULL: NULL */
void er_pg_bytes(struct er_pg_args *args, struct errand_slice bytes); /* bytea */
/* An array: begin, add each, end. */
enum er_pg_array { ER_PG_INTS, ER_PG_TEXTS, ER_PG_BLOBS, ER_PG_JSONS };
void er_pg_array_begin(struct er_pg_args *args, enum er_pg_array of);
void er_pg_add_int(struct er_pg_args *args, int64_t value);
void er_pg_add_text(struct er_pg_args *args, const char *text); /* NULL: NULL */
/* An empty one is NULL. */
void er_pg_add_bytes(struct er_pg_args *args, struct errand_slice bytes);
void er_pg_add_json(struct er_pg_args *args, struct errand_slice json);
void er_pg_array_end(struct er_pg_args *args);
/* In place of an array of which nothing is wanted: NULL. */
void er_pg_no_array(struct er_pg_args *args, enum er_pg_array of);
/* An array of what `add` says of each `item` of the n items, or none: the columns of rows
 * that the server takes as a set. */
#define ER_PG_COLUMN(args, of, is_wanted, type, item, items, n, add)        \
    do {                                                                    \
        if (is_wanted) {                                                    \
            er_pg_array_begin(args, of);                                    \
            for (size_t item##_i = 0; item##_i < (size_t)(n); item##_i++) { \
                const type *item = &(items)[item##_i];                      \
                add;                                                        \
            }                                                               \
            er_pg_array_end(args);                                          \
        } else {                                                            \
            er_pg_no_array(args, of);                                       \
        }                                                                   \
    } while (0)

/* ------------------------------------------------------------------ call.c */

enum er_pg_repeat {
    ER_PG_ONCE = 0,     /* not repeated when nobody knows whether it was committed */
    ER_PG_HARMLESS = 1, /* may be done twice */
};

struct er_pg_rows {
    PGresult *res;
    int n;
};

/* SELECT * FROM schema.function(args): one transaction, one round trip. What the server
 * takes back by itself (deadlock, serialization) and a connection that was lost before
 * anything can have been committed are tried again until busy_ms are over. */
int er_pg_call(struct er_pg *conn, const char *function, enum er_pg_repeat repeat,
               struct er_pg_args *args, struct er_pg_rows *ret, struct errand_error *err);
/* The same on the application's connection, inside its transaction; when it fails, what
 * it did is taken back and the transaction goes on. */
int er_pg_call_inside(struct er_pg *conn, PGconn *theirs, const char *function,
                      struct er_pg_args *args, struct er_pg_rows *ret,
                      struct errand_error *err);
void er_pg_rows_done(struct er_pg_rows *rows);

/* Statements without parameters, on our connection, outside of any call. `ret` NULL:
 * rows do not matter. */
int er_pg_exec(struct er_pg *conn, const char *sql, PGresult **ret,
               struct errand_error *err);
bool er_pg_has_worked(const PGresult *res); /* false for NULL */
/* The last result of what was sent on a connection that does not block; NULL: none came
 * until then, or the connection is lost. */
PGresult *er_pg_result(PGconn *pg, int64_t until_ms);
/* `text` with every "@." turned into the schema, in conn->sql. NULL: no memory. */
const char *er_pg_expand(struct er_pg *conn, const char *text);

/* ------------------------------------------------------------------ rows.c */

/* Whether a function answered for as many as it was asked about: missing ones would read
 * as done. ESCHEMA. */
int er_pg_expect(const char *function, size_t n, size_t wanted, struct errand_error *err);
/* NULL reads as 0, false, "" and an empty slice. Text and bytes are copied; NULL (ptr
 * NULL) means no memory. */
bool er_pg_is_null(const struct er_pg_rows *rows, int row, int col);
int64_t er_pg_get_int(const struct er_pg_rows *rows, int row, int col);
bool er_pg_get_bool(const struct er_pg_rows *rows, int row, int col);
const char *er_pg_get_text(const struct er_pg_rows *rows, int row, int col,
                           struct errand_arena *arena);
struct errand_slice er_pg_get_bytes(const struct er_pg_rows *rows, int row, int col,
                                    struct errand_arena *arena);
int64_t er_pg_identity(const struct er_pg *conn);
/* Borrowed from the rows. */
struct errand_slice er_pg_peek(const struct er_pg_rows *rows, int row, int col);
/* Of the only row of a result in text; "" for NULL and for what is not there. */
const char *er_pg_field(const PGresult *res, int col);
/* The id in column `uid`, or the one computed from the numbers. */
void er_pg_id(const struct er_pg *conn, int64_t created_at, int64_t key,
              struct errand_slice uid, struct errand_id *ret);

/* ------------------------------------------------------------------ error.c */

/* What the server or libpq said, in our words; `res` NULL: the connection's error. */
int er_pg_error(struct er_pg *conn, PGconn *pg, const PGresult *res,
                struct errand_error *err);
/* The server took the transaction back, and it may go through the next time. */
bool er_pg_is_transient(const PGresult *res);
/* A named statement is not the one that was made: a pooler has changed servers after all,
 * or the function it calls is another by now. */
bool er_pg_is_name_lost(const PGresult *res);

/* ------------------------------------------------------------------ connect.c */

int er_pg_place_parse(const char *url, struct er_pg_place *ret, struct errand_error *err);
int er_pg_place_copy(const struct er_pg_place *from, struct er_pg_place *ret);
void er_pg_place_done(struct er_pg_place *place);
/* A new connection, whatever was there before. */
int er_pg_connect(struct er_pg *conn, int64_t until_ms, struct errand_error *err);
void er_pg_disconnect(struct er_pg *conn);
/* One more connection of our own to the same server, or to the one at HOST:PORT. */
int er_pg_dial(struct er_pg *conn, const char *host_port, int64_t until_ms, PGconn **ret,
               struct errand_error *err);

/* ------------------------------------------------------------------ migrate.c */

/* After a push that failed: whether that was because another store has taken the place of
 * the one this connection was opened to, which it serves from now on. */
bool er_pg_salt_renew(struct er_pg *conn);
/* What the store there is, made or raised when `p` says so; reads its salt. */
int er_pg_schema_check(struct er_pg *conn, const struct errand_open_params *p,
                       struct errand_error *err);
int er_pg_schema_found(struct er_pg *conn, bool force, int *ret_found,
                       struct errand_error *err);

#endif
