/* config_named.c: groups of the configuration whose members have names of their own. */
#include <string.h>

#include "base/error.h"
#include "client/config_parts.h"
#include "core/name.h"

enum { QUEUES_MAX = 1000, SCHEDULES_MAX = 10000 };

bool er_config_is_named(const char *pattern)
{
    return strcmp(pattern, "queues") == 0 || strcmp(pattern, "schedules") == 0;
}

/* Room for one more behind `n`: the array, or a copy that is twice as long at every power
 * of two. */
static void *room(struct errand_arena *arena, void *array, size_t n, size_t item)
{
    void *more;

    if ((n & (n - 1)) != 0)
        return array;
    more = errand_arena_alloc(arena, (n ? 2 * n : 1) * item);
    if (more && n)
        memcpy(more, array, n * item);
    return more;
}

int er_config_queue_add(struct er_config *config, const char *name,
                        const struct er_config_place *place, struct er_config_queue **ret,
                        struct errand_error *err)
{
    size_t n = config->queues_n;
    struct er_config_queue *more;

    if (er_config_queue_find(config, name))
        return er_config_error(place, err, "queue '%s' stands here twice", name);
    if (er_name_check("queue", name, NULL) < 0)
        return er_config_error(place, err, "'%s' is not the name of a queue", name);
    if (n == QUEUES_MAX)
        return er_config_error(place, err, "more than %d queues", QUEUES_MAX);
    more = room(config->arena, config->queues, n, sizeof *more);
    if (!more)
        return er_error_nomem(err);
    config->queues = more;
    config->queues[n] = (struct er_config_queue){
        .name = errand_arena_copy(config->arena, name, strlen(name))};
    if (!config->queues[n].name)
        return er_error_nomem(err);
    config->queues_n++;
    *ret = &config->queues[n];
    return 0;
}

static const struct er_config_schedule *schedule_find(const struct er_config *config,
                                                      const char *name)
{
    char wanted[ER_NAME_MAX + 1], key[ER_NAME_MAX + 1];

    er_name_key(name, wanted);
    for (size_t i = 0; i < config->schedules_n; i++)
        if (strcmp(er_name_key(config->schedules[i].name, key), wanted) == 0)
            return &config->schedules[i];
    return NULL;
}

int er_config_schedule_add(struct er_config *config, const char *name,
                           const struct er_config_place *place,
                           struct er_config_schedule **ret, struct errand_error *err)
{
    size_t n = config->schedules_n;
    struct er_config_schedule *more, *added;

    if (er_name_check("schedule", name, NULL) < 0)
        return er_config_error(place, err, "'%s' is not the name of a schedule", name);
    if (schedule_find(config, name))
        return er_config_error(place, err, "schedule '%s' stands here twice", name);
    if (n == SCHEDULES_MAX)
        return er_config_error(place, err, "more than %d schedules", SCHEDULES_MAX);
    if (!(more = room(config->arena, config->schedules, n, sizeof *more)))
        return er_error_nomem(err);
    config->schedules = more;
    added = &more[n];
    *added = (struct er_config_schedule){
        .name = errand_arena_copy(config->arena, name, strlen(name)),
        .place = er_arena_printf(config->arena, "%s:%zu:%zu", place->file, place->line,
                                 place->column)};
    if (!added->name || !added->place)
        return er_error_nomem(err);
    config->schedules_n++;
    *ret = added;
    return 0;
}
