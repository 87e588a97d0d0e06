/* statements.c: the statements of sql/, prepared when first used and kept. */
#include "store/sqlite/sqlite.h"

#include <string.h>

#include "base/error.h"

static sqlite3_stmt *prepared(struct er_db *db, enum er_sql sql, struct errand_error *err)
{
    unsigned flags = db->is_callers ? 0 : SQLITE_PREPARE_PERSISTENT;
    int rc;

    if (db->statements[sql])
        return db->statements[sql];
    rc = sqlite3_prepare_v3(db->handle, er_sql_texts[sql].text, -1, flags,
                            &db->statements[sql], NULL);
    if (rc != SQLITE_OK)
        er_sqlite_error(db, rc, err, "preparing %s", er_sql_texts[sql].name);
    return db->statements[sql];
}

static int bind(sqlite3_stmt *st, int i, const struct er_arg *arg)
{
    switch (arg->type) {
    case ER_ARG_NULL:
        return sqlite3_bind_null(st, i);
    case ER_ARG_INT:
        return sqlite3_bind_int64(st, i, arg->number);
    case ER_ARG_TEXT:
        return sqlite3_bind_text(st, i, arg->ptr, -1, SQLITE_STATIC);
    case ER_ARG_BLOB:
        return sqlite3_bind_blob64(st, i, arg->ptr, arg->len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

sqlite3_stmt *er_sql_bind(struct er_db *db, enum er_sql sql, const struct er_arg *args,
                          size_t args_n, struct errand_error *err)
{
    sqlite3_stmt *st = prepared(db, sql, err);

    for (size_t i = 0; st && i < args_n; i++) {
        int rc = bind(st, (int)i + 1, &args[i]);
        if (rc != SQLITE_OK) {
            er_sqlite_error(db, rc, err, "binding %s", er_sql_texts[sql].name);
            return NULL;
        }
    }
    return st;
}

static const char *name_of(const struct er_db *db, const sqlite3_stmt *st)
{
    for (size_t i = 0; i < ER_SQL_N; i++)
        if (db->statements[i] == st)
            return er_sql_texts[i].name;
    return "a statement";
}

int er_sql_next(struct er_db *db, sqlite3_stmt *st, struct errand_error *err)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE) {
        sqlite3_reset(st);
        return 0;
    }
    rc = sqlite3_extended_errcode(db->handle);
    rc = er_sqlite_error(db, rc, err, "running %s", name_of(db, st));
    sqlite3_reset(st);
    return rc;
}

int er_sql_run(struct er_db *db, enum er_sql sql, const struct er_arg *args,
               size_t args_n, struct errand_error *err)
{
    sqlite3_stmt *st = er_sql_bind(db, sql, args, args_n, err);
    int rc;

    if (!st)
        return err ? err->code : ERRAND_EINTERNAL;
    while ((rc = er_sql_next(db, st, err)) > 0)
        ;
    return rc;
}

int er_sql_script(struct er_db *db, const char *script, struct errand_error *err)
{
    int rc = sqlite3_exec(db->handle, script, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        return er_sqlite_error(db, sqlite3_extended_errcode(db->handle), err,
                               "setting up");
    return 0;
}

void er_db_done(struct er_db *db)
{
    for (size_t i = 0; i < ER_SQL_N; i++) {
        sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
}

struct errand_slice er_col_slice(sqlite3_stmt *st, int i, struct errand_arena *arena)
{
    const void *ptr = sqlite3_column_blob(st, i);
    size_t len = (size_t)sqlite3_column_bytes(st, i);

    return len ? er_arena_slice(arena, ptr, len) : (struct errand_slice){.ptr = ""};
}

const char *er_col_text(sqlite3_stmt *st, int i, struct errand_arena *arena)
{
    const void *ptr = sqlite3_column_text(st, i);

    return ptr ? errand_arena_copy(arena, ptr, (size_t)sqlite3_column_bytes(st, i)) : "";
}
