/* failpoint.h: named places where a test build can end the process or fail a call, to
 * show that nothing is lost there.
 *
 * ERRAND_FAILPOINTS="after-reserve=exit;in-settle=error@3": the first ends the process as
 * kill -9 would, the second fails the third pass. Without -Dfailpoints=true it all
 * compiles to nothing. */
#ifndef ER_BASE_FAILPOINT_H
#define ER_BASE_FAILPOINT_H

#include <stdbool.h>

#include "errand/error.h"

#ifdef ERRAND_FAILPOINTS
bool er_failpoint(const char *name); /* true: behave as if this failed */
/* "push-before-commit" and "push-after-commit" of a store's operation, NULL for none: 0,
 * or ERRAND_EUNAVAILABLE with the error set. */
int er_failpoint_commit(const char *operation, const char *place,
                        struct errand_error *err);
#else
#define er_failpoint(name) false
static inline int er_failpoint_commit(const char *operation, const char *place,
                                      struct errand_error *err)
{
    (void)operation, (void)place, (void)err;
    return 0;
}
#endif

#endif
