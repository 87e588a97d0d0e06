/* post.c: a POST to where a webhook is, and nowhere else. A URL that somebody got into
 * the settings, or the name server of its host, must not make us knock at the doors of
 * the network we are in: the address is looked at when the socket to it is made, so what
 * was checked is what is connected to. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "core/net.h"
#include "notify/channels/curl.h"

enum {
    TIMEOUT_MS = 10000,
    RESPONSE_MAX = 64 << 10,
    SAID_MAX = 200, /* of the response, for the error */
    WAIT_MAX_MS = 3600000,
};

struct posting {
    const struct errand_notify *notify;
    bool is_https, has_tried; /* one of the addresses */
    char refused[160];        /* why an address was not connected to */
    size_t response_n;
    char said[SAID_MAX + 1];
    size_t said_n;
};

/* ------------------------------------------------------------------ the guard */

static bool is_allowed(const struct errand_notify *notify,
                       const struct er_address *address)
{
    struct er_network network;

    for (const char *const *text = notify->allow; text && *text; text++)
        if (er_network_parse(*text, &network) == 0 && er_network_has(&network, address))
            return true;
    return false;
}

/* NULL: it may be connected to. */
static const char *refusal(const struct posting *p, const struct er_address *address)
{
    const char *kind = er_address_kind(address);

    if (is_allowed(p->notify, address))
        return NULL;
    if (!p->is_https)
        return "not https, and no network of 'allow'";
    return kind;
}

static void address_text(const struct sockaddr *from, char *buf, socklen_t size)
{
    const void *at = from->sa_family == AF_INET
                         ? (const void *)&((const struct sockaddr_in *)from)->sin_addr
                         : (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr;

    if (!inet_ntop(from->sa_family, at, buf, size))
        buf[0] = '\0';
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct posting *p = ctx;
    struct er_address address;
    char text[INET6_ADDRSTRLEN];
    const char *why;

    (void)purpose;
    if (er_address_of(&to->addr, &address) < 0) {
        snprintf(p->refused, sizeof p->refused, "an address that is not of the internet");
        return CURL_SOCKET_BAD;
    }
    if (!(why = refusal(p, &address))) {
        p->has_tried = true;
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    }
    address_text(&to->addr, text, sizeof text);
    snprintf(p->refused, sizeof p->refused, "%s is %s", text, why);
    return CURL_SOCKET_BAD;
}

/* ------------------------------------------------------------------ the response */

static size_t on_body(char *ptr, size_t size, size_t n, void *ctx)
{
    struct posting *p = ctx;
    size_t len = size * n, keep = SAID_MAX - p->said_n;

    keep = keep < len ? keep : len;
    memcpy(p->said + p->said_n, ptr, keep);
    p->said_n += keep;
    p->response_n += len;
    return p->response_n > RESPONSE_MAX ? 0 : len;
}

static size_t on_header(char *ptr, size_t size, size_t n, void *ctx)
{
    struct posting *p = ctx;

    (void)ptr;
    p->response_n += size * n;
    return p->response_n > RESPONSE_MAX ? 0 : size * n;
}

/* What the answer means. Once a server has said 2xx the message is there, whatever
 * becomes of the rest of the response. */
static enum er_delivery judge(CURLcode code, long status)
{
    if (status >= 200 && status < 300)
        return ER_DELIVERED;
    if (code != CURLE_OK && status == 0)
        return ER_TRY_AGAIN;
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return ER_TRY_AGAIN;
    return ER_GIVE_UP; /* 3xx too: nobody is followed */
}

static void status_tell(struct posting *p, const char *what, long status,
                        enum er_delivery delivery, struct er_delivered *ret)
{
    struct er_buf said;

    er_buf_init(&said, 4096);
    er_text_escape(&said, (struct errand_slice){p->said, strlen(p->said)}, false);
    er_delivered_set(ret, delivery, "%s answered %ld%s%s%s", what, status,
                     status >= 300 && status < 400 ? ", and redirects are not followed"
                                                   : "",
                     said.len ? ": " : "", said.len ? said.ptr : "");
    er_buf_done(&said);
}

static void perform(struct er_curl *c, struct posting *p, const char *what,
                    struct er_delivered *ret)
{
    CURLcode code = curl_easy_perform(c->curl);
    curl_off_t wait = 0;
    long status = 0;

    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &wait);
    if (status)
        status_tell(p, what, status, judge(code, status), ret);
    else if (p->refused[0] && !p->has_tried)
        er_delivered_set(ret, ER_GIVE_UP, "%s: %s: not sent there", what, p->refused);
    else
        er_delivered_set(ret, judge(code, status), "%s: %s", what, er_curl_why(c, code));
    if (wait > 0 && ret->delivery == ER_TRY_AGAIN)
        ret->wait_ms = wait < WAIT_MAX_MS / 1000 ? wait * 1000 : WAIT_MAX_MS;
}

/* ------------------------------------------------------------------ the request */

static struct curl_slist *headers_make(const struct er_post *post)
{
    static const char *const own[] = {"Content-Type: application/json",
                                      "Expect:", "User-Agent: errand/" ERRAND_VERSION,
                                      NULL};
    const char *const *const lists[] = {own, post->headers};
    struct curl_slist *list = NULL, *more;

    for (size_t i = 0; i < 2; i++)
        for (const char *const *h = lists[i]; h && *h; h++, list = more)
            if (!(more = curl_slist_append(list, *h))) {
                curl_slist_free_all(list);
                return NULL;
            }
    return list;
}

void er_post_send(const struct errand_notify *notify, const struct er_post *post,
                  struct er_delivered *ret)
{
    struct posting p = {.notify = notify,
                        .is_https = strncmp(post->url, "https:", 6) == 0};
    struct curl_slist *headers = headers_make(post);
    struct er_curl c = {0};

    er_delivered_set(ret, ER_TRY_AGAIN, "out of memory");
    if (!headers || er_curl_init(&c, notify, "http,https", TIMEOUT_MS) < 0)
        goto out;
    curl_easy_setopt(c.curl, CURLOPT_URL, post->url);
    curl_easy_setopt(c.curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(c.curl, CURLOPT_OPENSOCKETDATA, &p);
    curl_easy_setopt(c.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
    curl_easy_setopt(c.curl, CURLOPT_POSTFIELDS, post->body.ptr);
    curl_easy_setopt(c.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c.curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c.curl, CURLOPT_WRITEDATA, &p);
    curl_easy_setopt(c.curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c.curl, CURLOPT_HEADERDATA, &p);
    perform(&c, &p, post->what, ret);
out:
    er_curl_done(&c);
    curl_slist_free_all(headers);
}
