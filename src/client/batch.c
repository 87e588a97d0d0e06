/* batch.c: looking at jobs that belong together, waiting for them, cancelling them. */
#include <string.h>

#include "base/error.h"
#include "client/group.h"
#include "core/clock.h"
#include "errand/flow.h"

enum { PROGRESS_MS = 250 };

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_result {
    struct errand_batch_result result;
    struct errand_arena *arena;
};

/* ------------------------------------------------------------------ one look */

/* Batches that something else than errand_chain and errand_flow has made say nothing. */
static const char *kind_of(struct errand_slice options)
{
    static const char *const kinds[] = {"chain", "flow"};
    struct errand_slice value;
    enum er_json_type type;

    if (er_json_find(options, "kind", &type, &value, NULL) == 0 && type == ER_JSON_STRING)
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (er_json_equal(value, kinds[i], strlen(kinds[i])))
                return kinds[i];
    return "batch";
}

struct errand_batch_result er_batch_result_of(const struct errand_batch_info *info)
{
    int64_t ended = info->total - info->pending;
    const char *kind = kind_of(info->options);

    return (struct errand_batch_result){
        .id = info->id,
        .name = info->name,
        .kind = kind,
        /* of the others the edges decide */
        .allow_failures = info->allow_failures && strcmp(kind, "batch") == 0,
        .is_cancelled = info->cancelled,
        .total = info->total,
        .pending = info->pending,
        .successful = ended - info->failed - info->cancelled_n,
        .failed = info->failed,
        .cancelled = info->cancelled_n,
        .percent = info->total ? (int)(ended * 100 / info->total) : 100,
        .created_ms = info->created_ms,
        .ended_ms = info->ended_ms,
    };
}

int er_batch_failures(struct er_store *store, const struct errand_id *batch, size_t max,
                      struct errand_arena *arena, struct errand_list_result *ret,
                      struct errand_error *err)
{
    const struct errand_list_params list = {
        .filter = {.states = 1u << ERRAND_FAILED, .batch = *batch},
        .max = max,
        .with_data = true};

    return er_store_list(store, &list, arena, ret, err);
}

static int failures_fill(errand *e, struct owned_result *owned, struct errand_error *err)
{
    struct errand_batch_result *result = &owned->result;
    struct errand_list_result found = {0};
    struct errand_failure *failures;
    int rc;

    if (!result->failed)
        return 0;
    if ((rc = er_batch_failures(e->store, &result->id, ERRAND_FAILURES_MAX, owned->arena,
                                &found, err)) < 0)
        return rc;
    failures = errand_arena_alloc(owned->arena, found.jobs_n * sizeof *failures);
    if (!failures)
        return er_error_nomem(err);
    for (size_t i = 0; i < found.jobs_n; i++)
        failures[i] = (struct errand_failure){.id = found.jobs[i].id,
                                              .name = found.jobs[i].name,
                                              .data = found.jobs[i].data,
                                              .error = found.jobs[i].error};
    result->failures = failures;
    result->failures_n = found.jobs_n;
    return 0;
}

int errand_batch_get(errand *e, const struct errand_id *batch,
                     struct errand_batch_result **ret_result, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct owned_result *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    struct errand_batch_info info = {0};
    int rc;

    if (!owned) {
        rc = er_error_nomem(err);
        goto out;
    }
    owned->arena = arena;
    if ((rc = er_store_batch_get(e->store, batch, arena, &info, err)) < 0)
        goto out;
    owned->result = er_batch_result_of(&info);
    if ((rc = failures_fill(e, owned, err)) < 0)
        goto out;
    *ret_result = &owned->result;
    return 0;
out:
    er_arena_free(arena);
    return rc;
}

void errand_batch_result_free(struct errand_batch_result *result)
{
    if (result)
        er_arena_free(((struct owned_result *)result)->arena);
}

/* ------------------------------------------------------------------ waiting */

struct watch {
    const struct errand_id *batch;
    const struct errand_batch_waiter *waiter;
    int64_t pending, told_ms; /* as last told */
};

static void progress_tell(struct watch *w, const struct errand_batch_info *info)
{
    struct errand_batch_result result;
    int64_t now_ms = er_clock_mono_ms(NULL);

    if (!w->waiter->progress || w->pending == info->pending)
        return;
    if (!info->ended_ms && w->told_ms && now_ms - w->told_ms < PROGRESS_MS)
        return;
    result = er_batch_result_of(info);
    w->pending = info->pending;
    w->told_ms = now_ms;
    w->waiter->progress(&result, w->waiter->ctx);
}

static int look(errand *e, void *ctx, struct errand_error *err)
{
    struct watch *w = ctx;
    struct errand_batch_info info = {0};
    int rc;

    er_arena_reset(e->call);
    if ((rc = er_store_batch_get(e->store, w->batch, e->call, &info, err)) < 0)
        return rc;
    progress_tell(w, &info);
    return info.ended_ms != 0;
}

static void ended_tell(const struct errand_batch_waiter *w,
                       const struct errand_batch_result *result)
{
    bool is_success = result->failed == 0 && result->cancelled == 0;

    if (is_success && w->on_success)
        w->on_success(result, w->ctx);
    if (!is_success && w->on_failure)
        w->on_failure(result, w->ctx);
    if (w->finally)
        w->finally(result, w->ctx);
}

int errand_batch_wait(errand *e, const struct errand_id *batch,
                      const struct errand_batch_waiter *waiter,
                      struct errand_batch_result **ret_result, struct errand_error *err)
{
    static const struct errand_batch_waiter none;
    struct watch watch = {
        .batch = batch, .waiter = waiter ? waiter : &none, .pending = -1};
    int64_t timeout_ms = watch.waiter->timeout_ms;
    struct errand_batch_result *result;
    int rc;

    timeout_ms = timeout_ms == 0 ? -1 : timeout_ms < 0 ? 0 : timeout_ms;
    if ((rc = er_wait_until(e, timeout_ms, look, &watch, err)) == ERRAND_ETIMEOUT)
        return errand_error_set(err, rc, "batch %s has not ended after %lld ms",
                                batch->text, (long long)timeout_ms);
    if (rc < 0 || (rc = errand_batch_get(e, batch, &result, err)) < 0)
        return rc;
    ended_tell(watch.waiter, result);
    if (ret_result)
        *ret_result = result;
    else
        errand_batch_result_free(result);
    return 0;
}

/* ------------------------------------------------------------------ cancelling */

int errand_batch_cancel(errand *e, const struct errand_id *batch,
                        struct errand_error *err)
{
    size_t n = 0;
    int rc = er_store_batch_cancel(e->store, batch, 0, &n, err);

    if (rc < 0)
        return rc;
    return n > INT32_MAX ? INT32_MAX : (int)n;
}
