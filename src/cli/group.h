/* group.h: what queue:chain, queue:batch and queue:flow have in common: a file of jobs
 * goes in, the id of the whole comes out, and with --wait its end. */
#ifndef ER_CLI_GROUP_H
#define ER_CLI_GROUP_H

#include "cli/cli.h"
#include "cli/line.h"
#include "client/item.h"

extern const struct er_flag er_group_flags[];

/* Stores what was read; `options` and `ret_id` as errand_chain has them. */
typedef int er_group_fn(struct er_cli *cli, const struct er_item *items, size_t n,
                        const struct errand_batch_options *options,
                        struct errand_id *ret_id, struct errand_error *err);

/* The whole command. An error in the file is ER_EXIT_FAILED: not the command line is
 * wrong. */
int er_group_exec(struct er_cli *cli, enum er_item_form form, er_group_fn *store,
                  struct errand_error *err);

/* The items as the library wants them for chains and batches. NULL: no memory. */
const struct errand_dispatch_item *er_group_items(struct er_cli *cli,
                                                  const struct er_item *items, size_t n);

/* The fields id, name, kind, total … of one, and its failures, on a line that is begun.
 */
void er_group_fields(struct er_line *line, const struct errand_batch_result *result);
/* Failures as text, a line each. */
void er_group_failures(struct er_cli *cli, const struct errand_batch_result *result);

#endif
