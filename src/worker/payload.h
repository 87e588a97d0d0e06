/* payload.h: the data of a job as its handler is to see it. */
#ifndef ER_WORKER_PAYLOAD_H
#define ER_WORKER_PAYLOAD_H

#include <stdbool.h>

struct er_attempt;
struct er_supervisor;

/* Looks once at the data of an attempt that is about to start, before any process sees
 * it: opens what is encrypted, and asks whether it is what the class says. False: the
 * attempt has ended with the reason, FAILED for good when no retry changes it; one whose
 * key is not here is tried again. */
bool er_payload_ready(struct er_supervisor *s, struct er_attempt *a);

#endif
