/* embed.h: a supervisor on a thread of its own inside somebody's program, and what passes
 * between the two. The program asks by bits and a descriptor, which is safe in a signal
 * handler; the supervisor tells by numbers that anybody may read at any time. */
#ifndef ER_WORKER_EMBED_H
#define ER_WORKER_EMBED_H

#include <uv.h>

#include "errand/worker.h"

struct er_supervisor;

/* The supervisor's end. All do nothing for one that has no host. */
int er_embed_watch(struct er_supervisor *s, struct errand_error *err);
void er_embed_unwatch(struct er_supervisor *s);
/* The first runner has said what it can run: from now on it works. */
void er_embed_is_working(struct er_supervisor *s);
/* A runner did not start. Before the first has, that is the end. */
void er_embed_start_failed(struct er_supervisor *s, const char *why);
void er_embed_warning(struct er_supervisor *s, const char *text);
void er_embed_turn(struct er_supervisor *s);

#endif
