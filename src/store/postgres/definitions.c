/* definitions.c: what the owners of jobs say about them. */
#include "store/postgres/rest.h"

int er_pg_op_define(struct errand_conn *conn, const struct errand_definition *definitions,
                    size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    ER_PG_COLUMN(&args, ER_PG_TEXTS, true, struct errand_definition, definition,
                 definitions, n, er_pg_add_text(&args, definition->name));
    ER_PG_COLUMN(&args, ER_PG_TEXTS, true, struct errand_definition, definition,
                 definitions, n, er_pg_add_text(&args, definition->key));
    ER_PG_COLUMN(&args, ER_PG_BLOBS, true, struct errand_definition, definition,
                 definitions, n, er_pg_add_bytes(&args, definition->spec));
    return er_pg_tell(conn, "define", ER_PG_HARMLESS, &args, err);
}

static int definition_fill(const struct er_pg_rows *rows, int row,
                           struct errand_arena *arena, void *ret_definition)
{
    struct errand_definition *ret = ret_definition;

    *ret = (struct errand_definition){
        .key = er_pg_get_text(rows, row, 0, arena),
        .name = er_pg_get_text(rows, row, 1, arena),
        .spec = er_pg_get_bytes(rows, row, 2, arena),
        .updated_ms = er_pg_get_int(rows, row, 3),
    };
    return ret->key && ret->name && ret->spec.ptr ? 0 : -1;
}

int er_pg_op_definitions(struct errand_conn *conn, const char *key,
                         struct errand_arena *arena,
                         struct errand_definitions_result *ret, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_text(&args, key);
    return er_pg_ask_rows(conn, "definitions_look", &args, definition_fill,
                          sizeof *ret->definitions, arena, &ret->definitions,
                          &ret->definitions_n, err);
}
