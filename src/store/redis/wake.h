/* wake.h: the connection that a sleeper is woken by. */
#ifndef ER_STORE_REDIS_WAKE_H
#define ER_STORE_REDIS_WAKE_H

#include "store/redis/redis.h"

/* The store is now asked at another node, or by another connection: who sleeps is woken,
 * because what follows may be told elsewhere. */
void er_redis_wake_moved(struct er_redis *conn);
/* After each call of the store: who was woken and has not armed again since works, and
 * need not be told more. */
void er_redis_wake_rest(struct er_redis *conn);

#endif
