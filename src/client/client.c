/* client.c: opening and closing a handle, and looking at one job. Dispatching is in
 * dispatch.c, waiting in wait.c, who decides in resolve.c. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/config.h"
#include "client/handle.h"
#include "client/keys.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "errand/testing.h"

enum { BUSY_MS = 30000, DEPTH_MAX = 1000 };
#define COMPLETED_MS (24 * 3600 * INT64_C(1000))
enum { COMPLETED_N = 10000 };

/* ------------------------------------------------------------------ what a config says
 */

static int check_numbers(const struct errand_config *c, struct errand_error *err)
{
    if (c->busy_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "busy_ms: %lld is negative",
                                (long long)c->busy_ms);
    if (c->max_data > ER_CLIENT_DATA_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "max_data: %zu is over 16 MiB",
                                c->max_data);
    if (c->max_depth < 0 || c->max_depth > DEPTH_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "max_depth: %d is not from 1 to %d",
                                c->max_depth, DEPTH_MAX);
    if (c->keep_completed_ms < ERRAND_KEEP_ALL)
        return errand_error_set(err, ERRAND_EINVAL, "keep_completed_ms: %lld is negative",
                                (long long)c->keep_completed_ms);
    if (c->keep_completed_n < ERRAND_KEEP_ALL)
        return errand_error_set(err, ERRAND_EINVAL, "keep_completed_n: %lld is negative",
                                (long long)c->keep_completed_n);
    return 0;
}

/* The level below the queues, as options. */
static int base_fill(errand *e, const struct errand_config *c, struct errand_error *err)
{
    struct er_options level = {0};
    int rc;

    if (c->queue) {
        level.has |= ER_OPT_QUEUE;
        level.queue = errand_arena_copy(e->own, c->queue, strlen(c->queue));
        if (!level.queue)
            return er_error_nomem(err);
    }
    if (c->tries) {
        level.has |= ER_OPT_TRIES;
        level.tries = c->tries == ERRAND_NO_RETRY ? 1 : c->tries;
    }
    if ((rc = er_seconds_to_ms("timeout", c->timeout, &level.timeout_ms, err)) < 0)
        return rc;
    if (level.timeout_ms > 0)
        level.has |= ER_OPT_TIMEOUT;
    if ((rc = er_options_check(&level, err)) < 0 ||
        (rc = er_backoff_check(&c->backoff, err)) < 0)
        return rc;
    e->base = level;
    if (e->config)
        er_options_fill(&e->base, &e->config->defaults);
    er_options_fill(&e->base, &er_options_default);
    er_levels_below(e, &e->plain);
    return 0;
}

static int64_t keep(int64_t said, int64_t standard)
{
    if (said == 0)
        return standard;
    if (said == ERRAND_KEEP_NONE)
        return 0;
    return said == ERRAND_KEEP_ALL ? -1 : said;
}

void er_client_retention(const struct errand_config *config,
                         struct errand_prune_params *ret)
{
    *ret = (struct errand_prune_params){0};
    for (int state = 0; state < ERRAND_STATES_N; state++)
        ret->age_ms[state] = ret->keep_n[state] = -1;
    ret->age_ms[ERRAND_COMPLETED] = keep(config->keep_completed_ms, COMPLETED_MS);
    ret->keep_n[ERRAND_COMPLETED] = keep(config->keep_completed_n, COMPLETED_N);
}

static struct er_store_options store_options(const struct errand_config *c)
{
    struct errand_prune_params kept;

    er_client_retention(c, &kept);
    return (struct er_store_options){
        .open = {.durable = c->durable,
                 .create = !c->must_exist && !c->read_only,
                 .read_only = c->read_only,
                 .force = c->force,
                 .busy_ms = c->busy_ms ? c->busy_ms : BUSY_MS,
                 .keep_completed_ms = kept.age_ms[ERRAND_COMPLETED],
                 .keep_completed_n = kept.keep_n[ERRAND_COMPLETED]},
        /* A class may take more than the configuration says: its dispatch checks that. */
        .max_data = ER_CLIENT_DATA_MAX,
    };
}

/* ------------------------------------------------------------------ open, close */

static int open_handle(errand *e, const char *url, const struct errand_config *c,
                       struct errand_error *err)
{
    struct er_store_options options = store_options(c);
    int rc;

    er_buf_init(&e->text, 1 << 20);
    e->own = er_arena_new();
    e->call = er_arena_new();
    e->definitions.arena = er_arena_new();
    if (!e->own || !e->call || !e->definitions.arena)
        return er_error_nomem(err);
    e->busy_ms = options.open.busy_ms;
    e->json.max_bytes = c->max_data ? c->max_data : ER_CLIENT_DATA_DEFAULT;
    e->json.max_depth = c->max_depth;
    if (c->keys && !(e->keys_path = errand_arena_copy(e->own, c->keys, strlen(c->keys))))
        return er_error_nomem(err);
    if ((rc = check_numbers(c, err)) < 0 || (rc = base_fill(e, c, err)) < 0)
        return rc;
    return er_store_open(url, &options, &e->store, err);
}

static int open_with(const char *url, const struct errand_config *client,
                     const struct er_config *config, errand **ret,
                     struct errand_error *err)
{
    static const struct errand_config standard;
    errand *e = calloc(1, sizeof *e);
    int rc;

    if (!e)
        return er_error_nomem(err);
    e->config = config;
    if ((rc = open_handle(e, url, client ? client : &standard, err)) < 0) {
        errand_close(e);
        return rc;
    }
    *ret = e;
    return 0;
}

errand *errand_open(const char *url, const struct errand_config *config,
                    struct errand_error *err)
{
    errand *e = NULL;

    if (!url) {
        errand_error_set(err, ERRAND_EINVAL,
                         "no URL was given; write \"sqlite:errand.db\"");
        return NULL;
    }
    open_with(url, config, NULL, &e, err);
    return e;
}

int er_client_open(const struct er_config *config, errand **ret_client,
                   struct errand_error *err)
{
    return open_with(config->url, &config->client, config, ret_client, err);
}

void errand_close(errand *e)
{
    if (!e)
        return;
    errand_restore(e);
    er_store_close(e->store);
    er_key_ring_free(e->keys);
    er_definitions_done(&e->definitions);
    er_buf_done(&e->text);
    er_arena_free(e->call);
    er_arena_free(e->own);
    free(e);
}

struct er_store *er_client_store(errand *e)
{
    return e->store;
}

int64_t er_client_wall_ms(const errand *e)
{
    if (e && e->clock)
        return er_clock_wall_ms(e->clock);
    return er_store_wall_ms(e ? e->store : NULL);
}

void er_client_clock(errand *e, const struct er_clock *clock)
{
    e->clock = clock;
}

/* ------------------------------------------------------------------ one job */

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_detail {
    struct errand_job_detail detail;
    struct errand_arena *arena;
};

int errand_get(errand *e, const struct errand_id *id,
               struct errand_job_detail **ret_detail, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct owned_detail *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    int rc;

    if (!owned) {
        rc = er_error_nomem(err);
        goto out;
    }
    owned->arena = arena;
    if ((rc = er_store_get(e->store, id, 0, arena, &owned->detail, err)) < 0)
        goto out;
    *ret_detail = &owned->detail;
    return 0;
out:
    er_arena_free(arena);
    return rc;
}

void errand_detail_free(struct errand_job_detail *detail)
{
    if (detail)
        er_arena_free(((struct owned_detail *)detail)->arena);
}
