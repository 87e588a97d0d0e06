/* plain.c: the table everybody writes first: a state, an index over what is ready, a row
 * rewritten when it is reserved and deleted when it is done. */
#include "ceiling/sqlite.h"
#include "measure.h"

#include <string.h>

static const char schema[] =
    "CREATE TABLE jobs(id INTEGER PRIMARY KEY, queue INT NOT NULL, kind INT NOT NULL,"
    " state INT NOT NULL DEFAULT 0, priority INT NOT NULL DEFAULT 0, run_at INT NOT NULL,"
    " attempts INT NOT NULL DEFAULT 0, tries INT NOT NULL DEFAULT 3, lease_until INT,"
    " created_at INT NOT NULL, payload TEXT NOT NULL);"
    "CREATE INDEX ready ON jobs(queue, priority, run_at, id) WHERE state = 0;";

static const char insert_sql[] = "INSERT INTO jobs(queue, kind, run_at, created_at,"
                                 " payload) VALUES(1, 1, ?1, ?1, ?2)";
static const char reserve_sql[] =
    "UPDATE jobs SET state = 1, attempts = attempts + 1, lease_until = ?2 WHERE id IN"
    " (SELECT id FROM jobs WHERE state = 0 AND queue = 1 AND run_at <= ?1"
    "   ORDER BY priority, run_at, id LIMIT ?3) RETURNING id, kind, attempts, payload";
static const char delete_sql[] = "DELETE FROM jobs WHERE id = ?1";

enum { BATCH_MAX = 1000 };
static sqlite3_stmt *insert_row, *reserve, *delete_row;
static int64_t held[BATCH_MAX];
static int held_n;
static char payload[PAYLOAD_LEN];

static void prepare(sqlite3 *db)
{
    insert_row = sqlite_prepare(db, insert_sql);
    reserve = sqlite_prepare(db, reserve_sql);
    delete_row = sqlite_prepare(db, delete_sql);
}

static void insert(int64_t number)
{
    char text[PAYLOAD_LEN + 1];

    payload_write(text, number, now_ns());
    sqlite3_bind_int64(insert_row, 1, now_ns() / 1000);
    sqlite3_bind_text(insert_row, 2, text, PAYLOAD_LEN, SQLITE_TRANSIENT);
    sqlite_run(insert_row);
}

static int turn(int batch, int64_t now_us)
{
    for (int i = 0; i < held_n; i++) {
        sqlite3_bind_int64(delete_row, 1, held[i]);
        sqlite_run(delete_row);
    }
    held_n = 0;
    sqlite3_bind_int64(reserve, 1, now_us);
    sqlite3_bind_int64(reserve, 2, now_us + 60000000);
    sqlite3_bind_int(reserve, 3, batch);
    while (sqlite3_step(reserve) == SQLITE_ROW) {
        held[held_n++] = sqlite3_column_int64(reserve, 0);
        memcpy(payload, sqlite3_column_text(reserve, 3), PAYLOAD_LEN);
    }
    sqlite3_reset(reserve);
    return held_n;
}

static const char *payload_last(void)
{
    return payload;
}

const struct table plain_table = {.name = "ceiling",
                                  .schema = schema,
                                  .prepare = prepare,
                                  .insert = insert,
                                  .turn = turn,
                                  .payload = payload_last};
