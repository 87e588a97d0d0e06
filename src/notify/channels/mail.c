/* mail.c: the mail as bytes. Names and addresses were checked before; what an error says
 * may hold anything, and gets into the subject and the body encoded alone. */
#include <string.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "core/civil.h"
#include "notify/channels/channels.h"

enum {
    SUBJECT_MAX = 200,
    WORD_BYTES = 39, /* in one encoded word: 52 of base64, 64 with its frame */
    LINE_BYTES = 76,
    SUBJECT_ERROR = 100,
};

/* ------------------------------------------------------------------ headers */

static void base64_add(struct er_buf *buf, const unsigned char *p, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned n = (unsigned)p[i] << 16;
        char out[4];

        n |= i + 1 < len ? (unsigned)p[i + 1] << 8 : 0;
        n |= i + 2 < len ? (unsigned)p[i + 2] : 0;
        out[0] = digits[n >> 18];
        out[1] = digits[n >> 12 & 63];
        out[2] = i + 1 < len ? digits[n >> 6 & 63] : '=';
        out[3] = i + 2 < len ? digits[n & 63] : '=';
        er_buf_add(buf, out, 4);
    }
}

/* What may stand in a header as it is; "=?" would begin an encoded word. */
static bool is_plain(struct errand_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~' ||
            (text.ptr[i] == '=' && i + 1 < text.len && text.ptr[i + 1] == '?'))
            return false;
    return true;
}

static void words_add(struct er_buf *buf, struct errand_slice text)
{
    for (size_t at = 0, n; at < text.len; at += n) {
        n = er_utf8_cut(text.ptr + at, text.len - at, WORD_BYTES);
        er_buf_str(buf, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        base64_add(buf, (const unsigned char *)text.ptr + at, n);
        er_buf_str(buf, "?=");
    }
}

/* Folded where blanks are, so that no line is longer than 76. */
static void plain_add(struct er_buf *buf, size_t column, struct errand_slice text)
{
    for (size_t at = 0, n; at < text.len; at += n) {
        const char *blank = memchr(text.ptr + at + 1, ' ', text.len - at - 1);

        n = blank ? (size_t)(blank - text.ptr) - at : text.len - at;
        if (at && column + n > LINE_BYTES && text.ptr[at] == ' ') {
            er_buf_str(buf, "\r\n");
            column = 0;
        }
        er_buf_add(buf, text.ptr + at, n);
        column += n;
    }
}

void er_mail_header_text(struct er_buf *buf, const char *name, struct errand_slice text)
{
    text.len = er_utf8_cut(text.ptr, text.len, SUBJECT_MAX);
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    er_buf_printf(buf, "%s: ", name);
    if (is_plain(text))
        plain_add(buf, strlen(name) + 2, text);
    else
        words_add(buf, text);
    er_buf_str(buf, "\r\n");
}

static void subject_add(const struct er_notice *n, struct er_buf *buf)
{
    struct errand_slice error = {"", 0};
    struct er_buf text;

    er_buf_init(&text, 4096);
    er_buf_str(&text, "[errand] ");
    er_notice_title(n, &text);
    if (!n->is_test && n->failures_n)
        error = er_error_line(n->failures[0].error, SUBJECT_ERROR);
    if (error.len) {
        er_buf_str(&text, ": ");
        er_text_escape(&text, error, false);
    }
    if (text.ptr)
        er_mail_header_text(buf, "Subject", (struct errand_slice){text.ptr, text.len});
    er_buf_done(&text);
}

static void date_add(struct er_buf *buf, int64_t at_ms)
{
    static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun",
                                           "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t seconds = at_ms > 0 ? at_ms / 1000 : 0, days = seconds / 86400, year;
    int month, day, of_day = (int)(seconds % 86400);

    er_civil_from_days(days, &year, &month, &day);
    er_buf_printf(buf, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n",
                  weekdays[days % 7], day, months[month - 1], (int)year, of_day / 3600,
                  of_day / 60 % 60, of_day % 60);
}

static void to_add(struct er_buf *buf, const char *const *to)
{
    er_buf_str(buf, "To: ");
    for (size_t i = 0; to[i]; i++)
        er_buf_printf(buf, "%s%s", i ? ",\r\n " : "", to[i]);
    er_buf_str(buf, "\r\n");
}

/* ------------------------------------------------------------------ body */

static bool is_literal(unsigned char c, bool is_last)
{
    if (c == ' ' || c == '\t')
        return !is_last; /* a blank at the end of a line may be lost on the way */
    return c > ' ' && c <= '~' && c != '=';
}

void er_mail_quoted_printable(struct er_buf *buf, struct errand_slice text)
{
    size_t column = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_last = i + 1 == text.len || text.ptr[i + 1] == '\n';

        if (c == '\n') {
            er_buf_str(buf, "\r\n");
            column = 0;
            continue;
        }
        if (column + 3 >= LINE_BYTES) {
            er_buf_str(buf, "=\r\n");
            column = 0;
        }
        /* A dot that begins a line is doubled by the transport; encoded, it needs none.
         */
        if (is_literal(c, is_last) && !(c == '.' && column == 0)) {
            er_buf_add(buf, &c, 1);
            column++;
        } else {
            er_buf_printf(buf, "=%02X", c);
            column += 3;
        }
    }
    if (column)
        er_buf_str(buf, "\r\n");
}

void er_mail_write(const struct errand_notify *notify, const char *from, int64_t at_ms,
                   const struct er_notice *notice, struct er_buf *buf)
{
    struct er_buf text;

    er_buf_init(&text, 1 << 20);
    er_notice_text(notice, &text);
    date_add(buf, at_ms);
    er_buf_printf(buf, "From: errand <%s>\r\n", from);
    to_add(buf, notify->email.to);
    subject_add(notice, buf);
    /* The same when it is sent again: a mailbox may show it once. */
    er_buf_printf(buf, "Message-ID: <%s@%s>\r\n", notice->id,
                  strchr(from, '@') ? strchr(from, '@') + 1 : from);
    er_buf_str(buf, "Auto-Submitted: auto-generated\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    er_mail_quoted_printable(buf, (struct errand_slice){text.ptr, text.len});
    if (text.has_failed)
        buf->has_failed = true;
    er_buf_done(&text);
}
