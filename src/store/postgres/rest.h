/* rest.h: what the operations beside the life of a job share. */
#ifndef ER_STORE_POSTGRES_REST_H
#define ER_STORE_POSTGRES_REST_H

#include "store/postgres/ops.h"

/* er_pg_call(), done with the parameters whatever comes of it. */
int er_pg_ask(struct errand_conn *conn, const char *function, enum er_pg_repeat repeat,
              struct er_pg_args *args, struct er_pg_rows *ret, struct errand_error *err);
/* The same where the rows do not matter. */
int er_pg_tell(struct errand_conn *conn, const char *function, enum er_pg_repeat repeat,
               struct er_pg_args *args, struct errand_error *err);
/* The same where the answer is one number; NULL is 0. */
int er_pg_ask_int(struct errand_conn *conn, const char *function,
                  enum er_pg_repeat repeat, struct er_pg_args *args, int64_t *ret,
                  struct errand_error *err);

/* Every row as an element of `size` bytes in the arena, zeroed before; `fill` answers -1
 * for no memory. */
typedef int er_pg_fill_fn(const struct er_pg_rows *rows, int row,
                          struct errand_arena *arena, void *ret);
int er_pg_ask_rows(struct errand_conn *conn, const char *function,
                   struct er_pg_args *args, er_pg_fill_fn *fill, size_t size,
                   struct errand_arena *arena, void *ret_rows, size_t *ret_n,
                   struct errand_error *err);

/* The first n numbers of an array; what it does not have is 0. */
void er_pg_get_ints(const struct er_pg_rows *rows, int row, int col, int64_t *ret,
                    size_t n);
/* An id as text, none for NULL. */
void er_pg_get_id(const struct er_pg_rows *rows, int row, int col, struct errand_id *ret);

/* The eight parameters of a filter, as found() takes them (sql/found.sql). */
void er_pg_filter(struct er_pg_args *args, const struct errand_filter *filter);

#endif
