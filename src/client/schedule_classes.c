/* schedule_classes.c: the schedules that job classes bring along.
 *
 * A class is the same class wherever it is deployed: who publishes it decides over its
 * schedule, also when it was another folder or program that put it. A class that is gone
 * takes its schedule along when its owner is the one that put it, and no other: another
 * project that works the same store knows nothing of it. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "client/class.h"
#include "client/schedules.h"

char *er_program_owner(struct errand_arena *arena)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    const char *name;

    path[len > 0 ? len : 0] = '\0';
    name = strrchr(path, '/');
    /* By its name alone: the next release lies in another folder. */
    return er_arena_printf(arena, "program %s", name ? name + 1 : path);
}

int er_schedules_linked(struct errand_arena *arena, struct er_schedule_classes *ret,
                        struct errand_error *err)
{
    struct er_schedule_classes said = {.owner = er_program_owner(arena)};
    size_t n = 0;

    for (const struct errand_job_class *c = er_registry_newest(); c; c = c->next)
        n++;
    said.list = errand_arena_alloc(arena, (n + 1) * sizeof *said.list);
    if (!said.list || !said.owner)
        return er_error_nomem(err);
    for (const struct errand_job_class *c = er_registry_newest(); c; c = c->next) {
        struct er_options options;
        struct errand_error inner = {0};
        if (er_class_options(c, &options, &inner) == 0) {
            bool can_fire = er_options_check_schedule(&options, &inner) == 0;
            said.list[said.n++] = (struct er_schedule_class){
                .name = c->name, .cron = can_fire ? c->schedule : NULL, .zone = c->zone};
            if (can_fire)
                continue;
        } else {
            said.keeps_all = true;
        }
        said.error = er_arena_printf(arena, "class '%s' of this program: %s",
                                     c->name ? c->name : "", inner.message);
        if (!said.error)
            return er_error_nomem(err);
    }
    *ret = said;
    return 0;
}

int er_schedules_bring_classes(struct er_store *store,
                               const struct er_schedule_classes *classes, int64_t now_ms,
                               struct errand_error *err)
{
    struct er_schedules_said said = {.from = ER_FROM_JOB,
                                     .owner = classes->owner,
                                     .keeps_all = classes->keeps_all,
                                     .is_part = classes->is_part};
    struct errand_arena *arena = er_arena_new();
    struct er_schedule_said *list = NULL;
    const char **bare = NULL;
    int rc;

    if (arena) {
        list = errand_arena_alloc(arena, (classes->n + 1) * sizeof *list);
        bare = errand_arena_alloc(arena, (classes->n + 1) * sizeof *bare);
    }
    if (!list || !bare) {
        rc = er_error_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < classes->n; i++) {
        const struct er_schedule_class *c = &classes->list[i];
        if (!c->cron) {
            bare[said.bare_n++] = c->name;
            continue;
        }
        list[said.n].name = c->name;
        list[said.n].schedule = (struct er_schedule){.cron = c->cron, .zone = c->zone};
        said.n++;
    }
    said.list = list;
    said.bare = bare;
    rc = er_schedules_bring(store, &said, now_ms, err);
out:
    er_arena_free(arena);
    return rc;
}
