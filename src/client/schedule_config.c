/* schedule_config.c: the schedules that stand in errand.yml. */
#include "client/config.h"

#include "base/error.h"
#include "client/schedules.h"

const char *er_config_owner(const struct er_config *config)
{
    return config->name ? config->name : config->project;
}

int er_schedules_bring_config(struct er_store *store, const struct er_config *config,
                              int64_t now_ms, struct errand_error *err)
{
    struct er_schedules_said said = {.from = ER_FROM_CONFIG,
                                     .owner = er_config_owner(config),
                                     .n = config->schedules_n};
    struct errand_arena *arena = er_arena_new();
    struct er_schedule_said *list = NULL;
    int rc;

    if (arena)
        list = errand_arena_alloc(arena, (said.n + 1) * sizeof *list);
    if (!list) {
        rc = er_error_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < said.n; i++)
        list[i] = (struct er_schedule_said){.name = config->schedules[i].name,
                                            .schedule = config->schedules[i].schedule};
    said.list = list;
    rc = er_schedules_bring(store, &said, now_ms, err);
out:
    er_arena_free(arena);
    return rc;
}
