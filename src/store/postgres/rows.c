/* rows.c: reading what a function answered, in binary form. */
#include "store/postgres/postgres.h"

#include <endian.h>
#include <string.h>

#include "base/error.h"
#include "core/id.h"

enum { SALT_BITS = 20 };

void er_pg_rows_done(struct er_pg_rows *rows)
{
    PQclear(rows->res);
    rows->res = NULL;
    rows->n = 0;
}

int er_pg_expect(const char *function, size_t n, size_t wanted, struct errand_error *err)
{
    if (n == wanted)
        return 0;
    return errand_error_set(
        err, ERRAND_ESCHEMA,
        "%s() answered for %zu of %zu; 'errand migrate' may repair it", function, n,
        wanted);
}

bool er_pg_is_null(const struct er_pg_rows *rows, int row, int col)
{
    return PQgetisnull(rows->res, row, col);
}

int64_t er_pg_get_int(const struct er_pg_rows *rows, int row, int col)
{
    const char *ptr = PQgetvalue(rows->res, row, col);
    uint64_t eight;
    uint32_t four;
    uint16_t two;

    switch (PQgetlength(rows->res, row, col)) {
    case sizeof eight:
        memcpy(&eight, ptr, sizeof eight);
        return (int64_t)be64toh(eight);
    case sizeof four:
        memcpy(&four, ptr, sizeof four);
        return (int32_t)be32toh(four);
    case sizeof two:
        memcpy(&two, ptr, sizeof two);
        return (int16_t)be16toh(two);
    default:
        return 0;
    }
}

bool er_pg_get_bool(const struct er_pg_rows *rows, int row, int col)
{
    return PQgetlength(rows->res, row, col) == 1 && *PQgetvalue(rows->res, row, col);
}

struct errand_slice er_pg_peek(const struct er_pg_rows *rows, int row, int col)
{
    return (struct errand_slice){PQgetvalue(rows->res, row, col),
                                 (size_t)PQgetlength(rows->res, row, col)};
}

const char *er_pg_get_text(const struct er_pg_rows *rows, int row, int col,
                           struct errand_arena *arena)
{
    struct errand_slice text = er_pg_peek(rows, row, col);

    return text.len ? errand_arena_copy(arena, text.ptr, text.len) : "";
}

struct errand_slice er_pg_get_bytes(const struct er_pg_rows *rows, int row, int col,
                                    struct errand_arena *arena)
{
    struct errand_slice bytes = er_pg_peek(rows, row, col);

    bytes.ptr = bytes.len ? errand_arena_copy(arena, bytes.ptr, bytes.len) : "";
    return bytes;
}

const char *er_pg_field(const PGresult *res, int col)
{
    bool is_there = PQntuples(res) > 0 && col < PQnfields(res);
    const char *text = is_there ? PQgetvalue(res, 0, col) : NULL;

    return text ? text : "";
}

int64_t er_pg_identity(const struct er_pg *conn)
{
    return conn->salt + 1; /* 0 is none */
}

/* As sql/ids.sql computes it: a UUIDv7 of 48 bits creation time, 12 bits salt, 42 bits
 * number and 20 bits salt. */
void er_pg_id(const struct er_pg *conn, int64_t created_at, int64_t key,
              struct errand_slice uid, struct errand_id *ret)
{
    uint64_t salt = (uint64_t)conn->salt;
    uint64_t low = (uint64_t)key << SALT_BITS | (salt & ((1u << SALT_BITS) - 1));
    uint8_t b[16];

    memset(ret, 0, sizeof *ret);
    if (uid.len) {
        memcpy(ret->text, uid.ptr, uid.len <= ERRAND_ID_MAX ? uid.len : ERRAND_ID_MAX);
        return;
    }
    if (!key)
        return;
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)((uint64_t)created_at >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | (salt >> 28 & 0xf));
    b[7] = (uint8_t)(salt >> SALT_BITS);
    for (int i = 0; i < 8; i++)
        b[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    er_uuid_format(b, ret);
}
