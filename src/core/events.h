/* events.h: the types of events as one constant table. Drivers, the worker, readers and
 * docs/events.md all read it.
 *
 * An event is told by whoever makes it true, in the transaction that does; the table says
 * who that is. What is told once follows what was told before it about the same job. */
#ifndef ER_CORE_EVENTS_H
#define ER_CORE_EVENTS_H

#include "errand/driver.h"

enum er_told {
    ER_TOLD_DISPATCHED,
    ER_TOLD_HELD,
    ER_TOLD_RELEASED,
    ER_TOLD_RESCHEDULED,
    ER_TOLD_STARTED,
    ER_TOLD_COMPLETED,
    ER_TOLD_RETRYING,
    ER_TOLD_SNOOZED,
    ER_TOLD_FAILED,
    ER_TOLD_TIMED_OUT,
    ER_TOLD_STALLED,
    ER_TOLD_CANCELLED,
    ER_TOLD_RETRIED,
    ER_TOLD_BATCH_ENDED,
    ER_TOLD_QUEUE_PAUSED,
    ER_TOLD_QUEUE_RESUMED,
    ER_TOLD_SCHEDULE_FIRED,
    ER_TOLD_SCHEDULE_SKIPPED,
    ER_TOLD_SCHEDULE_MISSED,
    ER_TOLD_WORKER_STARTED,
    ER_TOLD_WORKER_STOPPED,
    /* made by readers, never stored: the ring has dropped what they had not read */
    ER_TOLD_MISSED,
};
enum { ER_TOLD_N = ER_TOLD_MISSED + 1, ER_TOLD_ERROR_MAX = 1024 };

/* Names never change: "job:dispatched". */
const char *er_told_name(enum er_told told);
const char *er_told_help(enum er_told told);
/* "job:failed", or "failed" alone; of two with the same word the job's. EINVAL names the
 * nearest. */
int er_told_parse(const char *text, enum er_told *ret, struct errand_error *err);

/* What a change of state that follows from a call is called. */
enum er_told er_told_move(enum errand_state from, enum errand_state to);
/* What a pause or, with `until_ms` 0 or past, its end is called. */
struct errand_event er_told_pause(const char *queue, int64_t until_ms, int64_t now_ms);
struct errand_event er_told_worker(const char *worker, bool has_stopped);
struct errand_event er_told_batch(const struct errand_id *id, const char *name);
/* What the end of an attempt is called, with the times that do not apply set so; strings
 * are borrowed from the outcome. False: nothing is told of it. */
bool er_told_outcome(const struct errand_outcome *outcome, struct errand_event *ret);

#endif
