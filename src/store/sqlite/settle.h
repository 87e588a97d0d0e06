/* settle.h: attempts that end, by a settle or because their lease is over. */
#ifndef ER_STORE_SQLITE_SETTLE_H
#define ER_STORE_SQLITE_SETTLE_H

#include "store/sqlite/sqlite.h"

/* `ret` has n. Followers are told by er_follow afterwards. */
int er_settle(struct er_tx *tx, const struct errand_outcome *outcomes, size_t n,
              enum errand_settled *ret);

int er_sqlite_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                       struct errand_arena *arena, struct errand_exchange_result *ret,
                       struct errand_error *err);
int er_sqlite_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                     struct errand_arena *arena, struct errand_extend_result *ret,
                     struct errand_error *err);
int er_sqlite_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                   struct errand_arena *arena, struct errand_reap_result *ret,
                   struct errand_error *err);

#endif
