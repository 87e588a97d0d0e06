/* schedules.h: the schedules of a store as the layers above see them, and bringing them
 * in line with what errand.yml or a set of job classes says. */
#ifndef ER_CLIENT_SCHEDULES_H
#define ER_CLIENT_SCHEDULES_H

#include "core/schedule.h"
#include "errand/schedule.h"
#include "store/store.h"

/* One that is stored. `error` is set when its spec cannot be read; then `spec` is empty
 * but for HAND, so that nobody writes over it. */
struct er_schedule_row {
    struct errand_schedule stored;
    struct er_schedule spec;
    const char *error;
};

struct er_schedule_rows {
    struct er_schedule_row *rows; /* by name */
    size_t n;
    int64_t identity; /* of the store; 0: it does not tell */
};

int er_schedules_read(struct er_store *store, struct errand_arena *arena,
                      struct er_schedule_rows *ret, struct errand_error *err);
/* Since when a slot of it waits to be fired, when it has waited so long that no scheduler
 * can be running; else 0. */
int64_t er_schedule_overdue(const struct er_schedule_row *row, int64_t now_ms);
/* Exact name first, then without case and separators; NULL. */
const struct er_schedule_row *er_schedules_find(const struct er_schedule_rows *rows,
                                                const char *name);

/* Stores a schedule that has been checked, unless `there` (NULL: nothing) is the same.
 * Its slots count from now_ms when it, its cron line or its zone is new. 1 when something
 * was written, else 0. */
int er_schedule_write(struct er_store *store, const char *name,
                      const struct er_schedule *schedule,
                      const struct er_schedule_row *there, int64_t now_ms,
                      struct errand_error *err);

/* The job of a dispatch, as the schedule says it. */
const char *er_schedule_job(const struct er_schedule_row *row);

/* ------------------------------------------------------------------ who says what */

struct er_schedule_said {
    const char *name;
    struct er_schedule schedule; /* from and owner are filled in */
};

/* What one owner says at one time. Those of the same owner that it no longer says go
 * away; those that somebody with more right has put stay as they are. */
struct er_schedules_said {
    enum er_schedule_from from;
    const char *owner;
    const struct er_schedule_said *list;
    size_t n;
    /* Names of job classes without a schedule, whose schedule goes away whoever of the
     * classes' owners put it: the class is the same wherever it is deployed. */
    const char *const *bare;
    size_t bare_n;
    bool keeps_all; /* not everything could be read: remove nothing */
    bool is_part;   /* the owner has more: of its own remove the bare ones alone */
};

int er_schedules_bring(struct er_store *store, const struct er_schedules_said *said,
                       int64_t now_ms, struct errand_error *err);

/* Job classes of one owner, as much as a schedule needs of them. */
struct er_schedule_class {
    const char *name;
    const char *cron, *zone; /* cron NULL: it has no schedule, or one that cannot fire */
};
struct er_schedule_classes {
    const char *owner;
    struct er_schedule_class *list;
    size_t n;
    bool keeps_all;    /* there are others that could not be read */
    bool is_part;      /* there are others */
    const char *error; /* NULL, or why */
};
/* Those that are linked into this program, which is their owner. */
int er_schedules_linked(struct errand_arena *arena, struct er_schedule_classes *ret,
                        struct errand_error *err);
/* "program NAME", of the program that runs; NULL: out of memory */
char *er_program_owner(struct errand_arena *arena);
int er_schedules_bring_classes(struct er_store *store,
                               const struct er_schedule_classes *classes, int64_t now_ms,
                               struct errand_error *err);

struct er_config;
/* What stands in errand.yml, by its project. */
int er_schedules_bring_config(struct er_store *store, const struct er_config *config,
                              int64_t now_ms, struct errand_error *err);

#endif
