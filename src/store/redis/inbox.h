/* inbox.h: pushing into the inbox. */
#ifndef ER_STORE_REDIS_INBOX_H
#define ER_STORE_REDIS_INBOX_H

#include "store/redis/redis.h"

enum er_inbox {
    ER_INBOX_NOT,     /* nothing was done: push.lua has to look */
    ER_INBOX_PUT,     /* stored, READY */
    ER_INBOX_PERHAPS, /* nobody knows: push.lua has to look, under the same id */
};

/* Tries to push the one job of p, under that id. Fails only where a failpoint says so. */
int er_inbox_push(struct er_redis *conn, const struct errand_push_params *p,
                  const struct errand_id *id, enum er_inbox *ret,
                  struct errand_error *err);

#endif
