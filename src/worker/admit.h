/* admit.h: may this attempt begin? */
#ifndef ER_WORKER_ADMIT_H
#define ER_WORKER_ADMIT_H

#include "client/asked.h"

struct er_attempt;
struct er_ending;
struct er_supervisor;

enum er_admit {
    ER_ADMIT_GO,
    ER_ADMIT_ENDED, /* it was settled without having begun */
    ER_ADMIT_WAIT,  /* the store does not answer: ask again in another turn */
};

/* Asked once, when a place is free for it. A key or limits of its class that the job was
 * pushed without go into the store, with the job (ERRAND_OUT_LIMIT); a key that only the
 * class's code can make is asked of a runner first (the attempt becomes ER_RUN_KEYS).
 * Then the throttle. */
enum er_admit er_admit_ready(struct er_supervisor *s, struct er_attempt *a);
/* The answer to ER_RUN_KEYS, as an ending of the attempt that was to be. */
void er_admit_keys(struct er_supervisor *s, struct er_attempt *a,
                   struct er_ending *ending);

#endif
