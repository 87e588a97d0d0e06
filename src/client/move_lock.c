/* move_lock.c: one move at a time, and never of a store into itself: the same file under
 * two names would be emptied. A lock in each of them tells. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/move_inside.h"
#include "core/clock.h"
#include "core/id.h"

/* Short, so that a move that was killed does not hold up the next one for long. */
enum { LOCK_MS = 5000, LOOK_MS = 100 };

static struct errand_lock_params params(const struct er_moving *m,
                                        const struct er_move_lock *lock)
{
    return (struct errand_lock_params){.now_ms = m->move->now_ms,
                                       .key = errand_text("errand:move"),
                                       .owner = lock->owner,
                                       .ttl_ms = LOCK_MS,
                                       .token = lock->token};
}

/* Once. *ret_same: it is the other lock of this move that stands in the way. */
static int try(struct er_moving *m, struct er_move_lock *lock, bool *ret_same,
               struct errand_error *err)
{
    struct errand_lock_params p = params(m, lock);
    struct errand_lock_result got;
    int rc;

    er_arena_reset(m->list);
    if ((rc = er_store_lock(lock->store, &p, m->list, &got, err)) < 0)
        return rc;
    lock->token = got.token;
    *ret_same = !got.token && strcmp(got.owner, m->locks[0].owner) == 0;
    return 0;
}

static int busy(const struct er_store *store, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EBUSY, "%s: another move is under way",
                            er_store_url(store));
}

/* Waits out the lock of a move that was killed. */
static int take(struct er_moving *m, struct er_move_lock *lock, struct errand_error *err)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + LOCK_MS + 2 * LOOK_MS;
    bool is_same;
    int rc;

    while ((rc = try(m, lock, &is_same, err)) == 0 && !lock->token) {
        if (is_same)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "%s and %s are one store: nothing to move",
                                    er_store_url(m->from), er_store_url(m->to));
        if (er_clock_mono_ms(NULL) >= until_ms)
            return busy(lock->store, err);
        er_clock_sleep_ms(LOOK_MS);
    }
    return rc;
}

int er_move_lock(struct er_moving *m, struct errand_error *err)
{
    struct er_id_source ids = {0};
    struct errand_id id;
    int rc = 0;

    m->locks[0].store = m->from;
    m->locks[1].store = m->to;
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        if (er_id_new(&ids, er_clock_wall_ms(NULL), &id) < 0)
            return er_error_nomem(err);
        memcpy(m->locks[i].owner, id.text, sizeof id.text);
        rc = take(m, &m->locks[i], err);
    }
    return rc;
}

/* Somebody else has it when this process stood still for longer than it lasts. */
int er_move_lock_keep(struct er_moving *m, struct errand_error *err)
{
    bool is_same;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < 2; i++)
        if ((rc = try(m, &m->locks[i], &is_same, err)) == 0 && !m->locks[i].token)
            rc = busy(m->locks[i].store, err);
    return rc;
}

void er_move_unlock(struct er_moving *m)
{
    for (size_t i = 0; i < 2; i++) {
        struct errand_lock_params p = params(m, &m->locks[i]);
        /* One that cannot be given back ends by itself. */
        if (m->locks[i].token)
            er_store_unlock(m->locks[i].store, &p, NULL);
    }
}
