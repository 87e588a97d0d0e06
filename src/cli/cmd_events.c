/* cmd_events.c: errand queue:events: what happens, as it happens. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/job_view.h"
#include "cli/line.h"
#include "cli/when.h"
#include "client/events.h"
#include "core/clock.h"
#include "core/events.h"

static const struct er_flag flags[] = {
    {"follow", NULL, "goes on with what happens, until it is interrupted",
     ER_FLAG_SWITCH},
    {"since", "T", "those since then that are kept: 10m, or an instant", ER_FLAG_WHEN},
    {"after", "SEQ", "those after this number", ER_FLAG_COUNT, .max = INT64_MAX},
    {"type", "T,…", "only these: failed, or job:failed", ER_FLAG_LIST},
    {0},
};

enum { LOOK_MS = 1000 };

/* ------------------------------------------------------------------ printing */

static enum er_colour colour_of(const char *type)
{
    static const struct {
        const char *type;
        enum er_colour colour;
    } colours[] = {{"job:completed", ER_GREEN},   {"job:failed", ER_RED},
                   {"job:retrying", ER_YELLOW},   {"job:timed-out", ER_YELLOW},
                   {"job:stalled", ER_YELLOW},    {"schedule:missed", ER_YELLOW},
                   {"job:cancelled", ER_MAGENTA}, {"job:started", ER_CYAN}};

    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (strcmp(colours[i].type, type) == 0)
            return colours[i].colour;
    return ER_PLAIN;
}

static void row_print(struct er_print *out, const struct errand_event *e)
{
    char when[32], span[ER_WHEN_SIZE];

    er_printf(out, "%s ", er_time_format(e->at_ms, when, sizeof when));
    er_print_colour(out, colour_of(e->type));
    er_printf(out, "%-16s", e->type);
    er_print_colour(out, ER_PLAIN);
    for (size_t i = 0; i < 3; i++) {
        const char *text = i == 0 ? e->name : i == 1 ? e->queue : e->id.text;
        if (!*text)
            continue;
        er_printf(out, " ");
        er_print_safe(out, text);
    }
    if (e->attempt > 0)
        er_printf(out, " attempt %d", (int)e->attempt);
    if (e->duration_ms >= 0)
        er_printf(out, ", took %s", er_span_text(e->duration_ms, span));
    if (e->delay_ms >= 0)
        er_printf(out, ", %s %s", strcmp(e->type, "queue:paused") == 0 ? "for" : "in",
                  er_span_text(e->delay_ms, span));
    if (e->error.len) {
        struct er_buf text;
        er_buf_init(&text, 16 << 10);
        er_text_escape(&text, e->error, false);
        er_printf(out, ": %s", text.ptr ? text.ptr : "");
        er_buf_done(&text);
    }
    er_printf(out, "\n");
}

static void line_print(struct er_line *line, struct er_print *out,
                       const struct errand_event *e)
{
    er_line_begin(line);
    er_line_int(line, "seq", e->seq);
    er_line_time(line, "at", e->at_ms);
    er_line_str(line, "type", e->type);
    er_line_str(line, "job_id", e->id.text[0] ? e->id.text : NULL);
    er_line_str(line, "job_name", *e->name ? e->name : NULL);
    er_line_str(line, "queue", *e->queue ? e->queue : NULL);
    er_line_int(line, "attempt", e->attempt);
    if (e->duration_ms >= 0)
        er_line_int(line, "duration_ms", e->duration_ms);
    if (e->delay_ms >= 0)
        er_line_int(line, "delay_ms", e->delay_ms);
    if (e->error.len)
        er_line_text(line, "error", e->error);
    er_line_end(line, out);
}

static void event_print(struct er_cli *cli, struct er_line *line,
                        const struct errand_event *e)
{
    if (cli->out.is_json) {
        line_print(line, &cli->out, e);
    } else if (strcmp(e->type, er_told_name(ER_TOLD_MISSED)) == 0) {
        er_print_flush(&cli->out);
        er_cli_note(cli, "fell behind: some events after number %lld are missing here",
                    (long long)e->seq);
    } else {
        row_print(&cli->out, e);
    }
}

/* ------------------------------------------------------------------ reading */

/* A descriptor that is readable when the person has had enough. */
static int stop_fd_open(struct errand_error *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : er_error_errno(err, ERRAND_EIO, errno, "waiting for signals");
}

static bool is_over(struct er_cli *cli, int stop_fd)
{
    struct pollfd fds[2] = {{.fd = stop_fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};

    return cli->out.is_closed ||
           (poll(fds, 2, 0) > 0 &&
            (fds[0].revents & POLLIN || fds[1].revents & (POLLERR | POLLHUP)));
}

/* Until nothing more is there or, when following, until somebody has had enough. What
 * passes by itself is waited for. */
static int read_all(struct er_cli *cli, errand_events *events, int stop_fd,
                    struct errand_error *err)
{
    const struct errand_event *event;
    struct er_line line;
    int rc;

    er_line_init(&line);
    for (;;) {
        rc = er_events_next(events, 0, -1, &event, err);
        if (rc > 0) {
            event_print(cli, &line, event);
            if (!cli->out.is_closed)
                continue;
        }
        er_print_flush(&cli->out);
        if (stop_fd < 0 || is_over(cli, stop_fd))
            break;
        if (rc == 0 && (rc = er_events_next(events, LOOK_MS, stop_fd, &event, err)) > 0)
            event_print(cli, &line, event);
        if (rc < 0 && !err->retryable)
            break;
        if (rc < 0)
            poll(&(struct pollfd){.fd = stop_fd, .events = POLLIN}, 1, LOOK_MS);
    }
    er_line_done(&line);
    return rc < 0 ? rc : ER_EXIT_DONE;
}

/* The types that were asked for, and that some were missed. */
static int types_take(struct er_cli *cli, const char ***ret, struct errand_error *err)
{
    const struct er_flag_value *asked = er_cli_flag(cli, "type");
    const char **types;

    *ret = NULL;
    if (!asked->items_n)
        return 0;
    types = errand_arena_alloc(cli->arena, (asked->items_n + 2) * sizeof *types);
    if (!types)
        return er_error_nomem(err);
    memcpy(types, asked->items, asked->items_n * sizeof *types);
    types[asked->items_n] = er_told_name(ER_TOLD_MISSED);
    *ret = types;
    return 0;
}

static int options_take(struct er_cli *cli, struct errand_events_options *ret,
                        struct errand_error *err)
{
    const char **types;
    int rc = types_take(cli, &types, err);

    if (rc < 0)
        return rc;
    *ret = (struct errand_events_options){
        .types = types,
        .since_ms = er_cli_ago(cli, "since", er_store_wall_ms(cli->store)),
        .after = er_cli_number(cli, "after", 0),
        .is_look_only = !er_cli_has(cli, "follow")};
    if (er_cli_has(cli, "after") ? !ret->after : ret->is_look_only && !ret->since_ms)
        ret->after = ERRAND_EVENTS_ALL;
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    bool follows = er_cli_has(cli, "follow");
    struct errand_events_options options;
    errand_events *events = NULL;
    int stop_fd = -1, rc;

    if ((rc = options_take(cli, &options, err)) < 0 ||
        (rc = er_cli_open(cli, follows ? ER_OPEN_KEEP : ER_OPEN_LOOK, err)) < 0)
        return rc;
    if (follows && (stop_fd = stop_fd_open(err)) < 0)
        return stop_fd;
    if ((events = errand_events_open(cli->errand, &options, err)))
        rc = read_all(cli, events, stop_fd, err);
    else
        rc = err->code;
    errand_events_close(events);
    if (stop_fd >= 0)
        close(stop_fd);
    return rc;
}

const struct er_command er_cmd_events = {
    .name = "queue:events",
    .group = "Look",
    .args = "",
    .flags = flags,
    .help = "shows what happens to jobs",
    .about =
        "Events are stored only while somebody follows them, and the last 10,000 are "
        "kept: without --follow there is only what was stored for somebody else. With "
        "--json each line is an event: seq at type job_id job_name queue attempt and, by "
        "type, duration_ms delay_ms error. docs/events.md has all types; events:missed "
        "says that this reader was too slow for what was told in between.",
    .example = "errand queue:events --follow --type=failed,retrying",
    .exec = exec,
};
