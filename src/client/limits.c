/* limits.c: limits that are set by hand. */
#include "errand/limit.h"

#include <string.h>

#include "base/error.h"
#include "client/handle.h"
#include "core/json.h"
#include "core/name.h"
#include "store/store.h"

struct owned_list {
    struct errand_limit_list list; /* first: what the caller has is this */
    struct errand_arena *arena;
};

/* The name of a limit means what it says to the letter, as that of a queue. Two that
 * differ in spelling only are a slip: the jobs keep to one of them. */
static int spelling_check(errand *e, const char *name, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_limits_result found = {0};
    const char *alike = NULL;
    int rc = 0;

    if (!arena)
        return er_error_nomem(err);
    rc = er_store_limits(e->store, 0, arena, &found, err);
    for (size_t i = 0; i < found.limits_n; i++) {
        const char *other = found.limits[i].limit.name;

        if (strcmp(other, name) == 0) {
            alike = NULL;
            break;
        }
        if (er_name_is_same(other, name))
            alike = other;
    }
    if (alike)
        rc = errand_error_set(err, ERRAND_EINVAL,
                              "limit '%s': there is '%s' already, which differs in "
                              "spelling only",
                              name, alike);
    er_arena_free(arena);
    return rc;
}

int errand_limit_set(errand *e, const struct errand_limit *limit,
                     struct errand_error *err)
{
    int rc;

    if ((unsigned)limit->kind > ERRAND_LIMIT_CONCURRENCY ||
        (unsigned)limit->scope > ERRAND_SCOPE_KEY)
        return errand_error_set(
            err, ERRAND_EINVAL, "limit '%s': kind %d or scope %d has no meaning",
            limit->name ? limit->name : "", (int)limit->kind, (int)limit->scope);
    if (limit->scope == ERRAND_SCOPE_KEY && limit->target &&
        (rc = er_template_check(limit->target, err)) < 0)
        return er_error_wrap(err, rc, "limit '%s'", limit->name ? limit->name : "");
    if ((rc = er_name_check("limit name", limit->name, err)) < 0 ||
        (rc = spelling_check(e, limit->name, err)) < 0)
        return rc;
    return er_store_limit_put(e->store, limit, err);
}

int errand_limit_remove(errand *e, const char *name, struct errand_error *err)
{
    return er_store_limit_delete(e->store, name ? name : "", err);
}

int errand_limit_list(errand *e, struct errand_limit_list **ret, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_limits_result found = {0};
    struct owned_list *owned = NULL;
    int rc;

    if (arena)
        owned = errand_arena_alloc(arena, sizeof *owned);
    if (!owned) {
        er_arena_free(arena);
        return er_error_nomem(err);
    }
    if ((rc = er_store_limits(e->store, 0, arena, &found, err)) < 0) {
        er_arena_free(arena);
        return rc;
    }
    owned->arena = arena;
    owned->list = (struct errand_limit_list){found.limits, found.limits_n};
    *ret = &owned->list;
    return 0;
}

void errand_limit_list_free(struct errand_limit_list *list)
{
    if (list)
        er_arena_free(((struct owned_list *)list)->arena);
}
