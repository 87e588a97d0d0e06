/* fresh.h: a store that nobody has used yet, of the kind a test wants, and its end.
 *
 * Kinds are memory, sqlite, postgres and redis, or a URL in which '%' stands for what is
 * new every time. The servers are those of ERRAND_TEST_POSTGRES and ERRAND_TEST_REDIS,
 * such URLs themselves: script/servers starts some. */
#ifndef ER_TESTS_FRESH_H
#define ER_TESTS_FRESH_H

#include <stdbool.h>
#include <stddef.h>

/* A file goes below `folder`. False, and a word on standard error: there is no such
 * server. */
bool fresh_url(const char *kind, const char *folder, char *ret, size_t size);

/* Takes a store off its server again, once nobody has it open. The others go with their
 * folder or their process. False: it could not, and standard error says why. */
bool fresh_remove(const char *url);

/* What a store holds goes away under its open connections; the next one that is opened
 * makes another. False: nothing can do that to a store of this kind. */
bool fresh_remove_under(const char *url);

/* What a test program answers to Meson when it was not run. */
enum { FRESH_SKIPPED = 77 };

/* A test of the claim, by run(KIND, claim): on every store, on those that several
 * processes can share, on those without a server. */
#define FRESH_EACH(claim, run) \
    TEST(claim##_on_memory)    \
    {                          \
        run("memory", claim);  \
    }                          \
    FRESH_SHARED(claim, run)
#define FRESH_SHARED(claim, run) \
    TEST(claim##_on_sqlite)      \
    {                            \
        run("sqlite", claim);    \
    }                            \
    TEST(claim##_on_postgres)    \
    {                            \
        run("postgres", claim);  \
    }                            \
    TEST(claim##_on_redis)       \
    {                            \
        run("redis", claim);     \
    }
#define FRESH_LOCAL(claim, run) \
    TEST(claim##_on_memory)     \
    {                           \
        run("memory", claim);   \
    }                           \
    TEST(claim##_on_sqlite)     \
    {                           \
        run("sqlite", claim);   \
    }

#endif
