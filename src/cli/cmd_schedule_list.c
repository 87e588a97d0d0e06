/* cmd_schedule_list.c: errand schedule:list: what is dispatched when. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "core/clock.h"
#include "core/schedule.h"

static const struct er_column columns[] = {
    {.title = "NAME", .max = 40},
    {.title = "CRON", .max = 32},
    {.title = "ZONE", .max = 24},
    {.title = "NEXT"},
    {.title = "LAST"},
    {.title = "MISSED", .is_right = true},
    {.title = "FROM"},
    {.title = "JOB", .max = 40},
};

static void next_cell(struct er_table *table, const struct errand_schedule_info *s,
                      int64_t now_ms)
{
    char when[ER_WHEN_SIZE];

    if (s->error)
        er_table_str(table, ER_RED, "cannot fire");
    else if (s->is_paused)
        er_table_str(table, ER_YELLOW, "paused");
    else if (s->overdue_ms)
        er_table_str(table, ER_RED, er_ago_text(s->overdue_ms, now_ms, when));
    else
        er_table_str(table, ER_PLAIN,
                     s->next_ms ? er_ago_text(s->next_ms, now_ms, when) : "never");
}

static void notes_print(struct er_cli *cli, const struct errand_schedule_list *list)
{
    bool is_overdue = false;

    for (size_t i = 0; i < list->schedules_n; i++) {
        const struct errand_schedule_info *s = &list->schedules[i];
        if (s->error)
            er_cli_note(cli, "schedule '%s' cannot fire: %s", s->name, s->error);
        is_overdue = is_overdue || (!s->error && s->overdue_ms);
    }
    if (is_overdue)
        er_cli_note(cli, "no scheduler runs, and what is past in NEXT has not fired → "
                         "errand queue:schedule, or errand queue:work --schedule");
}

static int table_print(struct er_cli *cli, const struct errand_schedule_list *list,
                       struct errand_error *err)
{
    struct er_table *table =
        er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);
    int64_t now_ms = er_store_wall_ms(cli->store);
    char when[ER_WHEN_SIZE];

    if (!table)
        return er_error_nomem(err);
    for (size_t i = 0; i < list->schedules_n; i++) {
        const struct errand_schedule_info *s = &list->schedules[i];
        er_table_str(table, ER_BOLD, s->name);
        er_table_str(table, ER_PLAIN, s->cron);
        er_table_str(table, ER_PLAIN, s->zone);
        next_cell(table, s, now_ms);
        er_table_str(table, ER_PLAIN, er_ago_text(s->last_ms, now_ms, when));
        er_table_int(table, s->missed_n ? ER_YELLOW : ER_DIM, s->missed_n);
        er_table_str(table, ER_PLAIN, s->from);
        er_table_str(table, ER_PLAIN, s->job);
    }
    er_table_flush(table);
    er_table_free(table);
    notes_print(cli, list);
    if (list->schedules_n == 0)
        er_cli_note(cli, "no schedules; errand schedule:put NAME \"0 8 * * *\" puts one");
    return 0;
}

static void lines_print(struct er_cli *cli, const struct errand_schedule_list *list)
{
    struct er_line line;

    er_line_init(&line);
    for (size_t i = 0; i < list->schedules_n; i++) {
        const struct errand_schedule_info *s = &list->schedules[i];
        er_line_begin(&line);
        er_line_str(&line, "name", s->name);
        er_line_str(&line, "job", s->job);
        er_line_str(&line, "cron", s->cron);
        er_line_str(&line, "zone", s->zone);
        er_line_time(&line, "next_run_at", s->next_ms);
        er_line_time(&line, "overdue_since", s->overdue_ms);
        er_line_time(&line, "last_run_at", s->last_ms);
        er_line_bool(&line, "paused", s->is_paused);
        er_line_raw(&line, "data", s->data);
        er_line_str(&line, "overlap", er_overlap_name(s->overlap));
        er_line_str(&line, "missed", er_missed_name(s->missed));
        er_line_int(&line, "missed_max", s->missed_max);
        er_line_int(&line, "jitter_ms", s->jitter_ms);
        er_line_int(&line, "missed_n", s->missed_n);
        er_line_time(&line, "last_slot_at", s->last_slot_ms);
        er_line_str(&line, "last_job", s->last_job.text[0] ? s->last_job.text : NULL);
        er_line_str(&line, "from", s->from);
        er_line_str(&line, "owner", s->owner[0] ? s->owner : NULL);
        er_line_str(&line, "error", s->error);
        er_line_end(&line, &cli->out);
    }
    er_line_done(&line);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_schedule_list *list = NULL;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = errand_schedule_list(cli->errand, &list, err)) < 0)
        return rc;
    if (cli->out.is_json)
        lines_print(cli, list);
    else
        rc = table_print(cli, list, err);
    errand_schedule_list_free(list);
    return rc;
}

const struct er_command er_cmd_schedule_list = {
    .name = "schedule:list",
    .group = "Schedules",
    .args = "",
    .help = "lists what is dispatched by the clock, and when it is next",
    .about =
        "FROM says who put it: hand (schedule:put, or a program), config (errand.yml) or "
        "job (its class). MISSED counts slots without a job: missed, left out or paused. "
        "With --json each line is a schedule: name job cron zone next_run_at "
        "overdue_since last_run_at paused data overlap missed missed_max jitter_ms "
        "missed_n last_slot_at last_job "
        "from owner error.",
    .example = "errand schedule:list",
    .exec = exec,
};
