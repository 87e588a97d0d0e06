/* support.h: what tests of stores share: a fresh store for every test, a clock that only
 * the test moves, and short words for what a story needs.
 *
 * The store is of the kind that ERRAND_TEST_URL names (support/fresh.h): a driver
 * elsewhere runs the suite with that variable alone. Each file of a suite ends
 * with TEST_PART(); one file of the program has SUITE_MAIN(). */
#ifndef ER_TESTS_STORE_SUPPORT_H
#define ER_TESTS_STORE_SUPPORT_H

#include "support/test.h"

#include "base/arena.h"
#include "errand/driver.h"
#include "store/store.h"

/* ------------------------------------------------------------------ suites of several
 * files */

void suite_add(struct CMUnitTest *tests, size_t n);
int suite_run(int argc, char **argv);

#define TEST_PART()                                                   \
    __attribute__((constructor)) static void er_register_part(void)   \
    {                                                                 \
        suite_add(er_test_list, er_test_list_n);                      \
    }                                                                 \
    /* The whole-program fixture is the suite's: these stay empty. */ \
    __attribute__((unused)) static void er_unused_fixture(void)       \
    {                                                                 \
        (void)er_test_setup, (void)er_test_teardown;                  \
    }

#define SUITE_MAIN()                  \
    int main(int argc, char **argv)   \
    {                                 \
        return suite_run(argc, argv); \
    }

/* ------------------------------------------------------------------ the store of a test
 */

extern struct er_store *store;     /* fresh and empty */
extern struct errand_arena *arena; /* emptied after each test */
extern struct errand_error err;    /* of the last call that failed */
extern int64_t now;                /* what every helper below passes as now_ms */

enum { LEASE_MS = 10000, SECOND = 1000, MINUTE = 60000, HOUR = 3600000 };
extern const int64_t START; /* now at the start of each test */

int store_setup(void **state);
int store_teardown(void **state);
/* Opens the store of this test anew with these options (url, create are filled). */
void store_reopen(struct er_store_options options);
/* A second connection to the same store, closed after the test. */
struct er_store *store_second(void);
/* The URL of a fresh store, and of the one of this test. */
const char *store_fresh_url(void);
const char *store_url(void);
/* What this test's store is goes away under its open connections, which stay; the next
 * one that is opened makes another. False: nothing can do that to a store of this kind.
 */
bool store_remove_under(void);
/* `store` is a new one at that URL now, and the one before is removed. */
void store_move_to(const char *url);
/* Removes what a URL of store_fresh_url stands for: files, or what is on a server. */
void store_remove(const char *url);

/* ------------------------------------------------------------------ a story */

#define DEFAULT_QUEUE "line"

#define slice(text) ((struct errand_slice){(text), strlen(text)})
#define assert_slice(s, text)                              \
    do {                                                   \
        struct errand_slice slice_ = (s);                  \
        assert_int_equal(slice_.len, strlen(text));        \
        assert_memory_equal(slice_.ptr, text, slice_.len); \
    } while (0)
#define assert_id(a, b) assert_string_equal((a).text, (b).text)
/* A call that must work, or must fail with this code; the message is shown otherwise. */
#define ok(call) assert_ok((call), #call, __FILE__, __LINE__)
#define fails(code, call) assert_fails((code), (call), #call, __FILE__, __LINE__)
void assert_ok(int rc, const char *call, const char *file, int line);
void assert_fails(int code, int rc, const char *call, const char *file, int line);

struct errand_id id_of(const char *text);

/* Name "job", queue DEFAULT_QUEUE and 3 tries unless the job says otherwise. */
struct errand_pushed_job push_job(struct errand_push_job job);
struct errand_id push(const char *name); /* an ordinary one */
struct errand_id push_on(const char *queue, const char *name);
struct errand_push_result push_all(struct errand_push_params p); /* defaults filled */
int try_push(struct errand_push_params p);                       /* the same, may fail */
struct errand_id push_after(const char *name, struct errand_id parent,
                            enum errand_edge_on on);

/* From all queues as worker "worker" for LEASE_MS. */
struct errand_exchange_result reserve(size_t max);
struct errand_exchange_result reserve_from(const char *queue, size_t max);
struct errand_exchange_result exchange(struct errand_exchange_params p);
struct errand_reserved reserve_one(void); /* there must be one */
void reserve_none(void);                  /* there must be none */

enum errand_settled settle(struct errand_reserved job, struct errand_outcome outcome);
enum errand_settled settle_moves(struct errand_reserved job,
                                 struct errand_outcome outcome,
                                 struct errand_exchange_result *ret);
void done(struct errand_reserved job); /* must be settled */
void failed(struct errand_reserved job);
struct errand_id run_done(const char *name);   /* pushed, reserved, done */
struct errand_id run_failed(const char *name); /* pushed, reserved, failed for good */

enum errand_changed change(enum errand_change_kind kind, struct errand_id id);
struct errand_change_result change_all(struct errand_change_params p);
struct errand_reap_result reap(void);

struct errand_job_detail look(struct errand_id id);
bool is_gone(struct errand_id id);
void assert_state(struct errand_id id, enum errand_state state);
struct errand_queue_info queue_info(const char *queue); /* name NULL: no such queue */
int64_t count_of(const char *queue, enum errand_state state);
struct errand_batch_info batch_info(struct errand_id id);
/* The store finds nothing wrong with itself; also looked at after every test. */
void assert_sound(void);

#endif
