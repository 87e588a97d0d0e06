/* driver.c: the table of operations on SQLite. docs/stores/sqlite.md tells how the file
 * is laid out. */
#include "store/drivers.h"
#include "store/sqlite/open.h"

const struct errand_driver er_sqlite_driver = {
    .version = ERRAND_DRIVER_VERSION,
    .size = sizeof(struct errand_driver),
    .name = "sqlite",
    .schemes = (const char *const[]){"sqlite", NULL},
    .capabilities = ERRAND_CAP_TRANSACTION | ERRAND_CAP_SHARED | ERRAND_CAP_DURABLE,
    .open = er_sqlite_open,
    .close = er_sqlite_close,
    .abandon = er_sqlite_abandon,
    .migrate = er_sqlite_migrate,
    ER_STORE_OPS_TABLE(er_sqlite_),
    .again = er_sqlite_again,
};
