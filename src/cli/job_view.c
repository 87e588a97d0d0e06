/* job_view.c: a job as a JSON object and as a row. */
#include "cli/job_view.h"

#include <string.h>

#include "base/error.h"

enum { PAGE = 200 };

void er_job_fields(struct er_line *line, const struct errand_job_info *job)
{
    er_line_str(line, "id", job->id.text);
    er_line_str(line, "name", job->name);
    er_line_str(line, "queue", job->queue);
    er_line_str(line, "state", errand_state_name(job->state));
    er_line_int(line, "priority", job->priority);
    er_line_int(line, "attempts", job->attempts);
    er_line_int(line, "tries", job->tries);
    er_line_raw(line, "data", job->data);
    er_line_time(line, "run_at", job->run_at_ms);
    er_line_time(line, "created_at", job->created_ms);
    er_line_time(line, "started_at", job->started_ms);
    er_line_time(line, "finished_at", job->finished_ms);
    er_line_str(line, "worker", job->worker && *job->worker ? job->worker : NULL);
    if (job->error.len)
        er_line_text(line, "error", job->error);
    else
        er_line_null(line, "error");
    er_line_open(line, "tags", '[');
    for (size_t i = 0; i < job->tags_n; i++)
        er_line_str(line, NULL, job->tags[i]);
    er_line_close(line, ']');
    er_line_str(line, "batch_id", job->batch.text[0] ? job->batch.text : NULL);
}

void er_job_state_cell(struct er_table *table, const struct errand_job_info *job)
{
    if (job->state == ERRAND_RUNNING && job->cancel_requested)
        er_table_str(table, ER_YELLOW, "stopping");
    else
        er_table_str(table, er_state_colour(job->state), errand_state_name(job->state));
}

int er_jobs_walk(struct er_cli *cli, const struct er_walk *walk,
                 struct errand_id *ret_last, bool *ret_more, struct errand_error *err)
{
    struct errand_list_params params = {.filter = walk->filter,
                                        .after = walk->after,
                                        .newest_first = true,
                                        .with_data = walk->with_data};
    struct errand_arena *arena = er_arena_new();
    int64_t left = walk->limit > 0 ? walk->limit : INT64_MAX;
    struct errand_list_result page = {.more = true};
    int rc = arena ? 0 : er_error_nomem(err);

    while (rc == 0 && page.more && left > 0 && !cli->out.is_closed) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        params.max = left < PAGE ? (size_t)left : PAGE;
        if ((rc = er_store_list(cli->store, &params, arena, &page, err)) < 0)
            break;
        for (size_t i = 0; i < page.jobs_n; i++)
            walk->each(walk->ctx, &page.jobs[i]);
        left -= (int64_t)page.jobs_n;
        if (page.jobs_n == 0)
            break;
        params.after = page.jobs[page.jobs_n - 1].id;
    }
    if (ret_last)
        *ret_last = params.after;
    if (ret_more)
        *ret_more = page.more;
    er_arena_free(arena);
    return rc;
}

int64_t er_cli_ago(const struct er_cli *cli, const char *name, int64_t now_ms)
{
    const struct er_flag_value *v = er_cli_flag(cli, name);

    if (!v->is_set)
        return 0;
    return v->is_instant ? v->number : now_ms - v->number;
}
