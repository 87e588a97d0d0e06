/* slack.c: an incoming webhook of Slack. Its text has a markup of its own, in which & < >
 * begin what is not text: links, and the calling of everybody. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "core/json.h"
#include "notify/channels/channels.h"

enum { TEXT_MAX = 64 << 10, ERROR_LINE = 300 };

static void escaped_add(struct er_buf *buf, struct errand_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '&')
            er_buf_str(buf, "&amp;");
        else if (text.ptr[i] == '<')
            er_buf_str(buf, "&lt;");
        else if (text.ptr[i] == '>')
            er_buf_str(buf, "&gt;");
        else
            er_buf_add(buf, text.ptr + i, 1);
    }
}

static void str_add(struct er_buf *buf, const char *text)
{
    escaped_add(buf, (struct errand_slice){text, strlen(text)});
}

/* In a block of code: what could end it does not. */
static void error_add(struct er_buf *buf, struct errand_slice error, bool is_whole)
{
    struct er_buf safe;

    er_buf_init(&safe, TEXT_MAX);
    er_text_escape(&safe, is_whole ? error : er_error_line(error, ERROR_LINE), is_whole);
    for (size_t i = 0; i < safe.len; i++)
        if (safe.ptr[i] == '`')
            safe.ptr[i] = '\'';
    er_buf_str(buf, is_whole ? "```" : "`");
    if (safe.len)
        escaped_add(buf, (struct errand_slice){safe.ptr, safe.len});
    er_buf_str(buf, is_whole ? "```" : "`");
    er_buf_done(&safe);
}

static void one_add(struct er_buf *buf, const struct er_notice *n)
{
    const struct er_failure *f = &n->failures[0];

    er_buf_str(buf, "*");
    str_add(buf, n->name);
    er_buf_printf(buf, "* failed (%d/%d) on queue *", f->attempts, f->tries);
    str_add(buf, n->queue);
    er_buf_str(buf, "*\n");
    if (f->error.len) {
        error_add(buf, f->error, true);
        er_buf_str(buf, "\n");
    }
    er_buf_str(buf, "`errand queue:inspect ");
    str_add(buf, f->id);
    er_buf_str(buf, "`");
}

static void digest_add(struct er_buf *buf, const struct er_notice *n)
{
    er_buf_str(buf, "*");
    str_add(buf, n->name);
    er_buf_printf(buf, "* failed %" PRId64 " times on queue *", n->total);
    str_add(buf, n->queue);
    er_buf_str(buf, "*\n");
    for (size_t i = 0; i < n->failures_n; i++) {
        const struct er_failure *f = &n->failures[i];

        er_buf_str(buf, "`");
        str_add(buf, f->id);
        er_buf_printf(buf, "` %d/%d ", f->attempts, f->tries);
        error_add(buf, f->error, false);
        er_buf_str(buf, "\n");
    }
    if (n->total > (int64_t)n->failures_n)
        er_buf_printf(buf, "and %" PRId64 " more\n", n->total - (int64_t)n->failures_n);
    er_buf_str(buf, "`errand queue:failed --queue=");
    str_add(buf, n->queue);
    er_buf_str(buf, "`");
}

void er_slack_write(const struct er_notice *n, struct er_buf *buf)
{
    struct er_buf text;

    er_buf_init(&text, TEXT_MAX);
    if (n->is_test)
        er_buf_str(&text, "This is a test of errand's notifications.");
    else if (n->total == 1 && n->failures_n)
        one_add(&text, n);
    else
        digest_add(&text, n);
    er_buf_str(&text, " on ");
    str_add(&text, n->host);
    er_buf_str(buf, "{\"text\":");
    if (text.has_failed || er_json_write_string(buf, text.ptr, text.len) < 0)
        buf->has_failed = true;
    er_buf_str(buf, "}");
    er_buf_done(&text);
}

void er_slack_send(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_delivered *ret)
{
    struct er_buf body;

    er_buf_init(&body, 4 * TEXT_MAX);
    er_slack_write(notice, &body);
    if (body.has_failed)
        er_delivered_set(ret, ER_TRY_AGAIN, "out of memory");
    else
        er_post_send(notify,
                     &(struct er_post){.url = notify->slack.webhook,
                                       .what = "slack",
                                       .body = {body.ptr, body.len}},
                     ret);
    er_buf_done(&body);
}
