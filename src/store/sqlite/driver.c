/* driver.c: the table of operations on SQLite. docs/stores/sqlite.md tells how the file
 * is laid out. */
#include "store/drivers.h"
#include "store/sqlite/limits.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/push.h"
#include "store/sqlite/scan.h"
#include "store/sqlite/settle.h"
#include "store/sqlite/wake.h"

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
    .push = er_sqlite_push,
    .exchange = er_sqlite_exchange,
    .extend = er_sqlite_extend,
    .reap = er_sqlite_reap,
    .change = er_sqlite_change,
    .prune = er_sqlite_prune,
    .get = er_sqlite_get,
    .list = er_sqlite_list,
    .count = er_sqlite_count,
    .queues = er_sqlite_queues,
    .queue_pause = er_sqlite_queue_pause,
    .limit_put = er_sqlite_limit_put,
    .limit_delete = er_sqlite_limit_delete,
    .limits = er_sqlite_limits,
    .rate_take = er_sqlite_rate_take,
    .lock = er_sqlite_lock,
    .unlock = er_sqlite_unlock,
    .batch_get = er_sqlite_batch_get,
    .batch_cancel = er_sqlite_batch_cancel,
    .batches = er_sqlite_batches,
    .schedule_put = er_sqlite_schedule_put,
    .schedule_delete = er_sqlite_schedule_delete,
    .schedule_pause = er_sqlite_schedule_pause,
    .schedules = er_sqlite_schedules,
    .fire = er_sqlite_fire,
    .beat = er_sqlite_beat,
    .workers = er_sqlite_workers,
    .command = er_sqlite_command,
    .define = er_sqlite_define,
    .definitions = er_sqlite_definitions,
    .events_add = er_sqlite_events_add,
    .events_read = er_sqlite_events_read,
    .stats_add = er_sqlite_stats_add,
    .stats_read = er_sqlite_stats_read,
    .wait_fd = er_sqlite_wait_fd,
    .wait_arm = er_sqlite_wait_arm,
    .check = er_sqlite_check,
    .again = er_sqlite_again,
    .load = er_sqlite_load,
};
