/* cmd_forget.c: errand queue:forget and queue:flush: failed jobs leave for good. */
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "client/failed.h"
#include "core/clock.h"

static const struct er_verb verb = {
    .kind = ERRAND_CHANGE_DELETE,
    .done = "removed",
    .wrong_state = "it runs; errand queue:cancel stops it",
};

static int exec_forget(struct er_cli *cli, struct errand_error *err)
{
    return er_change_ids(cli, &verb, err);
}

const struct er_command er_cmd_forget = {
    .name = "queue:forget",
    .group = "Failed jobs",
    .args = "ID…",
    .args_min = 1,
    .args_max = -1,
    .help = "removes jobs and all that is known about them",
    .about = "A job that waits is cancelled first; one that runs is left alone.",
    .example = "errand queue:forget 0193b2f0-7d1c-7e55-9a5f-3c2d7f1b2a10",
    .exec = exec_forget,
};

/* ---------------------------------------------------------------- flush */

static const struct er_flag flush_flags[] = {
    {"force", NULL, "do it", ER_FLAG_SWITCH},
    {"older-than", "T", "only jobs that failed longer ago than this", ER_FLAG_DURATION},
    {"queue", "Q", "only jobs of this queue", ER_FLAG_TEXT},
    {0},
};

static int exec_flush(struct er_cli *cli, struct errand_error *err)
{
    struct errand_filter filter =
        er_failed_filter(er_cli_text(cli, "queue"), er_store_wall_ms(cli->store),
                         er_cli_number(cli, "older-than", 0));
    int64_t n = 0;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0)
        return rc;
    if (!er_cli_has(cli, "force"))
        return er_change_ask(cli, &filter, "failed", err);
    if ((rc = er_change_all(cli, &verb, &filter, &n, err)) < 0)
        return rc;
    er_change_say(cli, verb.done, n);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_flush = {
    .name = "queue:flush",
    .group = "Failed jobs",
    .args = "",
    .flags = flush_flags,
    .help = "removes all failed jobs",
    .about = "Without --force it says how many would go, and changes nothing (exit 2).",
    .example = "errand queue:flush --older-than=30d --force",
    .exec = exec_flush,
};
