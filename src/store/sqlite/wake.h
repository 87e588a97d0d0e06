/* wake.h: telling sleeping processes that something has changed, and sleeping oneself. */
#ifndef ER_STORE_SQLITE_WAKE_H
#define ER_STORE_SQLITE_WAKE_H

#include "store/sqlite/sqlite.h"

/* Opens the wake file beside the database. A file that cannot be made (a read-only
 * folder) leaves a connection that tells nobody and hears of changes by the write-ahead
 * log alone. ENOMEM only. */
int er_wake_open(struct er_sqlite *conn, struct errand_error *err);
/* Takes over what the caller of another connection waits on and is armed for. */
void er_wake_adopt(struct er_sqlite *conn, struct er_wake *old);
void er_wake_close(struct er_wake *wake); /* NULL allowed; also in the child of a fork */

/* After a commit: wakes who has armed for one of these (enum errand_wait_for). */
void er_wake_tell(struct er_sqlite *conn, uint32_t what);

#endif
