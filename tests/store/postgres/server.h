/* server.h: one server for all tests of a program, a schema of its own for each. */
#ifndef ER_TESTS_STORE_POSTGRES_SERVER_H
#define ER_TESTS_STORE_POSTGRES_SERVER_H

#include "support/postgres.h"

#include "base/arena.h"
#include "store/store.h"

static struct pg_server server;
static struct errand_arena *arena;
static struct errand_error err;
static unsigned schema_n;

/* The store of this test, with more parameters ("&listen=poll"). */
static inline const char *url_with(const char *more)
{
    static char url[400];

    snprintf(url, sizeof url, "postgres://errand@/postgres?host=%s&schema=t%u%s",
             server.dir, schema_n, more);
    return url;
}

static inline int open_at(const char *url, struct errand_open_params p,
                          struct er_store **ret)
{
    struct er_store_options options = {.open = p};

    err = (struct errand_error){0};
    return er_store_open(url, &options, ret, &err);
}

static inline struct er_store *open_ok(const char *url)
{
    struct er_store *store = NULL;

    if (open_at(url, (struct errand_open_params){.create = true}, &store) < 0)
        fail_msg("%s", err.message);
    return store;
}

static inline void assert_ok(int rc)
{
    if (rc < 0)
        fail_msg("%s", err.message);
}

/* It must fail so, and say that. */
static inline void assert_refused(int rc, int code, const char *says)
{
    if (rc != code)
        fail_msg("%s: %s", errand_code_name(rc), err.message);
    if (!strstr(err.message, says))
        fail_msg("'%s' is not in: %s", says, err.message);
}

static int server_setup(void **state)
{
    (void)state;
    schema_n++;
    return (arena = er_arena_new()) ? 0 : -1;
}

static int server_teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}

TEST_FIXTURE(server_setup, server_teardown)

#define SERVER_MAIN(conf)                  \
    int main(int argc, char **argv)        \
    {                                      \
        int failed;                        \
        pg_make(&server, conf);            \
        pg_start(&server);                 \
        failed = er_test_main(argc, argv); \
        pg_remove(&server);                \
        return failed;                     \
    }

#endif
