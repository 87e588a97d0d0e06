/* definitions.c: what the owners of jobs have published, as this handle knows it, and
 * what the classes of this program say themselves: the code that is at hand knows better
 * than what another process has once said of it.
 *
 * A dispatcher must not ask the store about every job, and must not need a restart when a
 * worker publishes something new: the list is read again when it is older than a second
 * and somebody asks. */
#include "client/handle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "core/clock.h"
#include "core/data.h"
#include "core/name.h"

enum { FRESH_MS = 1000 };

static int by_key(const void *a, const void *b)
{
    const struct er_definition *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : strcmp(x->name, y->name);
}

/* The classes of this program; of several with one key the first to be registered, which
 * is the last of the list. */
static int add_classes(struct er_definitions *d, struct errand_error *err)
{
    for (const struct errand_job_class *c = d->newest; c; c = c->next) {
        char key[ER_NAME_MAX + 1];
        size_t i = 0;

        if (er_name_check("job name", c->name ? c->name : "", NULL) < 0)
            continue;
        er_name_key(c->name, key);
        while (i < d->n && strcmp(d->list[i].key, key) != 0)
            i++;
        if (i == d->n) {
            if (!(d->list[i].key = errand_arena_copy(d->arena, key, strlen(key))))
                return er_error_nomem(err);
            d->n++;
        }
        d->list[i].name = c->name;
        d->list[i].job_class = c;
    }
    return 0;
}

static bool is_held(const struct er_definitions *d, size_t classes_n, const char *key)
{
    for (size_t i = 0; i < classes_n; i++)
        if (strcmp(d->list[i].key, key) == 0)
            return true;
    return false;
}

static int list_fill(struct er_definitions *d,
                     const struct errand_definitions_result *found,
                     struct errand_error *err)
{
    size_t n = found->definitions_n, classes_n;
    int rc;

    for (const struct errand_job_class *c = d->newest; c; c = c->next)
        n++;
    if (n == 0)
        return 0;
    if (!(d->list = errand_arena_alloc(d->arena, n * sizeof *d->list)))
        return er_error_nomem(err);
    if ((rc = add_classes(d, err)) < 0)
        return rc;
    classes_n = d->n;
    for (size_t i = 0; i < found->definitions_n; i++)
        if (!is_held(d, classes_n, found->definitions[i].key))
            d->list[d->n++] = (struct er_definition){.name = found->definitions[i].name,
                                                     .key = found->definitions[i].key,
                                                     .spec = found->definitions[i].spec};
    qsort(d->list, d->n, sizeof *d->list, by_key);
    return 0;
}

static int read_all(errand *e, struct errand_error *err)
{
    struct er_definitions *d = &e->definitions;
    struct errand_definitions_result found = {0};
    int rc;

    d->n = 0;
    d->is_filled = false;
    d->newest = er_registry_newest();
    er_arena_reset(d->arena);
    if ((rc = er_store_definitions(e->store, NULL, d->arena, &found, err)) < 0)
        return er_error_wrap(err, rc, "reading what jobs are published");
    if ((rc = list_fill(d, &found, err)) < 0) {
        d->n = 0;
        return rc;
    }
    d->is_filled = true;
    return 0;
}

int er_definitions_refresh(errand *e, struct errand_error *err)
{
    int64_t now_ms = er_clock_mono_ms(e->clock);
    int rc;

    if (e->definitions.is_filled && now_ms - e->definitions.read_ms < FRESH_MS &&
        e->definitions.newest == er_registry_newest())
        return 0;
    if ((rc = read_all(e, err)) < 0)
        return rc;
    e->definitions.read_ms = now_ms;
    return 0;
}

/* The first definition whose key is not before `key`. */
static size_t lower_bound(const struct er_definitions *d, const char *key)
{
    size_t from = 0, to = d->n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(d->list[mid].key, key) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static struct er_definition *find(struct er_definitions *d, const char *name)
{
    char key[ER_NAME_MAX + 1];
    size_t first = lower_bound(d, er_name_key(name, key));

    for (size_t i = first; i < d->n && strcmp(d->list[i].key, key) == 0; i++)
        if (strcmp(d->list[i].name, name) == 0)
            return &d->list[i];
    if (first < d->n && strcmp(d->list[first].key, key) == 0)
        return &d->list[first];
    return NULL;
}

static int definition_read(struct er_definitions *d, struct er_definition *found,
                           struct errand_error *err)
{
    int rc;

    if (found->job_class) {
        if ((rc = er_class_options(found->job_class, &found->options, err)) < 0)
            return er_error_wrap(err, rc, "class '%s' of this program", found->name);
    } else if ((rc = er_options_decode(found->spec, d->arena, &found->options, err)) <
               0) {
        return er_error_wrap(err, rc, "what is published about job '%s'", found->name);
    }
    if ((rc = er_data_prepare(&found->options, d->arena, err)) < 0)
        return er_error_wrap(err, rc, "job '%s'", found->name);
    found->is_read = true;
    return 0;
}

int er_definitions_find(errand *e, const char *name, const struct er_options **ret,
                        struct errand_error *err)
{
    struct er_definitions *d = &e->definitions;
    struct er_definition *found;
    int rc;

    *ret = NULL;
    if (d->n == 0 || !(found = find(d, name)))
        return 0;
    if (!found->is_read && (rc = definition_read(d, found, err)) < 0)
        return rc;
    *ret = &found->options;
    return 0;
}

int er_client_definition(errand *e, const char *name, const struct er_options **ret,
                         struct errand_error *err)
{
    int rc;

    if ((rc = er_name_check("job name", name, err)) < 0 ||
        (rc = er_definitions_refresh(e, err)) < 0)
        return rc;
    return er_definitions_find(e, name, ret, err);
}

void er_definitions_done(struct er_definitions *definitions)
{
    er_arena_free(definitions->arena);
    *definitions = (struct er_definitions){0};
}
