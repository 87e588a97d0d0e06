/* worker_view.h: what a worker's heartbeat says about it, in words. */
#ifndef ER_CLIENT_WORKER_VIEW_H
#define ER_CLIENT_WORKER_VIEW_H

#include "base/arena.h"
#include "errand/driver.h"

struct er_worker_view {
    const char *state; /* alive quiet stopping blocked killed gone */
    bool takes_jobs;
    const char *trouble, *remedy; /* NULL: none */
    const char *alert;            /* what health calls the trouble; NULL: it is none */
};

/* Texts live in the arena, or are constants. */
void er_worker_view(const struct errand_worker_info *worker, struct errand_arena *arena,
                    struct er_worker_view *ret);
/* Does it work this queue? One that names none works all. */
bool er_worker_serves(const struct errand_worker_info *worker, const char *queue);

#endif
