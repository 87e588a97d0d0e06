/* unique.c: a key that one job holds. A claim is a row that is taken, renewed and given
 * up in the same transaction as the move that causes it: a crash leaves none behind. */
#include "store/sqlite/push.h"

#include <string.h>

enum { CLEAR_AWAY = 2 }; /* old claims removed with each new one */

struct claim {
    int64_t job; /* 0: was pruned, `uid` is its id */
    struct errand_id uid;
    int64_t until_ms;
};

static int64_t until(const struct er_tx *tx, int64_t ttl_ms)
{
    return ttl_ms && ttl_ms < ERRAND_FOREVER - tx->now_ms ? tx->now_ms + ttl_ms
                                                          : ERRAND_FOREVER;
}

/* 1: somebody holds the key now. */
static int claim_find(struct er_tx *tx, struct errand_slice key, struct claim *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_UNIQUE_KEY_FIND, ER_ARGS(er_blob(key)));
    const unsigned char *uid;
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc;
    if (sqlite3_column_int64(st, 1) > tx->now_ms) {
        ret->job = sqlite3_column_int64(st, 0);
        ret->until_ms = sqlite3_column_int64(st, 1);
        ret->uid = (struct errand_id){0};
        if ((uid = sqlite3_column_text(st, 2)))
            strncat(ret->uid.text, (const char *)uid, sizeof ret->uid.text - 1);
    } else {
        rc = 0; /* over: whoever takes the key overwrites it */
    }
    sqlite3_reset(st);
    return rc;
}

static int renew(struct er_tx *tx, const struct er_job *holder,
                 const struct errand_unique *unique)
{
    struct er_asks_read asks;
    int rc;

    if ((rc = er_asks_read(tx, holder->id, &asks)) < 0)
        return rc;
    if (unique->ttl_ms)
        er_tx_extra(tx, ER_EXTRA_CLAIMS_END);
    if (asks.is_unique && asks.unique.ttl_ms != unique->ttl_ms) {
        asks.unique.ttl_ms = unique->ttl_ms;
        rc =
            er_asks_write(tx, holder->id,
                          &(struct er_asks){&asks.unique, asks.limits, asks.limits_n}, 0);
        if (rc < 0)
            return rc;
    }
    return er_tx_run(tx, ER_SQL_UNIQUE_KEY_RENEW,
                     ER_ARGS(er_blob(unique->key), er_int(holder->id),
                             er_int(until(tx, unique->ttl_ms))));
}

/* The waiting holder takes what the newcomer brings. */
static int holder_update(struct er_tx *tx, const struct errand_push_job *p,
                         struct er_job *holder)
{
    int64_t run_at = p->run_at_ms > tx->now_ms ? p->run_at_ms : tx->now_ms;
    int rc;

    if (p->unique->policy == ERRAND_UNIQUE_REPLACE &&
        (rc = er_tx_run(tx, ER_SQL_JOB_REPLACE,
                        ER_ARGS(er_int(holder->id), er_blob(p->data),
                                er_blob_or_null(p->options)))) < 0)
        return rc;
    if ((rc = er_job_put_off(tx, holder, run_at)) < 0 ||
        (rc = renew(tx, holder, p->unique)) < 0)
        return rc;
    return er_tell_job(tx, holder, ER_TOLD_RESCHEDULED, holder->attempt,
                       (struct errand_slice){0});
}

static int holder_answer(struct er_tx *tx, const struct errand_push_job *p, int64_t id,
                         struct errand_pushed_job *ret)
{
    struct er_job job;
    int rc = er_job_read(tx, id, &job);

    if (rc < 0)
        return rc;
    ret->pushed = ERRAND_DUPLICATE;
    if (rc == 0) { /* has completed; the key is held for a time */
        ret->state = ERRAND_COMPLETED;
        return er_history_id(tx, id, &ret->id);
    }
    if ((rc = er_id_of(tx, id, job.created_at, job.flags, &ret->id)) < 0 ||
        (rc = er_job_state(tx, &job, &ret->state)) < 0)
        return rc;
    if (p->unique->policy == ERRAND_UNIQUE_IGNORE || er_state_is_final(ret->state) ||
        ret->state == ERRAND_RUNNING)
        return 0;
    ret->pushed =
        p->unique->policy == ERRAND_UNIQUE_EXTEND ? ERRAND_EXTENDED : ERRAND_REPLACED;
    rc = holder_update(tx, p, &job);
    ret->state = (enum errand_state)job.state;
    return rc;
}

int er_unique_is_held(struct er_tx *tx, struct errand_slice key)
{
    struct claim claim;

    return claim_find(tx, key, &claim);
}

int er_unique_held_until(struct er_tx *tx, int64_t job, struct errand_slice key,
                         int64_t *ret)
{
    struct claim claim = {0};
    int rc = claim_find(tx, key, &claim);

    *ret = rc > 0 && claim.job == job ? claim.until_ms : 0;
    return rc < 0 ? rc : 0;
}

int er_unique_load(struct er_tx *tx, int64_t job, struct errand_slice key,
                   int64_t until_ms)
{
    struct claim claim;
    int rc;

    if (until_ms <= tx->now_ms)
        return 0;
    if ((rc = claim_find(tx, key, &claim)) != 0)
        return rc < 0 ? rc : 0;
    if (until_ms != ERRAND_FOREVER)
        er_tx_extra(tx, ER_EXTRA_CLAIMS_END);
    return er_tx_run(tx, ER_SQL_UNIQUE_KEY_PUT,
                     ER_ARGS(er_blob(key), er_int(job), er_int(until_ms)));
}

int er_unique_check(struct er_tx *tx, const struct errand_push_job *p,
                    struct errand_pushed_job *ret, int64_t *ret_key)
{
    struct claim claim = {0};
    int rc;

    if ((rc = claim_find(tx, p->unique->key, &claim)) <= 0)
        return rc;
    *ret_key = claim.job;
    if (!claim.job) {
        *ret = (struct errand_pushed_job){
            .pushed = ERRAND_DUPLICATE, .id = claim.uid, .state = ERRAND_COMPLETED};
        return 1;
    }
    rc = holder_answer(tx, p, claim.job, ret);
    return rc < 0 ? rc : 1;
}

static int claim_take(struct er_tx *tx, int64_t job, struct errand_slice key,
                      int64_t ttl_ms)
{
    if (ttl_ms)
        er_tx_extra(tx, ER_EXTRA_CLAIMS_END);
    return er_tx_run(tx, ER_SQL_UNIQUE_KEY_PUT,
                     ER_ARGS(er_blob(key), er_int(job), er_int(until(tx, ttl_ms))));
}

int er_unique_take(struct er_tx *tx, const struct er_job *job,
                   const struct errand_unique *unique)
{
    int rc = claim_take(tx, job->id, unique->key, unique->ttl_ms);

    if (rc < 0 || !(tx->root.extras & ER_EXTRA_CLAIMS_END))
        return rc;
    return er_tx_run(tx, ER_SQL_UNIQUE_KEYS_OVER,
                     ER_ARGS(er_int(tx->now_ms), er_int(CLEAR_AWAY)));
}

/* What the job was pushed with: 1, or 0. */
static int unique_read(struct er_tx *tx, int64_t job, struct errand_unique *ret)
{
    struct er_asks_read asks;
    int rc = er_asks_read(tx, job, &asks);

    if (rc < 0)
        return rc;
    *ret = asks.unique;
    return asks.is_unique;
}

int er_unique_release(struct er_tx *tx, const struct er_job *job, enum er_event why)
{
    struct errand_unique unique = {0};
    int rc;

    if ((rc = unique_read(tx, job->id, &unique)) <= 0)
        return rc;
    if (why == ER_EVENT_RESERVE ? unique.until != ERRAND_UNIQUE_STARTED
                                : unique.until == ERRAND_UNIQUE_TTL)
        return 0;
    return er_tx_run(tx, ER_SQL_UNIQUE_KEY_FREE,
                     ER_ARGS(er_blob(unique.key), er_int(job->id)));
}

int er_unique_drop(struct er_tx *tx, const struct er_job *job, bool is_deleted)
{
    struct errand_unique unique = {0};
    struct errand_id id;
    int rc;

    if ((rc = unique_read(tx, job->id, &unique)) <= 0)
        return rc;
    if (is_deleted)
        return er_tx_run(tx, ER_SQL_UNIQUE_KEY_FREE,
                         ER_ARGS(er_blob(unique.key), er_int(job->id)));
    if ((rc = er_id_of(tx, job->id, job->created_at, job->flags, &id)) < 0)
        return rc;
    return er_tx_run(tx, ER_SQL_UNIQUE_KEY_ORPHAN,
                     ER_ARGS(er_blob(unique.key), er_int(job->id), er_text(id.text)));
}

int er_unique_again(struct er_tx *tx, const struct er_job *job)
{
    struct errand_unique unique = {0};
    struct claim holder;
    int rc;

    if (!(job->flags & ER_FLAG_UNIQUE))
        return 1;
    if ((rc = unique_read(tx, job->id, &unique)) < 0)
        return rc;
    if (rc == 0 || unique.until == ERRAND_UNIQUE_TTL)
        return 1;
    if ((rc = claim_find(tx, unique.key, &holder)) != 0)
        return rc < 0 ? rc : 0;
    rc = claim_take(tx, job->id, unique.key, unique.ttl_ms);
    return rc < 0 ? rc : 1;
}
