/* group.c: from what a caller says about a chain, a batch or a flow to one push. */
#include "client/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/item.h"
#include "core/clock.h"
#include "core/id.h"

/* ------------------------------------------------------------------ the batch */

static int id_make(struct er_group *g, struct errand_error *err)
{
    const char *own = g->options->id.text;
    int rc;

    g->has_own_id = own[0] != '\0';
    if (!g->has_own_id) {
        if (er_id_new(&g->e->ids, er_clock_wall_ms(g->e->clock), &g->batch.id) < 0)
            return errand_error_set(err, ERRAND_EIO,
                                    "the system gives no random bytes for an id");
        return 0;
    }
    if ((rc = er_id_parse(own, &g->batch.id, err)) < 0)
        return rc;
    if (strlen(own) > ER_GROUP_ID_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "id '%s' has %zu bytes, %d are allowed: ids of its jobs "
                                "are made of it",
                                own, strlen(own), ER_GROUP_ID_MAX);
    return 0;
}

int er_group_begin(struct er_group *group, errand *e, const char *kind,
                   const struct errand_batch_options *options, struct errand_error *err)
{
    static const struct errand_batch_options none;
    const char *text;
    int rc;

    er_arena_reset(e->call);
    *group = (struct er_group){.e = e, .options = options ? options : &none};
    group->batch.name = group->options->name ? group->options->name : "";
    group->batch.allow_failures = group->options->allow_failures;
    if ((rc = id_make(group, err)) < 0 || (rc = er_definitions_refresh(e, err)) < 0)
        return rc;
    if (!(text = er_arena_printf(e->call, "{\"kind\":\"%s\"}", kind)))
        return er_error_nomem(err);
    group->batch.options = errand_text(text);
    return 0;
}

int er_group_room(struct er_group *group, size_t jobs, size_t edges,
                  struct errand_error *err)
{
    struct errand_arena *arena = group->e->call;

    if (jobs > INT32_MAX - ER_GROUP_CALLBACKS_N)
        return errand_error_set(err, ERRAND_EINVAL, "%zu jobs in one call", jobs);
    jobs += ER_GROUP_CALLBACKS_N;
    edges += ER_GROUP_CALLBACKS_N;
    group->jobs = errand_arena_alloc(arena, jobs * sizeof *group->jobs);
    group->edges = errand_arena_alloc(arena, edges * sizeof *group->edges);
    return group->jobs && group->edges ? 0 : er_error_nomem(err);
}

/* ------------------------------------------------------------------ its jobs */

int er_group_name(struct er_group *group, char separator, const char *name,
                  struct errand_error *err)
{
    struct errand_id *id = &group->next_id;
    int n = snprintf(id->text, sizeof id->text, "%s%c%s", group->batch.id.text, separator,
                     name);

    if (n >= 0 && (size_t)n < sizeof id->text)
        return 0;
    return errand_error_set(
        err, ERRAND_EINVAL, "name '%s' has %zu bytes, %zu are left beside the id '%s'",
        name, strlen(name), ERRAND_ID_MAX - 1 - strlen(group->batch.id.text),
        group->batch.id.text);
}

/* A call that is repeated must give the same ids, or all would be stored twice. */
static int number(struct er_group *group, struct errand_error *err)
{
    char text[24];

    snprintf(text, sizeof text, "%zu", group->jobs_n + 1);
    return er_group_name(group, '/', text, err);
}

int er_group_add(struct er_group *group, const struct errand_dispatch_item *item,
                 bool is_member, struct errand_error *err)
{
    struct errand_push_job *job = &group->jobs[group->jobs_n];
    struct errand_options own;
    const struct errand_options *options = item->options;
    int rc;

    if (!item->name)
        return errand_error_set(err, ERRAND_EINVAL, "it has no name of a job");
    if (item->options && item->options->transaction)
        return errand_error_set(err, ERRAND_EINVAL,
                                "'%s' has a transaction of its own: give it in the "
                                "options of the whole",
                                item->name);
    if (group->has_own_id && !group->next_id.text[0] &&
        !(options && options->id.text[0]) && (rc = number(group, err)) < 0)
        return rc;
    if (group->next_id.text[0]) {
        own = options ? *options : (struct errand_options){0};
        own.id = group->next_id;
        options = &own;
    }
    group->next_id.text[0] = '\0';
    if ((rc = er_resolve(group->e, item->name, item->data, options, group->e->call, job,
                         err)) < 0)
        return rc;
    group->jobs_n++;
    group->given_n += item->options && item->options->id.text[0];
    if (is_member)
        job->batch = group->batch.id;
    return 0;
}

void er_group_edge(struct er_group *group, size_t child, size_t parent,
                   enum errand_edge_on on)
{
    group->edges[group->edges_n++] =
        (struct errand_edge){.child = child, .parent = parent, .on = on};
}

/* ------------------------------------------------------------------ what follows */

static int callback_add(struct er_group *g, const struct errand_dispatch_item *item,
                        enum errand_edge_on on, struct errand_error *err)
{
    static const char *const names[] = {"success", "failure", "finally"};
    int rc;

    if (!item)
        return 0;
    rc = g->has_own_id && !(item->options && item->options->id.text[0])
             ? er_group_name(g, ':', names[on], err)
             : 0;
    if (rc < 0 || (rc = er_group_add(g, item, false, err)) < 0)
        return er_error_wrap(err, rc, on == ERRAND_ON_END ? "%s" : "on_%s", names[on]);
    g->edges[g->edges_n++] = (struct errand_edge){.child = g->jobs_n - 1,
                                                  .parent_id = g->batch.id,
                                                  .parent_is_batch = true,
                                                  .on = on};
    return 0;
}

static int ids_compare(const void *a, const void *b)
{
    const struct errand_push_job *const *one = a, *const *two = b;
    int rc = strcmp((*one)->id.text, (*two)->id.text);

    return rc ? rc : *one < *two ? -1 : *one > *two;
}

/* The second job of one id would not be stored, and a chain would go on without it. */
static int ids_check(const struct er_group *g, struct errand_error *err)
{
    const struct errand_push_job **by_id;

    if (!g->given_n)
        return 0;
    if (!(by_id = errand_arena_alloc(g->e->call, g->jobs_n * sizeof *by_id)))
        return er_error_nomem(err);
    for (size_t i = 0; i < g->jobs_n; i++)
        by_id[i] = &g->jobs[i];
    qsort(by_id, g->jobs_n, sizeof *by_id, ids_compare);
    for (size_t i = 1; i < g->jobs_n; i++)
        if (by_id[i]->id.text[0] && strcmp(by_id[i - 1]->id.text, by_id[i]->id.text) == 0)
            return errand_error_set(
                err, ERRAND_EINVAL, "jobs %td and %td of it have the same id '%s'",
                by_id[i - 1] - g->jobs + 1, by_id[i] - g->jobs + 1, by_id[i]->id.text);
    return 0;
}

int er_group_push(struct er_group *group, struct errand_id *ret_id,
                  struct errand_error *err)
{
    const struct errand_batch_options *o = group->options;
    struct errand_push_result result = {0};
    struct errand_push_params params = {.batch = &group->batch,
                                        .jobs = group->jobs,
                                        .edges = group->edges,
                                        .transaction = o->transaction};
    size_t jobs_n = group->jobs_n;
    int rc, inserted_n = 0;

    if ((rc = callback_add(group, o->on_success, ERRAND_ON_SUCCESS, err)) < 0 ||
        (rc = callback_add(group, o->on_failure, ERRAND_ON_FAILURE, err)) < 0 ||
        (rc = callback_add(group, o->finally, ERRAND_ON_END, err)) < 0)
        return rc;
    if ((rc = ids_check(group, err)) < 0)
        return rc;
    params.jobs_n = group->jobs_n;
    params.edges_n = group->edges_n;
    if ((rc = er_push(group->e, &params, &result, err)) < 0)
        return rc;
    for (size_t i = 0; i < jobs_n; i++)
        inserted_n += result.jobs[i].pushed == ERRAND_INSERTED;
    if (ret_id)
        *ret_id = group->batch.id;
    return inserted_n;
}

/* ------------------------------------------------------------------ without a batch */

int er_items_push(errand *e, const struct er_item *items, size_t n,
                  const struct errand_id *batches, struct errand_push_result *ret,
                  struct errand_error *err)
{
    struct errand_push_params params = {.jobs_n = n};
    struct errand_push_job *jobs;
    int rc;

    if (n == 0)
        return 0;
    er_arena_reset(e->call);
    if ((rc = er_definitions_refresh(e, err)) < 0)
        return rc;
    if (!(jobs = errand_arena_alloc(e->call, n * sizeof *jobs)))
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if ((rc = er_resolve(e, items[i].item.name, items[i].item.data, &items[i].options,
                             e->call, &jobs[i], err)) < 0)
            return n > 1 ? er_error_wrap(err, rc, "job %zu of %zu", i + 1, n) : rc;
        jobs[i].batch = batches[i];
    }
    params.jobs = jobs;
    return er_push(e, &params, ret, err);
}
