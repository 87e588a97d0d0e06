/* commands.c: all commands, in the order of the overview. */
#include "cli/commands.h"

const struct er_command *const er_commands[] = {
    /* Start */
    &er_cmd_new,
    &er_cmd_make_job,
    /* Dispatch and work */
    &er_cmd_dispatch,
    &er_cmd_run,
    &er_cmd_chain,
    &er_cmd_batch,
    &er_cmd_flow,
    &er_cmd_work,
    /* Look */
    &er_cmd_list,
    &er_cmd_status,
    &er_cmd_inspect,
    &er_cmd_batches,
    &er_cmd_workers,
    &er_cmd_events,
    &er_cmd_health,
    &er_cmd_stats,
    /* Failed jobs */
    &er_cmd_failed,
    &er_cmd_retry,
    &er_cmd_forget,
    &er_cmd_flush,
    /* Operate */
    &er_cmd_cancel,
    &er_cmd_pause,
    &er_cmd_resume,
    &er_cmd_limit,
    &er_cmd_clear,
    &er_cmd_prune,
    /* Schedules */
    &er_cmd_schedule,
    &er_cmd_schedule_list,
    &er_cmd_schedule_next,
    &er_cmd_schedule_put,
    &er_cmd_schedule_delete,
    &er_cmd_schedule_trigger,
    &er_cmd_schedule_pause,
    &er_cmd_schedule_resume,
    /* Look after it */
    &er_cmd_migrate,
    &er_cmd_move,
    &er_cmd_doctor,
    &er_cmd_config_check,
    &er_cmd_notify_test,
    &er_cmd_keys_new,
    &er_cmd_keys_rotate,
    &er_cmd_bench,
    &er_cmd_help,
};
const size_t er_commands_n = sizeof er_commands / sizeof *er_commands;
