/* missing.c: operations that are not written yet; gone when all are. */
#include "base/error.h"
#include "store/redis/redis.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define MISSING(name, ...)                                                         \
    int er_redis_op_##name(struct errand_conn *conn, __VA_ARGS__,                  \
                           struct errand_error *err)                               \
    {                                                                              \
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "%s is not written yet", \
                                #name);                                            \
    }
MISSING(change, const struct errand_change_params *p, struct errand_arena *arena,
        struct errand_change_result *ret)
