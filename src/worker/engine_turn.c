/* engine_turn.c: what is due: leases, cancels, time-outs, the dead, the heartbeat. */
#include "worker/engine_inside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum {
    REAP_MOST = 100,
    CONTROL_MS = 50, /* a host that is woken may be wanted by somebody: asked so often */
};

static struct er_held *held_find(errand_engine *g, int64_t token,
                                 const struct errand_id *id)
{
    for (struct er_held *h = g->held; h; h = h->next)
        if (h->lot->token == token && strcmp(h->job.id.text, id->text) == 0)
            return h;
    return NULL;
}

static void stop_mark(struct er_held *h, enum errand_engine_stop why)
{
    if (h->job.stop < why)
        h->job.stop = why;
}

static void extended(errand_engine *g, const struct errand_extend_params *p,
                     const struct errand_extend_result *got)
{
    for (size_t i = 0; i < got->cancelled_n; i++) {
        struct er_held *h = held_find(g, got->cancelled[i].token, &got->cancelled[i].id);

        if (h) {
            h->is_cancel_wanted = true;
            stop_mark(h, ERRAND_ENGINE_CANCELLED);
        }
    }
    for (size_t i = 0; i < p->tokens_n; i++)
        for (struct er_held *h = g->held; got->leases[i] == ERRAND_LOST && h; h = h->next)
            if (h->lot->token == p->tokens[i])
                stop_mark(h, ERRAND_ENGINE_LOST);
}

static int extend(errand_engine *g, struct errand_error *err)
{
    struct errand_extend_params p = {.lease_ms = g->lease_ms};
    struct errand_extend_result got = {0};
    struct errand_progress *progress;
    int64_t *tokens;
    size_t lots_n = 0;
    int rc;

    for (struct er_lot_held *lot = g->lots; lot; lot = lot->next)
        lots_n++;
    er_arena_reset(g->call);
    tokens = errand_arena_alloc(g->call, (lots_n + 1) * sizeof *tokens);
    progress = errand_arena_alloc(g->call, (g->held_n + 1) * sizeof *progress);
    if (!tokens || !progress)
        return er_error_nomem(err);
    for (struct er_lot_held *lot = g->lots; lot; lot = lot->next)
        tokens[p.tokens_n++] = lot->token;
    for (struct er_held *h = g->held; h; h = h->next)
        if (h->has_progress)
            progress[p.progress_n++] =
                (struct errand_progress){h->reserved->token,
                                         h->reserved->key,
                                         h->job.id,
                                         h->percent,
                                         {h->note, strlen(h->note)}};
    p.tokens = tokens;
    p.progress = progress;
    if ((rc = er_store_extend(g->store, &p, g->call, &got, err)) < 0)
        return rc;
    for (struct er_held *h = g->held; h; h = h->next)
        h->has_progress = false;
    extended(g, &p, &got);
    g->is_control_due = false;
    g->extended_ms = er_engine_now();
    g->extend_at_ms = g->extended_ms + g->lease_ms / 3;
    return 0;
}

static int reap(errand_engine *g, struct errand_error *err)
{
    struct errand_reap_params p = {.max = REAP_MOST};
    struct errand_reap_result got = {0};
    int rc;

    er_arena_reset(g->call);
    if ((rc = er_store_reap(g->store, &p, g->call, &got, err)) < 0)
        return rc;
    if (got.ready_n || got.hooks_n)
        g->look_at_ms = 0;
    g->reap_at_ms = got.more ? 0 : er_engine_now() + g->lease_ms / 3;
    return 0;
}

static int beat(errand_engine *g, struct errand_error *err)
{
    char info[160];
    struct errand_beat_params p = {.worker = g->name, .ttl_ms = g->lease_ms};
    struct errand_beat_result got = {0};
    int rc,
        len = snprintf(info, sizeof info, "{\"pid\":%ld,\"engine\":true,\"running\":%zu}",
                       (long)getpid(), g->held_n);

    p.info = (struct errand_slice){info, (size_t)len};
    er_arena_reset(g->call);
    if ((rc = er_store_beat(g->store, &p, g->call, &got, err)) == 0)
        g->beat_at_ms = er_engine_now() + g->lease_ms / 3;
    return rc;
}

int64_t errand_engine_timeout_ms(errand_engine *g)
{
    int64_t now = er_engine_now(), at = g->look_at_ms;

    at = g->reap_at_ms < at ? g->reap_at_ms : at;
    at = g->beat_at_ms < at ? g->beat_at_ms : at;
    if (g->stats.n && g->stats.flush_at_ms < at)
        at = g->stats.flush_at_ms;
    if (g->held && g->extend_at_ms < at)
        at = g->extend_at_ms;
    for (const struct er_held *h = g->held; h; h = h->next)
        if (h->job.timeout_ms > 0 && h->job.stop == ERRAND_ENGINE_RUNS &&
            h->started_mono_ms + h->job.timeout_ms < at)
            at = h->started_mono_ms + h->job.timeout_ms;
    return at > now ? at - now : 0;
}

int errand_engine_turn(errand_engine *g, struct errand_error *err)
{
    int64_t now = er_engine_now();
    bool wants_extend = now >= g->extend_at_ms;
    int rc = 0;

    for (struct er_held *h = g->held; h; h = h->next) {
        wants_extend = wants_extend || h->has_progress;
        if (h->job.timeout_ms > 0 && now - h->started_mono_ms >= h->job.timeout_ms)
            stop_mark(h, ERRAND_ENGINE_LATE);
    }
    /* Woken before anything is due: somebody may want a job of ours stopped. */
    if (now < g->look_at_ms && now - g->extended_ms >= CONTROL_MS)
        wants_extend = true;
    if (g->held && (wants_extend || g->is_control_due))
        rc = extend(g, err);
    if (rc == 0 && now >= g->reap_at_ms)
        rc = reap(g, err);
    if (rc == 0 && now >= g->beat_at_ms)
        rc = beat(g, err);
    if (rc == 0 && g->stats.n && now >= g->stats.flush_at_ms)
        er_engine_count_flush(g);
    return rc;
}
