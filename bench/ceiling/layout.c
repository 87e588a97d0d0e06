/* layout.c: the bare cycle of the layout that errand's SQLite store uses: a job's row is
 * written at push and at its end only, READY is a row in a narrow table, a lease is one
 * row for a whole batch, counters are kept. What the store adds to that (checks, options,
 * retries, events, edges, limits) is left out here: this is its own ceiling. */
#include "ceiling/sqlite.h"
#include "measure.h"

#include <string.h>

static const char schema[] =
    "CREATE TABLE queues(id INTEGER PRIMARY KEY, ready INT NOT NULL DEFAULT 0,"
    " running INT NOT NULL DEFAULT 0, done INT NOT NULL DEFAULT 0,"
    " next_id INT NOT NULL DEFAULT 0);"
    "INSERT INTO queues(id) VALUES(1);"
    "CREATE TABLE jobs(id INTEGER PRIMARY KEY, queue INT NOT NULL, priority INT NOT NULL,"
    " run_at INT NOT NULL, attempt INT NOT NULL DEFAULT 0, tries INT NOT NULL DEFAULT 3,"
    " name INT NOT NULL, created_at INT NOT NULL, payload BLOB NOT NULL);"
    "CREATE TABLE ready(queue INT NOT NULL, priority INT NOT NULL, run_at INT NOT NULL,"
    " id INT NOT NULL, PRIMARY KEY(queue, priority, run_at, id)) WITHOUT ROWID;"
    "CREATE TABLE leases(token INTEGER PRIMARY KEY, until INT NOT NULL, ids BLOB NOT "
    "NULL);"
    "CREATE TABLE history(id INTEGER PRIMARY KEY, queue INT NOT NULL, name INT NOT NULL,"
    " attempt INT NOT NULL, created_at INT NOT NULL, done_at INT NOT NULL, payload "
    "BLOB);";

enum { BATCH_MAX = 1000 };
static struct {
    sqlite3_stmt *insert_job, *insert_ready, *reserve, *take, *lease, *release, *keep,
        *end, *count;
} sql;
static int64_t held[BATCH_MAX], next_id, token;
static int held_n;
static char payload[PAYLOAD_LEN];

static void prepare(sqlite3 *db)
{
    sql.insert_job = sqlite_prepare(
        db, "INSERT INTO jobs(id, queue, priority, run_at, name, created_at, payload)"
            " VALUES(?1, 1, 0, ?2, 1, ?2, ?3)");
    sql.insert_ready = sqlite_prepare(db, "INSERT INTO ready VALUES(1, 0, ?2, ?1)");
    sql.reserve = sqlite_prepare(
        db, "SELECT r.id, r.run_at, j.attempt, j.name, j.payload FROM ready AS r"
            " JOIN jobs AS j ON j.id = r.id WHERE r.queue = 1"
            " ORDER BY r.priority, r.run_at, r.id LIMIT ?1");
    sql.take = sqlite_prepare(db, "DELETE FROM ready WHERE queue = 1"
                                  " AND (priority, run_at, id) <= (0, ?1, ?2)");
    sql.lease = sqlite_prepare(db, "INSERT INTO leases VALUES(?1, ?2, ?3)");
    sql.release = sqlite_prepare(db, "DELETE FROM leases WHERE token = ?1");
    sql.keep = sqlite_prepare(
        db, "INSERT INTO history SELECT id, queue, name, attempt + 1, created_at, ?3,"
            " payload FROM jobs NOT INDEXED WHERE id BETWEEN ?1 AND ?2");
    sql.end =
        sqlite_prepare(db, "DELETE FROM jobs NOT INDEXED WHERE id BETWEEN ?1 AND ?2");
    sql.count = sqlite_prepare(db, "UPDATE queues SET ready = ready + ?1, running ="
                                   " running + ?2, done = done + ?3, next_id = ?4"
                                   " WHERE id = 1");
    next_id = 0;
}

static void count(int ready, int running, int done)
{
    sqlite3_bind_int(sql.count, 1, ready);
    sqlite3_bind_int(sql.count, 2, running);
    sqlite3_bind_int(sql.count, 3, done);
    sqlite3_bind_int64(sql.count, 4, next_id);
    sqlite_run(sql.count);
}

static void counted(int inserted)
{
    count(inserted, 0, 0);
}

static void insert(int64_t number)
{
    char text[PAYLOAD_LEN + 1];
    int64_t now_us = now_ns() / 1000;

    payload_write(text, number, now_us * 1000);
    next_id++;
    sqlite3_bind_int64(sql.insert_job, 1, next_id);
    sqlite3_bind_int64(sql.insert_job, 2, now_us);
    sqlite3_bind_blob(sql.insert_job, 3, text, PAYLOAD_LEN, SQLITE_TRANSIENT);
    sqlite_run(sql.insert_job);
    sqlite3_bind_int64(sql.insert_ready, 1, next_id);
    sqlite3_bind_int64(sql.insert_ready, 2, now_us);
    sqlite_run(sql.insert_ready);
}

/* Ends what is held, a statement for each run of consecutive ids. */
static void settle(bool keeps, int64_t now_us)
{
    if (held_n == 0)
        return;
    sqlite3_bind_int64(sql.release, 1, token);
    sqlite_run(sql.release);
    for (int i = 0, n; i < held_n; i += n) {
        for (n = 1; i + n < held_n && held[i + n] == held[i] + n; n++)
            ;
        if (keeps) {
            sqlite3_bind_int64(sql.keep, 1, held[i]);
            sqlite3_bind_int64(sql.keep, 2, held[i + n - 1]);
            sqlite3_bind_int64(sql.keep, 3, now_us);
            sqlite_run(sql.keep);
        }
        sqlite3_bind_int64(sql.end, 1, held[i]);
        sqlite3_bind_int64(sql.end, 2, held[i + n - 1]);
        sqlite_run(sql.end);
    }
}

static int reserve(int batch, int64_t now_us)
{
    int64_t run_at = 0;
    int n = 0;

    sqlite3_bind_int(sql.reserve, 1, batch);
    while (sqlite3_step(sql.reserve) == SQLITE_ROW) {
        held[n++] = sqlite3_column_int64(sql.reserve, 0);
        run_at = sqlite3_column_int64(sql.reserve, 1);
        memcpy(payload, sqlite3_column_blob(sql.reserve, 4), PAYLOAD_LEN);
    }
    sqlite3_reset(sql.reserve);
    if (n == 0)
        return 0;
    sqlite3_bind_int64(sql.take, 1, run_at);
    sqlite3_bind_int64(sql.take, 2, held[n - 1]);
    sqlite_run(sql.take);
    sqlite3_bind_int64(sql.lease, 1, ++token);
    sqlite3_bind_int64(sql.lease, 2, now_us + 60000000);
    sqlite3_bind_blob(sql.lease, 3, held, (int)sizeof *held * n, SQLITE_TRANSIENT);
    sqlite_run(sql.lease);
    return n;
}

static int layout_turn(bool keeps, int batch, int64_t now_us)
{
    int done = held_n;

    settle(keeps, now_us);
    held_n = reserve(batch, now_us);
    count(-held_n, held_n - done, done);
    return held_n;
}

static int turn(int batch, int64_t now_us)
{
    return layout_turn(false, batch, now_us);
}

static int turn_keeping(int batch, int64_t now_us)
{
    return layout_turn(true, batch, now_us);
}

static const char *payload_last(void)
{
    return payload;
}

const struct table layout_table = {.name = "layout",
                                   .schema = schema,
                                   .prepare = prepare,
                                   .insert = insert,
                                   .turn = turn,
                                   .counted = counted,
                                   .payload = payload_last};
const struct table history_table = {.name = "layout-keeping",
                                    .schema = schema,
                                    .prepare = prepare,
                                    .insert = insert,
                                    .turn = turn_keeping,
                                    .counted = counted,
                                    .payload = payload_last};
