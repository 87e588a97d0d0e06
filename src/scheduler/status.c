/* status.c: what a scheduler says of itself, to any thread. */
#include <string.h>

#include "base/error.h"
#include "core/name.h"
#include "scheduler/handle.h"

/* The caller sees the first member; the arena behind it holds everything. */
struct owned_status {
    struct errand_scheduler_status status;
    struct errand_arena *arena;
};

static const char *text_out(struct errand_arena *arena, const char *text,
                            bool *ret_is_full)
{
    const char *copy = text ? errand_arena_copy(arena, text, strlen(text)) : NULL;

    *ret_is_full |= text && !copy;
    return copy;
}

static int entries_copy(const struct er_agenda *agenda, struct errand_arena *arena,
                        struct errand_scheduler_status *ret)
{
    bool is_full = false;

    ret->entries = errand_arena_alloc(arena, (agenda->n + 1) * sizeof *ret->entries);
    if (!ret->entries)
        return -1;
    for (size_t i = 0; i < agenda->n; i++) {
        const struct er_entry *e = &agenda->entries[i];
        ret->entries[i] = (struct errand_scheduler_entry){
            .name = text_out(arena, e->row.stored.name, &is_full),
            .job = text_out(arena, er_schedule_job(&e->row), &is_full),
            .is_paused = e->row.stored.paused,
            .next_ms = e->next_ms == ER_CRON_NEVER ? 0 : e->next_ms,
            .last_ms = e->last_ms,
            .missed_n = e->missed_n,
            .error = text_out(arena, e->error ? e->error : e->trouble, &is_full),
        };
    }
    ret->entries_n = agenda->n;
    return is_full ? -1 : 0;
}

int errand_scheduler_status(errand_scheduler *s, struct errand_scheduler_status **ret,
                            struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct owned_status *owned = arena ? errand_arena_alloc(arena, sizeof *owned) : NULL;
    int rc = -1;

    if (owned) {
        owned->arena = arena;
        owned->status.is_running = s->is_running;
        pthread_mutex_lock(&s->ticker.lock);
        rc = entries_copy(s->ticker.agenda, arena, &owned->status);
        pthread_mutex_unlock(&s->ticker.lock);
    }
    if (rc < 0) {
        er_arena_free(arena);
        return er_error_nomem(err);
    }
    *ret = &owned->status;
    return 0;
}

void errand_scheduler_status_free(struct errand_scheduler_status *status)
{
    if (status)
        er_arena_free(((struct owned_status *)status)->arena);
}

const struct errand_scheduler_entry *errand_scheduler_entry(
    const struct errand_scheduler_status *status, const char *name)
{
    char wanted[ER_NAME_MAX + 1], key[ER_NAME_MAX + 1];

    for (size_t i = 0; i < status->entries_n; i++)
        if (strcmp(status->entries[i].name, name) == 0)
            return &status->entries[i];
    if (er_name_check("schedule", name, NULL) < 0)
        return NULL;
    er_name_key(name, wanted);
    for (size_t i = 0; i < status->entries_n; i++)
        if (strcmp(er_name_key(status->entries[i].name, key), wanted) == 0)
            return &status->entries[i];
    return NULL;
}
