/* driver.c: the table of operations on PostgreSQL, and what the module exports.
 * docs/stores/postgres.md tells how a database is laid out. */
#include "store/postgres/open.h"
#include "store/postgres/ops.h"

const struct errand_driver errand_store_module = {
    .version = ERRAND_DRIVER_VERSION,
    .size = sizeof(struct errand_driver),
    .name = "postgres",
    .schemes = (const char *const[]){"postgres", "postgresql", NULL},
    .capabilities = ERRAND_CAP_TRANSACTION | ERRAND_CAP_SHARED | ERRAND_CAP_DURABLE,
    .open = er_pg_open,
    .close = er_pg_close,
    .abandon = er_pg_abandon,
    .migrate = er_pg_migrate,
    ER_STORE_OPS_TABLE(er_pg_op_),
    .again = er_pg_again,
    .remarks = er_pg_op_remarks,
    .clock = er_pg_op_clock,
};
