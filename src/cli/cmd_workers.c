/* cmd_workers.c: errand queue:workers: who is alive, and what each is doing. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/worker_view.h"
#include "core/clock.h"
#include "core/json.h"

enum { RUNNING_MAX = 1000 }; /* jobs shown; a worker has a few dozen */

struct view {
    struct errand_workers_result workers;
    struct errand_list_result running;
    int64_t now_ms;
};

static const struct er_column worker_columns[] = {
    {.title = "WORKER", .max = 48},
    {.title = "STATE"},
    {.title = "JOBS", .is_right = true},
    {.title = "STARTED"},
    {.title = "SEEN"},
    {.title = "QUEUES", .max = 60},
};
static const struct er_column running_columns[] = {
    {.title = "RUNNING"},
    {.title = "NAME", .max = 40},
    {.title = "QUEUE", .max = 24},
    {.title = "SINCE"},
    {.title = "DONE"},
    {.title = "WORKER", .max = 48},
};
enum {
    WORKER_COLUMNS = sizeof worker_columns / sizeof *worker_columns,
    RUNNING_COLUMNS = sizeof running_columns / sizeof *running_columns,
};

/* "high, default" of ["high","default"]; "all" when it names none. */
static void queues_cell(struct er_table *table, struct errand_slice info)
{
    struct errand_slice list = {0};
    enum er_json_type type = ER_JSON_NULL;
    struct er_json_walk walk;
    struct er_buf text;

    if (er_json_check("info", info, NULL, NULL) < 0 ||
        er_json_find(info, "queues", &type, &list, NULL) < 0 || type != ER_JSON_ARRAY) {
        er_table_str(table, ER_PLAIN, "all");
        return;
    }
    er_buf_init(&text, 4096);
    for (er_json_walk(&walk, list); er_json_next(&walk);)
        if (walk.type == ER_JSON_STRING && walk.value.len >= 2)
            er_buf_printf(&text, "%s%.*s", text.len ? ", " : "", (int)walk.value.len - 2,
                          walk.value.ptr + 1);
    er_table_str(table, ER_PLAIN, text.len ? text.ptr : "all");
    er_buf_done(&text);
}

static enum er_colour colour_of(const char *state)
{
    if (strcmp(state, "alive") == 0)
        return ER_GREEN;
    return strcmp(state, "quiet") == 0 || strcmp(state, "stopping") == 0 ? ER_YELLOW
                                                                         : ER_RED;
}

static void workers_print(struct er_table *table, const struct view *v,
                          struct errand_arena *arena)
{
    struct er_worker_view view;
    char when[ER_WHEN_SIZE];

    for (size_t i = 0; i < v->workers.workers_n; i++) {
        const struct errand_worker_info *w = &v->workers.workers[i];

        er_table_str(table, ER_BOLD, w->worker);
        er_worker_view(w, arena, &view);
        er_table_str(table, colour_of(view.state), view.state);
        er_table_int(table, ER_PLAIN, (int64_t)w->running_n);
        er_table_str(table, ER_PLAIN, er_ago_text(w->since_ms, v->now_ms, when));
        er_table_str(table, ER_PLAIN, er_ago_text(w->seen_ms, v->now_ms, when));
        queues_cell(table, w->info);
    }
    er_table_flush(table);
}

static void running_print(struct er_table *table, const struct view *v)
{
    char when[ER_WHEN_SIZE], done[16];

    for (size_t i = 0; i < v->running.jobs_n; i++) {
        const struct errand_job_info *job = &v->running.jobs[i];

        snprintf(done, sizeof done, "%d %%", (int)job->progress);
        er_table_str(table, ER_PLAIN, job->id.text);
        er_table_str(table, ER_BOLD, job->name);
        er_table_str(table, ER_PLAIN, job->queue);
        er_table_str(table, ER_PLAIN, er_ago_text(job->started_ms, v->now_ms, when));
        er_table_str(table, ER_PLAIN, job->progress < 0 ? "" : done);
        er_table_str(table, ER_DIM, job->worker);
    }
    er_table_flush(table);
}

/* What is wrong with one of them, and what to do. */
static void troubles_print(struct er_cli *cli, const struct view *v)
{
    struct er_worker_view view;

    for (size_t i = 0; i < v->workers.workers_n; i++) {
        er_worker_view(&v->workers.workers[i], cli->arena, &view);
        if (view.trouble)
            er_cli_note(cli, "%s %s → %s", v->workers.workers[i].worker, view.trouble,
                        view.remedy);
    }
}

static int tables_print(struct er_cli *cli, const struct view *v,
                        struct errand_error *err)
{
    struct er_table *workers = er_table_new(&cli->out, worker_columns, WORKER_COLUMNS);
    struct er_table *running = er_table_new(&cli->out, running_columns, RUNNING_COLUMNS);
    int rc = 0;

    if (!workers || !running) {
        rc = er_error_nomem(err);
        goto out;
    }
    workers_print(workers, v, cli->arena);
    if (v->running.jobs_n)
        er_printf(&cli->out, "\n");
    running_print(running, v);
    troubles_print(cli, v);
    if (v->workers.workers_n == 0)
        er_cli_note(cli, "no worker is alive; start one with errand queue:work");
out:
    er_table_free(workers);
    er_table_free(running);
    return rc;
}

static void lines_print(struct er_cli *cli, const struct view *v)
{
    struct er_worker_view view;
    struct er_line line;

    er_line_init(&line);
    for (size_t i = 0; i < v->workers.workers_n; i++) {
        const struct errand_worker_info *w = &v->workers.workers[i];

        er_line_begin(&line);
        er_line_str(&line, "worker", w->worker);
        er_worker_view(w, cli->arena, &view);
        er_line_bool(&line, "alive", w->is_alive && strcmp(view.state, "killed") != 0);
        er_line_str(&line, "state", view.state);
        er_line_str(&line, "trouble", view.trouble);
        er_line_time(&line, "started_at", w->since_ms);
        er_line_time(&line, "seen_at", w->seen_ms);
        er_line_int(&line, "running", (int64_t)w->running_n);
        er_line_open(&line, "jobs", '[');
        for (size_t j = 0; j < v->running.jobs_n; j++) {
            const struct errand_job_info *job = &v->running.jobs[j];

            if (strcmp(job->worker, w->worker) != 0)
                continue;
            er_line_open(&line, NULL, '{');
            er_line_str(&line, "id", job->id.text);
            er_line_str(&line, "name", job->name);
            er_line_str(&line, "queue", job->queue);
            er_line_time(&line, "started_at", job->started_ms);
            er_line_close(&line, '}');
        }
        er_line_close(&line, ']');
        er_line_raw(&line, "info", w->info);
        er_line_end(&line, &cli->out);
    }
    er_line_done(&line);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_list_params running = {.filter.states = 1u << ERRAND_RUNNING,
                                         .max = RUNNING_MAX};
    struct view v = {.now_ms = er_store_wall_ms(cli->store)};
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = er_store_workers(cli->store, 0, cli->arena, &v.workers, err)) < 0 ||
        (rc = er_store_list(cli->store, &running, cli->arena, &v.running, err)) < 0)
        return rc;
    if (!cli->out.is_json)
        return tables_print(cli, &v, err);
    lines_print(cli, &v);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_workers = {
    .name = "queue:workers",
    .group = "Look",
    .args = "",
    .help = "shows who is alive and what each is doing",
    .about =
        "With --json each line is a worker: worker alive state trouble started_at "
        "seen_at "
        "running jobs [{id name queue started_at}] info. The state is alive, quiet, "
        "stopping, blocked (no runner starts), killed (its process is not there) or gone "
        "(not heard of); such a one is shown for an hour.",
    .example = "errand queue:workers",
    .exec = exec,
};
