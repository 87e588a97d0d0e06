/* commands.h: the entries that commands.c lists, one a file. */
#ifndef ER_CLI_COMMANDS_H
#define ER_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct er_command er_cmd_batch;
extern const struct er_command er_cmd_batches;
extern const struct er_command er_cmd_bench;
extern const struct er_command er_cmd_cancel;
extern const struct er_command er_cmd_chain;
extern const struct er_command er_cmd_clear;
extern const struct er_command er_cmd_config_check;
extern const struct er_command er_cmd_dispatch;
extern const struct er_command er_cmd_doctor;
extern const struct er_command er_cmd_events;
extern const struct er_command er_cmd_failed;
extern const struct er_command er_cmd_flow;
extern const struct er_command er_cmd_flush;
extern const struct er_command er_cmd_forget;
extern const struct er_command er_cmd_health;
extern const struct er_command er_cmd_help;
extern const struct er_command er_cmd_inspect;
extern const struct er_command er_cmd_keys_new;
extern const struct er_command er_cmd_keys_rotate;
extern const struct er_command er_cmd_limit;
extern const struct er_command er_cmd_list;
extern const struct er_command er_cmd_make_job;
extern const struct er_command er_cmd_migrate;
extern const struct er_command er_cmd_move;
extern const struct er_command er_cmd_new;
extern const struct er_command er_cmd_notify_test;
extern const struct er_command er_cmd_pause;
extern const struct er_command er_cmd_prune;
extern const struct er_command er_cmd_resume;
extern const struct er_command er_cmd_retry;
extern const struct er_command er_cmd_run;
extern const struct er_command er_cmd_schedule;
extern const struct er_command er_cmd_schedule_delete;
extern const struct er_command er_cmd_schedule_list;
extern const struct er_command er_cmd_schedule_next;
extern const struct er_command er_cmd_schedule_pause;
extern const struct er_command er_cmd_schedule_put;
extern const struct er_command er_cmd_schedule_resume;
extern const struct er_command er_cmd_schedule_trigger;
extern const struct er_command er_cmd_stats;
extern const struct er_command er_cmd_status;
extern const struct er_command er_cmd_work;
extern const struct er_command er_cmd_workers;

#endif
