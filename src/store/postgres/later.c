/* later.c: operations that are not written yet. */
#include "store/postgres/ops.h"

#include "base/error.h"

int er_pg_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "fire: not yet");
}
