/* open.h: opening, closing, and what is done to a store as a whole. */
#ifndef ER_STORE_POSTGRES_OPEN_H
#define ER_STORE_POSTGRES_OPEN_H

#include "store/postgres/postgres.h"

int er_pg_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
               struct errand_error *err);
void er_pg_close(struct errand_conn *conn);
void er_pg_abandon(struct errand_conn *conn);
int er_pg_again(struct errand_conn *conn, const struct errand_open_params *p,
                struct errand_conn **ret_conn, struct errand_error *err);
int er_pg_migrate(const struct errand_open_params *p, bool apply,
                  struct errand_migrate_result *ret, struct errand_error *err);

#endif
