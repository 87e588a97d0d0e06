/* inspect.h: one job, as a page for a person or as a line for a program. */
#ifndef ER_CLI_INSPECT_H
#define ER_CLI_INSPECT_H

#include "cli/cli.h"

void er_inspect_page(struct er_cli *cli, const struct errand_job_detail *detail,
                     int64_t now_ms);
/* Notes: what holds it up, where that is not the job itself. */
int er_inspect_waits(struct er_cli *cli, const struct errand_job_info *job,
                     int64_t now_ms, struct errand_error *err);
void er_inspect_json(struct er_cli *cli, const struct errand_job_detail *detail);

#endif
