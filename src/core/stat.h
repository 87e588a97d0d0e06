/* stat.h: counts of a minute, added up. */
#ifndef ER_CORE_STAT_H
#define ER_CORE_STAT_H

#include "errand/driver.h"

/* Whether it counts these in this minute. */
bool er_stat_is(const struct errand_stat *row, int64_t minute_ms, const char *queue,
                const char *name);
/* Counts, sums and histograms; minute, queue and name stay. */
void er_stat_add(struct errand_stat *to, const struct errand_stat *from);
/* One attempt of a job that might run from run_at_ms on; not one that was given back. */
void er_stat_count(struct errand_stat *row, const struct errand_outcome *outcome,
                   int64_t run_at_ms);

#endif
