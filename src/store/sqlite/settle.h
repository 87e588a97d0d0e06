/* settle.h: attempts that end, by a settle or because their lease is over. */
#ifndef ER_STORE_SQLITE_SETTLE_H
#define ER_STORE_SQLITE_SETTLE_H

#include "store/sqlite/sqlite.h"

/* `ret` has n. Followers are told by er_follow afterwards. */
int er_settle(struct er_tx *tx, const struct errand_outcome *outcomes, size_t n,
              enum errand_settled *ret);

#endif
