/* payload.h: the data of a job as its handler is to see it. */
#ifndef ER_WORKER_PAYLOAD_H
#define ER_WORKER_PAYLOAD_H

#include "core/options.h"
#include "errand/client.h"

struct er_attempt;
struct er_supervisor;

/* Looks once at the data of an attempt that is about to start, before any process sees
 * it: opens what is encrypted, and asks whether it is what the class says. False: the
 * attempt has ended with the reason, FAILED for good when no retry changes it; one whose
 * key is not here is tried again. */
bool er_payload_ready(struct er_supervisor *s, struct er_attempt *a);

/* The two looks by themselves, for whoever runs handlers without a supervisor. Data that
 * is not encrypted stays as it is, unless the class (NULL: none) says that its data is:
 * ECORRUPT. The other codes are those of er_unseal and er_data_check. */
int er_payload_open(errand *e, const struct errand_reserved *job,
                    const struct er_options *of_class, struct errand_arena *arena,
                    struct errand_slice *data, struct errand_error *err);
int er_payload_check(const char *name, struct errand_slice data,
                     const struct er_options *options, struct errand_error *err);

#endif
