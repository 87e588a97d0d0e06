/* server.h: what the server is and how it is set, as far as promises hang on it. */
#ifndef ER_STORE_REDIS_SERVER_H
#define ER_STORE_REDIS_SERVER_H

#include "store/redis/redis.h"

/* Refuses, at start, a server on which the promises asked for do not hold; p->force
 * accepts what can be accepted. */
int er_redis_server_check(struct er_redis *conn, const struct errand_open_params *p,
                          struct errand_error *err);
int er_redis_op_remarks(struct errand_conn *conn, struct errand_arena *arena,
                        struct errand_remarks_result *ret, struct errand_error *err);

#endif
