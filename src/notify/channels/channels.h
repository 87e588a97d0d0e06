/* channels.h: the channels, each in a file of its own. A channel knows the notice and its
 * own settings; it knows no store and no worker. */
#ifndef ER_NOTIFY_CHANNELS_CHANNELS_H
#define ER_NOTIFY_CHANNELS_CHANNELS_H

#include "base/buf.h"
#include "notify/notify.h"

/* email.c, slack.c, webhook.c: over one channel. */
void er_email_send(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_delivered *ret);
void er_slack_send(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_delivered *ret);
void er_webhook_send(const struct errand_notify *notify, const struct er_notice *notice,
                     struct er_delivered *ret);

/* ------------------------------------------------------------------ text.c */

/* "SendWelcomeEmail failed (3/3) on emails", "37 × SendWelcomeEmail failed on emails". */
void er_notice_title(const struct er_notice *notice, struct er_buf *buf);
/* The whole message as plain text with LF line ends. */
void er_notice_text(const struct er_notice *notice, struct er_buf *buf);
/* The first line of an error, at most `max` bytes, cut between characters. */
struct errand_slice er_error_line(struct errand_slice error, size_t max);

/* ------------------------------------------------------------------ mail.c */

/* The whole mail with CRLF line ends: headers by RFC 5322, 2045 and 2047. `at_ms` is its
 * date, `from` its sender. */
void er_mail_write(const struct errand_notify *notify, const char *from, int64_t at_ms,
                   const struct er_notice *notice, struct er_buf *buf);
/* A header's text: as it is when it is plain ASCII, else in encoded words; folded, and at
 * most 200 bytes of it, cut between characters. */
void er_mail_header_text(struct er_buf *buf, const char *name, struct errand_slice text);
void er_mail_quoted_printable(struct er_buf *buf, struct errand_slice text);

/* ------------------------------------------------------------------ payloads */

void er_slack_write(const struct er_notice *notice, struct er_buf *buf);
void er_webhook_write(const struct er_notice *notice, struct er_buf *buf);
/* "v1," and the base64 of the HMAC-SHA-256 over "ID.SECONDS.BODY" (Standard Webhooks).
 * `ret` has room for 64 bytes. -1: a whsec_ secret that is not base64. */
int er_webhook_sign(const char *secret, const char *id, int64_t seconds,
                    struct errand_slice body, char *ret);

/* ------------------------------------------------------------------ post.c */

struct er_post {
    const char *url;
    const char *what; /* "slack", for messages: the URL is a secret */
    struct errand_slice body;
    const char *const *headers; /* NULL-terminated, beside Content-Type */
};
void er_post_send(const struct errand_notify *notify, const struct er_post *post,
                  struct er_delivered *ret);

#endif
