/* id.c: the public id of a job is computed from its number, so that no index of ids is
 * kept.
 *
 * A UUIDv7: 48 bits creation time, version, 12 bits salt of the store, variant, 42 bits
 * number, 20 bits salt. Creation times of a store never step back and numbers grow, so
 * the text grows strictly. The salt tells ids of other stores apart; it is no secret. An
 * index on random 16-byte ids costs 23 % of the cycle and 47 bytes a job. */
#include "store/sqlite/sqlite.h"

#include <string.h>

#include "base/error.h"
#include "core/id.h"

enum { SALT_BITS = 20, NUMBER_BITS = 42 };

int er_id_room(struct er_tx *tx, int64_t id)
{
    return id >> NUMBER_BITS
               ? errand_error_set(tx->err, ERRAND_EFULL, "no job numbers are left")
               : 0;
}

void er_id_format(const struct er_sqlite *conn, int64_t id, int64_t created_at,
                  struct errand_id *ret)
{
    uint64_t low = (uint64_t)id << SALT_BITS | conn->salt[1];
    uint8_t b[16];

    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)((uint64_t)created_at >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | conn->salt[0] >> 8);
    b[7] = (uint8_t)conn->salt[0];
    for (int i = 0; i < 8; i++)
        b[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    er_uuid_format(b, ret);
}

/* 1 when text is an id that this store may have computed. */
static int parse(const struct er_sqlite *conn, const char *text, int64_t *ret_id,
                 int64_t *ret_created)
{
    uint64_t low = 0, ms = 0;
    uint8_t b[16];

    if (er_uuid_parse(text, b) < 0 || (b[6] & 0xf0) != 0x70 || (b[8] & 0xc0) != 0x80)
        return 0;
    if (((uint32_t)(b[6] & 0xf) << 8 | b[7]) != conn->salt[0])
        return 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | b[i];
    b[8] &= 0x3f;
    for (int i = 0; i < 8; i++)
        low = low << 8 | b[8 + i];
    if ((low & ((1u << SALT_BITS) - 1)) != conn->salt[1])
        return 0;
    *ret_id = (int64_t)(low >> SALT_BITS);
    *ret_created = (int64_t)ms;
    return 1;
}

int er_id_of(struct er_tx *tx, int64_t id, int64_t created_at, uint32_t flags,
             struct errand_id *ret)
{
    sqlite3_stmt *st;
    int rc;

    if (!(flags & ER_FLAG_OWN_ID)) {
        er_id_format(tx->conn, id, created_at, ret);
        return 0;
    }
    if (!(st = er_tx_bind(tx, ER_SQL_ID_TEXT, ER_ARGS(er_int(id)))))
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT,
                                         "the id of job %lld is missing", (long long)id);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->text, sqlite3_column_text(st, 0),
           (size_t)sqlite3_column_bytes(st, 0) < sizeof ret->text
               ? (size_t)sqlite3_column_bytes(st, 0)
               : sizeof ret->text - 1);
    sqlite3_reset(st);
    return 0;
}

int er_history_id(struct er_tx *tx, int64_t id, struct errand_id *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_HISTORY_ID, ER_ARGS(er_int(id)));
    int64_t created_at;
    uint32_t flags;
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) <= 0)
        return rc < 0 ? rc
                      : errand_error_set(tx->err, ERRAND_ECORRUPT, "job %lld is missing",
                                         (long long)id);
    created_at = sqlite3_column_int64(st, 0);
    flags = (uint32_t)sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    return er_id_of(tx, id, created_at, flags, ret);
}

int er_id_find(struct er_tx *tx, const struct errand_id *id, int64_t *ret)
{
    int64_t number, created, found;
    int rc;

    if (parse(tx->conn, id->text, &number, &created)) {
        /* A job with an id of its own is not known by the one we would have computed. */
        rc = er_tx_number(
            tx, ER_SQL_ID_CHECK,
            ER_ARGS(er_int(number), er_int(created), er_int(ER_FLAG_OWN_ID)), &found);
        if (rc != 0) {
            *ret = number;
            return rc;
        }
    }
    return er_tx_number(tx, ER_SQL_ID_FIND, ER_ARGS(er_text(id->text)), ret);
}
