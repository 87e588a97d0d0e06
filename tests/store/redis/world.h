/* world.h: a server of the test's own with a store on it, for what no other store has. */
#ifndef ER_TESTS_STORE_REDIS_WORLD_H
#define ER_TESTS_STORE_REDIS_WORLD_H

#include "store/support.h"
#include "support/redis_server.h"

/* Runs during each test; the store of support.h is on it. */
static struct redis_server server;

/* The URL of a store on a server, "%" in `more` as in ERRAND_TEST_URL. */
static inline const char *url_on(const struct redis_server *s, const char *more)
{
    static char url[512];

    snprintf(url, sizeof url, "redis+unix:%s?%s", s->socket, more);
    return url;
}

/* The keys of the store of this test begin with it: "{t1}:". */
static inline const char *key_prefix(void)
{
    static char prefix[64];
    const char *p = strstr(store_url(), "prefix=") + strlen("prefix=");

    snprintf(prefix, sizeof prefix, "{%s}:", p);
    return prefix;
}

static inline int world_begin(void **state, const char *const *args)
{
    redis_server_init(&server, false, args);
    redis_server_start(&server);
    setenv("ERRAND_TEST_URL", url_on(&server, "prefix=t%"), 1);
    return store_setup(state);
}

static inline int world_end(void **state)
{
    int rc = store_teardown(state);

    redis_server_free(&server);
    return rc;
}

/* Opens a store and closes it again: how it fails is the test's business. */
static inline int try_open(const char *url, struct errand_open_params open)
{
    struct er_store_options options = {.open = open};
    struct er_store *opened = NULL;
    int rc = er_store_open(url, &options, &opened, &err);

    if (rc == 0)
        er_store_close(opened);
    return rc;
}

#define assert_said(word) assert_non_null(strstr(err.message, word))
#define assert_not_said(word) assert_null(strstr(err.message, word))

#endif
