/* exec_job.c: an executable as a job.
 *
 * Standard input is a memory file: whatever its size, writing it never blocks and a job
 * that does not read it is no error. Output is a pipe that is always drained, so that a
 * job that prints 100 MB neither stops nor fills our memory. The attempt ends with its
 * first process; what that left running in its group is ended then. */
#include "worker/exec_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "core/json.h"
#include "worker/ask.h"
#include "worker/channel.h"
#include "worker/ending.h"
#include "worker/job.h"
#include "worker/supervisor.h"

enum {
    READ_SIZE = 64 << 10,
    DRAIN_READS = 64,
    ERROR_LINE = 300,
};

/* ------------------------------------------------------------------ the channel, fd 3 */

static const char line_long[] = "a line of more than 17 MiB on descriptor 3";

static const char no_dispatch[] = "a job could not be dispatched",
                  no_snooze[] = "it could not be put off";

static void fail(struct er_exec *e, const char *what, const char *why)
{
    if (!e->failure[0])
        snprintf(e->failure, sizeof e->failure, "%s: %.400s", what, why);
}

/* At once and not in the turn: nobody waits for the answer, and the process may end with
 * the next thing we hear of it. */
static void dispatch(struct er_exec *e, struct errand_slice value)
{
    struct errand_error err = {0};
    struct er_buf text, answer;

    er_buf_init(&text, ER_CHANNEL_LINE_MAX);
    er_buf_init(&answer, ER_FRAME_MAX);
    if (*value.ptr == '{')
        er_buf_str(&text, "[");
    er_buf_add(&text, value.ptr, value.len);
    if (*value.ptr == '{')
        er_buf_str(&text, "]");
    if (text.has_failed)
        fail(e, no_dispatch, "no memory for it");
    else if (er_ask_now(e->s, e->attempt, ER_ASK_DISPATCH,
                        (struct errand_slice){text.ptr, text.len}, &answer, &err) < 0)
        fail(e, no_dispatch, err.message);
    er_buf_done(&text);
    er_buf_done(&answer);
}

static bool line_begins(const struct er_exec *e, const char *with)
{
    size_t len = strlen(with);

    return e->line.len >= len && memcmp(e->line.ptr, with, len) == 0;
}

/* Whatever else may be lost, not a job, and not that this one is not done; of the rest
 * the log tells, once: a job that takes descriptor 3 for its log must not fill both. */
static void line_lost(struct er_exec *e, const char *why)
{
    char note[512];
    int len;

    if (line_begins(e, "{\"dispatch\""))
        fail(e, no_dispatch, why);
    else if (line_begins(e, "{\"snooze\""))
        fail(e, no_snooze, why);
    if (e->is_loss_told)
        return;
    e->is_loss_told = true;
    len = snprintf(note, sizeof note, "[left out: %.400s]\n", why);
    er_attempt_log(e->attempt, note, (size_t)len);
}

static void line_read(struct er_exec *e, struct errand_slice line)
{
    struct errand_slice note = {0};
    struct er_channel_value value;
    struct errand_error err = {0};

    switch (er_channel_line(line, &value, &err)) {
    case ER_SAID_NOTHING:
        if (line.len)
            line_lost(e, err.message);
        return;
    case ER_SAID_PROGRESS:
        if (value.json.len)
            er_json_unescape(value.json, e->s->settle.arena, &note, NULL);
        er_attempt_progress(e->s, e->attempt, value.percent, note);
        return;
    case ER_SAID_DISPATCH:
        dispatch(e, value.json);
        return;
    case ER_SAID_SNOOZE:
        e->snooze_ms = value.wait_ms;
        return;
    case ER_SAID_RESULT:
        er_buf_reset(&e->result);
        er_buf_add(&e->result, line.ptr, line.len);
        return;
    }
}

static void channel_add(struct er_exec *e, const char *ptr, size_t len)
{
    while (len) {
        const char *end = memchr(ptr, '\n', len);
        size_t n = end ? (size_t)(end - ptr) : len;

        /* over the maximum: has_failed, the line is dropped */
        er_buf_add(&e->line, ptr, n);
        if (!end)
            return;
        if (e->line.has_failed)
            line_lost(e, line_long);
        else
            line_read(e, (struct errand_slice){e->line.ptr, e->line.len});
        er_buf_reset(&e->line);
        ptr += n + 1;
        len -= n + 1;
    }
}

/* ------------------------------------------------------------------ reading */

/* 1: more may be there, 0: nothing for now, -1: closed. */
static int pipe_read(struct er_exec *e, int fd)
{
    char bytes[READ_SIZE];
    ssize_t n;

    do
        n = read(fd, bytes, sizeof bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n == 0)
        return -1;
    if (fd == e->output_fd)
        er_attempt_log(e->attempt, bytes, (size_t)n);
    else
        channel_add(e, bytes, (size_t)n);
    return n == READ_SIZE;
}

static void pipe_event(uv_poll_t *handle, int status, int events)
{
    struct er_exec *e = handle->data;
    int fd;

    er_supervisor_now(e->s);
    fd = handle == &e->output ? e->output_fd : e->channel_fd;

    (void)events;
    if (status < 0 || pipe_read(e, fd) < 0)
        uv_poll_stop(handle);
}

static void pipes_drain(struct er_exec *e)
{
    for (int i = 0; i < DRAIN_READS && pipe_read(e, e->output_fd) > 0; i++)
        ;
    for (int i = 0; i < DRAIN_READS && pipe_read(e, e->channel_fd) > 0; i++)
        ;
    if (e->line.has_failed)
        line_lost(e, line_long);
    else if (e->line.len)
        line_read(e, (struct errand_slice){e->line.ptr, e->line.len});
}

/* ------------------------------------------------------------------ the end */

static void on_closed(uv_handle_t *handle)
{
    struct er_exec *e = handle->data;

    e->handles_n--;
}

static void error_text(struct er_exec *e, struct er_ending *ending)
{
    struct errand_arena *arena = e->s->settle.arena;
    struct errand_slice log = {0}, line;
    const char *what = er_ending_text(ending, arena), *text;

    if (e->attempt->log)
        log = er_capture_text(e->attempt->log, arena);
    line = er_last_line(log, ERROR_LINE);
    text = line.len ? er_arena_printf(arena, "%s: %.*s", what, (int)line.len, line.ptr)
                    : what;
    if (text)
        ending->error = (struct errand_slice){text, strlen(text)};
}

static void exec_ended(struct er_exec *e)
{
    struct er_attempt *a = e->attempt;
    struct rusage usage = {0};
    struct er_ending ending;
    int status = 0;

    if (e->is_over || !er_child_reap(&e->child, &status, &usage))
        return;
    e->is_over = true;
    e->s->slots.execs_n--;
    er_child_done(&e->child);
    pipes_drain(e);
    er_ending_of_status(status, &usage, &ending);
    er_ending_look_for_oom(e->s, &ending);
    if (ending.cause == ERRAND_CAUSE_EXIT) {
        ending.verdict = er_channel_verdict(ending.exit_code, e->snooze_ms >= 0);
        if (ending.exit_code == 0)
            ending.cause = ERRAND_CAUSE_NONE;
        else if (ending.exit_code == ER_CODE_RETRY ||
                 ending.exit_code == ER_CODE_FOR_GOOD)
            ending.cause = ERRAND_CAUSE_ERROR;
    }
    if (e->snooze_ms >= 0) /* 0 would be the backoff of another try */
        ending.snooze_ms = e->snooze_ms ? e->snooze_ms : 1;
    if (ending.cause != ERRAND_CAUSE_NONE) {
        enum errand_cause cause = ending.cause;
        if (cause == ERRAND_CAUSE_ERROR)
            ending.cause = ERRAND_CAUSE_EXIT;
        error_text(e, &ending);
        ending.cause = cause;
    }
    if (e->failure[0] && ending.cause == ERRAND_CAUSE_NONE) {
        ending.cause = ERRAND_CAUSE_ERROR;
        ending.verdict = ERRAND_RETRY;
        ending.error = errand_text(e->failure);
    }
    if (e->result.len)
        ending.result = (struct errand_slice){e->result.ptr, e->result.len};
    a->exec = NULL;
    if (a->notice) {
        er_telling_ended(e->s, a, &ending);
    } else {
        er_slots_measure(e->s, a->plan, (double)(e->s->now_ms - a->started_mono_ms));
        er_settle_ended(e->s, a, &ending);
    }
    if (e->handles_n == 3)
        uv_close((uv_handle_t *)&e->death, on_closed);
    if (e->handles_n >= 2)
        uv_close((uv_handle_t *)&e->channel, on_closed);
    if (e->handles_n >= 1)
        uv_close((uv_handle_t *)&e->output, on_closed);
}

static void death_event(uv_poll_t *handle, int status, int events)
{
    struct er_exec *e = handle->data;

    (void)status;
    (void)events;
    er_supervisor_now(e->s);
    exec_ended(e);
}

void er_exec_check(struct er_exec *e)
{
    exec_ended(e);
}

/* ------------------------------------------------------------------ the start */

/* The file on standard input: the data as it was dispatched, or for a hook what it is to
 * know. */
static int input_make(const struct er_attempt *a)
{
    struct errand_slice error = a->job->error;
    struct er_buf buf;
    int fd;

    if (a->kind == ER_RUN_HANDLE)
        return er_memory_file("errand-data", a->data);
    if (a->kind == ER_RUN_TIMED_OUT_HOOK)
        error = (struct errand_slice){0};
    er_buf_init(&buf, ER_FRAME_MAX);
    er_buf_str(&buf, "{\"data\":");
    er_buf_add(&buf, a->data.len ? a->data.ptr : "null", a->data.len ? a->data.len : 4);
    er_buf_str(&buf, ",\"error\":");
    if (er_json_write_string(&buf, error.len ? error.ptr : "", error.len) < 0)
        buf.has_failed = true;
    er_buf_str(&buf, "}");
    fd = buf.has_failed
             ? -1
             : er_memory_file("errand-data", (struct errand_slice){buf.ptr, buf.len});
    er_buf_done(&buf);
    return fd;
}

/* What it waited for, on descriptor 4. -1: none, or no memory. */
static int parents_make(struct er_supervisor *s, const struct er_attempt *a,
                        struct errand_error *err)
{
    struct er_buf buf;
    int fd = -1, rc;

    er_buf_init(&buf, ER_FRAME_MAX);
    rc = er_ask_parents(s->client, a->job, &buf, err);
    if (rc == 0 && (fd = er_memory_file("errand-parents",
                                        (struct errand_slice){buf.ptr, buf.len})) < 0)
        rc = er_error_nomem(err);
    er_buf_done(&buf);
    return rc < 0 ? rc : fd;
}

static char **environ_make(struct er_supervisor *s, const struct er_attempt *a)
{
    int64_t timeout_ms = a->plan->timeout_ms;
    const struct er_environ_job job = {
        .id = a->job->id.text,
        .name = a->job->name,
        .queue = a->job->queue,
        .attempt = a->job->attempt,
        .tries = a->plan->tries ? a->plan->tries : a->job->tries,
        .batch = a->job->batch.text,
        .has_parents = a->job->has_parents,
        .deadline_ms = timeout_ms > 0 ? er_clock_wall_ms(NULL) + timeout_ms : 0,
    };

    return er_environ_job(&job, s->options.env_allow, a->lot->arena);
}

static char **argv_make(const struct er_attempt *a)
{
    const struct er_plan *plan = a->plan;
    char **argv = errand_arena_alloc(a->lot->arena, (plan->argc + 2) * sizeof *argv);

    if (!argv)
        return NULL;
    memcpy(argv, plan->argv, plan->argc * sizeof *argv);
    if (a->kind != ER_RUN_HANDLE)
        argv[plan->argc] = a->kind == ER_RUN_FAILED_HOOK ? "failed" : "timed-out";
    return argv;
}

static int exec_spawn(struct er_exec *e, int output, int channel,
                      struct errand_error *err)
{
    struct er_supervisor *s = e->s;
    const struct er_attempt *a = e->attempt;
    struct er_spawn spawn = {
        .path = a->plan->path,
        .argv = argv_make(a),
        .envp = environ_make(s, a),
        .cwd = s->options.project,
        .memory_mib = a->plan->memory_mib ? a->plan->memory_mib : s->options.memory,
    };
    int input = a->notice ? er_telling_input(s, a) : input_make(a), parents = -1, rc = 0;

    if (a->notice)
        spawn.memory_mib = 0; /* the limit is meant for handlers */
    if (a->job->has_parents && !a->notice && (parents = parents_make(s, a, err)) < 0) {
        rc = parents;
    } else if (!spawn.argv || !spawn.envp || input < 0) {
        rc = er_error_nomem(err);
    } else {
        spawn.fds[0] = input;
        spawn.fds[1] = spawn.fds[2] = output;
        spawn.fds[3] = channel;
        spawn.fds[4] = parents;
        spawn.fds_n = parents < 0 ? 4 : 5;
        rc = er_spawn(&spawn, &e->child, err);
    }
    if (input >= 0)
        close(input);
    if (parents >= 0)
        close(parents);
    return rc;
}

static int exec_watch(struct er_exec *e)
{
    uv_loop_t *loop = &e->s->loop;

    e->output.data = e->channel.data = e->death.data = e;
    if (uv_poll_init(loop, &e->output, e->output_fd) < 0)
        return -1;
    e->handles_n = 1;
    if (uv_poll_init(loop, &e->channel, e->channel_fd) < 0)
        return -1;
    e->handles_n = 2;
    uv_poll_start(&e->output, UV_READABLE, pipe_event);
    uv_poll_start(&e->channel, UV_READABLE, pipe_event);
    if (e->child.pidfd >= 0 && uv_poll_init(loop, &e->death, e->child.pidfd) == 0) {
        e->handles_n = 3;
        uv_poll_start(&e->death, UV_READABLE, death_event);
    }
    return 0;
}

void er_exec_free(struct er_exec *e)
{
    if (!e)
        return;
    if (e->output_fd >= 0)
        close(e->output_fd);
    if (e->channel_fd >= 0)
        close(e->channel_fd);
    er_buf_done(&e->line);
    er_buf_done(&e->result);
    free(e);
}

static int exec_new(struct er_supervisor *s, struct er_attempt *a, struct er_exec **ret,
                    struct errand_error *err)
{
    struct er_exec *e = calloc(1, sizeof *e);
    int output[2] = {-1, -1}, channel[2] = {-1, -1}, rc;

    if (!e)
        return er_error_nomem(err);
    e->s = s;
    e->attempt = a;
    e->output_fd = e->channel_fd = e->child.pidfd = -1;
    e->snooze_ms = -1;
    er_buf_init(&e->line, ER_CHANNEL_LINE_MAX);
    er_buf_init(&e->result, ER_RESULT_MAX);
    if (pipe2(output, O_CLOEXEC) < 0 || pipe2(channel, O_CLOEXEC) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "opening the pipes of a job");
        goto out;
    }
    e->output_fd = output[0];
    e->channel_fd = channel[0];
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(channel[0], F_SETFL, O_NONBLOCK);
    if ((rc = exec_spawn(e, output[1], channel[1], err)) < 0)
        goto out;
    *ret = e;
    e = NULL;
out:
    if (output[1] >= 0)
        close(output[1]);
    if (channel[1] >= 0)
        close(channel[1]);
    er_exec_free(e);
    return rc;
}

void er_exec_start(struct er_supervisor *s, struct er_attempt *a)
{
    struct errand_error err = {0};
    struct er_exec *e = NULL;

    a->started_ms = s->wall_ms;
    a->started_mono_ms = s->now_ms;
    er_trail_begun(s->lots.trail, a->trail);
    if (exec_new(s, a, &e, &err) < 0) {
        struct er_ending ending = {.cause = ERRAND_CAUSE_START,
                                   .verdict = ERRAND_RETRY,
                                   .error = {err.message, strlen(err.message)}};
        /* The store does not answer for the moment: that costs no attempt. */
        if (err.code == ERRAND_EBUSY || err.code == ERRAND_EUNAVAILABLE)
            ending = (struct er_ending){.verdict = ERRAND_SNOOZE, .snooze_ms = 1000};
        er_settle_ended(s, a, &ending);
        return;
    }
    a->state = ER_EXECUTING;
    a->exec = e;
    e->next = s->slots.execs;
    s->slots.execs = e;
    s->slots.execs_n++;
    er_stats_started(s, a);
    if (a->plan->timeout_ms > 0)
        er_supervisor_wake_at(s, s->now_ms + a->plan->timeout_ms);
    if (exec_watch(e) < 0) /* cannot be watched, so it must not run */
        er_child_signal(&e->child, SIGKILL);
}
