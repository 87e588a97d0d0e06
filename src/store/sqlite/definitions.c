/* definitions.c: what the owners of jobs say about them. */
#include "store/sqlite/sqlite.h"

#include "base/error.h"

int er_sqlite_define(struct errand_conn *conn,
                     const struct errand_definition *definitions, size_t n,
                     int64_t now_ms, struct errand_error *err)
{
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin(&tx, conn, "define", now_ms, NULL, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = er_tx_run(&tx, ER_SQL_DEFINITION_PUT,
                       ER_ARGS(er_text(definitions[i].key), er_text(definitions[i].name),
                               er_blob(definitions[i].spec), er_int(tx.now_ms)));
    return er_tx_end(&tx, rc);
}

static int row_fill(struct er_tx *tx, sqlite3_stmt *st, void *ret_row)
{
    struct errand_definition *ret = ret_row;

    *ret = (struct errand_definition){
        .key = er_col_text(st, 0, tx->arena),
        .name = er_col_text(st, 1, tx->arena),
        .spec = er_col_slice(st, 2, tx->arena),
        .updated_ms = sqlite3_column_int64(st, 3),
    };
    return ret->key && ret->name && ret->spec.ptr ? 0 : er_tx_nomem(tx);
}

static int definitions(struct er_tx *tx, const char *key,
                       struct errand_definitions_result *ret)
{
    sqlite3_stmt *st = key ? er_tx_bind(tx, ER_SQL_DEFINITION_READ, ER_ARGS(er_text(key)))
                           : er_tx_bind(tx, ER_SQL_DEFINITIONS_READ, ER_NO_ARGS);

    return er_tx_answer(tx, st, row_fill, sizeof *ret->definitions, &ret->definitions,
                        &ret->definitions_n);
}

int er_sqlite_definitions(struct errand_conn *conn, const char *key,
                          struct errand_arena *arena,
                          struct errand_definitions_result *ret, struct errand_error *err)
{
    struct errand_definitions_result result = {0};
    struct er_tx tx;
    int rc;

    if ((rc = er_tx_begin_read(&tx, conn, 0, arena, err)) < 0)
        return rc;
    if ((rc = er_tx_end(&tx, definitions(&tx, key, &result))) == 0)
        *ret = result;
    return rc;
}
