/* seal_job.h: a job on its way into the store, of which the store shall not see the data.
 */
#ifndef ER_CLIENT_SEAL_JOB_H
#define ER_CLIENT_SEAL_JOB_H

#include "base/arena.h"
#include "errand/driver.h"

struct errand;
struct er_key_ring;

/* Seals its data, and hides what was made of it: unique key and keys of limits. Gives it
 * an id when it has none: from here on name, queue and id stay as they are. EINVAL: no
 * key ring, or the policy `replace`, which would put the data under another job's id.
 * Leaves a job alone that a fake records. */
int er_seal_job(struct errand *e, struct errand_push_job *job, struct errand_arena *arena,
                struct errand_error *err);
/* Hides the keys of what a worker asks for a job whose data was sealed; `ring` is not
 * NULL. */
struct er_asked;
int er_seal_asked(const struct er_key_ring *ring, struct er_asked *asked,
                  struct errand_arena *arena, struct errand_error *err);
/* The ring of a handle, read when it is first needed; NULL when none is configured. */
int er_client_keys(struct errand *e, const struct er_key_ring **ret,
                   struct errand_error *err);
/* The same, but reads the file again: a key may have been put there. */
int er_client_keys_again(struct errand *e, const struct er_key_ring **ret,
                         struct errand_error *err);

#endif
