/* stats.h: numbers a minute, and events for whoever follows them. Kept here for some
 * seconds, then added to the store in one call; a store that does not answer loses
 * numbers, never jobs. */
#ifndef ER_WORKER_STATS_H
#define ER_WORKER_STATS_H

#include "errand/driver.h"

struct er_supervisor;
struct er_attempt;

enum { ER_STATS_ROWS = 256, ER_EVENTS_HELD = 2048 };

struct er_stats {
    struct errand_stat *rows;
    size_t rows_n, last; /* the row of the last job: often the next one's too */
    int64_t flush_at_ms;
    struct errand_event *events;
    size_t events_n;
    struct errand_arena *arena;        /* names of rows */
    struct errand_arena *events_arena; /* names and errors of events */
};

int er_stats_init(struct er_supervisor *s, struct errand_error *err);
void er_stats_done(struct er_supervisor *s);
void er_stats_ended(struct er_supervisor *s, const struct er_attempt *attempt,
                    const struct errand_outcome *outcome);
/* Told once an attempt, when it is known to have begun. */
void er_stats_started(struct er_supervisor *s, struct er_attempt *attempt);
void er_stats_timed_out(struct er_supervisor *s, const struct er_attempt *attempt);
/* Adds the events to the store: before the exchange that settles what they are about.
 * Negative when it is to be tried again; what cannot be stored is dropped. */
int er_stats_tell(struct er_supervisor *s, struct errand_error *err);
void er_stats_turn(struct er_supervisor *s);
void er_stats_flush(struct er_supervisor *s);

#endif
