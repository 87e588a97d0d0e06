/* project.h: what the project says about a job, at the moment it is dispatched. */
#ifndef ER_CLI_PROJECT_H
#define ER_CLI_PROJECT_H

#include "cli/cli.h"
#include "worker/runner.h"

/* Publishes the project's definitions when the one of `name` is missing in the store or
 * older than the job files, so that what app/Jobs/NAME says holds for this dispatch.
 * Notes, for er_cli_notes_say, when nobody knows the job or when it cannot run as it is.
 * Trouble with the project never stops a dispatch. */
int er_project_know(struct er_cli *cli, const char *name, struct errand_error *err);
/* The same of a job that is to run at the end of others: nobody would notice then that
 * its name was mistyped, so a name that nobody knows is ENOTFOUND at once. */
int er_project_know_callback(struct er_cli *cli, const char *name,
                             struct errand_error *err);
/* Says on standard error that this job cannot run as it is, when that is so. */
void er_project_remark(struct er_cli *cli, const char *name);
/* The job of that name, or ENOTFOUND with the nearest one. */
int er_project_job(struct er_cli *cli, const char *name, const struct er_job_about **ret,
                   struct errand_error *err);

#endif
