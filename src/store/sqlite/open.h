/* open.h: from a URL to a connection that is set up. */
#ifndef ER_STORE_SQLITE_OPEN_H
#define ER_STORE_SQLITE_OPEN_H

#include "store/sqlite/sqlite.h"

/* file.c: the path, and whether a database may live there. Makes the file (mode 0600
 * whatever the umask) when `create`; *ret_path is the caller's (free). */
int er_sqlite_file(const struct errand_open_params *p, char **ret_path,
                   struct errand_error *err);

/* migrate.c: 0 none yet, or the version; ECONFLICT for a file of another program. */
int er_schema_found(struct er_sqlite *conn, bool force, int *ret_found,
                    struct errand_error *err);
/* Fits what is there to what we want, raising it when `create`. */
int er_schema_check(struct er_sqlite *conn, const struct errand_open_params *p,
                    struct errand_error *err);
int er_meta_put(struct er_sqlite *conn, const char *key, int64_t value,
                struct errand_error *err);

/* How long the connection waits for other writers; bound to its address. */
void er_busy_set(struct er_sqlite *conn);

/* Of the table of operations. */
int er_sqlite_open(const struct errand_open_params *p, struct errand_conn **ret_conn,
                   struct errand_error *err);
void er_sqlite_close(struct errand_conn *conn);
void er_sqlite_abandon(struct errand_conn *conn);
int er_sqlite_again(struct errand_conn *conn, const struct errand_open_params *p,
                    struct errand_conn **ret_conn, struct errand_error *err);
int er_sqlite_migrate(const struct errand_open_params *p, bool apply,
                      struct errand_migrate_result *ret, struct errand_error *err);

#endif
