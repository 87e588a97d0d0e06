/* scheduling.c: where the schedules of a project come from, and what is printed
 * meanwhile. */
#include "cli/scheduling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/schedules.h"
#include "core/clock.h"
#include "worker/runner.h"

enum { LINE_MAX_BYTES = 16 << 10 };

/* One write a line, as a worker does it: both may share a terminal. */
static void note(void *ctx, bool is_warning, const char *text)
{
    const struct er_scheduling *scheduling = ctx;
    bool has_colour = is_warning && isatty(STDERR_FILENO) &&
                      !er_cli_has(scheduling->cli, "no-color") && !getenv("NO_COLOR");
    struct er_buf line;
    char when[32];

    if (scheduling->is_quiet && !is_warning)
        return;
    er_buf_init(&line, LINE_MAX_BYTES);
    er_time_format(er_clock_wall_ms(NULL), when, sizeof when);
    er_buf_printf(&line, "%s %s", when, has_colour ? "\x1b[33m" : "");
    er_text_escape(&line, (struct errand_slice){text, strlen(text)}, false);
    er_buf_str(&line, has_colour ? "\x1b[0m\n" : "\n");
    if (line.len && write(STDERR_FILENO, line.ptr, line.len) < 0) {
        /* Nobody reads: the schedules go on. */
    }
    er_buf_done(&line);
}

/* errand.yml as it is now. One that is wrong changes nothing. */
static void config_bring(struct er_scheduling *scheduling, errand *e)
{
    struct er_cli *cli = scheduling->cli;
    const struct er_config_args args = {.file = er_cli_text(cli, "config"),
                                        .url = er_cli_text(cli, "url")};
    struct er_config *fresh = NULL;
    struct errand_error err = {0};
    int rc = 0;

    if (scheduling->is_loaded)
        rc = er_config_load(&args, &fresh, &err);
    if (rc == 0)
        rc = er_schedules_bring_config(er_client_store(e), fresh ? fresh : cli->config,
                                       er_store_wall_ms(cli->store), &err);
    if (rc < 0)
        note(scheduling, true, err.message);
    er_config_free(fresh);
    scheduling->is_loaded = true;
}

static void job_files_bring(struct er_scheduling *scheduling, errand *e)
{
    const struct er_config *config = scheduling->cli->config;
    struct errand_arena *arena = er_arena_new();
    struct er_jobs_about jobs = {0};
    struct errand_error err = {0};

    if (!arena)
        return;
    if (er_project_describe(config->project, arena, &jobs, &err) < 0 ||
        er_jobs_publish(er_client_store(e), &jobs, er_config_owner(config), &err) < 0)
        note(scheduling, true, err.message);
    for (size_t i = 0; i < jobs.jobs_n; i++) {
        const struct er_job_about *job = &jobs.jobs[i];
        char text[ERRAND_ERROR_MAX + 256];

        if (job->error) {
            note(scheduling, true, job->error);
        } else if (er_options_check_schedule(&job->options, &err) < 0) {
            snprintf(text, sizeof text, "cannot schedule %s of %s: %s", job->name,
                     job->path, err.message);
            note(scheduling, true, text);
        }
    }
    er_arena_free(arena);
}

static void load(void *ctx, errand *e)
{
    struct er_scheduling *scheduling = ctx;

    config_bring(scheduling, e);
    if (scheduling->has_job_files)
        job_files_bring(scheduling, e);
}

struct errand_scheduler_options er_scheduling_options(struct er_scheduling *scheduling)
{
    return (struct errand_scheduler_options){
        .note = note, .ctx = scheduling, .load = load};
}
