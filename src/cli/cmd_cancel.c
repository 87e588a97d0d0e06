/* cmd_cancel.c: errand queue:cancel and queue:clear: jobs that shall not run. */
#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"

static const struct er_verb cancel = {
    .kind = ERRAND_CHANGE_CANCEL,
    .done = "cancelled",
    .wrong_state = "it has ended already",
    .pending = "asked to stop",
};

static int exec_cancel(struct er_cli *cli, struct errand_error *err)
{
    return er_change_ids(cli, &cancel, err);
}

const struct er_command er_cmd_cancel = {
    .name = "queue:cancel",
    .group = "Operate",
    .args = "ID…",
    .args_min = 1,
    .args_max = -1,
    .help = "cancels jobs: at once when they wait, by stopping them when they run",
    .about = "A running job is asked to stop, and killed when it has not within a few "
             "seconds.",
    .example = "errand queue:cancel 0193b2f0-7d1c-7e55-9a5f-3c2d7f1b2a10",
    .exec = exec_cancel,
};

/* ---------------------------------------------------------------- clear */

static const struct er_flag clear_flags[] = {
    {"queue", "Q", "the queue to clear", ER_FLAG_TEXT},
    {"force", NULL, "do it", ER_FLAG_SWITCH},
    {0},
};

static const struct er_verb clear = {
    .kind = ERRAND_CHANGE_DELETE,
    .done = "removed",
    .wrong_state = "it runs",
};

static int exec_clear(struct er_cli *cli, struct errand_error *err)
{
    struct errand_filter filter = {.states = 1u << ERRAND_HELD | 1u << ERRAND_SCHEDULED |
                                             1u << ERRAND_READY,
                                   .queue = er_cli_text(cli, "queue")};
    int64_t n = 0;
    int rc;

    if (!filter.queue)
        return errand_error_set(err, ERRAND_EINVAL, "which queue? --queue=Q");
    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0)
        return rc;
    if (!er_cli_has(cli, "force"))
        return er_change_ask(cli, &filter, "waiting", err);
    if ((rc = er_change_all(cli, &clear, &filter, &n, err)) < 0)
        return rc;
    er_change_say(cli, clear.done, n);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_clear = {
    .name = "queue:clear",
    .group = "Operate",
    .args = "",
    .flags = clear_flags,
    .help = "removes the jobs that wait on a queue",
    .about =
        "Running, completed and failed jobs stay. Without --force it says how many would "
        "go, and changes nothing (exit 2).",
    .example = "errand queue:clear --queue=emails --force",
    .exec = exec_clear,
};
