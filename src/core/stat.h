/* stat.h: counts of a minute, added up. */
#ifndef ER_CORE_STAT_H
#define ER_CORE_STAT_H

#include "errand/driver.h"

/* Counts, sums and histograms; minute, queue and name stay. */
void er_stat_add(struct errand_stat *to, const struct errand_stat *from);

#endif
