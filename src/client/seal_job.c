/* seal_job.c: encryption where jobs are dispatched. It is the last step before the push:
 * keys are made from data that can be read, and bound is what the store will have. */
#include "client/seal_job.h"

#include <string.h>

#include "base/error.h"
#include "client/asked.h"
#include "client/handle.h"
#include "client/keys.h"
#include "client/seal.h"
#include "core/clock.h"

int er_client_keys(errand *e, const struct er_key_ring **ret, struct errand_error *err)
{
    int rc = 0;

    if (!e->keys && e->keys_path)
        rc = er_key_ring_load(e->keys_path, &e->keys, err);
    if (rc == 0)
        *ret = e->keys;
    return rc;
}

int er_client_keys_again(errand *e, const struct er_key_ring **ret,
                         struct errand_error *err)
{
    struct er_key_ring *fresh = NULL;
    int rc = 0;

    if (e->keys_path && (rc = er_key_ring_load(e->keys_path, &fresh, err)) < 0)
        return rc;
    er_key_ring_free(e->keys);
    *ret = e->keys = fresh;
    return 0;
}

/* The copies are ours to change: what the caller resolved may be shared. */
static int hide_unique(const struct er_key_ring *ring, struct errand_push_job *job,
                       struct errand_arena *arena, struct errand_error *err)
{
    struct errand_unique *unique;

    if (!job->unique)
        return 0;
    if (job->unique->policy == ERRAND_UNIQUE_REPLACE)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "job '%s' is encrypted, and unique_policy replace would put "
            "its data under another job's id: use ignore or extend",
            job->name);
    if (!(unique = errand_arena_alloc(arena, sizeof *unique)))
        return er_error_nomem(err);
    *unique = *job->unique;
    job->unique = unique;
    return er_seal_key(ring, unique->key, arena, &unique->key, err);
}

static int hide_keys(const struct er_key_ring *ring, struct errand_limit_use *limits,
                     size_t n, struct errand_arena *arena, struct errand_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (limits[i].key.len)
            rc = er_seal_key(ring, limits[i].key, arena, &limits[i].key, err);
    return rc;
}

int er_seal_asked(const struct er_key_ring *ring, struct er_asked *asked,
                  struct errand_arena *arena, struct errand_error *err)
{
    int rc = 0;

    if (asked->is_unique)
        rc = er_seal_key(ring, asked->unique.key, arena, &asked->unique.key, err);
    return rc < 0 ? rc : hide_keys(ring, asked->limits, asked->limits_n, arena, err);
}

static int hide_limits(const struct er_key_ring *ring, struct errand_push_job *job,
                       struct errand_arena *arena, struct errand_error *err)
{
    struct errand_limit_use *limits;

    if (!job->limits_n)
        return 0;
    if (!(limits = errand_arena_alloc(arena, job->limits_n * sizeof *limits)))
        return er_error_nomem(err);
    memcpy(limits, job->limits, job->limits_n * sizeof *limits);
    job->limits = limits;
    return hide_keys(ring, limits, job->limits_n, arena, err);
}

int er_seal_job(errand *e, struct errand_push_job *job, struct errand_arena *arena,
                struct errand_error *err)
{
    const struct er_key_ring *ring = NULL;
    struct er_sealed_for sealed_for;
    int rc;

    if (e->fake)
        return 0;
    if ((rc = er_client_keys(e, &ring, err)) < 0)
        return er_error_wrap(err, rc, "job '%s' is encrypted", job->name);
    if (!job->id.text[0] && er_id_new(&e->ids, er_clock_wall_ms(e->clock), &job->id) < 0)
        return errand_error_set(err, ERRAND_EIO,
                                "the system gives no random bytes for an id");
    sealed_for = (struct er_sealed_for){job->name, job->queue, job->id.text};
    if ((rc = er_seal(ring, &sealed_for, job->data, arena, &job->data, err)) < 0 ||
        (rc = hide_unique(ring, job, arena, err)) < 0)
        return rc;
    return hide_limits(ring, job, arena, err);
}
