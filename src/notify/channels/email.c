/* email.c: one mail to all addresses, by SMTP. TLS is required unless the settings say
 * "none", which the check of settings allows to this machine alone. */
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "notify/channels/curl.h"

enum { TIMEOUT_MS = 60000, MAIL_MAX = 1 << 20 };

struct reading {
    const char *ptr;
    size_t len;
};

static size_t on_read(char *into, size_t size, size_t n, void *ctx)
{
    struct reading *r = ctx;
    size_t len = size * n < r->len ? size * n : r->len;

    memcpy(into, r->ptr, len);
    r->ptr += len;
    r->len -= len;
    return len;
}

/* The sender when the settings name none. */
static const char *from_of(const struct errand_notify *notify, char *buf, size_t size)
{
    char host[200] = "";

    if (notify->email.from)
        return notify->email.from;
    gethostname(host, sizeof host - 1);
    snprintf(buf, size, "errand@%s", host);
    if (er_notify_check_value("email.from", buf, NULL) < 0)
        snprintf(buf, size, "errand@localhost");
    return buf;
}

static void server_set(CURL *curl, const struct errand_notify_email *e)
{
    bool is_implicit = e->tls == ERRAND_TLS_IMPLICIT;
    bool is_v6 = strchr(e->host, ':') != NULL;
    int port = e->port;
    char url[320];

    if (!port)
        port = is_implicit ? 465 : e->tls == ERRAND_TLS_NONE ? 25 : 587;
    snprintf(url, sizeof url, "%s://%s%s%s:%d", is_implicit ? "smtps" : "smtp",
             is_v6 ? "[" : "", e->host, is_v6 ? "]" : "", port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(
        curl, CURLOPT_USE_SSL,
        (long)(e->tls == ERRAND_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!e->user)
        return;
    curl_easy_setopt(curl, CURLOPT_USERNAME, e->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, e->password);
}

/* A server that says 55x about the mail itself will say so again; about the log-in or TLS
 * it may be asked again when somebody has corrected the settings. */
static enum er_delivery judge(CURLcode code, long reply)
{
    if (code == CURLE_OK)
        return ER_DELIVERED;
    return reply >= 550 && reply < 560 && code != CURLE_LOGIN_DENIED ? ER_GIVE_UP
                                                                     : ER_TRY_AGAIN;
}

static void perform(struct er_curl *c, const struct errand_notify *notify,
                    struct er_delivered *ret)
{
    CURLcode code = curl_easy_perform(c->curl);
    long reply = 0;

    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply);
    er_delivered_set(ret, judge(code, reply), "mail to %s: %s", notify->email.host,
                     code == CURLE_OK ? "taken" : er_curl_why(c, code));
}

void er_email_send(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_delivered *ret)
{
    struct curl_slist *to = NULL, *more;
    char address[256];
    const char *from = from_of(notify, address, sizeof address);
    struct reading reading;
    struct er_curl c = {0};
    struct er_buf mail;

    er_delivered_set(ret, ER_TRY_AGAIN, "out of memory");
    er_buf_init(&mail, MAIL_MAX);
    er_mail_write(notify, from, er_clock_wall_ms(NULL), notice, &mail);
    if (mail.has_failed || er_curl_init(&c, notify, "smtp,smtps", TIMEOUT_MS) < 0)
        goto out;
    for (size_t i = 0; notify->email.to[i]; i++, to = more)
        if (!(more = curl_slist_append(to, notify->email.to[i])))
            goto out;
    reading = (struct reading){mail.ptr, mail.len};
    server_set(c.curl, &notify->email);
    curl_easy_setopt(c.curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(c.curl, CURLOPT_MAIL_RCPT, to);
    /* An address that is refused must not keep the others from being told. */
    curl_easy_setopt(c.curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(c.curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c.curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c.curl, CURLOPT_READDATA, &reading);
    perform(&c, notify, ret);
out:
    er_curl_done(&c);
    curl_slist_free_all(to);
    er_buf_done(&mail);
}
