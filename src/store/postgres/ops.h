/* ops.h: the operations of the driver. */
#ifndef ER_STORE_POSTGRES_OPS_H
#define ER_STORE_POSTGRES_OPS_H

#include "store/ops.h"
#include "store/postgres/postgres.h"

ER_STORE_OPS(er_pg_op_);

int er_pg_op_remarks(struct errand_conn *conn, struct errand_arena *arena,
                     struct errand_remarks_result *ret, struct errand_error *err);
int er_pg_op_clock(struct errand_conn *conn, int64_t *ret_wall_ms,
                   struct errand_error *err);

#endif
