/* notify.h: the worker's part in telling of failures: it sees to it that every final
 * failure leaves something to do (hooks, driver.h), turns that into records
 * (client/notify.h), and runs what delivers them as a process of its own. */
#ifndef ER_WORKER_NOTIFY_H
#define ER_WORKER_NOTIFY_H

#include "client/notify.h"

struct er_supervisor;
struct er_attempt;
struct er_ending;

struct er_telling {
    int channels; /* bits; 0: nobody is told */
    struct errand_notify settings;
    const char *lack; /* what is left out, to be said once; or NULL */
    const char *host;
    struct er_attempt *first, *last; /* what waits for the store, by `next` */
};

/* Reads options.notify; the queue of notifications becomes one of this worker's. */
int er_telling_init(struct er_supervisor *s, struct errand_error *err);
/* Says once what is left out. */
void er_telling_warn(struct er_supervisor *s);
/* This attempt's final failure is to be told of. */
bool er_telling_wants(const struct er_supervisor *s, const struct er_attempt *attempt);
/* A hook that was handed out: true when it has to wait until its failure is on record. */
bool er_telling_take(struct er_supervisor *s, struct er_attempt *attempt);
/* Asks the store for all that waits for it. */
void er_telling_turn(struct er_supervisor *s);

/* A notification of errand's own is to run: true when it has something to deliver and is
 * to be started; else it has been ended. */
bool er_telling_begin(struct er_supervisor *s, struct er_attempt *attempt);
/* What its process is to read: -1, or a descriptor. */
int er_telling_input(struct er_supervisor *s, const struct er_attempt *attempt);
/* Its process has ended so. */
void er_telling_ended(struct er_supervisor *s, struct er_attempt *attempt,
                      struct er_ending *ending);
/* Its lease is lost: whatever it waits for is somebody else's. */
void er_telling_forget(struct er_supervisor *s, struct er_attempt *attempt);

#endif
