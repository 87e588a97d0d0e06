/* url.c: the one printer of store URLs. What it returns may stand in any message.
 *
 * It errs on the side of hiding, since a URL with a slip in it is the one that ends up in
 * a message: the password is what follows the first ':' up to the last '@', with the two
 * slashes or without, whatever characters it holds that should have been encoded. Of the
 * parameters only those are shown that are known to be harmless. */
#include "store/store.h"

#include <string.h>

#include "base/buf.h"

static const char hidden[] = "***";

/* Of libpq's and of Redis' parameters. The name of a private key's file is not among
 * them: some write the key itself there. */
static bool is_harmless(const char *name, size_t len)
{
    static const char *const names[] = {
        "application_name",
        "cacert",
        "cert",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "db",
        "dbname",
        "fallback_application_name",
        "gssencmode",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "listen",
        "load_balance_hosts",
        "options",
        "passfile",
        "port",
        "prefix",
        "requirepeer",
        "schema",
        "sentinel_user",
        "service",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcrl",
        "sslcrldir",
        "sslmode",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "tls",
        "user",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return true;
    return false;
}

/* "a=1&password=x". What has no name may be the end of a password with an '&' in it. */
static void query_write(struct er_buf *buf, const char *query)
{
    while (*query) {
        size_t len = strcspn(query, "&"), name = strcspn(query, "=&");
        bool has_name = name < len,
             is_shown = has_name && is_harmless(query, name) &&
                        strcspn(query, ";#") >= len; /* "host=h;password=x" */
        er_buf_add(buf, query, is_shown ? len : has_name ? name + 1 : 0);
        if (!is_shown)
            er_buf_str(buf, hidden);
        query += len;
        if (*query)
            er_buf_add(buf, query++, 1);
    }
}

static void rest_write(struct er_buf *buf, const char *text)
{
    size_t len = strcspn(text, "?");

    er_buf_add(buf, text, len);
    if (text[len]) {
        er_buf_str(buf, "?");
        query_write(buf, text + len + 1);
    }
}

/* Kinds whose whole rest is a file or a name, in which ':' and '@' mean nothing. */
static bool is_path(const char *url)
{
    return strncmp(url, "sqlite:", 7) == 0 || strncmp(url, "memory:", 7) == 0;
}

/* "HOST:PORT,[V6]:PORT" up to the path. What stands where a port should may be the
 * password of a URL that lacks its '@'. */
static const char *odd_port(const char *authority)
{
    const char *end = authority + strcspn(authority, "/?"),
               *colon = memchr(authority, ':', (size_t)(end - authority));

    if (!colon || memchr(authority, '[', (size_t)(end - authority)))
        return NULL;
    for (const char *port = colon; port;) {
        const char *stop = port + 1 + strspn(port + 1, "0123456789");
        if (stop < end && *stop != ',')
            return colon + 1;
        port = memchr(stop, ':', (size_t)(end - stop));
    }
    return NULL;
}

/* Where the password begins, NULL without one. Without the two slashes nobody can tell a
 * user from a password. */
static const char *secret_begin(const char *text, const char *at, bool has_authority)
{
    const char *colon;

    if (!at)
        return has_authority ? odd_port(text) : NULL;
    if (!has_authority)
        return text;
    colon = memchr(text, ':', (size_t)(at - text));
    return colon ? colon + 1 : NULL;
}

/* And where it ends. With a parameter before the last '@' nobody can tell whether it is
 * the password's or the parameter's: nothing is shown from there on. */
static const char *secret_end(const char *text, const char *at)
{
    const char *query;

    if (!at)
        return text + strcspn(text, "/?");
    query = memchr(text, '?', (size_t)(at - text));
    return query && memchr(query, '=', (size_t)(at - query)) ? strchr(at, '\0') : at;
}

static void url_write(struct er_buf *buf, const char *url)
{
    const char *colon = strchr(url, ':'), *text, *at, *secret;

    if (is_path(url)) {
        er_buf_str(buf, url);
        return;
    }
    if (!colon) {
        rest_write(buf, url);
        return;
    }
    text = colon + 1 + strspn(colon + 1, "/");
    at = strrchr(text, '@');
    secret = secret_begin(text, at, strncmp(colon, "://", 3) == 0);
    if (!secret) {
        rest_write(buf, url);
        return;
    }
    er_buf_add(buf, url, (size_t)(secret - url));
    er_buf_str(buf, hidden);
    rest_write(buf, secret_end(secret, at));
}

char *er_url_shown(const char *url, struct errand_arena *arena)
{
    struct er_buf buf;
    char *shown;

    er_buf_init(&buf, 64 << 10);
    url_write(&buf, url);
    shown =
        buf.has_failed ? NULL : errand_arena_copy(arena, buf.ptr ? buf.ptr : "", buf.len);
    er_buf_done(&buf);
    return shown;
}
