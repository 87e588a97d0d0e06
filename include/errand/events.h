/* events.h: what happens to jobs, told to whoever wants to know, in this process or in
 * another one. docs/events.md has all types.
 *
 * An event is stored in the transaction that makes it true, and only while somebody
 * follows: events that nobody reads cost nothing, and what happened before the first
 * reader came is not there to be read. The last 10,000 are kept. A reader that is slow,
 * stopped or killed holds nobody up; one that comes too late for some of them is told so
 * by an event of type "events:missed". */
#ifndef ERRAND_EVENTS_H
#define ERRAND_EVENTS_H

#include "errand/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ listeners */

/* `event` and all it points to are borrowed until it returns. */
typedef void errand_event_fn(const struct errand_event *event, void *ctx);
typedef struct errand_listener errand_listener;

/* Calls `fn` with every event of `type` ("job:failed", or "failed"; NULL: all) from now
 * on, whichever process causes it, one after the other and in their order, on a thread of
 * its own with all signals blocked. So `fn` may take as long as it likes, and must not
 * use a handle of another thread (`e` neither). What it does wrong is the business of
 * this process alone.
 *
 * Lives until errand_off, also when `e` is closed before. NULL with an error: EINVAL
 * names the type that was probably meant. */
ERRAND_API errand_listener *errand_on(errand *e, const char *type, errand_event_fn *fn,
                                      void *ctx, struct errand_error *err);
/* Ends it. What had happened before this call has been told when it returns; nothing is
 * told after. A listener may end itself from inside `fn`: that call is the last one then.
 * In the child of a fork it releases memory only. NULL allowed. */
ERRAND_API void errand_off(errand_listener *listener);

/* ------------------------------------------------------------------ readers */

enum { ERRAND_EVENTS_ALL = -1 };

/* Zero means: all types, from now on. */
struct errand_events_options {
    const char *const *types; /* NULL-terminated, as for errand_on */
    /* those after this number (errand_event.seq), or ERRAND_EVENTS_ALL that are kept */
    int64_t after;
    int64_t since_ms; /* those that are kept and are not older; not with `after` */
    /* what is there, without becoming one who follows: nothing more is stored for it */
    bool is_look_only;
};

/* A reader for one thread, with a connection of its own: `e` may be used and closed
 * meanwhile. Ended by errand_events_close. */
typedef struct errand_events errand_events;
ERRAND_API errand_events *errand_events_open(errand *e,
                                             const struct errand_events_options *options,
                                             struct errand_error *err);
/* The next event, waiting for it at most timeout_ms (0: not at all, < 0: for ever),
 * without polling. Answers 1, or 0 when none came in time. The event is borrowed until
 * the next call. An error that is `retryable` passes: call again. */
ERRAND_API int errand_events_next(errand_events *events, int64_t timeout_ms,
                                  const struct errand_event **ret_event,
                                  struct errand_error *err);
/* For a loop of your own: a descriptor that becomes readable when there may be one. Call
 * errand_events_next with timeout 0 until it answers 0 before you wait for it, and look
 * once a second beside it. */
ERRAND_API int errand_events_fd(errand_events *events, struct errand_error *err);
ERRAND_API void errand_events_close(errand_events *events); /* NULL allowed */

#ifdef __cplusplus
}
#endif
#endif
