/* failed.c: jobs that have failed for good: looking at them, retrying, removing. */
#include "client/failed.h"

#include "base/error.h"
#include "client/handle.h"
#include "core/clock.h"
#include "core/id.h"
#include "errand/failed.h"

enum { CHUNK = 1000, PAGE = 100 };

/* ------------------------------------------------------------------ filters */

struct errand_filter er_failed_filter(const char *queue, int64_t now_ms, int64_t older_ms)
{
    return (struct errand_filter){
        .states = 1u << ERRAND_FAILED, .queue = queue, .until_ms = now_ms + 1 - older_ms};
}

static struct errand_filter filter_make(const struct errand_failed_filter *said)
{
    struct errand_filter filter = {.states = 1u << ERRAND_FAILED};

    if (!said)
        return filter;
    filter.queue = said->queue;
    filter.name = said->name;
    filter.tag = said->tag;
    filter.search = said->search;
    filter.since_ms = said->since_ms;
    filter.until_ms = said->until_ms;
    return filter;
}

/* The same, but nothing that fails from now on, or so shortly before. */
static struct errand_filter filter_before(const errand *e,
                                          const struct errand_failed_filter *said,
                                          int64_t older_ms)
{
    int64_t until_ms = er_client_wall_ms(e) + 1 - older_ms;
    struct errand_filter filter = filter_make(said);

    if (!filter.until_ms || filter.until_ms > until_ms)
        filter.until_ms = until_ms;
    return filter;
}

/* ------------------------------------------------------------------ many */

/* What stands at `after` and behind it, in the order of insertion. The last one of the
 * page before may be gone meanwhile: then from the beginning, which only asks again what
 * was refused. */
static int page_read(struct er_store *store, const struct errand_filter *filter,
                     const struct errand_id *after, struct errand_arena *arena,
                     struct errand_list_result *ret, struct errand_error *err)
{
    struct errand_list_params params = {.filter = *filter, .after = *after, .max = CHUNK};
    int rc = er_store_list(store, &params, arena, ret, err);

    if (rc != ERRAND_ENOTFOUND || !after->text[0])
        return rc;
    params.after = (struct errand_id){0};
    return er_store_list(store, &params, arena, ret, err);
}

static int page_retry(struct er_store *store, const struct errand_list_result *page,
                      struct errand_arena *arena, int64_t *ret_n,
                      struct errand_error *err)
{
    struct errand_change_params params = {.kind = ERRAND_CHANGE_RETRY,
                                          .ids_n = page->jobs_n};
    struct errand_id *ids =
        errand_arena_alloc(arena, (page->jobs_n + 1) * sizeof(struct errand_id));
    struct errand_change_result result = {0};
    int rc;

    if (!ids)
        return er_error_nomem(err);
    for (size_t i = 0; i < page->jobs_n; i++)
        ids[i] = page->jobs[i].id;
    params.ids = ids;
    if (!page->jobs_n)
        return 0;
    if ((rc = er_store_change(store, &params, arena, &result, err)) < 0)
        return rc;
    *ret_n += (int64_t)result.changed_n;
    return 0;
}

/* By pages, not by the filter: a job whose unique key is taken stays failed, and a
 * thousand of these in front would hide all others from it. */
static int retry_all(struct er_store *store, const struct errand_filter *filter,
                     int64_t *ret_n, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_list_result page = {.more = true};
    struct errand_id after = {0};
    int64_t left = 0;
    int rc = arena ? er_store_count(store, filter, 0, &left, err) : er_error_nomem(err);

    while (rc == 0 && page.more && left > 0) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        if ((rc = page_read(store, filter, &after, arena, &page, err)) < 0 ||
            (rc = page_retry(store, &page, arena, ret_n, err)) < 0)
            break;
        left -= (int64_t)page.jobs_n;
        if (page.jobs_n)
            after = page.jobs[page.jobs_n - 1].id;
    }
    er_arena_free(arena);
    return rc;
}

static int change_all(struct er_store *store, enum errand_change_kind kind,
                      const struct errand_filter *filter, int64_t *ret_n,
                      struct errand_error *err)
{
    struct errand_change_params params = {.kind = kind, .filter = filter};
    struct errand_change_result result = {.more = true};
    struct errand_arena *arena = er_arena_new();
    int64_t left = 0;
    int rc = arena ? er_store_count(store, filter, 0, &left, err) : er_error_nomem(err);

    while (rc == 0 && result.more && left > 0) {
        params.max = left < CHUNK ? (size_t)left : CHUNK;
        er_arena_reset(arena);
        result = (struct errand_change_result){0};
        if ((rc = er_store_change(store, &params, arena, &result, err)) < 0)
            break;
        *ret_n += (int64_t)result.changed_n;
        left -= (int64_t)result.matched_n;
    }
    er_arena_free(arena);
    return rc;
}

int er_failed_change(struct er_store *store, enum errand_change_kind kind,
                     const struct errand_filter *filter, int64_t *ret_n,
                     struct errand_error *err)
{
    *ret_n = 0;
    return kind == ERRAND_CHANGE_RETRY ? retry_all(store, filter, ret_n, err)
                                       : change_all(store, kind, filter, ret_n, err);
}

static int change_failed(errand *e, enum errand_change_kind kind,
                         const struct errand_filter *filter, int64_t *ret_n,
                         struct errand_error *err)
{
    int64_t n = 0;
    int rc = er_failed_change(e->store, kind, filter, &n, err);

    if (ret_n)
        *ret_n = n;
    return rc;
}

int errand_failed_retry_all(errand *e, const struct errand_failed_filter *filter,
                            int64_t *ret_n, struct errand_error *err)
{
    struct errand_filter all = filter_before(e, filter, 0);

    return change_failed(e, ERRAND_CHANGE_RETRY, &all, ret_n, err);
}

int errand_failed_flush(errand *e, const struct errand_failed_filter *filter,
                        double older_than, int64_t *ret_n, struct errand_error *err)
{
    struct errand_filter all;
    int64_t older_ms;
    int rc;

    if ((rc = er_seconds_to_ms("older_than", older_than, &older_ms, err)) < 0)
        return rc;
    all = filter_before(e, filter, older_ms);
    return change_failed(e, ERRAND_CHANGE_DELETE, &all, ret_n, err);
}

/* ------------------------------------------------------------------ looking */

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_list {
    struct errand_failed_list list;
    struct errand_arena *arena;
};

int errand_failed_list(errand *e, const struct errand_failed_filter *filter,
                       const struct errand_id *after, size_t max,
                       struct errand_failed_list **ret, struct errand_error *err)
{
    struct errand_list_params params = {.filter = filter_make(filter),
                                        .newest_first = true,
                                        .max = max ? max : PAGE,
                                        .with_data = true};
    struct errand_list_result found = {0};
    struct errand_arena *arena = er_arena_new();
    struct owned_list *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    int rc;

    if (after)
        params.after = *after;
    rc = owned ? er_store_list(e->store, &params, arena, &found, err)
               : er_error_nomem(err);
    if (rc < 0) {
        er_arena_free(arena);
        return rc;
    }
    owned->list = (struct errand_failed_list){found.jobs, found.jobs_n, found.more};
    owned->arena = arena;
    *ret = &owned->list;
    return 0;
}

void errand_failed_list_free(struct errand_failed_list *list)
{
    if (list)
        er_arena_free(((struct owned_list *)list)->arena);
}

int errand_failed_count(errand *e, const struct errand_failed_filter *filter,
                        int64_t *ret_n, struct errand_error *err)
{
    struct errand_filter all = filter_make(filter);

    return er_store_count(e->store, &all, 0, ret_n, err);
}

int errand_failed_find(errand *e, const struct errand_id *id,
                       struct errand_job_detail **ret, struct errand_error *err)
{
    struct errand_job_detail *detail;
    int rc;

    if ((rc = errand_get(e, id, &detail, err)) < 0)
        return rc;
    if (detail->job.state == ERRAND_FAILED) {
        *ret = detail;
        return 0;
    }
    rc = errand_error_set(err, ERRAND_ENOTFOUND, "job %s has not failed: it is %s",
                          id->text, errand_state_name(detail->job.state));
    errand_detail_free(detail);
    return rc;
}

/* ------------------------------------------------------------------ one */

static int change_one(errand *e, enum errand_change_kind kind, const struct errand_id *id,
                      struct errand_error *err)
{
    struct errand_change_params params = {.kind = kind, .ids = id, .ids_n = 1};
    struct errand_change_result result = {0};
    struct errand_id checked;
    int rc;

    if ((rc = er_id_parse(id->text, &checked, err)) < 0)
        return rc;
    er_arena_reset(e->call);
    if ((rc = er_store_change(e->store, &params, e->call, &result, err)) < 0)
        return rc;
    switch (result.changed[0]) {
    case ERRAND_CHANGED:
        return 0;
    case ERRAND_NO_SUCH_JOB:
        return errand_error_set(err, ERRAND_ENOTFOUND, "no job '%s'", id->text);
    case ERRAND_WRONG_STATE:
        return errand_error_set(err, ERRAND_ECONFLICT, "job '%s' has not failed",
                                id->text);
    case ERRAND_KEY_TAKEN:
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "job '%s' cannot be retried: another job holds its "
                                "unique key now",
                                id->text);
    }
    return errand_error_set(err, ERRAND_EINTERNAL, "the store answered %d",
                            (int)result.changed[0]);
}

int errand_failed_retry(errand *e, const struct errand_id *id, struct errand_error *err)
{
    return change_one(e, ERRAND_CHANGE_RETRY, id, err);
}

int errand_failed_delete(errand *e, const struct errand_id *id, struct errand_error *err)
{
    struct errand_job_detail *detail;
    enum errand_state state;
    int rc;

    if ((rc = errand_get(e, id, &detail, err)) < 0)
        return rc;
    state = detail->job.state;
    errand_detail_free(detail);
    if (state != ERRAND_FAILED && state != ERRAND_CANCELLED)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "job '%s' has not failed: it is %s", id->text,
                                errand_state_name(state));
    return change_one(e, ERRAND_CHANGE_DELETE, id, err);
}
