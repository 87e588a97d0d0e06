/* notify_check.c: are the settings of notifications such that they can work, and can do
 * no harm? What reaches a header or an envelope is checked here, before it is used. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/module.h"
#include "client/notify.h"
#include "core/net.h"

enum {
    ADDRESS_MAX = 254,
    LOCAL_MAX = 64,
    HOST_MAX = 253,
    TEXT_MAX = 1024,
    PORTS_MAX = 100
};

static const char *const channel_names[ER_NOTIFY_CHANNELS_N] = {
    [ER_NOTIFY_EMAIL] = "email",
    [ER_NOTIFY_SLACK] = "slack",
    [ER_NOTIFY_WEBHOOK] = "webhook",
};

const char *er_notify_channel_name(enum er_notify_channel channel)
{
    return channel_names[channel];
}

int er_notify_channel_find(const char *name)
{
    for (int i = 0; i < ER_NOTIFY_CHANNELS_N; i++)
        if (strcmp(channel_names[i], name) == 0)
            return i;
    return -1;
}

/* ------------------------------------------------------------------ one value: what is
 * wrong with it, or NULL */

/* C0, DEL and what is not ASCII: none of it belongs into a protocol's line. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static const char *text_why(const char *text)
{
    if (!text[0])
        return "is empty";
    if (strlen(text) > TEXT_MAX)
        return "is longer than 1,024 bytes";
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return "has a line end or another control character in it";
    return NULL;
}

static const char *host_why(const char *text)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-_:";

    if (text_why(text))
        return text_why(text);
    if (strlen(text) > HOST_MAX || strspn(text, legal) != strlen(text))
        return "is not the name of a host or an address";
    return NULL;
}

/* What RFC 5321 allows without quotes; a quoted local part is not worth the trouble. */
static const char *address_why(const char *text)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.!#$%&'*+-/=?^_`{|}~";
    const char *at = strchr(text, '@');
    size_t local = at ? (size_t)(at - text) : 0;

    if (text_why(text))
        return text_why(text);
    if (!is_plain(text) || !at || !local || local > LOCAL_MAX ||
        strlen(text) > ADDRESS_MAX || strspn(text, legal) != local || text[0] == '.' ||
        at[-1] == '.' || host_why(at + 1) || strchr(at, ':') || at[1] == '.' ||
        at[1] == '-')
        return "is not an address; write name@example.com";
    return NULL;
}

static const char *channel_why(const char *text)
{
    return er_notify_channel_find(text) < 0
               ? "is no channel: email, slack and webhook are"
               : NULL;
}

static const char *network_why(const char *text)
{
    struct er_network network;

    return er_network_parse(text, &network) < 0
               ? "is not a network; write 10.1.0.0/16 or 127.0.0.1"
               : NULL;
}

/* ------------------------------------------------------------------ URLs */

struct web_url {
    bool is_https;
    int port;
    char host[256];
};

static int host_take(const char **at, struct web_url *url)
{
    const char *p = *at, *start = p;
    size_t len;

    if (*p == '[') { /* IPv6 */
        start = p + 1;
        len = strcspn(start, "]");
        if (start[len] != ']')
            return -1;
        p = start + len + 1;
    } else {
        len = strcspn(p, ":/?#");
        p += len;
    }
    if (!len || len >= sizeof url->host)
        return -1;
    memcpy(url->host, start, len);
    url->host[len] = '\0';
    *at = p;
    return host_why(url->host) ? -1 : 0;
}

static int port_take(const char **at, struct web_url *url)
{
    const char *p = *at;
    int port = 0;

    url->port = url->is_https ? 443 : 80;
    if (*p != ':')
        return 0;
    for (p++; *p >= '0' && *p <= '9' && port <= 65535; p++)
        port = port * 10 + (*p - '0');
    if (port < 1 || port > 65535)
        return -1;
    url->port = port;
    *at = p;
    return 0;
}

/* http or https, a host, a port, nothing that could end a line. `ret_why` is what is
 * wrong with it. */
static int url_parse(const char *text, struct web_url *ret, const char **ret_why)
{
    struct web_url url = {0};
    const char *p = text;

    *ret_why = "is neither an http:// nor an https:// URL";
    if (strncmp(p, "https://", 8) == 0)
        url.is_https = true;
    else if (strncmp(p, "http://", 7) != 0)
        return -1;
    p += url.is_https ? 8 : 7;
    *ret_why = "has a blank, a line end or what is not ASCII in it";
    if (!is_plain(text) || strlen(text) > TEXT_MAX)
        return -1;
    *ret_why = "has a user or password in it; a webhook's secret is its path";
    if (memchr(p, '@', strcspn(p, "/?#")))
        return -1;
    *ret_why = "has no host";
    if (host_take(&p, &url) < 0)
        return -1;
    *ret_why = "has a port that is none";
    if (port_take(&p, &url) < 0 || (*p && !strchr("/?", *p)))
        return -1;
    *ret_why = "has a backslash or a fragment in it";
    if (strpbrk(p, "#\\"))
        return -1;
    *ret_why = NULL;
    *ret = url;
    return 0;
}

static const char *url_why(const char *text)
{
    struct web_url url;
    const char *why = NULL;

    url_parse(text, &url, &why);
    return why;
}

/* ------------------------------------------------------------------ all values */

struct rule {
    const char *setting;
    const char *(*why)(const char *text);
    bool is_secret;
};

static const struct rule rules[] = {
    {"channels", channel_why, false},   {"email.to", address_why, false},
    {"email.from", address_why, false}, {"email.host", host_why, false},
    {"email.user", text_why, false},    {"email.password", text_why, true},
    {"slack.webhook", url_why, true},   {"webhook.url", url_why, true},
    {"webhook.secret", text_why, true}, {"allow", network_why, false},
    {"ca_file", text_why, false},
};

static const struct rule *rule_of(const char *setting)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].setting, setting) == 0)
            return &rules[i];
    return NULL;
}

const char *er_notify_shown(const char *setting, const char *text)
{
    const struct rule *rule = rule_of(setting);

    return rule && rule->is_secret && strncmp(text, "${", 2) != 0 ? "<hidden>" : text;
}

int er_notify_check_value(const char *setting, const char *value,
                          struct errand_error *err)
{
    const struct rule *rule = rule_of(setting);
    const char *why = rule ? rule->why(value) : NULL;

    if (!why)
        return 0;
    if (rule->is_secret)
        return errand_error_set(err, ERRAND_EINVAL, "%s %s", setting, why);
    return errand_error_set(err, ERRAND_EINVAL, "%s: '%s' %s", setting, value, why);
}

static int check_list(const char *setting, const char *const *list,
                      struct errand_error *err)
{
    int rc = 0;

    for (; rc == 0 && list && *list; list++)
        rc = er_notify_check_value(setting, *list, err);
    return rc;
}

static int check_values(const struct errand_notify *n, struct errand_error *err)
{
    const char *const texts[][2] = {
        {"email.from", n->email.from},         {"email.host", n->email.host},
        {"email.user", n->email.user},         {"email.password", n->email.password},
        {"slack.webhook", n->slack.webhook},   {"webhook.url", n->webhook.url},
        {"webhook.secret", n->webhook.secret}, {"ca_file", n->ca_file},
    };
    int rc = 0;

    if ((rc = check_list("channels", n->channels, err)) < 0 ||
        (rc = check_list("email.to", n->email.to, err)) < 0 ||
        (rc = check_list("allow", n->allow, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof *texts; i++)
        if (texts[i][1])
            rc = er_notify_check_value(texts[i][0], texts[i][1], err);
    return rc;
}

/* ------------------------------------------------------------------ seen together */

static int check_numbers(const struct errand_notify *n, struct errand_error *err)
{
    const int *port = n->ports;

    if (n->email.port < 0 || n->email.port > 65535)
        return errand_error_set(err, ERRAND_EINVAL, "email.port: %d is not a port",
                                n->email.port);
    for (; port && *port; port++)
        if (*port < 1 || *port > 65535 || port - n->ports == PORTS_MAX)
            return errand_error_set(err, ERRAND_EINVAL, "ports: %d is not a port", *port);
    if (n->every != ERRAND_NOTIFY_EACH && !(n->every >= 0 && n->every <= 86400))
        return errand_error_set(err, ERRAND_EINVAL,
                                "every: %g is not a time from 0 to 86,400 s", n->every);
    return 0;
}

static bool is_this_machine(const char *host)
{
    struct er_network network;
    const char *kind;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (er_network_parse(host, &network) < 0)
        return false;
    kind = er_address_kind(&network.address);
    return kind && strcmp(kind, "loopback") == 0;
}

static int check_email(const struct errand_notify_email *e, struct errand_error *err)
{
    if ((int)e->tls < ERRAND_TLS_STARTTLS || e->tls > ERRAND_TLS_NONE)
        return errand_error_set(err, ERRAND_EINVAL, "email.tls: %d is no way of TLS",
                                (int)e->tls);
    if (e->tls != ERRAND_TLS_NONE)
        return 0;
    if (e->host && !is_this_machine(e->host))
        return errand_error_set(err, ERRAND_EINVAL,
                                "email.tls: without TLS mail goes to a server on this "
                                "machine alone, not to '%s'",
                                e->host);
    if (e->user)
        return errand_error_set(err, ERRAND_EINVAL,
                                "email.tls: a password is not sent without TLS");
    return 0;
}

static int check_port(const struct errand_notify *n, const char *setting,
                      const char *text, struct errand_error *err)
{
    struct web_url url;
    const char *why;
    const int *port = n->ports;

    if (!text || url_parse(text, &url, &why) < 0)
        return 0;
    while (port && *port && *port != url.port)
        port++;
    if (url.port == 80 || url.port == 443 || (port && *port))
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s goes to port %d; say so in 'ports' if that is wanted",
                            setting, url.port);
}

int er_notify_check(const struct errand_notify *n, struct errand_error *err)
{
    int rc;

    if ((rc = check_values(n, err)) < 0 || (rc = check_numbers(n, err)) < 0 ||
        (rc = check_email(&n->email, err)) < 0 ||
        (rc = check_port(n, "slack.webhook", n->slack.webhook, err)) < 0 ||
        (rc = check_port(n, "webhook.url", n->webhook.url, err)) < 0)
        return rc;
    if (n->ca_file && access(n->ca_file, R_OK) < 0)
        return errand_error_set(err, ERRAND_EINVAL, "ca_file: '%s' cannot be read",
                                n->ca_file);
    return 0;
}

/* ------------------------------------------------------------------ what is there */

const struct er_module er_notify_module = {.name = "errand-notify",
                                           .folder = "src/notify/channels",
                                           .what = "notifications",
                                           .entry = ER_NOTIFY_ENTRY};

/* What a channel needs and has not, or NULL. */
static const char *lack_of(const struct errand_notify *n, int channel)
{
    switch ((enum er_notify_channel)channel) {
    case ER_NOTIFY_EMAIL:
        if (!n->email.to || !n->email.to[0])
            return "notifications.email.to";
        if (!n->email.host)
            return "notifications.email.host";
        return n->email.user && !n->email.password ? "notifications.email.password"
                                                   : NULL;
    case ER_NOTIFY_SLACK:
        return n->slack.webhook ? NULL : "notifications.slack.webhook";
    case ER_NOTIFY_WEBHOOK:
        return n->webhook.url ? NULL : "notifications.webhook.url";
    case ER_NOTIFY_CHANNELS_N:
        break;
    }
    return NULL;
}

int er_notify_ready(const struct errand_notify *n, struct errand_arena *arena,
                    const char **ret_lack)
{
    const char *lack = NULL;
    int ready = 0;

    for (const char *const *c = n->channels; c && *c; c++) {
        int channel = er_notify_channel_find(*c);
        const char *what = channel < 0 ? NULL : lack_of(n, channel);

        if (channel < 0)
            continue;
        if (!what)
            ready |= 1 << channel;
        else if (!(lack = er_arena_printf(arena, "%s%s%s is left out, %s is not set",
                                          lack ? lack : "", lack ? "; " : "", *c, what)))
            return -1;
    }
    *ret_lack = lack;
    return ready;
}

int errand_notify_configure(struct errand_worker_options *worker,
                            const struct errand_notify *notify, struct errand_error *err)
{
    int rc, asked = 0, ready;
    struct errand_arena *arena;
    const char *lack;

    if ((rc = er_notify_check(notify, err)) < 0)
        return er_error_wrap(err, rc, "notifications");
    if ((rc = er_module_check(&er_notify_module, err)) < 0)
        return rc;
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    ready = er_notify_ready(notify, arena, &lack);
    er_arena_free(arena);
    if (ready < 0)
        return er_error_nomem(err);
    for (const char *const *c = notify->channels; c && *c; c++)
        asked |= 1 << er_notify_channel_find(*c);
    worker->notify = notify;
    return __builtin_popcount((unsigned)(asked & ~ready));
}

int64_t er_notify_every_ms(const struct errand_notify *n)
{
    if (n->every == ERRAND_NOTIFY_EACH)
        return 0;
    return n->every > 0 ? (int64_t)(n->every * 1000) : 300000;
}
