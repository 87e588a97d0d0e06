/* client.h: the inside of an `errand` handle, for the layers above. */
#ifndef ER_CLIENT_CLIENT_H
#define ER_CLIENT_CLIENT_H

#include "core/options.h"
#include "errand/client.h"
#include "store/store.h"

struct er_store *er_client_store(errand *e); /* borrowed */

/* A push as the store wants it, from what a caller says: resolves options (call,
 * published definition, queue, configuration, default), checks name, data and ranges,
 * expands key templates. Strings live in `arena`. */
int er_client_resolve(errand *e, const char *name, struct errand_slice data,
                      const struct errand_options *options, struct errand_arena *arena,
                      struct errand_push_job *ret, struct errand_error *err);

#endif
