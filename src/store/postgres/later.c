/* later.c: operations that are not written yet. */
#include "store/postgres/ops.h"

#include "base/error.h"

int er_pg_op_push(struct errand_conn *conn, const struct errand_push_params *p,
                  struct errand_arena *arena, struct errand_push_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "push: not yet");
}

int er_pg_op_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                      struct errand_arena *arena, struct errand_exchange_result *ret,
                      struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "exchange: not yet");
}

int er_pg_op_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                    struct errand_arena *arena, struct errand_extend_result *ret,
                    struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "extend: not yet");
}

int er_pg_op_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                  struct errand_arena *arena, struct errand_reap_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "reap: not yet");
}

int er_pg_op_change(struct errand_conn *conn, const struct errand_change_params *p,
                    struct errand_arena *arena, struct errand_change_result *ret,
                    struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "change: not yet");
}

int er_pg_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                  struct errand_arena *arena, struct errand_fire_result *ret,
                  struct errand_error *err)
{
    (void)conn, (void)p, (void)arena, (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "fire: not yet");
}
