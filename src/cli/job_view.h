/* job_view.h: a job as a JSON object, as a row, and which jobs a command means. */
#ifndef ER_CLI_JOB_VIEW_H
#define ER_CLI_JOB_VIEW_H

#include "cli/cli.h"
#include "cli/line.h"
#include "cli/table.h"

/* The fields of a job object, in the order of the contract, into an open object. */
void er_job_fields(struct er_line *line, const struct errand_job_info *job);
/* Its state in its colour; "stopping" when it runs and has been asked to stop. */
void er_job_state_cell(struct er_table *table, const struct errand_job_info *job);

/* Which jobs a command lists, and as what: with --json as lines, else as rows. */
struct er_listing {
    struct errand_filter filter;
    struct errand_id after;
    int64_t limit; /* 0: all */
    bool with_data;
    const struct er_column *columns;
    size_t columns_n;
    void (*row)(struct er_table *table, const struct errand_job_info *job,
                int64_t now_ms);
    const char *none; /* what is noted when there are no such jobs */
};
/* Prints them, newest first, page by page (by keyset, so that a million jobs take no more
 * memory than a page). Ends early when nobody reads the output any more. `ret_more` tells
 * whether there are others behind the last one, whose id is in `ret_last`. */
int er_listing_print(struct er_cli *cli, const struct er_listing *listing,
                     struct errand_id *ret_last, bool *ret_more,
                     struct errand_error *err);

/* The instant that --NAME means, counted back from now: "10m" is ten minutes ago. */
int64_t er_cli_ago(const struct er_cli *cli, const char *name, int64_t now_ms);

#endif
