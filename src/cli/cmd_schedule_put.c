/* cmd_schedule_put.c: errand schedule:put and schedule:delete. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/dispatch.h"
#include "cli/line.h"
#include "cli/project.h"
#include "cli/read.h"
#include "core/clock.h"
#include "errand/schedule.h"

enum { DATA_MIB_MAX = 1 };

/* ---------------------------------------------------------------- put */

/* In the order of their enums. */
static const char *const overlap_words[] = {"skip", "allow", "one-waiting", NULL};
static const char *const missed_words[] = {"once", "skip", "all", NULL};

static const struct er_flag put_flags[] = {
    {"job", "NAME", "the job to dispatch; default: the schedule's name", ER_FLAG_TEXT},
    {"zone", "Z", "the time zone, as Europe/Berlin; default: UTC", ER_FLAG_TEXT},
    {"overlap", "POLICY",
     "while the job of an earlier slot has not ended: skip (the default), allow, "
     "one-waiting",
     ER_FLAG_TEXT, 0, 0, overlap_words},
    {"missed", "POLICY",
     "slots that passed while no scheduler ran give once one job for all of them (the "
     "default), skip none, all one each",
     ER_FLAG_TEXT, 0, 0, missed_words},
    {"missed-max", "N", "with --missed=all: the last N of them; default 100",
     ER_FLAG_COUNT, 1, 10000},
    {"jitter", "T", "fire each slot up to so much later", ER_FLAG_DURATION},
    {"queue", "Q", "the queue; default: what the job says", ER_FLAG_TEXT},
    {"tries", "N", "attempts the job may take", ER_FLAG_COUNT, 1, 1000},
    {"backoff", "S,…", "wait before a retry: 60, or one for each: 60,300,900",
     ER_FLAG_TEXT},
    {"backoff-strategy", "NAME", "fixed, linear or exponential", ER_FLAG_TEXT, 0, 0,
     er_backoff_words},
    {"timeout", "T", "what an attempt may take: 90, 10m", ER_FLAG_DURATION},
    {"priority", "N", "smaller goes first; default 0", ER_FLAG_COUNT, -1000000, 1000000},
    {"unique", "KEY", "no job is stored while another one holds this key", ER_FLAG_TEXT},
    {"unique-for", "T", "hold the key this long; default: until the job has ended",
     ER_FLAG_DURATION},
    {"tag", "T,…", "tags to find it by", ER_FLAG_LIST},
    {0},
};

static int word_of(const struct er_cli *cli, const char *flag, const char *const *words)
{
    const char *said = er_cli_text(cli, flag);

    for (int i = 0; said && words[i]; i++)
        if (strcmp(words[i], said) == 0)
            return i;
    return 0;
}

static int data_read(struct er_cli *cli, const char **ret, struct errand_error *err)
{
    struct errand_slice text = {0};
    int rc;

    *ret = cli->args_n > 2 ? cli->args[2] : NULL;
    if (!*ret || strcmp(*ret, "-") != 0)
        return 0;
    rc = er_cli_read(cli, "data on standard input", "-", DATA_MIB_MAX, &text, err);
    *ret = text.ptr;
    return rc;
}

static int put_say(struct er_cli *cli, const char *name, struct errand_error *err)
{
    struct er_line line;
    int64_t next_ms = 0;
    char at[32];
    int rc = errand_schedule_next(cli->errand, name, 0, &next_ms, 1, err);

    if (rc < 0)
        return rc;
    if (!cli->out.is_json) {
        er_printf(&cli->out, "schedule '%s' is put, next at %s\n", name,
                  next_ms ? er_time_format(next_ms, at, sizeof at) : "never");
        return 0;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "name", name);
    er_line_time(&line, "next_run_at", next_ms);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
    return 0;
}

static int exec_put(struct er_cli *cli, struct errand_error *err)
{
    const char *name = cli->args[0];
    struct errand_options options = {0};
    struct errand_schedule_spec spec = {
        .cron = cli->args[1],
        .zone = er_cli_text(cli, "zone"),
        .job = er_cli_text(cli, "job"),
        .overlap = (enum errand_overlap)word_of(cli, "overlap", overlap_words),
        .missed = (enum errand_missed)word_of(cli, "missed", missed_words),
        .missed_max = (int)er_cli_number(cli, "missed-max", 0),
        .jitter = (double)er_cli_number(cli, "jitter", 0) / 1000,
        .options = &options};
    int rc;

    if ((rc = er_job_options(cli, &options, err)) < 0 ||
        (rc = data_read(cli, &spec.data, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0 ||
        (rc = errand_schedule_put(cli->errand, name, &spec, err)) < 0 ||
        (rc = er_project_know(cli, spec.job ? spec.job : name, err)) < 0)
        return rc;
    er_cli_notes_say(cli);
    return put_say(cli, name, err);
}

const struct er_command er_cmd_schedule_put = {
    .name = "schedule:put",
    .group = "Schedules",
    .args = "NAME \"CRON\" [JSON or -]",
    .args_min = 2,
    .args_max = 3,
    .flags = put_flags,
    .help = "puts a schedule, or changes the one of that name",
    .about =
        "It holds over one of the same name in errand.yml or of a job class, until "
        "schedule:delete. Running schedulers take it up at once. What it has fired, and "
        "whether it is paused, stays when it is put again; with another cron line or "
        "zone "
        "its slots count from now.",
    .example =
        "errand schedule:put daily-report \"0 8 * * MON-FRI\" --zone=Europe/Berlin\n"
        "errand schedule:put clean-up @hourly '{\"older\":\"7d\"}' --jitter=5m",
    .exec = exec_put,
};

/* ---------------------------------------------------------------- delete */

/* Where it will come back from; NULL: nowhere. */
static const char *source_of(struct er_cli *cli, const char *name)
{
    struct errand_schedule_list *list = NULL;
    const char *from = NULL;

    if (errand_schedule_list(cli->errand, &list, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < list->schedules_n; i++) {
        const struct errand_schedule_info *s = &list->schedules[i];
        if (strcmp(s->name, name) != 0 || strcmp(s->from, "hand") == 0)
            continue;
        from = er_arena_printf(cli->arena, "%s of %s",
                               strcmp(s->from, "job") == 0 ? "its class" : "errand.yml",
                               s->owner);
    }
    errand_schedule_list_free(list);
    return from;
}

static void deleted_say(struct er_cli *cli, const char *name)
{
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "schedule '%s' is deleted\n", name);
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "name", name);
    er_line_bool(&line, "deleted", true);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

static int exec_delete(struct er_cli *cli, struct errand_error *err)
{
    int rc = er_cli_open(cli, ER_OPEN_KEEP, err);

    for (int i = 0; rc == 0 && i < cli->args_n; i++) {
        const char *name = cli->args[i], *from = source_of(cli, name);
        if ((rc = errand_schedule_delete(cli->errand, name, err)) < 0)
            return rc;
        deleted_say(cli, name);
        if (from)
            er_cli_note(cli,
                        "'%s' is from %s and comes back when that is read again; errand "
                        "schedule:pause keeps it quiet",
                        name, from);
    }
    return rc;
}

const struct er_command er_cmd_schedule_delete = {
    .name = "schedule:delete",
    .group = "Schedules",
    .args = "NAME…",
    .args_min = 1,
    .args_max = -1,
    .help = "deletes schedules; jobs that they have dispatched stay",
    .example = "errand schedule:delete daily-report",
    .exec = exec_delete,
};
