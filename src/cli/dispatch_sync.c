/* dispatch_sync.c: queue:dispatch --sync: the handler runs here, once, with its time-out;
 * its result is printed, or its error. No store is opened and nothing is retried. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/dispatch.h"
#include "cli/line.h"
#include "cli/project.h"
#include "cli/when.h"
#include "cli/words.h"
#include "core/clock.h"
#include "core/data.h"
#include "core/id.h"
#include "worker/sync.h"

/* Call, job, queue, configuration, default: who says it first. */
static void options_resolve(const struct er_config *config, const struct er_options *job,
                            const struct errand_options *call, struct er_sync *s)
{
    const struct er_config_queue *queue;
    struct er_options all = {0};

    if (call->queue) {
        all.has |= ER_OPT_QUEUE;
        all.queue = call->queue;
    }
    if (er_seconds_to_ms("timeout", call->timeout, &all.timeout_ms, NULL) == 0 &&
        all.timeout_ms > 0)
        all.has |= ER_OPT_TIMEOUT;
    er_options_fill(&all, job);
    if (all.has & ER_OPT_QUEUE && (queue = er_config_queue_find(config, all.queue)))
        er_options_fill(&all, &queue->options);
    er_options_fill(&all, &config->defaults);
    er_options_fill(&all, &er_options_default);
    s->queue = all.queue;
    s->timeout_ms = all.timeout_ms;
}

/* A program of the user's runs its own handlers, so ids only have to be new. */
static int id_make(struct er_sync *s, const struct errand_options *call,
                   struct errand_error *err)
{
    struct er_id_source source = {0};

    s->id = call->id;
    if (s->id.text[0] || er_id_new(&source, er_clock_wall_ms(NULL), &s->id) == 0)
        return 0;
    return errand_error_set(err, ERRAND_EIO,
                            "the system gives no random bytes for an id");
}

/* Why it did not end well, in words. */
static int failure(struct er_sync *s, struct errand_error *err)
{
    char span[ER_WHEN_SIZE], name[24];

    if (s->is_timed_out)
        return errand_error_set(err, ERRAND_EJOB, "'%s' timed out after %s", s->name,
                                er_span_text(s->timeout_ms, span));
    if (s->error.len)
        return errand_error_set(err, ERRAND_EJOB, "'%s' failed: %s", s->name,
                                s->error.ptr);
    if (s->has_answer && s->verdict == ERRAND_SNOOZE)
        return errand_error_set(err, ERRAND_EJOB, "'%s' wants to run later", s->name);
    if (WIFSIGNALED(s->status))
        return errand_error_set(err, ERRAND_EJOB, "'%s' failed: killed by %s", s->name,
                                er_signal_name(WTERMSIG(s->status), name));
    return errand_error_set(err, ERRAND_EJOB,
                            "'%s' failed: its process ended with exit code "
                            "%d and no answer",
                            s->name, WEXITSTATUS(s->status));
}

static void result_print(struct er_cli *cli, const struct er_sync *s)
{
    struct er_line line;

    if (s->result.len == 0)
        return;
    er_line_init(&line);
    er_line_raw(&line, NULL, (struct errand_slice){s->result.ptr, s->result.len});
    er_printf(&cli->out, "%s\n", line.buf.ptr);
    er_line_done(&line);
}

/* What the child is to be: the job's own file, or this program for a handler in C. */
static int file_set(struct er_cli *cli, const struct er_job_about *job, struct er_sync *s,
                    struct errand_error *err)
{
    if (job->error)
        return errand_error_set(err, ERRAND_EJOB, "'%s' cannot run: %s", s->name,
                                job->error);
    s->project = cli->config->project;
    s->env_allow = cli->config->env_allow;
    s->memory_mib = cli->config->worker.memory;
    if (job->source != ER_JOB_EXECUTABLE)
        return 0;
    s->file = job->path[0] == '/'
                  ? job->path
                  : er_arena_printf(cli->arena, "%s/%s", s->project, job->path);
    return s->file ? 0 : er_error_nomem(err);
}

/* As er_dispatch_check, with what the job itself says. */
static int check_data(struct er_cli *cli, const struct er_job_about *job,
                      const struct er_sync *s, struct errand_error *err)
{
    const struct errand_config *config = &cli->config->client;
    const struct er_json_limits limits = {.max_bytes = config->max_data,
                                          .max_depth = config->max_depth};

    return job->error ? 0 : er_data_check(s->name, s->data, &job->options, &limits, err);
}

int er_dispatch_sync(struct er_cli *cli, const char *name, const char *data,
                     const struct errand_options *options, struct errand_error *err)
{
    struct er_sync s = {.arena = cli->arena, .name = name};
    const struct er_job_about *job;
    int rc;

    s.data = data ? (struct errand_slice){data, strlen(data)}
                  : (struct errand_slice){"null", 4};
    er_sync_init(&s);
    if ((rc = er_dispatch_check(cli, name, data, err)) < 0 ||
        (rc = er_project_job(cli, name, &job, err)) < 0 ||
        (rc = check_data(cli, job, &s, err)) < 0 ||
        (rc = id_make(&s, options, err)) < 0 || (rc = file_set(cli, job, &s, err)) < 0)
        goto out;
    options_resolve(cli->config, &job->options, options, &s);
    if ((rc = er_sync_start(&s, err)) == 0)
        rc = er_sync_run(&s, err);
    if (rc == 0 && (s.is_timed_out || !s.has_answer || s.verdict != ERRAND_DONE))
        rc = failure(&s, err);
    if (rc == 0)
        result_print(cli, &s);
out:
    er_sync_done(&s);
    return rc;
}
