/* job_view.c: a job as a JSON object and as a row. */
#include "cli/job_view.h"

#include <string.h>

#include "base/error.h"
#include "client/seal.h"
#include "core/clock.h"

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
    er_line_raw(line, "data", er_sealed_json(job->data));
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

/* Where the jobs of a listing go. */
struct output {
    struct er_cli *cli;
    const struct er_listing *listing;
    struct er_line line;
    struct er_table *table;
    int64_t now_ms, printed_n;
};

static void job_print(struct output *o, const struct errand_job_info *job)
{
    o->printed_n++;
    if (!o->cli->out.is_json) {
        o->listing->row(o->table, job, o->now_ms);
        return;
    }
    er_line_begin(&o->line);
    er_job_fields(&o->line, job);
    er_line_end(&o->line, &o->cli->out);
}

static int pages_print(struct output *o, struct errand_id *ret_last, bool *ret_more,
                       struct errand_error *err)
{
    struct errand_list_params params = {.filter = o->listing->filter,
                                        .after = o->listing->after,
                                        .newest_first = true,
                                        .with_data = o->listing->with_data};
    struct errand_arena *arena = er_arena_new();
    int64_t left = o->listing->limit > 0 ? o->listing->limit : INT64_MAX;
    struct errand_list_result page = {.more = true};
    int rc = arena ? 0 : er_error_nomem(err);

    while (rc == 0 && page.more && left > 0 && !o->cli->out.is_closed) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        params.max = left < PAGE ? (size_t)left : PAGE;
        if ((rc = er_store_list(o->cli->store, &params, arena, &page, err)) < 0)
            break;
        for (size_t i = 0; i < page.jobs_n; i++)
            job_print(o, &page.jobs[i]);
        left -= (int64_t)page.jobs_n;
        if (page.jobs_n == 0)
            break;
        params.after = page.jobs[page.jobs_n - 1].id;
    }
    *ret_last = params.after;
    *ret_more = page.more;
    er_arena_free(arena);
    return rc;
}

int er_listing_print(struct er_cli *cli, const struct er_listing *listing,
                     struct errand_id *ret_last, bool *ret_more, struct errand_error *err)
{
    struct output o = {
        .cli = cli, .listing = listing, .now_ms = er_store_wall_ms(cli->store)};
    int rc;

    if (!(o.table = er_table_new(&cli->out, listing->columns, listing->columns_n)))
        return er_error_nomem(err);
    er_line_init(&o.line);
    if ((rc = pages_print(&o, ret_last, ret_more, err)) == 0)
        er_table_flush(o.table);
    if (rc == 0 && !cli->out.is_json && o.printed_n == 0)
        er_cli_note(cli, "%s", listing->none);
    er_table_free(o.table);
    er_line_done(&o.line);
    return rc;
}

int64_t er_cli_ago(const struct er_cli *cli, const char *name, int64_t now_ms)
{
    const struct er_flag_value *v = er_cli_flag(cli, name);

    if (!v->is_set)
        return 0;
    return v->is_instant ? v->number : now_ms - v->number;
}
