/* cmd_prune.c: errand queue:prune: history that is past its time leaves. */
#include <inttypes.h>

#include "base/error.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "client/client.h"

enum { CHUNK = 1000 };

static const char *const states[] = {"completed", "failed", "cancelled", NULL};

static const struct er_flag flags[] = {
    {"state", "S,…", "completed, failed, cancelled; default completed", ER_FLAG_LIST, 0,
     0, states},
    {"older-than", "T",
     "jobs that ended longer ago than this; default: keep_completed of the "
     "configuration",
     ER_FLAG_DURATION},
    {"keep", "N",
     "keep so many of each queue, the last ones; default: keep_completed_max",
     ER_FLAG_COUNT},
    {0},
};

static void policy(struct er_cli *cli, struct errand_prune_params *p)
{
    const struct er_flag_value *which = er_cli_flag(cli, "state");
    bool is_said = er_cli_has(cli, "older-than") || er_cli_has(cli, "keep");

    er_client_retention(&cli->config->client, p);
    if (!which->is_set && !is_said)
        return;
    p->age_ms[ERRAND_COMPLETED] = p->keep_n[ERRAND_COMPLETED] = -1;
    for (size_t i = 0; i < (which->is_set ? which->items_n : 1); i++) {
        int s = which->is_set ? errand_state_parse(which->items[i]) : ERRAND_COMPLETED;

        p->age_ms[s] = er_cli_number(cli, "older-than", -1);
        p->keep_n[s] = er_cli_number(cli, "keep", -1);
    }
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    static const struct er_verb verb = {.done = "removed"};
    struct errand_prune_params params = {.max = CHUNK};
    int64_t total = 0;
    size_t n = CHUNK;
    int rc;

    if (er_cli_has(cli, "state") && !er_cli_has(cli, "older-than") &&
        !er_cli_has(cli, "keep"))
        return errand_error_set(err, ERRAND_EINVAL,
                                "--state wants --older-than or --keep beside it");
    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0)
        return rc;
    policy(cli, &params);
    while (n >= CHUNK) {
        n = 0;
        if ((rc = er_store_prune(cli->store, &params, &n, err)) < 0)
            return er_error_wrap(err, rc, "%" PRId64 " jobs removed, then", total);
        total += (int64_t)n;
    }
    er_change_say(cli, verb.done, total);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_prune = {
    .name = "queue:prune",
    .group = "Operate",
    .args = "",
    .flags = flags,
    .help = "removes jobs that ended long ago",
    .about = "Workers do this by themselves for completed jobs, by keep_completed and "
             "keep_completed_max.",
    .example = "errand queue:prune\n"
               "errand queue:prune --state=failed,cancelled --older-than=90d",
    .exec = exec,
};
