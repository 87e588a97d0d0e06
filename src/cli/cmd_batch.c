/* cmd_batch.c: errand queue:batch FILE: jobs side by side, watched together. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/group.h"

static const struct er_flag flags[] = {
    {"allow-failures", NULL,
     "go on when a job fails for good; else that cancels those that have not started",
     ER_FLAG_SWITCH},
    {.more = er_group_flags},
};

static int store(struct er_cli *cli, const struct er_item *items, size_t n,
                 const struct errand_batch_options *options, struct errand_id *ret_id,
                 struct errand_error *err)
{
    const struct errand_dispatch_item *members = er_group_items(cli, items, n);
    struct errand_batch_options own = *options;

    own.allow_failures = er_cli_has(cli, "allow-failures");
    return members ? errand_batch(cli->errand, members, n, &own, ret_id, err)
                   : er_error_nomem(err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    return er_group_exec(cli, ER_ITEM_JOB, store, err);
}

const struct er_command er_cmd_batch = {
    .name = "queue:batch",
    .group = "Dispatch and work",
    .args = "FILE or -",
    .args_min = 1,
    .args_max = 1,
    .flags = flags,
    .help = "stores jobs that run side by side and prints the id of the whole",
    .about =
        "The file is a JSON array as for queue:chain. With --json, --wait prints id name "
        "kind total pending successful failed cancelled created_at finished_at failures "
        "[{id name data error}].",
    .example = "errand queue:batch users.json --allow-failures --wait\n"
               "errand queue:batch users.json --name=import --finally=tidy-up",
    .exec = exec,
};
