/* fake.h: a handle that records what is dispatched through it (errand/testing.h). */
#ifndef ER_CLIENT_FAKE_H
#define ER_CLIENT_FAKE_H

#include "client/handle.h"
#include "core/name.h"
#include "errand/testing.h"

struct er_fake_entry {
    struct errand_fake_job job; /* first: whoever has the one has the other */
    char key[ER_NAME_MAX + 1];  /* of its name */
};

struct errand_fake_queue {
    struct errand_arena *arena; /* owns all of it */
    struct er_fake_entry **list;
    size_t n, size;
    bool is_short; /* memory ran out: some were not recorded */
};

/* Called where a job is about to run at once. 1: it was recorded, and is not to run; 0:
 * the handle is no fake (or NULL); or the error that dispatching it would be. */
int er_fake_sync(errand *e, const char *name, struct errand_slice data,
                 const struct errand_options *options, struct errand_error *err);

#endif
