/* args.c: parameters of a call in PostgreSQL's binary form: numbers in network order, an
 * array as its header and its elements, each with its length. */
#include "store/postgres/postgres.h"

#include <endian.h>
#include <string.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_JSONB = 3802 };
enum { OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016, OID_JSONBS = 3807 };
enum { BYTES_MAX = 1 << 30 };

void er_pg_args_init(struct er_pg_args *args)
{
    args->n = 0;
    er_buf_init(&args->bytes, BYTES_MAX);
}

void er_pg_args_done(struct er_pg_args *args)
{
    er_buf_done(&args->bytes);
}

static void begin(struct er_pg_args *args, Oid type)
{
    if (args->n == ER_PG_ARGS_MAX) {
        args->bytes.has_failed = true;
        return;
    }
    args->types[args->n] = type;
    args->at[args->n] = args->bytes.len;
    args->lens[args->n] = -1;
    args->n++;
}

static void end(struct er_pg_args *args)
{
    args->lens[args->n - 1] = (int)(args->bytes.len - args->at[args->n - 1]);
}

static void add32(struct er_pg_args *args, uint32_t value)
{
    value = htobe32(value);
    er_buf_add(&args->bytes, &value, sizeof value);
}

static void add64(struct er_pg_args *args, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    er_buf_add(&args->bytes, &big, sizeof big);
}

static void raw(struct er_pg_args *args, struct errand_slice bytes)
{
    if (bytes.len)
        er_buf_add(&args->bytes, bytes.ptr, bytes.len);
}

/* ------------------------------------------------------------------ one value */

void er_pg_int(struct er_pg_args *args, int64_t value)
{
    begin(args, OID_INT8);
    add64(args, value);
    end(args);
}

void er_pg_bool(struct er_pg_args *args, bool value)
{
    char byte = value;

    begin(args, OID_BOOL);
    er_buf_add(&args->bytes, &byte, 1);
    end(args);
}

void er_pg_text(struct er_pg_args *args, const char *text)
{
    begin(args, OID_TEXT);
    if (!text)
        return;
    raw(args, errand_text(text));
    end(args);
}

void er_pg_bytes(struct er_pg_args *args, struct errand_slice bytes)
{
    begin(args, OID_BYTEA);
    raw(args, bytes);
    end(args);
}

static const char jsonb_version = 1;

/* ------------------------------------------------------------------ arrays */

static const struct {
    Oid array, element;
} types[] = {
    [ER_PG_INTS] = {OID_INT8S, OID_INT8},
    [ER_PG_TEXTS] = {OID_TEXTS, OID_TEXT},
    [ER_PG_BLOBS] = {OID_BYTEAS, OID_BYTEA},
    [ER_PG_JSONS] = {OID_JSONBS, OID_JSONB},
};

void er_pg_no_array(struct er_pg_args *args, enum er_pg_array of)
{
    begin(args, types[of].array);
}

void er_pg_array_begin(struct er_pg_args *args, enum er_pg_array of)
{
    begin(args, types[of].array);
    add32(args, 1); /* dimensions */
    add32(args, 1); /* there may be NULLs */
    add32(args, types[of].element);
    args->count_at = args->bytes.len;
    args->count = 0;
    add32(args, 0); /* how many: er_pg_array_end() */
    add32(args, 1); /* the first has the number 1 */
}

void er_pg_add_int(struct er_pg_args *args, int64_t value)
{
    args->count++;
    add32(args, sizeof value);
    add64(args, value);
}

static void element(struct er_pg_args *args, struct errand_slice bytes)
{
    args->count++;
    add32(args, (uint32_t)bytes.len);
    raw(args, bytes);
}

static void null_element(struct er_pg_args *args)
{
    args->count++;
    add32(args, UINT32_MAX);
}

void er_pg_add_text(struct er_pg_args *args, const char *text)
{
    if (text)
        element(args, errand_text(text));
    else
        null_element(args);
}

void er_pg_add_bytes(struct er_pg_args *args, struct errand_slice bytes)
{
    if (bytes.len)
        element(args, bytes);
    else
        null_element(args);
}

void er_pg_add_json(struct er_pg_args *args, struct errand_slice json)
{
    if (!json.len) {
        null_element(args);
        return;
    }
    args->count++;
    add32(args, (uint32_t)json.len + 1);
    er_buf_add(&args->bytes, &jsonb_version, 1);
    raw(args, json);
}

void er_pg_array_end(struct er_pg_args *args)
{
    uint32_t count = htobe32(args->count);

    if (!args->bytes.has_failed)
        memcpy(args->bytes.ptr + args->count_at, &count, sizeof count);
    end(args);
}
