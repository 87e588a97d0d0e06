/* wait.h: the connection that listens, and its descriptor. */
#ifndef ER_STORE_POSTGRES_WAIT_H
#define ER_STORE_POSTGRES_WAIT_H

#include "store/postgres/postgres.h"

/* NULL allowed, here and below. */
void er_pg_wait_close(struct er_pg_wait *wait);
/* In the child of a fork: the parent's connection must not hear of it. */
void er_pg_wait_abandon(struct er_pg_wait *wait);

#endif
