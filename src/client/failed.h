/* failed.h: changes of many jobs on a snapshot, for the public calls and for the command.
 */
#ifndef ER_CLIENT_FAILED_H
#define ER_CLIENT_FAILED_H

#include "store/store.h"

/* Failed jobs of this queue (NULL: all) that failed `older_ms` or longer before `now_ms`.
 * A job that is retried and fails again at once failed after `now_ms`: it stays out. */
struct errand_filter er_failed_filter(const char *queue, int64_t now_ms,
                                      int64_t older_ms);
/* All that match, a thousand a transaction, so that workers are not held up; never more
 * than matched at the beginning. `*ret_n` is written also after an error. */
int er_failed_change(struct er_store *store, enum errand_change_kind kind,
                     const struct errand_filter *filter, int64_t *ret_n,
                     struct errand_error *err);

#endif
