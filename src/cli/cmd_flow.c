/* cmd_flow.c: errand queue:flow FILE: any graph of jobs. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/group.h"

static int store(struct er_cli *cli, const struct er_item *items, size_t n,
                 const struct errand_batch_options *options, struct errand_id *ret_id,
                 struct errand_error *err)
{
    struct errand_flow_node *nodes =
        errand_arena_alloc(cli->arena, (n + 1) * sizeof *nodes);

    if (!nodes)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        nodes[i] = (struct errand_flow_node){.name = items[i].node,
                                             .job = items[i].item.name,
                                             .data = items[i].item.data,
                                             .options = items[i].item.options,
                                             .after = items[i].after,
                                             .after_failure = items[i].after_failure,
                                             .after_end = items[i].after_end};
    return errand_flow(cli->errand, nodes, n, options, ret_id, err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    return er_group_exec(cli, ER_ITEM_NODE, store, err);
}

const struct er_command er_cmd_flow = {
    .name = "queue:flow",
    .group = "Dispatch and work",
    .args = "FILE or -",
    .args_min = 1,
    .args_max = 1,
    .flags = er_group_flags,
    .help = "stores jobs that wait for each other and prints the id of the whole",
    .about =
        "The file is a JSON array as for queue:chain, of nodes: "
        "[{\"node\":\"fetch\"},{\"node\":\"small\",\"job\":\"resize\","
        "\"after\":[\"fetch\"]}]. Without job the node's name is the job's. after, "
        "after_failure and after_end name nodes that must be completed, have failed for "
        "good, have ended. The id of a node's job is ID/NODE. Results of the jobs that "
        "it "
        "waits for are handed to a job, see docs/job-files.md.",
    .example = "errand queue:flow video.json --id=video-7\n"
               "errand queue:inspect video-7/small",
    .exec = exec,
};
