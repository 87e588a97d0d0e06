/* locks.c: named locks with an owner, an end on the lease clock and a token that grows.
 */
#include "store/sqlite/limits.h"

#include <string.h>

#include "base/error.h"

struct holder {
    const char *owner;
    int64_t token, until_ms;
};

/* Who has it: 1, or 0. One that is over is as good as none. */
static int holder_read(struct er_tx *tx, struct errand_slice key, struct holder *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_LOCK_READ, ER_ARGS(er_blob(key)));
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    *ret = (struct holder){.owner = er_col_text(st, 0, tx->scratch),
                           .token = sqlite3_column_int64(st, 1),
                           .until_ms = sqlite3_column_int64(st, 2)};
    /* The lease clock of an earlier boot says nothing about this one. */
    rc = ret->until_ms > tx->lease_ms && sqlite3_column_int64(st, 3) == tx->conn->boot;
    sqlite3_reset(st);
    return ret->owner ? rc : er_tx_nomem(tx);
}

static int lock(struct er_tx *tx, const struct errand_lock_params *p,
                struct errand_lock_result *ret)
{
    int64_t until_ms = p->ttl_ms < ERRAND_FOREVER - tx->lease_ms
                           ? tx->lease_ms + p->ttl_ms
                           : ERRAND_FOREVER;
    struct holder holder = {0};
    bool is_ours;
    int rc = holder_read(tx, p->key, &holder);

    if (rc < 0)
        return rc;
    is_ours = rc == 0 || strcmp(holder.owner, p->owner) == 0;
    if (is_ours) {
        ret->token = rc ? holder.token : er_tx_take_token(tx);
        holder.until_ms = until_ms;
        if ((rc =
                 er_tx_run(tx, ER_SQL_LOCK_PUT,
                           ER_ARGS(er_blob(p->key), er_text(p->owner), er_int(ret->token),
                                   er_int(until_ms), er_int(tx->conn->boot)))) < 0)
            return rc;
    }
    ret->until_ms = tx->now_ms + (holder.until_ms - tx->lease_ms);
    ret->owner = is_ours
                     ? errand_arena_copy(tx->arena, p->owner, strlen(p->owner))
                     : errand_arena_copy(tx->arena, holder.owner, strlen(holder.owner));
    return ret->owner ? 0 : er_tx_nomem(tx);
}

int er_sqlite_lock(struct errand_conn *conn, const struct errand_lock_params *p,
                   struct errand_arena *arena, struct errand_lock_result *ret,
                   struct errand_error *err)
{
    struct errand_lock_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "lock", p->now_ms, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, lock(&tx, p, &result))) == 0)
        *ret = result;
    return rc;
}

static int unlock(struct er_tx *tx, const struct errand_lock_params *p)
{
    struct holder holder;
    int rc = holder_read(tx, p->key, &holder);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return errand_error_set(tx->err, ERRAND_ECONFLICT,
                                "the lock is over: '%s' holds it no more", p->owner);
    if (holder.token != p->token || strcmp(holder.owner, p->owner) != 0)
        return errand_error_set(tx->err, ERRAND_ECONFLICT,
                                "the lock is held by '%s', not '%s'", holder.owner,
                                p->owner);
    return er_tx_run(tx, ER_SQL_LOCK_DELETE, ER_ARGS(er_blob(p->key)));
}

int er_sqlite_unlock(struct errand_conn *conn, const struct errand_lock_params *p,
                     struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "unlock", p->now_ms, NULL, err)) < 0)
        return rc;
    return er_tx_end(&tx, unlock(&tx, p));
}
