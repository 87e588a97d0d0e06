/* retention.h: completed jobs whose time is over go, by whoever works on the store. */
#ifndef ER_WORKER_RETENTION_H
#define ER_WORKER_RETENTION_H

#include "errand/client.h"

struct er_supervisor;

struct er_retention {
    struct errand_prune_params policy;
    int64_t at_ms; /* the next look; 0: everything is kept */
};

void er_retention_init(struct er_supervisor *s, const struct errand_config *config);
void er_retention_turn(struct er_supervisor *s);

#endif
