/* checks.c: arguments that no driver should have to look at. Edges are in edges.c.
 *
 * On the way of every push and settle: no allocation, one pass over each job. */
#include "store/internal.h"

#include <string.h>

#include "base/error.h"
#include "core/name.h"

#define RATE_WINDOW_MAX_MS INT64_C(31622400000)

int er_check_now(int64_t now_ms, struct errand_error *err)
{
    if (now_ms >= 0)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL, "time %lld is before 1970",
                            (long long)now_ms);
}

int er_check_id(const char *what, const struct errand_id *id, struct errand_error *err)
{
    if (!memchr(id->text, '\0', sizeof id->text))
        return errand_error_set(err, ERRAND_EINVAL, "%s has more than %d bytes", what,
                                ERRAND_ID_MAX);
    return er_name_check(what, id->text, err);
}

int er_check_key(const char *what, struct errand_slice key, struct errand_error *err)
{
    if (key.len <= ER_KEY_MAX)
        return 0;
    return errand_error_set(
        err, ERRAND_EINVAL,
        "%s has %zu bytes, more than the %d allowed: use a hash of it", what, key.len,
        ER_KEY_MAX);
}

static int check_unique(const struct errand_push_job *job, struct errand_error *err)
{
    const struct errand_unique *u = job->unique;

    if (!u)
        return 0;
    if (u->key.len == 0)
        return errand_error_set(err, ERRAND_EINVAL, "unique key of '%s' is empty",
                                job->name);
    if (u->ttl_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique key of '%s' is held for %lld ms: it must not be "
                                "negative",
                                job->name, (long long)u->ttl_ms);
    if (u->until == ERRAND_UNIQUE_TTL && u->ttl_ms == 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unique key of '%s' is held for a time, but no time is "
                                "given",
                                job->name);
    return er_check_key("unique key", u->key, err);
}

static int check_numbers(const char *name, enum errand_limit_kind kind, int64_t n,
                         int64_t per_ms, struct errand_error *err)
{
    if (n < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "limit '%s' of %lld: at least 1, or pause the queue",
                                name, (long long)n);
    if (kind == ERRAND_LIMIT_RATE && per_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "limit '%s' is per %lld ms: at least 1", name,
                                (long long)per_ms);
    return 0;
}

static int check_limit_uses(const struct errand_push_job *job, struct errand_error *err)
{
    int rc;

    if (job->limits_n > ER_LIMITS_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' has %zu limits, at most %d",
                                job->name, job->limits_n, ER_LIMITS_MAX);
    for (size_t i = 0; i < job->limits_n; i++) {
        const struct errand_limit_use *use = &job->limits[i];
        if ((rc = er_name_check("limit name", use->name, err)) < 0 ||
            (rc = er_check_key("limit key", use->key, err)) < 0 ||
            (rc = check_numbers(use->name, use->kind, use->n, use->per_ms, err)) < 0)
            return rc;
    }
    return 0;
}

static int check_tags(const struct errand_push_job *job, struct errand_error *err)
{
    int rc;

    if (job->tags_n > ER_TAGS_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' has %zu tags, at most %d",
                                job->name, job->tags_n, ER_TAGS_MAX);
    for (size_t i = 0; i < job->tags_n; i++)
        if ((rc = er_name_check("tag", job->tags[i], err)) < 0)
            return rc;
    return 0;
}

static int check_size(const char *what, const char *name, size_t len, size_t max,
                      struct errand_error *err)
{
    if (len <= max)
        return 0;
    return errand_error_set(err, ERRAND_ETOOBIG,
                            "%s of '%s': %zu bytes, more than the %zu allowed: store it "
                            "elsewhere and pass where",
                            what, name, len, max);
}

int er_check_job(const struct er_store *store, const struct errand_push_job *job,
                 struct errand_error *err)
{
    int rc;

    if ((rc = er_name_check("job name", job->name, err)) < 0 ||
        (rc = er_name_check("queue name", job->queue, err)) < 0 ||
        (job->id.text[0] && (rc = er_check_id("id", &job->id, err)) < 0) ||
        (job->batch.text[0] && (rc = er_check_id("batch id", &job->batch, err)) < 0) ||
        (rc = check_size("data", job->name, job->data.len, store->max_data, err)) < 0 ||
        (rc = check_size("options", job->name, job->options.len, ER_TEXT_MAX, err)) < 0)
        return rc;
    if (job->tries < 1)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' has %d tries: at least 1",
                                job->name, job->tries);
    if (job->run_at_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' is to run before 1970",
                                job->name);
    if ((rc = check_tags(job, err)) < 0 || (rc = check_unique(job, err)) < 0)
        return rc;
    return check_limit_uses(job, err);
}

static int check_batch(const struct errand_push_batch *batch, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_id("batch id", &batch->id, err)) < 0 ||
        (batch->name[0] && (rc = er_name_check("batch name", batch->name, err)) < 0))
        return rc;
    return check_size("options", "batch", batch->options.len, ER_TEXT_MAX, err);
}

int er_check_push(const struct er_store *store, const struct errand_push_params *p,
                  struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0 ||
        (p->batch && (rc = check_batch(p->batch, err)) < 0))
        return rc;
    if (p->transaction && !er_store_can(store, ERRAND_CAP_TRANSACTION))
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "%s: a store of this kind has no transaction to join: "
                                "dispatch after your commit, or use SQLite or PostgreSQL",
                                store->shown);
    for (size_t i = 0; i < p->jobs_n; i++)
        if ((rc = er_check_job(store, &p->jobs[i], err)) < 0)
            return p->jobs_n > 1
                       ? er_error_wrap(err, rc, "job %zu of %zu", i + 1, p->jobs_n)
                       : rc;
    return p->edges_n ? er_check_edges(p, err) : 0;
}

static int check_limit_outcome(const struct errand_outcome *o, struct errand_error *err)
{
    const struct errand_push_job asks = {.name = o->id.text,
                                         .unique = o->unique,
                                         .limits = o->limits,
                                         .limits_n = o->limits_n};
    int rc;

    if ((rc = check_unique(&asks, err)) < 0)
        return rc;
    return check_limit_uses(&asks, err);
}

static int check_outcome(const struct errand_outcome *o, struct errand_error *err)
{
    if (o->run_at_ms < 0 || o->started_ms < 0 || o->ended_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "outcome of job '%.*s': a time before "
                                "1970",
                                ERRAND_ID_MAX, o->id.text);
    if ((unsigned)o->kind > ERRAND_OUT_LIMIT)
        return errand_error_set(err, ERRAND_EINVAL, "outcome of job '%.*s': no kind %d",
                                ERRAND_ID_MAX, o->id.text, (int)o->kind);
    return o->kind == ERRAND_OUT_LIMIT ? check_limit_outcome(o, err) : 0;
}

static int check_reserve(const struct errand_exchange_params *p, struct errand_error *err)
{
    int rc;

    if (p->lease_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL, "lease of %lld ms: at least 1",
                                (long long)p->lease_ms);
    if ((rc = er_name_check("worker name", p->worker, err)) < 0)
        return rc;
    for (size_t i = 0; i < p->queues_n; i++)
        if ((rc = er_name_check("queue name", p->queues[i], err)) < 0)
            return rc;
    return 0;
}

int er_check_exchange(const struct errand_exchange_params *p, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    for (size_t i = 0; i < p->outcomes_n; i++)
        if ((rc = check_outcome(&p->outcomes[i], err)) < 0)
            return rc;
    return p->max ? check_reserve(p, err) : 0;
}

int er_check_extend(const struct errand_extend_params *p, struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    if (p->tokens_n && p->lease_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL, "lease of %lld ms: at least 1",
                                (long long)p->lease_ms);
    for (size_t i = 0; i < p->progress_n; i++) {
        const struct errand_progress *g = &p->progress[i];
        if (g->percent < 0 || g->percent > 100)
            return errand_error_set(err, ERRAND_EINVAL,
                                    "progress of job '%.*s' is %d: 0 to 100",
                                    ERRAND_ID_MAX, g->id.text, g->percent);
        if (g->note.len > ER_KEY_MAX)
            return errand_error_set(
                err, ERRAND_ETOOBIG,
                "progress note of job '%.*s' has %zu bytes, more than "
                "the %d allowed",
                ERRAND_ID_MAX, g->id.text, g->note.len, ER_KEY_MAX);
    }
    return 0;
}

int er_check_filter(const struct errand_filter *f, struct errand_error *err)
{
    int rc;

    if ((f->queue && (rc = er_name_check("queue name", f->queue, err)) < 0) ||
        (f->name && (rc = er_name_check("job name", f->name, err)) < 0) ||
        (f->tag && (rc = er_name_check("tag", f->tag, err)) < 0) ||
        (f->batch.text[0] && (rc = er_check_id("batch id", &f->batch, err)) < 0))
        return rc;
    if (f->states >= 1u << ERRAND_STATES_N)
        return errand_error_set(err, ERRAND_EINVAL, "filter has states of no job: 0x%x",
                                f->states);
    if (f->search && strlen(f->search) > ER_KEY_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "search text has %zu bytes, more than the %d allowed",
                                strlen(f->search), ER_KEY_MAX);
    if (f->since_ms < 0 || f->until_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "filter has a time before 1970");
    return 0;
}

static int check_edit(const struct er_store *store, const struct errand_change_params *p,
                      struct errand_error *err)
{
    const struct errand_edit *e = p->edit;
    int rc;

    if (!e)
        return errand_error_set(err, ERRAND_EINVAL, "edit without what to change");
    if (p->ids_n == 0 && p->max)
        return errand_error_set(err, ERRAND_EINVAL,
                                "edit by a filter changes all that match: no maximum");
    if (e->tries && *e->tries < 1)
        return errand_error_set(err, ERRAND_EINVAL, "%d tries: at least 1", *e->tries);
    if (e->run_at_ms && *e->run_at_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "run-at is before 1970");
    if (e->data &&
        (rc = check_size("data", "edit", e->data->len, store->max_data, err)) < 0)
        return rc;
    return e->options ? check_size("options", "edit", e->options->len, ER_TEXT_MAX, err)
                      : 0;
}

int er_check_change(const struct er_store *store, const struct errand_change_params *p,
                    struct errand_error *err)
{
    int rc;

    if ((rc = er_check_now(p->now_ms, err)) < 0)
        return rc;
    if ((p->ids_n == 0) == (p->filter == NULL))
        return errand_error_set(err, ERRAND_EINVAL,
                                "a change takes ids or a filter, one of the two");
    for (size_t i = 0; i < p->ids_n; i++)
        if ((rc = er_check_id("id", &p->ids[i], err)) < 0)
            return rc;
    if (p->filter && (rc = er_check_filter(p->filter, err)) < 0)
        return rc;
    if (p->filter && p->kind == ERRAND_CHANGE_MOVED)
        return errand_error_set(err, ERRAND_EINVAL, "jobs that have moved go by ids");
    return p->kind == ERRAND_CHANGE_EDIT ? check_edit(store, p, err) : 0;
}

int er_check_limit(const struct errand_limit *limit, struct errand_error *err)
{
    int rc;

    if ((rc = er_name_check("limit name", limit->name, err)) < 0)
        return rc;
    if (limit->scope != ERRAND_SCOPE_KEY &&
        (rc = er_name_check("limit target", limit->target, err)) < 0)
        return rc;
    /* As a job's own: longer is a slip of the keyboard, and adds up past the last
     * instant. */
    if (limit->per_ms > RATE_WINDOW_MAX_MS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "limit '%s' is per %lld ms: at most 366 days",
                                limit->name, (long long)limit->per_ms);
    if (limit->target &&
        (rc = er_check_key("limit key", errand_text(limit->target), err)) < 0)
        return rc;
    return check_numbers(limit->name, limit->kind, limit->n, limit->per_ms, err);
}
