/* reload.h: what can be run here, and noticing when it changes. */
#ifndef ER_WORKER_RELOAD_H
#define ER_WORKER_RELOAD_H

#include "errand/types.h"

struct er_supervisor;
struct er_runner;

/* What runs here is told to the store, once more. */
void er_reload_publish(struct er_supervisor *s);
void er_reload_watch(struct er_supervisor *s);
void er_reload_unwatch(struct er_supervisor *s);
/* Sees to it that a runner has said what there is; after a change, that a new one says it
 * again and the old ones go. */
void er_reload_turn(struct er_supervisor *s);
void er_reload_hello(struct er_supervisor *s, struct er_runner *runner,
                     struct errand_slice about);

#endif
