/* fake.c: recording what is dispatched, in place of storing it.
 *
 * It listens where all ways of dispatching meet, at the door of the store, and keeps the
 * store itself away by a rehearsal (store/rehearsal). What was recorded is looked at in
 * fake_check.c. */
#include "client/fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"
#include "store/rehearsal/rehearsal.h"

enum { FIRST_SIZE = 16 };

/* ------------------------------------------------------------------ one job */

static const char *text_copy(errand_fake_queue *q, const char *ptr, size_t len)
{
    const char *copy = errand_arena_copy(q->arena, len ? ptr : "", len);

    if (!copy)
        q->is_short = true;
    return copy ? copy : "";
}

static const char *const *tags_copy(errand_fake_queue *q,
                                    const struct errand_push_job *job)
{
    static const char *const none[] = {NULL};
    const char **tags = errand_arena_alloc(q->arena, (job->tags_n + 1) * sizeof *tags);

    if (!tags) {
        q->is_short = true;
        return none;
    }
    for (size_t i = 0; i < job->tags_n; i++)
        tags[i] = text_copy(q, job->tags[i], strlen(job->tags[i]));
    return tags;
}

/* What the store has no place of its own for stands in the options. */
static void options_copy(errand_fake_queue *q, struct errand_slice json,
                         struct errand_fake_job *ret)
{
    struct er_options options = {0};

    if (er_options_decode(json, q->arena, &options, NULL) < 0) {
        q->is_short = true; /* they were made by this program: only memory can be short */
        return;
    }
    if (options.has & ER_OPT_TIMEOUT)
        ret->timeout = (double)options.timeout_ms / 1000;
    if (options.has & ER_OPT_BACKOFF)
        ret->backoff = options.backoff;
}

static void job_copy(errand_fake_queue *q, const struct errand_push_job *job,
                     int64_t now_ms, struct errand_fake_job *ret)
{
    if (!now_ms)
        now_ms = er_clock_wall_ms(NULL);
    *ret = (struct errand_fake_job){
        .name = text_copy(q, job->name, strlen(job->name)),
        .data = {text_copy(q, job->data.ptr, job->data.len), job->data.len},
        .id = job->id,
        .queue = text_copy(q, job->queue, strlen(job->queue)),
        .tries = job->tries,
        .priority = job->priority,
        .tags = tags_copy(q, job),
        .batch = job->batch,
    };
    if (job->run_at_ms > now_ms) {
        ret->run_at_ms = job->run_at_ms;
        ret->delay_ms = job->run_at_ms - now_ms;
    }
    if (job->unique)
        ret->unique = text_copy(q, job->unique->key.ptr, job->unique->key.len);
    options_copy(q, job->options, ret);
}

/* The entry, to be filled in; NULL without memory. */
static struct errand_fake_job *add(errand_fake_queue *q,
                                   const struct errand_push_job *job, int64_t now_ms)
{
    struct er_fake_entry *entry = errand_arena_alloc(q->arena, sizeof *entry);

    if (entry && q->n == q->size) {
        size_t size = q->size ? q->size * 2 : FIRST_SIZE;
        struct er_fake_entry **list =
            realloc(q->list, size * sizeof(struct er_fake_entry *));
        if (list) {
            q->list = list;
            q->size = size;
        }
    }
    if (!entry || q->n == q->size) {
        q->is_short = true;
        return NULL;
    }
    job_copy(q, job, now_ms, &entry->job);
    er_name_key(entry->job.name, entry->key);
    q->list[q->n++] = entry;
    return &entry->job;
}

/* ------------------------------------------------------------------ what is heard */

static enum errand_fake_way way_of_batch(struct errand_slice options)
{
    struct errand_slice kind;
    enum er_json_type type;

    if (er_json_find(options, "kind", &type, &kind, NULL) < 0)
        return ERRAND_FAKE_BATCH;
    if (er_json_equal(kind, "chain", 5))
        return ERRAND_FAKE_CHAIN;
    return er_json_equal(kind, "flow", 4) ? ERRAND_FAKE_FLOW : ERRAND_FAKE_BATCH;
}

static bool follows_a_batch(const struct errand_push_params *p, size_t child)
{
    for (size_t i = 0; i < p->edges_n; i++)
        if (p->edges[i].child == child && p->edges[i].parent_is_batch)
            return true;
    return false;
}

/* A member's edge to its own batch is no edge that follows: such a push is refused. Only
 * callbacks are looked for, which stand at the end and are few. */
static enum errand_fake_way way_of(const struct errand_push_params *p, size_t i)
{
    if (p->batch && !p->jobs[i].batch.text[0] && follows_a_batch(p, i))
        return ERRAND_FAKE_AFTER;
    if (p->batch)
        return way_of_batch(p->batch->options);
    return p->jobs[i].batch.text[0] ? ERRAND_FAKE_BATCH : ERRAND_FAKE_DISPATCH;
}

static void on_pushed(void *ctx, const struct errand_push_params *p,
                      const struct errand_push_result *result)
{
    errand_fake_queue *q = ctx;

    for (size_t i = 0; i < p->jobs_n; i++) {
        struct errand_fake_job *job = add(q, &p->jobs[i], p->now_ms);
        if (!job)
            continue;
        job->id = result->jobs[i].id;
        job->way = way_of(p, i);
        job->is_duplicate = result->jobs[i].pushed == ERRAND_DUPLICATE;
        job->is_in_transaction = p->transaction != NULL;
    }
}

static void on_fired(void *ctx, const struct errand_fire_params *p,
                     const struct errand_fire_result *result)
{
    struct errand_fake_job *job;

    if (result->fired != ERRAND_FIRED || !p->job || !(job = add(ctx, p->job, p->now_ms)))
        return;
    job->id = result->pushed.id;
    job->way = ERRAND_FAKE_SCHEDULE;
    job->is_duplicate = result->pushed.pushed == ERRAND_DUPLICATE;
}

int er_fake_sync(errand *e, const char *name, struct errand_slice data,
                 const struct errand_options *options, struct errand_error *err)
{
    struct errand_push_job resolved = {0};
    struct errand_fake_job *job;
    int rc;

    if (!e || !e->fake)
        return 0;
    er_arena_reset(e->call);
    if ((rc = er_client_resolve(e, name, data, options, e->call, &resolved, err)) < 0)
        return rc;
    if (!(job = add(e->fake, &resolved, er_clock_wall_ms(e->clock))))
        return er_error_nomem(err);
    job->way = ERRAND_FAKE_SYNC;
    return 1;
}

/* ------------------------------------------------------------------ begin, end */

static void queue_free(errand_fake_queue *q)
{
    if (!q)
        return;
    er_arena_free(q->arena);
    free(q->list);
    free(q);
}

static errand_fake_queue *queue_new(void)
{
    errand_fake_queue *q = calloc(1, sizeof *q);

    if (q && !(q->arena = er_arena_new())) {
        free(q);
        q = NULL;
    }
    return q;
}

int errand_fake(errand *e, struct errand_error *err)
{
    errand_fake_queue *q = queue_new();
    struct er_rehearsal_listener listener = {
        .pushed = on_pushed, .fired = on_fired, .ctx = q};
    struct er_rehearsal *rehearsal;
    int rc;

    if (!q)
        return er_error_nomem(err);
    if ((rc = er_rehearsal_begin(e->store, &rehearsal, err)) < 0 ||
        (rc = er_rehearsal_set_aside(rehearsal, &listener, err)) < 0) {
        queue_free(q);
        return rc;
    }
    queue_free(e->fake);
    e->fake = q;
    return 0;
}

void errand_restore(errand *e)
{
    if (!e || !e->fake)
        return;
    er_rehearsal_put_back(er_rehearsal_of(e->store));
    queue_free(e->fake);
    e->fake = NULL;
}

const errand_fake_queue *errand_get_fake(errand *e)
{
    return e ? e->fake : NULL;
}
