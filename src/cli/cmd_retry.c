/* cmd_retry.c: errand queue:retry: failed jobs run again, under the same id. */
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "client/failed.h"
#include "core/clock.h"

static const struct er_flag flags[] = {
    {"all", NULL, "every job that is failed now", ER_FLAG_SWITCH},
    {"queue", "Q", "with --all: only those of this queue", ER_FLAG_TEXT},
    {0},
};

static const struct er_verb verb = {
    .kind = ERRAND_CHANGE_RETRY,
    .done = "retried",
    .wrong_state = "only failed and cancelled jobs can be retried",
};

static int retry_all(struct er_cli *cli, struct errand_error *err)
{
    struct errand_filter filter =
        er_failed_filter(er_cli_text(cli, "queue"), er_store_wall_ms(cli->store), 0);
    int64_t n = 0;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0 ||
        (rc = er_change_all(cli, &verb, &filter, &n, err)) < 0)
        return rc;
    er_change_say(cli, verb.done, n);
    return ER_EXIT_DONE;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    bool all = er_cli_has(cli, "all");

    if (all == (cli->args_n > 0))
        return errand_error_set(err, ERRAND_EINVAL, "%s",
                                all ? "either ids or --all, not both"
                                    : "which jobs? name their ids, or --all; errand "
                                      "queue:failed lists them");
    if (!all && er_cli_has(cli, "queue"))
        return errand_error_set(err, ERRAND_EINVAL, "--queue goes with --all");
    return all ? retry_all(cli, err) : er_change_ids(cli, &verb, err);
}

const struct er_command er_cmd_retry = {
    .name = "queue:retry",
    .group = "Failed jobs",
    .args = "ID…",
    .args_max = -1,
    .flags = flags,
    .help = "lets failed or cancelled jobs run again, with all their attempts",
    .about = "An unknown id is an error (exit 3); the others are retried all the same.",
    .example = "errand queue:retry 0193b2f0-7d1c-7e55-9a5f-3c2d7f1b2a10\n"
               "errand queue:retry --all --queue=emails",
    .exec = exec,
};
