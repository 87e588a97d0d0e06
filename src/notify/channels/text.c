/* text.c: what a person is told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "core/clock.h"
#include "notify/channels/channels.h"

struct errand_slice er_error_line(struct errand_slice error, size_t max)
{
    const char *end;
    size_t len;

    if (!error.len)
        return (struct errand_slice){"", 0};
    end = memchr(error.ptr, '\n', error.len);
    len = end ? (size_t)(end - error.ptr) : error.len;
    while (len > 0 && error.ptr[len - 1] == '\r')
        len--;
    return (struct errand_slice){error.ptr, er_utf8_cut(error.ptr, len, max)};
}

void er_notice_title(const struct er_notice *n, struct er_buf *buf)
{
    if (n->is_test)
        er_buf_printf(buf, "test message from %s", n->host);
    else if (n->total == 1 && n->failures_n)
        er_buf_printf(buf, "%s failed (%d/%d) on %s", n->name, n->failures[0].attempts,
                      n->failures[0].tries, n->queue);
    else
        er_buf_printf(buf, "%" PRId64 " × %s failed on %s", n->total, n->name, n->queue);
}

static void failure_text(const struct er_failure *f, struct er_buf *buf)
{
    char when[32];

    er_buf_printf(buf, "%s  attempt %d/%d  %s\n", f->id, f->attempts, f->tries,
                  er_time_format(f->failed_ms, when, sizeof when));
    er_text_escape(buf, f->error, true);
    er_buf_str(buf,
               f->error.len && f->error.ptr[f->error.len - 1] == '\n' ? "\n" : "\n\n");
}

static void digest_text(const struct er_notice *n, struct er_buf *buf)
{
    char since[32], until[32];

    er_buf_printf(buf, "%" PRId64 " jobs failed for good between %s and %s.\n\n",
                  n->total, er_time_format(n->since_ms, since, sizeof since),
                  er_time_format(n->until_ms, until, sizeof until));
}

static void remedy_text(const struct er_notice *n, struct er_buf *buf)
{
    if (n->total == 1 && n->failures_n)
        er_buf_printf(buf,
                      "Look:   errand queue:inspect %s\n"
                      "Retry:  errand queue:retry %s\n",
                      n->failures[0].id, n->failures[0].id);
    else
        er_buf_printf(buf,
                      "Look:   errand queue:failed --queue=%s\n"
                      "Retry:  errand queue:retry ID…\n",
                      n->queue);
}

void er_notice_text(const struct er_notice *n, struct er_buf *buf)
{
    if (n->is_test) {
        er_buf_printf(buf,
                      "This is a test. Failed jobs of errand on %s will be told here.\n",
                      n->host);
        return;
    }
    er_buf_printf(buf, "Job:    %s\nQueue:  %s\nHost:   %s\n\n", n->name, n->queue,
                  n->host);
    if (n->total > 1)
        digest_text(n, buf);
    for (size_t i = 0; i < n->failures_n; i++)
        failure_text(&n->failures[i], buf);
    if (n->total > (int64_t)n->failures_n)
        er_buf_printf(buf, "and %" PRId64 " more\n\n", n->total - (int64_t)n->failures_n);
    remedy_text(n, buf);
}
