/* migrate.c: making the store, and which version it has.
 *
 * A store is made where its prefix has no keys: what somebody else keeps below it would
 * sooner or later be read as ours. Looking for such keys walks over the whole database in
 * steps, and only when a store is made. */
#include "store/redis/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/backoff.h"

static int found_read(struct er_redis *conn, bool create, int *ret,
                      struct errand_error *err)
{
    struct er_call call;
    int rc;

    er_call_begin(&call, &conn->base, "migrate", create ? ER_LUA_MIGRATE : ER_LUA_VERSION,
                  ER_REPEAT_HARMLESS, 0, NULL);
    er_call_int(&call, ER_REDIS_SCHEMA);
    er_call_int(&call, (int64_t)(er_backoff_seed() >> 12 | 1)); /* Lua counts to 2^53 */
    if ((rc = er_call_run(&call, err)) == 0)
        *ret = (int)er_reply_int(&call, 0);
    er_call_end(&call);
    return rc;
}

static int foreign(const redisReply *keys, struct errand_error *err)
{
    if (keys->type != REDIS_REPLY_ARRAY || !keys->elements)
        return 0;
    return errand_error_set(err, ERRAND_ECONFLICT,
                            "there is no store here, but somebody else's key '%.128s': "
                            "choose another prefix= or database",
                            keys->element[0]->str ? keys->element[0]->str : "");
}

static int scan(struct er_redis *conn, char *cursor, size_t size,
                struct errand_error *err)
{
    redisReply *reply = NULL;
    int rc = er_link_command(conn->link, &reply, err, "SCAN %s MATCH {%s}:* COUNT 1000",
                             cursor, conn->target.prefix);

    if (rc == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
                    !reply->element[0]->str))
        rc = errand_error_set(err, ERRAND_EUNAVAILABLE, "SCAN answers something else");
    if (rc == 0)
        rc = foreign(reply->element[1], err);
    if (rc == 0)
        snprintf(cursor, size, "%s", reply->element[0]->str);
    if (reply)
        freeReplyObject(reply);
    return rc;
}

static int check_empty(struct er_redis *conn, struct errand_error *err)
{
    char cursor[32] = "0";
    int rc;

    do {
        if ((rc = scan(conn, cursor, sizeof cursor, err)) < 0)
            return rc;
    } while (strcmp(cursor, "0") != 0);
    return 0;
}

int er_redis_migrate(struct er_redis *conn, bool create, int *ret_found,
                     struct errand_error *err)
{
    int again = 0, rc = found_read(conn, false, ret_found, err);

    if (rc < 0)
        return rc;
    if (*ret_found < 0 || *ret_found > ER_REDIS_SCHEMA)
        return er_redis_no_schema(*ret_found, err);
    if (!create || *ret_found == ER_REDIS_SCHEMA)
        return 0;
    if ((!*ret_found && (rc = check_empty(conn, err)) < 0) ||
        (rc = found_read(conn, true, &again, err)) < 0)
        return rc;
    /* Somebody else may have been faster, with another version. */
    return again < 0 || again > ER_REDIS_SCHEMA ? er_redis_no_schema(again, err) : 0;
}

int er_redis_no_schema(int found, struct errand_error *err)
{
    if (found <= 0)
        return errand_error_set(err, ERRAND_ESCHEMA,
                                "its meta key has no version: this is not a store");
    if (found < ER_REDIS_SCHEMA)
        return errand_error_set(err, ERRAND_ESCHEMA,
                                "of an older errand (schema %d, this one has schema %d): "
                                "errand migrate brings it up to date",
                                found, ER_REDIS_SCHEMA);
    return errand_error_set(err, ERRAND_ESCHEMA,
                            "written by another errand (schema %d), this one has schema "
                            "%d; nothing was changed",
                            found, ER_REDIS_SCHEMA);
}

int er_redis_op_migrate(const struct errand_open_params *p, bool apply,
                        struct errand_migrate_result *ret, struct errand_error *err)
{
    struct errand_open_params params = *p;
    struct er_redis *conn = NULL;
    int rc;

    if ((rc = er_redis_conn_new(p->url, &params, &conn, err)) == 0 &&
        (rc = er_redis_migrate(conn, apply, &ret->schema_found, err)) == 0)
        ret->schema_wanted = ER_REDIS_SCHEMA;
    er_redis_close(conn ? &conn->base : NULL);
    return rc;
}
