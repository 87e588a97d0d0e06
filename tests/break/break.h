/* break.h: a world to break things in: a store of its own (of the kind that
 * ERRAND_TEST_URL names, or SQLite), a ledger, workers
 * and producers as processes, and the checker that says whether every promise held. See
 * docs/reliability.md for the scenarios. */
#ifndef ER_TESTS_BREAK_H
#define ER_TESTS_BREAK_H

#include <sys/types.h>

#include "errand.h"
#include "store/store.h"
#include "support/test.h"

struct world {
    char dir[128], url[256], ledger[160], accepted[160];
    /* state of the generator, from ERRAND_SEED or the clock; printed when a test
     * begins */
    uint64_t random;
};

/* What is waited for comes at once or, on a machine with other things to do, some time
 * later: so long, that a test which waits in vain ends at all. No test is judged by it.
 */
enum { PATIENCE_MS = 120000, WORLD_IDS_MAX = 200000 };

/* True with script/test --long (ERRAND_LONG=1): the numbers of docs/reliability.md; else
 * a tenth or less. */
bool is_long(void);
long scaled(long short_run, long long_run);

void world_make(struct world *w, const char *claim);
void world_free(struct world *w); /* asserts that no process of this world is left */

uint64_t world_random(struct world *w, uint64_t below);

/* Starts the program under test with these arguments (NULL-terminated) after "--url URL";
 * its output is appended to DIR/out.log. */
pid_t world_start(struct world *w, const char *const *args);
pid_t world_produce(struct world *w, long count, long batch, const char *job);
/* Exit code, 128 + signal, or -1 when it has not ended in time (it then still runs). */
int process_wait(pid_t pid, int64_t timeout_ms);
/* Runs to the end and fills out (NUL-terminated) with standard output and errors; exit
 * code as process_wait. */
int world_run(struct world *w, const char *const *args, char *out, size_t size);
/* The same as the user nobody, for whom file modes hold: root only. */
int world_run_as_nobody(struct world *w, const char *const *args, char *out, size_t size);

/* How often what ran has said these words. */
size_t world_said(const struct world *w, const char *words);

/* All living processes that belong to this world (by their environment), the test itself
 * left out. */
size_t world_processes(const struct world *w, pid_t *pids, size_t max);

struct er_store *world_store(const struct world *w);
/* Jobs in a state, by the store's own counters, over all queues. */
int64_t world_count(const struct world *w, enum errand_state state);
/* Waits until nothing is held, scheduled, ready or running. */
bool world_drained(const struct world *w, int64_t timeout_ms);

void push_jobs(const struct world *w, const char *name, const char *data, long n);
int64_t mono_ms(void);
void sleep_ms(int64_t ms);
size_t file_read(const char *path, char **ret); /* free */

struct verdict {
    size_t accepted, completed, failed, extras, missing, twice, unfinished;
    size_t started; /* lines in the ledger */
};
/* Reads accepted ids, ledger and store, runs the store's own check and fails the test
 * when a promise did not hold: every accepted id in exactly one final state. `twice`
 * counts ids with more than one "done" line. */
struct verdict world_judge(const struct world *w);

#endif
