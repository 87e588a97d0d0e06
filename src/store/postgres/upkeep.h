/* upkeep.h: see upkeep.c. */
#ifndef ER_STORE_POSTGRES_UPKEEP_H
#define ER_STORE_POSTGRES_UPKEEP_H

#include "store/postgres/postgres.h"

/* After a call that comes every few seconds: vacuums what is worth it, when it is time.
 * Fails in silence: autovacuum does the same, later. */
void er_pg_upkeep(struct er_pg *conn);

#endif
