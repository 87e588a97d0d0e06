/* limits.c: rate and concurrency. A rate is an exact sliding window over the times of
 * starts; a concurrency is counted from the jobs that are RUNNING, so that a crash cannot
 * leave it wrong. */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/name.h"

static int limit_by_name(const struct er_node *a, const struct er_node *b)
{
    return strcmp(ER_OWNER(a, struct mem_limit, by_name)->limit.name,
                  ER_OWNER(b, struct mem_limit, by_name)->limit.name);
}

static int limit_key(const void *key, const struct er_node *node)
{
    return strcmp(key, ER_OWNER(node, struct mem_limit, by_name)->limit.name);
}

/* What a limit asks of one job. */
struct applied {
    const char *name;
    struct errand_slice key;
    enum errand_limit_kind kind;
    int64_t n, per_ms;
    const struct mem_limit *set; /* QUEUE and JOB: whose target counts */
};

static int compare_keys(const char *name, struct errand_slice key,
                        const struct er_node *n)
{
    const struct mem_starts *starts = ER_OWNER(n, struct mem_starts, by_key);
    int c = strcmp(name, starts->name);

    return c ? c : er_mem_slice_compare(key, starts->key);
}

static int starts_order(const struct er_node *a, const struct er_node *b)
{
    const struct mem_starts *starts = ER_OWNER(a, struct mem_starts, by_key);

    return compare_keys(starts->name, starts->key, b);
}

static int applied_key(const void *key, const struct er_node *node)
{
    const struct applied *a = key;

    return compare_keys(a->name, a->key, node);
}

void er_mem_limits_init(struct mem_store *store)
{
    er_tree_init(&store->limits, limit_by_name);
    er_tree_init(&store->starts, starts_order);
}

static struct mem_limit *limit_find(const struct mem_store *store, const char *name)
{
    struct er_node *node = er_tree_find(&store->limits, name, limit_key);

    return node ? ER_OWNER(node, struct mem_limit, by_name) : NULL;
}

/* ------------------------------------------------------------------ what applies */

static bool aims_at(const struct errand_limit *limit, const struct mem_job *job)
{
    if (limit->scope == ERRAND_SCOPE_QUEUE)
        return strcmp(limit->target, job->queue->name) == 0;
    return limit->scope == ERRAND_SCOPE_JOB && er_name_is_same(limit->target, job->name);
}

static struct applied by_use(const struct mem_store *store, const struct mem_use *use)
{
    const struct mem_limit *set = limit_find(store, use->name);
    struct applied a = {use->name, use->key, use->kind, use->n, use->per_ms, NULL};

    if (set) {
        a.kind = set->limit.kind;
        a.n = set->limit.n;
        a.per_ms = set->limit.per_ms;
    }
    return a;
}

static struct applied by_limit(const struct mem_limit *set)
{
    const struct errand_limit *l = &set->limit;

    return (struct applied){l->name, {"", 0}, l->kind, l->n, l->per_ms, set};
}

/* A QUEUE or JOB limit that the job brings along under the key "" counts once. */
static bool brings(const struct mem_job *job, const char *name)
{
    for (size_t i = 0; i < job->uses_n; i++)
        if (job->uses[i].key.len == 0 && strcmp(job->uses[i].name, name) == 0)
            return true;
    return false;
}

/* The i-th limit that applies to the job: its own, then those set for queue and name. */
struct walk {
    size_t use;
    struct er_node *set;
};

static bool next_applied(const struct mem_store *store, const struct mem_job *job,
                         struct walk *w, struct applied *ret)
{
    if (w->use < job->uses_n) {
        *ret = by_use(store, &job->uses[w->use++]);
        return true;
    }
    w->set = w->set ? er_tree_next(w->set) : er_tree_first(&store->limits);
    for (; w->set; w->set = er_tree_next(w->set)) {
        const struct mem_limit *set = ER_OWNER(w->set, struct mem_limit, by_name);
        if (aims_at(&set->limit, job) && !brings(job, set->limit.name)) {
            *ret = by_limit(set);
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ counting */

static struct mem_starts *starts_find(const struct mem_store *store,
                                      const struct applied *a)
{
    struct er_node *node = er_tree_find(&store->starts, a, applied_key);

    return node ? ER_OWNER(node, struct mem_starts, by_key) : NULL;
}

/* Starts in the window that ends now; those the clock puts later count as well. */
static size_t in_window(const struct mem_starts *starts, int64_t per_ms, int64_t now_ms)
{
    size_t n = 0;

    while (starts && n < starts->n && starts->at_ms[starts->n - 1 - n] > now_ms - per_ms)
        n++;
    return n;
}

static bool counts(const struct mem_job *job, const struct applied *a)
{
    if (a->set && aims_at(&a->set->limit, job))
        return true;
    for (size_t i = 0; i < job->uses_n; i++)
        if (strcmp(job->uses[i].name, a->name) == 0 &&
            er_mem_slice_compare(job->uses[i].key, a->key) == 0)
            return true;
    return false;
}

static int64_t running(const struct mem_store *store, const struct applied *a)
{
    int64_t n = 0;

    for (struct er_link *l = store->running.first; l; l = l->next)
        n += counts(ER_OWNER(l, struct mem_job, in_running), a);
    return n;
}

bool er_mem_limits_allow(struct mem_call *call, const struct mem_job *job,
                         int64_t *ret_at_ms)
{
    struct applied a;
    struct walk w = {0};
    bool is_allowed = true, is_known = true;

    *ret_at_ms = 0;
    while (next_applied(call->store, job, &w, &a)) {
        if (a.kind == ERRAND_LIMIT_CONCURRENCY) {
            if (running(call->store, &a) >= a.n)
                is_allowed = is_known = false;
            continue;
        }
        const struct mem_starts *starts = starts_find(call->store, &a);
        if ((int64_t)in_window(starts, a.per_ms, call->now_ms) < a.n)
            continue;
        /* The n-th last start has to leave the window. */
        int64_t at_ms = starts->at_ms[starts->n - (size_t)a.n] + a.per_ms;
        is_allowed = false;
        if (at_ms > *ret_at_ms)
            *ret_at_ms = at_ms;
    }
    if (!is_known)
        *ret_at_ms = 0;
    return is_allowed;
}

/* ------------------------------------------------------------------ noting starts */

static struct mem_starts *starts_make(struct mem_store *store, const struct applied *a)
{
    struct mem_starts *starts = starts_find(store, a);

    if (starts)
        return starts;
    if (!(starts = calloc(1, sizeof *starts)))
        return NULL;
    if (!(starts->name = er_mem_dup(a->name)) ||
        er_mem_slice_dup(a->key, &starts->key) < 0) {
        free(starts->name);
        free(starts);
        return NULL;
    }
    er_tree_insert(&store->starts, &starts->by_key);
    return starts;
}

static void starts_free(struct mem_starts *starts)
{
    free(starts->name);
    er_mem_slice_free(&starts->key);
    free(starts->at_ms);
    free(starts);
}

/* Drops what matters to nobody, and makes room for `more`. */
static int starts_room(struct mem_starts *starts, int64_t per_ms, int64_t now_ms,
                       size_t more)
{
    int64_t *at_ms;
    size_t keep;

    if (per_ms > starts->longest_per_ms)
        starts->longest_per_ms = per_ms;
    keep = in_window(starts, starts->longest_per_ms, now_ms);
    if (keep < starts->n)
        memmove(starts->at_ms, starts->at_ms + starts->n - keep,
                keep * sizeof *starts->at_ms);
    starts->n = keep;
    if (starts->n + more <= starts->size)
        return 0;
    if (!(at_ms = realloc(starts->at_ms, 2 * (starts->n + more) * sizeof *at_ms)))
        return -1;
    starts->at_ms = at_ms;
    starts->size = 2 * (starts->n + more);
    return 0;
}

/* In order, also when the clock went back. */
static void starts_add(struct mem_starts *starts, int64_t now_ms)
{
    size_t i = starts->n++;

    for (; i > 0 && starts->at_ms[i - 1] > now_ms; i--)
        starts->at_ms[i] = starts->at_ms[i - 1];
    starts->at_ms[i] = now_ms;
}

int er_mem_limits_start(struct mem_call *call, const struct mem_job *job)
{
    struct mem_starts *starts;
    struct applied a;
    struct walk w = {0};

    while (next_applied(call->store, job, &w, &a))
        if (a.kind == ERRAND_LIMIT_RATE &&
            (!(starts = starts_make(call->store, &a)) ||
             starts_room(starts, a.per_ms, call->now_ms, job->uses_n + 1) < 0))
            return -1;
    w = (struct walk){0};
    while (next_applied(call->store, job, &w, &a))
        if (a.kind == ERRAND_LIMIT_RATE)
            starts_add(starts_find(call->store, &a), call->now_ms);
    return 0;
}

void er_mem_starts_forget(struct mem_call *call)
{
    struct er_node *node = er_tree_first(&call->store->starts);

    while (node) {
        struct mem_starts *starts = ER_OWNER(node, struct mem_starts, by_key);
        node = er_tree_next(node);
        if (in_window(starts, starts->longest_per_ms, call->now_ms))
            continue;
        er_tree_remove(&call->store->starts, &starts->by_key);
        starts_free(starts);
    }
}

/* ------------------------------------------------------------------ rate_take */

int er_mem_op_rate_take(struct errand_conn *conn, const struct errand_rate_params *p,
                        struct errand_rate_result *ret, struct errand_error *err)
{
    struct applied a = {p->name, p->key, ERRAND_LIMIT_RATE, p->n, p->per_ms, NULL};
    struct mem_starts *starts;
    struct mem_call call;
    size_t used;
    int rc = er_mem_begin(&call, conn, "rate_take", p->now_ms, NULL, err);

    if (rc < 0)
        return rc;
    if (!(starts = starts_make(call.store, &a)) ||
        starts_room(starts, p->per_ms, call.now_ms, (size_t)p->take) < 0) {
        rc = er_error_nomem(err);
    } else if ((used = in_window(starts, p->per_ms, call.now_ms)) + (size_t)p->take <=
               (size_t)p->n) {
        for (int64_t i = 0; i < p->take; i++)
            starts_add(starts, call.now_ms);
        ret->allowed = true;
    } else {
        /* So many of those in the window have to leave it. */
        size_t leave = used + (size_t)p->take - (size_t)p->n;
        ret->retry_at_ms = starts->at_ms[starts->n - used + leave - 1] + p->per_ms;
    }
    return er_mem_end(&call, "rate_take", rc, err);
}

/* ------------------------------------------------------------------ setting limits */

static void limit_free(struct mem_limit *limit)
{
    if (!limit)
        return;
    free((char *)limit->limit.name);
    free((char *)limit->limit.target);
    free(limit);
}

static struct mem_limit *limit_new(const struct errand_limit *from)
{
    struct mem_limit *limit = calloc(1, sizeof *limit);

    if (!limit)
        return NULL;
    limit->limit = *from;
    limit->limit.name = er_mem_dup(from->name);
    limit->limit.target = er_mem_dup(from->target ? from->target : "");
    if (limit->limit.name && limit->limit.target)
        return limit;
    limit_free(limit);
    return NULL;
}

int er_mem_op_limit_put(struct errand_conn *conn, const struct errand_limit *limit,
                        struct errand_error *err)
{
    struct mem_limit *old, *made;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "limit_put", 0, NULL, err);

    if (rc < 0)
        return rc;
    if (!(made = limit_new(limit))) {
        rc = er_error_nomem(err);
    } else {
        if ((old = limit_find(call.store, limit->name))) {
            er_tree_remove(&call.store->limits, &old->by_name);
            limit_free(old);
        }
        er_tree_insert(&call.store->limits, &made->by_name);
        call.wakes |= ERRAND_WAIT_READY;
    }
    return er_mem_end(&call, "limit_put", rc, err);
}

int er_mem_op_limit_delete(struct errand_conn *conn, const char *name,
                           struct errand_error *err)
{
    struct mem_limit *limit;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "limit_delete", 0, NULL, err);

    if (rc < 0)
        return rc;
    if (!(limit = limit_find(call.store, name))) {
        rc = errand_error_set(err, ERRAND_ENOTFOUND, "there is no limit '%s'", name);
    } else {
        er_tree_remove(&call.store->limits, &limit->by_name);
        limit_free(limit);
        call.wakes |= ERRAND_WAIT_READY;
    }
    return er_mem_end(&call, "limit_delete", rc, err);
}

void er_mem_limits_free(struct mem_store *store)
{
    struct er_node *node;

    while ((node = er_tree_first(&store->limits))) {
        er_tree_remove(&store->limits, node);
        limit_free(ER_OWNER(node, struct mem_limit, by_name));
    }
    while ((node = er_tree_first(&store->starts))) {
        er_tree_remove(&store->starts, node);
        starts_free(ER_OWNER(node, struct mem_starts, by_key));
    }
}

/* ------------------------------------------------------------------ reading limits */

/* The use of the fullest key: of the starts under this name, or the keys that run. */
static int64_t used(struct mem_call *call, const struct mem_limit *limit)
{
    struct applied a = by_limit(limit);
    int64_t most = 0, n;

    if (a.kind == ERRAND_LIMIT_RATE) {
        for (struct er_node *x = er_tree_first(&call->store->starts); x;
             x = er_tree_next(x)) {
            const struct mem_starts *s = ER_OWNER(x, struct mem_starts, by_key);
            n = strcmp(s->name, a.name) == 0
                    ? (int64_t)in_window(s, a.per_ms, call->now_ms)
                    : 0;
            most = n > most ? n : most;
        }
        return most;
    }
    if (limit->limit.scope != ERRAND_SCOPE_KEY)
        most = running(call->store, &a);
    a.set = NULL;
    for (struct er_link *l = call->store->running.first; l; l = l->next) {
        const struct mem_job *job = ER_OWNER(l, struct mem_job, in_running);
        for (size_t i = 0; i < job->uses_n; i++) {
            a.key = job->uses[i].key;
            n = strcmp(job->uses[i].name, a.name) == 0 ? running(call->store, &a) : 0;
            most = n > most ? n : most;
        }
    }
    return most;
}

static bool is_under(const struct mem_store *store, const struct mem_job *job,
                     const struct mem_limit *limit)
{
    struct applied a;
    struct walk w = {0};

    while (next_applied(store, job, &w, &a))
        if (strcmp(a.name, limit->limit.name) == 0)
            return true;
    return false;
}

static int64_t waiting(struct mem_call *call, const struct mem_limit *limit)
{
    int64_t n = 0, at_ms;

    for (struct er_node *q = er_tree_first(&call->store->queues); q;
         q = er_tree_next(q)) {
        struct mem_queue *queue = ER_OWNER(q, struct mem_queue, by_name);
        for (struct er_node *x = er_tree_first(&queue->ready); x; x = er_tree_next(x)) {
            const struct mem_job *job = ER_OWNER(x, struct mem_job, in_line);
            n += is_under(call->store, job, limit) &&
                 !er_mem_limits_allow(call, job, &at_ms);
        }
    }
    return n;
}

static int limits(struct mem_call *call, struct errand_limits_result *ret)
{
    size_t n = 0;

    ret->limits =
        errand_arena_alloc(call->arena, call->store->limits.n * sizeof *ret->limits);
    if (!ret->limits)
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->limits); x;
         x = er_tree_next(x)) {
        const struct mem_limit *limit = ER_OWNER(x, struct mem_limit, by_name);
        struct errand_limit_info *row = &ret->limits[n++];
        row->limit = limit->limit;
        row->limit.name = er_mem_out(call, limit->limit.name);
        row->limit.target = er_mem_out(call, limit->limit.target);
        if (!row->limit.name || !row->limit.target)
            return -1;
        row->used = used(call, limit);
        row->waiting = waiting(call, limit);
    }
    ret->limits_n = n;
    return 0;
}

int er_mem_op_limits(struct errand_conn *conn, int64_t now_ms, struct errand_arena *arena,
                     struct errand_limits_result *ret, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "limits", now_ms, arena, err);

    if (rc < 0)
        return rc;
    if (limits(&call, ret) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "limits", rc, err);
}
