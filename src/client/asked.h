/* asked.h: what a class asks of the store for one job: the unique key and the limits,
 * made from its options and the data. For the dispatcher, and for a worker that finds a
 * job whose dispatcher did not know of them. */
#ifndef ER_CLIENT_ASKED_H
#define ER_CLIENT_ASKED_H

#include "base/arena.h"
#include "core/options.h"
#include "errand/driver.h"
#include "errand/middleware.h"

enum { ER_CLIENT_KEY_MAX = 512, ER_ASKED_LIMITS_MAX = 2 };

struct er_asked {
    bool is_unique;
    struct errand_unique unique;
    struct errand_limit_use limits[ER_ASKED_LIMITS_MAX];
    size_t limits_n;
    uint32_t missing; /* enum er_key_function: keys that only the class's code can make */
};

/* Keys that functions of a class have made; NULL: not known. */
struct er_keys {
    const char *unique, *rate, *concurrency;
};

/* Calls the key functions of a list. EINVAL that names the one that failed. */
int er_keys_make(const struct errand_middleware *list, const char *name,
                 struct errand_slice data, struct errand_arena *arena,
                 struct er_keys *ret, struct errand_error *err);

/* All that `definition` says for a job `name` with this data. EINVAL: the data has not
 * what a template names, or a key is too long. */
int er_asked_make(const char *name, const struct er_options *definition,
                  const struct er_keys *keys, struct errand_slice data,
                  struct errand_arena *arena, struct er_asked *ret,
                  struct errand_error *err);
/* The same of what a call says, where keys are keys; it stands before the definition. */
int er_asked_call(const char *name, const struct er_options *call,
                  struct errand_arena *arena, struct er_asked *ret,
                  struct errand_error *err);

/* The key that a template means, at most ER_CLIENT_KEY_MAX bytes; "" for NULL. `what` is
 * for messages: "rate key". */
int er_asked_key(const char *what, const char *name, const char *template_text,
                 struct errand_slice data, struct errand_arena *arena, const char **ret,
                 struct errand_error *err);
/* The name of a limit: its own, else one of the job's. In the arena; NULL: no memory. */
const char *er_asked_name(const char *what, const char *own, const char *name,
                          struct errand_arena *arena);

#endif
