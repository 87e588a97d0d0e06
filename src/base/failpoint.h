/* failpoint.h: named places where a test build can end the process or fail a call, to
 * show that nothing is lost there.
 *
 * ERRAND_FAILPOINTS="after-reserve=exit;in-settle=error@3": the first ends the process as
 * kill -9 would, the second fails the third pass. Without -Dfailpoints=true it all
 * compiles to nothing. */
#ifndef ER_BASE_FAILPOINT_H
#define ER_BASE_FAILPOINT_H

#include <stdbool.h>

#ifdef ERRAND_FAILPOINTS
bool er_failpoint(const char *name); /* true: behave as if this failed */
#else
#define er_failpoint(name) false
#endif

#endif
