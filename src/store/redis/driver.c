/* driver.c: the table of operations, which is the one name that the module exports. */
#include "store/redis/driver.h"

#include "store/redis/redis.h"
#include "store/redis/server.h"

const struct errand_driver errand_store_module = {
    .version = ERRAND_DRIVER_VERSION,
    .size = sizeof(struct errand_driver),
    .name = "redis",
    .schemes = (const char *const[]){"redis", "rediss", "redis+unix", "redis+sentinel",
                                     "redis+cluster", "valkey", "valkeys", NULL},
    .capabilities = ERRAND_CAP_SHARED | ERRAND_CAP_DURABLE,
    .open = er_redis_open,
    .close = er_redis_close,
    .abandon = er_redis_abandon,
    .migrate = er_redis_op_migrate,
    ER_STORE_OPS_TABLE(er_redis_op_),
    .again = er_redis_again,
    .remarks = er_redis_op_remarks,
    .clock = er_redis_op_clock,
};
