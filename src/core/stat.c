/* stat.c: counts of a minute, added up. */
#include "core/stat.h"

void er_stat_add(struct errand_stat *to, const struct errand_stat *from)
{
    to->done += from->done;
    to->failed += from->failed;
    to->retried += from->retried;
    to->run_ms += from->run_ms;
    to->wait_ms += from->wait_ms;
    for (size_t i = 0; i < ERRAND_HISTOGRAM_N; i++) {
        to->run_hist[i] += from->run_hist[i];
        to->wait_hist[i] += from->wait_hist[i];
    }
}
