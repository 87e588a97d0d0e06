/* scheduling.h: the scheduler as the command runs it: alone, or beside a worker. */
#ifndef ER_CLI_SCHEDULING_H
#define ER_CLI_SCHEDULING_H

#include "cli/cli.h"
#include "errand/schedule.h"

/* What a scheduler of this command tells, and where it gets its schedules from. */
struct er_scheduling {
    struct er_cli *cli;
    bool is_quiet;      /* print nothing but warnings */
    bool has_job_files; /* publish those of the project, too: no worker does it */
    bool is_loaded;
};

/* Options whose context is `scheduling`; the configuration is loaded. */
struct errand_scheduler_options er_scheduling_options(struct er_scheduling *scheduling);

#endif
