/* words.c: outcomes, causes and values in words. */
#include "cli/words.h"

#include <stdio.h>
#include <string.h>

#include "cli/when.h"
#include "core/json.h"

const char *er_outcome_name(enum errand_outcome_kind kind)
{
    switch (kind) {
    case ERRAND_OUT_DONE:
        return "completed";
    case ERRAND_OUT_RETRY:
        return "retrying";
    case ERRAND_OUT_FAIL:
        return "failed";
    case ERRAND_OUT_SNOOZE:
        return "snoozed";
    case ERRAND_OUT_HAND_BACK:
        return "released";
    case ERRAND_OUT_CANCELLED:
        return "cancelled";
    case ERRAND_OUT_HOOK_DONE:
        return "hook";
    case ERRAND_OUT_LIMIT:
        return "limited";
    }
    return "unknown";
}

const char *er_cause_name(enum errand_cause cause)
{
    switch (cause) {
    case ERRAND_CAUSE_NONE:
        return NULL;
    case ERRAND_CAUSE_ERROR:
        return "error";
    case ERRAND_CAUSE_EXIT:
        return "exit";
    case ERRAND_CAUSE_SIGNAL:
        return "signal";
    case ERRAND_CAUSE_MEMORY:
        return "memory";
    case ERRAND_CAUSE_TIMEOUT:
        return "timeout";
    case ERRAND_CAUSE_CANCEL:
        return "cancel";
    case ERRAND_CAUSE_LEASE:
        return "lease";
    case ERRAND_CAUSE_START:
        return "start";
    case ERRAND_CAUSE_PROTOCOL:
        return "protocol";
    }
    return NULL;
}

char *er_signal_name(int number, char *buf)
{
    const char *name = sigabbrev_np(number);

    if (name)
        snprintf(buf, 24, "SIG%s", name);
    else
        snprintf(buf, 24, "signal %d", number);
    return buf;
}

char *er_cause_text(const struct errand_attempt *a, char *buf)
{
    char span[ER_WHEN_SIZE], name[24];

    buf[0] = '\0';
    switch (a->cause) {
    case ERRAND_CAUSE_NONE:
    case ERRAND_CAUSE_ERROR:
        break;
    case ERRAND_CAUSE_EXIT:
        snprintf(buf, ER_CAUSE_SIZE, "exit code %d", (int)a->exit_code);
        break;
    case ERRAND_CAUSE_SIGNAL:
        snprintf(buf, ER_CAUSE_SIZE, "killed by %s", er_signal_name(a->signal, name));
        break;
    case ERRAND_CAUSE_MEMORY:
        snprintf(buf, ER_CAUSE_SIZE, "out of memory");
        break;
    case ERRAND_CAUSE_TIMEOUT:
        snprintf(buf, ER_CAUSE_SIZE, "timed out after %s",
                 er_span_text(a->ended_ms - a->started_ms, span));
        break;
    case ERRAND_CAUSE_CANCEL:
        snprintf(buf, ER_CAUSE_SIZE, "stopped, because the job was cancelled");
        break;
    case ERRAND_CAUSE_LEASE:
        snprintf(buf, ER_CAUSE_SIZE, "lost: its worker died or was cut off");
        break;
    case ERRAND_CAUSE_START:
        snprintf(buf, ER_CAUSE_SIZE, "could not be started");
        break;
    case ERRAND_CAUSE_PROTOCOL:
        snprintf(buf, ER_CAUSE_SIZE, "its runner broke the protocol");
        break;
    }
    return buf;
}

/* ---------------------------------------------------------------- JSON over lines */

enum { ONE_LINE_MAX = 60 };

struct pretty {
    struct er_buf *buf;
    int indent, depth;
    bool is_flat;
};

static void newline(struct pretty *p)
{
    if (p->is_flat)
        return;
    er_buf_printf(p->buf, "\n%*s", p->indent + 2 * p->depth, "");
}

/* The end of the string that begins at `at`. */
static size_t string_end(struct errand_slice json, size_t at)
{
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        if (json.ptr[at] == '\\')
            at++;
    return at < json.len ? at + 1 : json.len;
}

static size_t skip_space(struct errand_slice json, size_t at)
{
    while (at < json.len && strchr(" \t\r\n", json.ptr[at]))
        at++;
    return at;
}

/* One token; answers where the next one begins. */
static size_t token(struct pretty *p, struct errand_slice json, size_t at)
{
    char c = json.ptr[at];
    size_t next = skip_space(json, at + 1);

    if (c == '"') {
        size_t end = string_end(json, at);

        er_buf_add(p->buf, json.ptr + at, end - at);
        return skip_space(json, end);
    }
    if ((c == '{' || c == '[') && next < json.len && strchr("}]", json.ptr[next])) {
        er_buf_printf(p->buf, "%c%c", c, json.ptr[next]);
        return skip_space(json, next + 1);
    }
    if (c == '}' || c == ']') {
        p->depth--;
        newline(p);
    }
    er_buf_add(p->buf, &c, 1);
    if (c == ':' || (c == ',' && p->is_flat))
        er_buf_str(p->buf, " ");
    if (c == '{' || c == '[')
        p->depth++;
    if (c == '{' || c == '[' || c == ',')
        newline(p);
    return next;
}

static void lay_out(struct pretty p, struct errand_slice json)
{
    for (size_t at = skip_space(json, 0); at < json.len && !p.buf->has_failed;)
        at = token(&p, json, at);
}

/* True: it was short enough, and stands in `buf` on one line. */
static bool is_one_line(struct er_buf *buf, struct errand_slice json)
{
    struct er_buf line;
    bool fits;

    if (json.len > 2 * ONE_LINE_MAX)
        return false;
    er_buf_init(&line, 4 * ONE_LINE_MAX);
    lay_out((struct pretty){.buf = &line, .is_flat = true}, json);
    fits = !line.has_failed && line.len <= ONE_LINE_MAX;
    if (fits)
        er_buf_add(buf, line.ptr, line.len);
    er_buf_done(&line);
    return fits;
}

int er_json_pretty(struct er_buf *buf, struct errand_slice json, int indent)
{
    er_buf_printf(buf, "%*s", indent, "");
    if (er_json_check("value", json, NULL, NULL) < 0)
        return er_buf_add(buf, json.ptr, json.len);
    if (!is_one_line(buf, json))
        lay_out((struct pretty){.buf = buf, .indent = indent}, json);
    return buf->has_failed ? -1 : 0;
}
