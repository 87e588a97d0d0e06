/* dispatch.h: the parts of queue:dispatch and queue:run. */
#ifndef ER_CLI_DISPATCH_H
#define ER_CLI_DISPATCH_H

#include "cli/cli.h"

/* What both commands can say about a job. */
extern const struct er_flag er_dispatch_flags[];
extern const char *const er_backoff_words[]; /* of --backoff-strategy */

/* What a job is asked to be, whenever it is dispatched: queue, tries, backoff,
 * backoff-strategy, timeout, priority, unique, unique-for, tag. */
int er_job_options(struct er_cli *cli, struct errand_options *ret,
                   struct errand_error *err);
/* These, and what one dispatch says: delay, retry-until, id. */
int er_dispatch_options(struct er_cli *cli, struct errand_options *ret,
                        struct errand_error *err);
/* Name and data (NULL: none) by themselves, so that what is refused makes no store. */
int er_dispatch_check(struct er_cli *cli, const char *name, const char *data,
                      struct errand_error *err);
/* Stores one job, prints its id, waits for it when asked to. */
int er_dispatch_one(struct er_cli *cli, const char *name, const char *data,
                    const struct errand_options *options, struct errand_error *err);
/* The id of a job, and what errand_dispatch has answered of it. */
void er_dispatch_say(struct er_cli *cli, const struct errand_id *id, int pushed);
/* Before --wait waits: shows what was printed, notes when no worker is alive.
 * EUNSUPPORTED where none can come. */
int er_dispatch_may_wait(struct er_cli *cli, struct errand_error *err);
/* --file: one JSON value a line, a thousand jobs a transaction. */
int er_dispatch_file(struct er_cli *cli, const char *name, const char *path,
                     const struct errand_options *options, struct errand_error *err);
/* --sync: the handler runs here and now; nothing is stored. */
int er_dispatch_sync(struct er_cli *cli, const char *name, const char *data,
                     const struct errand_options *options, struct errand_error *err);

#endif
