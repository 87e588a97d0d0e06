/* inspect.h: one job, as a page for a person or as a line for a program. */
#ifndef ER_CLI_INSPECT_H
#define ER_CLI_INSPECT_H

#include "cli/cli.h"

void er_inspect_page(struct er_cli *cli, const struct errand_job_detail *detail,
                     int64_t now_ms);
void er_inspect_json(struct er_cli *cli, const struct errand_job_detail *detail);

#endif
