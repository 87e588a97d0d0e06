/* url.c: reads a URL of this store (target.h). Its messages name the part that is wrong
 * and never quote it: what looks like a host may be a password that was put in the wrong
 * place. */
#include "store/redis/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

struct reading {
    struct errand_arena *arena;
    struct er_redis_target *target;
    struct errand_error *err;
};

static int bad(struct reading *r, const char *what)
{
    return errand_error_set(r->err, ERRAND_EINVAL, "store URL: %s", what);
}

/* ------------------------------------------------------------------ parts */

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* %41 becomes A. */
static int decode(struct reading *r, const char *text, size_t len, const char **ret)
{
    char *out = errand_arena_copy(r->arena, text, len);
    size_t n = 0;

    if (!out)
        return er_error_nomem(r->err);
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = text[i];
            continue;
        }
        if (len - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
            return bad(r, "'%' must be followed by two hexadecimal digits; write it "
                          "as %25");
        out[n++] = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
        i += 2;
    }
    out[n] = '\0';
    if (strlen(out) != n)
        return bad(r, "a value has a NUL byte in it");
    *ret = out;
    return 0;
}

/* A whole number up to `most`, or -1. */
static int64_t number(const char *text, size_t len, int64_t most)
{
    int64_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || n > most)
            return -1;
        n = n * 10 + (text[i] - '0');
    }
    return len && n <= most ? n : -1;
}

static int db_read(struct reading *r, const char *text, size_t len)
{
    if ((r->target->db = number(text, len, 1 << 20)) < 0)
        return bad(r, "the database must be a number, 0 if it is left out");
    return 0;
}

static int userinfo_read(struct reading *r, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon ? (size_t)(colon - text) : len;
    int rc;

    if (user && (rc = decode(r, text, user, &r->target->user)) < 0)
        return rc;
    return colon ? decode(r, colon + 1, len - user - 1, &r->target->password) : 0;
}

/* HOST, HOST:PORT, [V6]:PORT */
static int address_read(struct reading *r, const char *text, size_t len,
                        struct er_redis_address *ret)
{
    const char *stop = text + len, *rest;
    bool is_v6 = len && *text == '[';
    const char *end = is_v6 ? memchr(text, ']', len) : memchr(text, ':', len);
    size_t host;
    int64_t port;

    if (is_v6 && !end)
        return bad(r, "an address that begins with '[' has no ']'");
    text += is_v6;
    host = (size_t)((end ? end : stop) - text);
    rest = text + host + is_v6;
    ret->port = r->target->kind == ER_REDIS_SENTINEL ? ER_SENTINEL_PORT : ER_REDIS_PORT;
    if (rest < stop && *rest == ':') {
        if ((port = number(rest + 1, (size_t)(stop - rest - 1), 65535)) <= 0)
            return bad(r, "the port must be a number from 1 to 65535");
        ret->port = (int)port;
    }
    if (!host)
        return decode(r, "127.0.0.1", 9, &ret->host);
    return decode(r, text, host, &ret->host);
}

static int addresses_read(struct reading *r, const char *text, size_t len)
{
    struct er_redis_target *t = r->target;
    size_t n = 1;
    int rc;

    for (size_t i = 0; i < len; i++)
        n += text[i] == ',';
    if (n > 1 && t->kind == ER_REDIS_PLAIN)
        return bad(r, "several addresses need redis+sentinel: or redis+cluster:");
    if (!(t->addresses = errand_arena_alloc(r->arena, n * sizeof *t->addresses)))
        return er_error_nomem(r->err);
    while (t->addresses_n < n) {
        const char *comma = memchr(text, ',', len);
        size_t one = comma ? (size_t)(comma - text) : len;
        if ((rc = address_read(r, text, one, &t->addresses[t->addresses_n++])) < 0)
            return rc;
        text += one + 1;
        len -= comma ? one + 1 : one;
    }
    return 0;
}

/* ------------------------------------------------------------------ query */

static int prefix_read(struct reading *r, const char *text, size_t len)
{
    static const char alphabet[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    int rc = decode(r, text, len, &r->target->prefix);

    if (rc < 0)
        return rc;
    len = strlen(r->target->prefix);
    if (!len || len > ER_REDIS_PREFIX_MAX || strspn(r->target->prefix, alphabet) != len)
        return bad(r, "prefix must be 1 to 64 of the characters A-Z a-z 0-9 _ . -");
    return 0;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static int tls_read(struct reading *r, const char *text, size_t len)
{
    if (!is_word(text, len, "1") && !is_word(text, len, "0"))
        return bad(r, "tls must be 0 or 1");
    r->target->is_tls = *text == '1';
    return 0;
}

static int parameter_read(struct reading *r, const char *name, size_t name_len,
                          const char *value, size_t len)
{
    struct er_redis_target *t = r->target;
    const struct {
        const char *name, **place;
    } texts[] = {{"user", &t->user},
                 {"password", &t->password},
                 {"sentinel_user", &t->sentinel_user},
                 {"sentinel_password", &t->sentinel_password},
                 {"cacert", &t->cacert},
                 {"cert", &t->cert},
                 {"tlskey", &t->tls_key}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (is_word(name, name_len, texts[i].name))
            return decode(r, value, len, texts[i].place);
    if (is_word(name, name_len, "prefix"))
        return prefix_read(r, value, len);
    if (is_word(name, name_len, "db"))
        return db_read(r, value, len);
    if (is_word(name, name_len, "tls"))
        return tls_read(r, value, len);
    return bad(r, "unknown parameter; there are prefix, db, user, password, tls, cacert, "
                  "cert, tlskey, sentinel_user, sentinel_password");
}

static int query_read(struct reading *r, const char *text)
{
    int rc = 0;

    while (rc == 0 && *text) {
        size_t len = strcspn(text, "&"), name = strcspn(text, "=&");
        if (name == len)
            return bad(r, "a parameter has no '='");
        rc = parameter_read(r, text, name, text + name + 1, len - name - 1);
        text += len + (text[len] == '&');
    }
    return rc;
}

/* ------------------------------------------------------------------ whole */

/* "/DB", or of Sentinel "/MASTER/DB" */
static int path_read(struct reading *r, const char *text, size_t len)
{
    const char *slash;
    size_t name;
    int rc;

    if (r->target->kind == ER_REDIS_SENTINEL) {
        slash = memchr(text, '/', len);
        name = slash ? (size_t)(slash - text) : len;
        if (!name)
            return bad(r, "of Sentinel it must name the master: "
                          "redis+sentinel://HOST,HOST/NAME");
        if ((rc = decode(r, text, name, &r->target->master)) < 0)
            return rc;
        text += slash ? name + 1 : name;
        len -= slash ? name + 1 : name;
    }
    if (!len)
        return 0;
    if (r->target->kind == ER_REDIS_CLUSTER)
        return bad(r, "a Cluster has no numbered databases");
    return db_read(r, text, len);
}

static int authority_read(struct reading *r, const char *text)
{
    size_t len = strcspn(text, "?");
    const char *query = text[len] ? text + len + 1 : "", *at, *path;
    int rc;

    if (strncmp(text, "//", 2) != 0)
        return bad(r, "'//' must follow the kind: redis://HOST:PORT");
    text += 2;
    len -= 2;
    /* The last '@': one in a password that should have been written %40 must not end up
     * in a host name that a message shows. */
    if ((at = memrchr(text, '@', len))) {
        if ((rc = userinfo_read(r, text, (size_t)(at - text))) < 0)
            return rc;
        len -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    path = memchr(text, '/', len);
    if ((rc = addresses_read(r, text, path ? (size_t)(path - text) : len)) < 0 ||
        (rc = path_read(r, path ? path + 1 : "",
                        path ? len - (size_t)(path + 1 - text) : 0)) < 0)
        return rc;
    return query_read(r, query);
}

static int unix_read(struct reading *r, const char *text)
{
    size_t len;
    int rc;

    if (strncmp(text, "//", 2) == 0)
        text += 2;
    len = strcspn(text, "?");
    if (*text != '/')
        return bad(r, "the path of the socket must begin with '/': "
                      "redis+unix:/run/redis.sock");
    if (!(r->target->addresses =
              errand_arena_alloc(r->arena, sizeof *r->target->addresses)))
        return er_error_nomem(r->err);
    r->target->addresses_n = 1;
    if ((rc = decode(r, text, len, &r->target->addresses[0].host)) < 0)
        return rc;
    return query_read(r, text[len] ? text + len + 1 : "");
}

int er_redis_target_parse(const char *url, struct errand_arena *arena,
                          struct er_redis_target *ret, struct errand_error *err)
{
    struct reading r = {arena, ret, err};
    size_t scheme = strcspn(url, ":");
    const char *rest = url[scheme] ? url + scheme + 1 : url + scheme;

    *ret = (struct er_redis_target){.prefix = "errand"};
    if (is_word(url, scheme, "redis+unix"))
        return unix_read(&r, rest);
    ret->is_tls = is_word(url, scheme, "rediss") || is_word(url, scheme, "valkeys");
    if (is_word(url, scheme, "redis+sentinel"))
        ret->kind = ER_REDIS_SENTINEL;
    if (is_word(url, scheme, "redis+cluster"))
        ret->kind = ER_REDIS_CLUSTER;
    return authority_read(&r, rest);
}
