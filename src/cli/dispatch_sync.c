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
#include "cli/sync.h"
#include "cli/when.h"
#include "cli/words.h"
#include "core/clock.h"
#include "core/id.h"

enum { IN_MAX = 18 << 20, RESULT_MAX = 1 << 20 };

/* Call, job, queue, configuration, default: who says it first. */
static void options_resolve(struct er_sync *s, const struct errand_options *call)
{
    const struct er_config *config = s->cli->config;
    const struct er_config_queue *queue;
    struct er_options all = {0};

    if (call->queue) {
        all.has |= ER_OPT_QUEUE;
        all.queue = call->queue;
    }
    if (er_seconds_to_ms("timeout", call->timeout, &all.timeout_ms, NULL) == 0 &&
        all.timeout_ms > 0)
        all.has |= ER_OPT_TIMEOUT;
    er_options_fill(&all, &s->job->options);
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

static void result_print(struct er_sync *s)
{
    struct er_line line;

    if (s->result.len == 0)
        return;
    er_line_init(&line);
    er_line_raw(&line, NULL, (struct errand_slice){s->result.ptr, s->result.len});
    er_printf(&s->cli->out, "%s\n", line.buf.ptr);
    er_line_done(&line);
}

int er_dispatch_sync(struct er_cli *cli, const char *name, const char *data,
                     const struct errand_options *options, struct errand_error *err)
{
    struct er_sync s = {.cli = cli, .name = name, .output_fd = -1, .channel_fd = -1};
    int rc;

    s.data = data ? (struct errand_slice){data, strlen(data)}
                  : (struct errand_slice){"null", 4};
    er_buf_init(&s.in, IN_MAX);
    er_buf_init(&s.result, RESULT_MAX);
    er_buf_init(&s.error, RESULT_MAX);
    if ((rc = er_dispatch_check(cli, name, data, err)) < 0 ||
        (rc = er_project_job(cli, name, &s.job, err)) < 0 ||
        (rc = id_make(&s, options, err)) < 0)
        goto out;
    if (s.job->error) {
        rc =
            errand_error_set(err, ERRAND_EJOB, "'%s' cannot run: %s", name, s.job->error);
        goto out;
    }
    options_resolve(&s, options);
    if ((rc = er_sync_start(&s, err)) == 0)
        rc = er_sync_run(&s, err);
    if (rc == 0 && (s.is_timed_out || !s.has_answer || s.verdict != ERRAND_DONE))
        rc = failure(&s, err);
    if (rc == 0)
        result_print(&s);
out:
    if (s.child.pid && !s.is_over)
        er_child_signal(&s.child, SIGKILL);
    if (s.output_fd >= 0)
        close(s.output_fd);
    if (s.channel_fd >= 0)
        close(s.channel_fd);
    er_buf_done(&s.in);
    er_buf_done(&s.result);
    er_buf_done(&s.error);
    return rc;
}
