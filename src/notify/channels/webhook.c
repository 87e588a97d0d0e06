/* webhook.c: a POST of JSON for programs, signed by the rules of Standard Webhooks
 * (www.standardwebhooks.com), for which there are libraries in most languages. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/clock.h"
#include "core/json.h"
#include "notify/channels/channels.h"

enum { BODY_MAX = 1 << 20, KEY_MAX = 1024, SIGNATURE_MAX = 64 };

static void text_add(struct er_buf *buf, const char *key, struct errand_slice text)
{
    er_buf_printf(buf, ",\"%s\":", key);
    er_json_write_string(buf, text.len ? text.ptr : "", text.len);
}

static void str_add(struct er_buf *buf, const char *key, const char *text)
{
    text_add(buf, key, (struct errand_slice){text, strlen(text)});
}

static void time_add(struct er_buf *buf, const char *key, int64_t ms)
{
    char when[32];

    str_add(buf, key, er_time_format(ms, when, sizeof when));
}

static void failure_add(struct er_buf *buf, const struct er_failure *f)
{
    er_buf_printf(buf, "{\"attempts\":%d,\"tries\":%d", f->attempts, f->tries);
    str_add(buf, "id", f->id);
    time_add(buf, "failed_at", f->failed_ms);
    text_add(buf, "error", f->error);
    er_buf_str(buf, "}");
}

void er_webhook_write(const struct er_notice *n, struct er_buf *buf)
{
    er_buf_printf(buf, "{\"type\":\"%s\"", n->is_test ? "test" : "job.failed");
    time_add(buf, "timestamp", n->until_ms);
    er_buf_printf(buf, ",\"data\":{\"total\":%" PRId64, n->total);
    str_add(buf, "job", n->name);
    str_add(buf, "queue", n->queue);
    str_add(buf, "host", n->host);
    time_add(buf, "since", n->since_ms);
    time_add(buf, "until", n->until_ms);
    er_buf_str(buf, ",\"failures\":[");
    for (size_t i = 0; i < n->failures_n; i++) {
        er_buf_str(buf, i ? "," : "");
        failure_add(buf, &n->failures[i]);
    }
    er_buf_str(buf, "]}}");
}

/* ------------------------------------------------------------------ the signature */

/* The key behind "whsec_", or the text itself. -1: not base64. */
static int key_of(const char *secret, unsigned char *key, size_t *ret_len)
{
    size_t len = strlen(secret);

    if (strncmp(secret, "whsec_", 6) != 0) {
        *ret_len = len < KEY_MAX ? len : KEY_MAX;
        memcpy(key, secret, *ret_len);
        return 0;
    }
    return sodium_base642bin(key, KEY_MAX, secret + 6, len - 6, NULL, ret_len, NULL,
                             sodium_base64_VARIANT_ORIGINAL);
}

int er_webhook_sign(const char *secret, const char *id, int64_t seconds,
                    struct errand_slice body, char *ret)
{
    unsigned char key[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char head[128];
    size_t key_len;

    if (sodium_init() < 0 || key_of(secret, key, &key_len) < 0)
        return -1;
    snprintf(head, sizeof head, "%s.%" PRId64 ".", id, seconds);
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.ptr, body.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(key, sizeof key);
    memcpy(ret, "v1,", 4);
    sodium_bin2base64(ret + 3, SIGNATURE_MAX - 3, mac, sizeof mac,
                      sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

/* ------------------------------------------------------------------ sending */

static void signed_send(const struct errand_notify *notify, const char *id,
                        struct errand_slice body, struct er_delivered *ret)
{
    int64_t seconds = er_clock_wall_ms(NULL) / 1000;
    char id_line[128], time_line[64], sign_line[128] = "webhook-signature: ";
    const char *headers[4] = {id_line, time_line, NULL, NULL};
    const char *secret = notify->webhook.secret;

    snprintf(id_line, sizeof id_line, "webhook-id: %s", id);
    snprintf(time_line, sizeof time_line, "webhook-timestamp: %" PRId64, seconds);
    if (secret) {
        headers[2] = sign_line;
        if (er_webhook_sign(secret, id, seconds, body, sign_line + strlen(sign_line)) <
            0) {
            er_delivered_set(ret, ER_GIVE_UP,
                             "webhook: the secret is not whsec_ and base64");
            return;
        }
    }
    er_post_send(notify,
                 &(struct er_post){.url = notify->webhook.url,
                                   .what = "webhook",
                                   .body = body,
                                   .headers = headers},
                 ret);
}

void er_webhook_send(const struct errand_notify *notify, const struct er_notice *notice,
                     struct er_delivered *ret)
{
    struct er_buf body;

    er_buf_init(&body, BODY_MAX);
    er_webhook_write(notice, &body);
    if (body.has_failed)
        er_delivered_set(ret, ER_TRY_AGAIN, "out of memory");
    else
        signed_send(notify, notice->id, (struct errand_slice){body.ptr, body.len}, ret);
    er_buf_done(&body);
}
