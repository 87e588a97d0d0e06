/* retention.c: once a minute a bounded number of completed jobs that are over their age
 * goes. Stores drop the excess over the number kept when they settle, but nobody settles
 * on a queue that has gone quiet. */
#include "worker/retention.h"

#include "client/client.h"
#include "worker/settle.h"
#include "worker/supervisor.h"

enum {
    LOOK_MS = 60000,
    AGAIN_MS = 100, /* more than one look can take: soon, with room for others between */
    MOST = 1000,
};

void er_retention_init(struct er_supervisor *s, const struct errand_config *config)
{
    struct er_retention *r = &s->retention;

    er_client_retention(config ? config : &(struct errand_config){0}, &r->policy);
    r->policy.max = MOST;
    if (r->policy.age_ms[ERRAND_COMPLETED] >= 0)
        r->at_ms = 1; /* the first look is at once */
}

void er_retention_turn(struct er_supervisor *s)
{
    struct er_retention *r = &s->retention;
    struct errand_error err = {0};
    size_t n = 0;

    if (!r->at_ms || s->mode != ER_WORKING)
        return;
    if (s->now_ms >= r->at_ms && er_settle_may_ask(s)) {
        if (er_store_prune(s->store, &r->policy, &n, &err) < 0)
            er_settle_store_failed(s, &err);
        r->at_ms = s->now_ms + (n >= MOST ? AGAIN_MS : LOOK_MS);
    }
    er_supervisor_wake_at(s, r->at_ms);
}
