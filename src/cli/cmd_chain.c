/* cmd_chain.c: errand queue:chain FILE: jobs one after the other. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/group.h"

static int store(struct er_cli *cli, const struct er_item *items, size_t n,
                 const struct errand_batch_options *options, struct errand_id *ret_id,
                 struct errand_error *err)
{
    const struct errand_dispatch_item *links = er_group_items(cli, items, n);

    return links ? errand_chain(cli->errand, links, n, options, ret_id, err)
                 : er_error_nomem(err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    return er_group_exec(cli, ER_ITEM_JOB, store, err);
}

const struct er_command er_cmd_chain = {
    .name = "queue:chain",
    .group = "Dispatch and work",
    .args = "FILE or -",
    .args_min = 1,
    .args_max = 1,
    .flags = er_group_flags,
    .help = "stores jobs that run one after the other and prints the id of the whole",
    .about =
        "The file is a JSON array: [{\"job\":\"name\",\"data\":{…}},…], and beside these "
        "id delay run_at queue tries timeout backoff backoff_strategy backoff_cap "
        "backoff_jitter priority unique unique_for unique_until unique_policy "
        "retry_until "
        "rate concurrency throttle tags encrypted. When a link fails for good, those "
        "behind it are cancelled, and --on-failure runs; "
        "queue:retry of that link goes on from there. JOB is a name, or an object as in "
        "the file.",
    .example = "errand queue:chain order.json --on-failure=refund\n"
               "echo '[{\"job\":\"fetch\"},{\"job\":\"print\"}]' | errand queue:chain -",
    .exec = exec,
};
