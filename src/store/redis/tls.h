/* tls.h: TLS on a connection, where hiredis was built with it. */
#ifndef ER_STORE_REDIS_TLS_H
#define ER_STORE_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "store/redis/target.h"

/* Speaks TLS on the link from now on. The certificate must be for `host`, and signed by
 * an authority of the target's file or of the system. EUNSUPPORTED: built without. */
int er_tls_start(const struct er_redis_target *target, const char *host,
                 redisContext *link, struct errand_error *err);

#endif
