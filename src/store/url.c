/* url.c: the one printer of store URLs. What it returns may stand in any message.
 *
 * Hidden are the password before the @ of an authority and the values of query
 * parameters with a telling name. It errs on the side of hiding: what follows a ':' in
 * the user part up to the last '@' of the authority is a password, even when it holds
 * characters that should have been encoded. */
#include "store/store.h"

#include <string.h>

#include "base/buf.h"

static const char hidden[] = "***";

/* The end of the authority that begins at `text`. A password may hold '/' or '?' by
 * mistake, so the last '@' of the whole URL counts when one comes later. */
static const char *userinfo_end(const char *text)
{
    return strrchr(text, '@');
}

static bool is_secret_name(const char *name, size_t len)
{
    static const char *const words[] = {"pass", "secret", "token", "key", "auth", "pwd"};
    char lower[64];
    size_t n = len < sizeof lower - 1 ? len : sizeof lower - 1;

    for (size_t i = 0; i < n; i++)
        lower[i] =
            (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    lower[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(lower, words[i]))
            return true;
    return false;
}

/* "a=1&password=x" */
static void query_write(struct er_buf *buf, const char *query)
{
    while (*query) {
        size_t len = strcspn(query, "&;#"), name = strcspn(query, "=&;#");
        if (name < len && is_secret_name(query, name)) {
            er_buf_add(buf, query, name + 1);
            er_buf_str(buf, hidden);
        } else {
            er_buf_add(buf, query, len);
        }
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

static void url_write(struct er_buf *buf, const char *url)
{
    const char *authority = strstr(url, "://"), *at, *colon;

    if (!authority) {
        rest_write(buf, url);
        return;
    }
    authority += 3;
    er_buf_add(buf, url, (size_t)(authority - url));
    at = userinfo_end(authority);
    colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (colon) {
        er_buf_add(buf, authority, (size_t)(colon + 1 - authority));
        er_buf_str(buf, hidden);
        rest_write(buf, at);
    } else {
        rest_write(buf, authority);
    }
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
