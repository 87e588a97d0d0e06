/* client.h: the inside of an `errand` handle, for the layers above.
 *
 * Who decides how a job runs, and when. The store needs queue, priority, tries, run-at,
 * unique key and tags to keep a job at all, so these are settled at dispatch: the call,
 * then the definition that the job's owner has published, then the queue in errand.yml,
 * then its defaults (or errand_config), then er_options_default. All else (time-out,
 * backoff, hooks, …) stays open until an attempt starts, where the class itself is at
 * hand: a time-out that was corrected holds for the jobs that wait, too. The options
 * stored with a job therefore say what the call said and the job's row does not: a job
 * whose call said nothing is stored with none. The unique key is not among them, though
 * the call may have said it: the store has it in a place of its own, and a worker can
 * treat alike what has the same options.
 *
 * `tries` is both: the number kept by the store is what reap counts by; a worker that
 * finds no `tries` in the stored options may let its class decide. */
#ifndef ER_CLIENT_CLIENT_H
#define ER_CLIENT_CLIENT_H

#include "core/options.h"
#include "errand/client.h"
#include "store/store.h"

struct er_clock;
struct er_config;

/* Opens the store of a configuration, with its queues and defaults as levels below the
 * call. `config` must outlive the handle; what must_exist, read_only and so on say in
 * config->client holds. */
int er_client_open(const struct er_config *config, errand **ret_client,
                   struct errand_error *err);

/* What a configuration keeps, as a prune: completed jobs by age and number, all else
 * stays. The only reader of keep_completed_ms and keep_completed_n. */
void er_client_retention(const struct errand_config *config,
                         struct errand_prune_params *ret);

struct er_store *er_client_store(errand *e); /* borrowed */
/* For tests: the clock behind delays and the refresh of definitions; must outlive the
 * handle. */
void er_client_clock(errand *e, const struct er_clock *clock);

/* What the owner of a job has published about it, found by exact name, then without case
 * and separators. Read from the store at most once a second and never once a job.
 * `*ret` is NULL when nothing is published; valid until the next call on `e`. */
int er_client_definition(errand *e, const char *name, const struct er_options **ret,
                         struct errand_error *err);

/* A push as the store wants it, from what a caller says: resolves options (call,
 * published definition, queue, configuration, default), checks name, data and ranges,
 * expands key templates. Strings live in `arena` or are the caller's. A key given at the
 * call is taken as it is and shared by all jobs of the store; one from a class's template
 * is kept apart from other classes by the job's name key: "sendemail:user:7". */
int er_client_resolve(errand *e, const char *name, struct errand_slice data,
                      const struct errand_options *options, struct errand_arena *arena,
                      struct errand_push_job *ret, struct errand_error *err);

/* The same for a job that is not stored but run at once: all levels in one, as they are
 * when an attempt starts. Valid until the next call on `e`. */
int er_client_resolve_now(errand *e, const struct errand_job_class *job_class,
                          struct errand_slice data, const struct errand_options *options,
                          struct er_options *ret, struct errand_error *err);

/* The same for a job that was reserved, where no runner says what its class says: what is
 * stored with it, then what is published, queue, configuration, default. Strings live in
 * `arena`, but for those of a definition, which are valid until the next call on `e`. */
int er_client_resolve_stored(errand *e, const struct errand_reserved *job,
                             struct errand_arena *arena, struct er_options *ret,
                             struct errand_error *err);

/* call.c: the options of a call that was written down and read again. Fills in what
 * `from` says and leaves the rest. Texts are borrowed; tags as er_options_decode makes
 * them, with a NULL behind the last. */
void er_call_from(const struct er_options *from, struct errand_options *into);

#endif
