/* events.h: the inside of a reader of events, for those who listen on a thread. */
#ifndef ER_CLIENT_EVENTS_H
#define ER_CLIENT_EVENTS_H

#include "errand/events.h"

/* As errand_events_next, but also ends the wait, with 0, when `stop_fd` (or -1) becomes
 * readable. */
int er_events_next(errand_events *events, int64_t timeout_ms, int stop_fd,
                   const struct errand_event **ret_event, struct errand_error *err);
/* The number of the newest event there is. */
int er_events_newest(errand_events *events, int64_t *ret_seq, struct errand_error *err);

#endif
