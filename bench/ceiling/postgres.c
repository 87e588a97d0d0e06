/* postgres.c: the table everybody writes first: a state, a partial index over what is
 * ready, rows taken with FOR UPDATE SKIP LOCKED, rewritten when reserved and deleted when
 * done, both in one statement. The table "ctid" finds the rows it has locked by their
 * place and not by their id once more: the same rows in less time, as errand does it. */
#include "ceiling/server.h"

#include "measure.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "errand_bench_ceiling"
#define CYCLE_UPDATE                                                            \
    "WITH ended AS (DELETE FROM " SCHEMA ".jobs WHERE id = ANY($2::bigint[])) " \
    "UPDATE " SCHEMA ".jobs SET state = 1, attempts = attempts + 1,"            \
    " lease_until = now() + interval '60 s' WHERE "
#define CYCLE_ROWS                                                            \
    " FROM " SCHEMA ".jobs WHERE state = 0 AND queue = 1 AND run_at <= now()" \
    " ORDER BY priority, run_at, id LIMIT $1::int FOR UPDATE SKIP LOCKED"
#define CYCLE_ANSWER " RETURNING id, kind, attempts, payload"

static const char schema_sql[] =
    "SET client_min_messages = error; DROP SCHEMA IF EXISTS " SCHEMA " CASCADE;"
    "CREATE SCHEMA " SCHEMA "; CREATE TABLE " SCHEMA ".jobs("
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue int NOT NULL,"
    " kind int NOT NULL, state int NOT NULL DEFAULT 0, priority int NOT NULL DEFAULT 0,"
    " run_at timestamptz NOT NULL DEFAULT now(), attempts int NOT NULL DEFAULT 0,"
    " tries int NOT NULL DEFAULT 3, lease_until timestamptz,"
    " created_at timestamptz NOT NULL DEFAULT now(), payload text NOT NULL);"
    "CREATE INDEX ready ON " SCHEMA ".jobs(queue, priority, run_at, id) WHERE state = 0";
static const char one_sql[] =
    "INSERT INTO " SCHEMA ".jobs(queue, kind, payload) VALUES(1, 1, $1)";
static const char many_sql[] =
    "INSERT INTO " SCHEMA ".jobs(queue, kind, payload) SELECT 1, 1, unnest($1::text[])";
static const char by_id_sql[] =
    CYCLE_UPDATE "id IN (SELECT id" CYCLE_ROWS ")" CYCLE_ANSWER;
static const char by_place_sql[] =
    CYCLE_UPDATE "ctid = ANY(ARRAY(SELECT ctid" CYCLE_ROWS "))" CYCLE_ANSWER;
static const char used_sql[] =
    "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class AS c"
    " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND n.nspname ~ '^errand_bench'";
static const char clear_sql[] =
    "SET client_min_messages = error; DO $$ DECLARE s text; BEGIN"
    " FOR s IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^errand_bench' LOOP"
    " EXECUTE format('DROP SCHEMA %I CASCADE', s); END LOOP; END $$";

/* Prepared when it is first needed: the processes of a pick-up connect for themselves. */
struct statement {
    const char *name, *sql;
    bool is_prepared;
};
static struct statement insert_one = {.name = "insert_one", .sql = one_sql},
                        insert_many = {.name = "insert_many", .sql = many_sql},
                        by_id = {.name = "by_id", .sql = by_id_sql},
                        by_place = {.name = "by_place", .sql = by_place_sql};
static struct statement *cycle = &by_id;

static PGconn *db;
/* An array of text or of ids, as PostgreSQL reads one. */
static char array[1000 * (PAYLOAD_LEN + 32)] = "{}";
static char payload[PAYLOAD_LEN];

static PGresult *answer(PGresult *r, const char *sql)
{
    ExecStatusType status = PQresultStatus(r);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die("%.40s...: %s", sql, PQerrorMessage(db));
    return r;
}

static void run(const char *sql)
{
    PQclear(answer(PQexec(db, sql), sql));
}

/* With the server's own settings: synchronous_commit is on unless somebody turned it off.
 */
static void postgres_open(const char *url)
{
    db = PQconnectdb(url);
    if (PQstatus(db) != CONNECTION_OK)
        die("%s", PQerrorMessage(db));
}

static void postgres_make(const char *table)
{
    cycle = strcmp(table, "ctid") == 0 ? &by_place : &by_id;
    run(schema_sql);
}

static PGresult *execute(struct statement *s, int n, const char *const *values)
{
    if (!s->is_prepared)
        PQclear(answer(PQprepare(db, s->name, s->sql, 0, NULL), s->sql));
    s->is_prepared = true;
    return answer(PQexecPrepared(db, s->name, n, values, NULL, NULL, 0), s->sql);
}

/* The quotes of the JSON are quoted once more within an array. */
static size_t array_add(size_t at, const char *text)
{
    array[at] = at ? ',' : '{';
    array[++at] = '"';
    for (at++; *text; text++) {
        if (*text == '"')
            array[at++] = '\\';
        array[at++] = *text;
    }
    array[at++] = '"';
    return at;
}

static void array_end(size_t at)
{
    snprintf(array + at, sizeof array - at, at ? "}" : "{}");
}

static void postgres_insert(int64_t number, int n)
{
    char text[PAYLOAD_LEN + 1];
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        payload_write(text, number + i, now_ns());
        at = array_add(at, text);
    }
    array_end(at);
    PQclear(execute(n == 1 ? &insert_one : &insert_many, 1,
                    (const char *[]){n == 1 ? text : array}));
    array_end(0);
}

/* A plan made of an empty table would be measured for as long as it is kept. */
static void postgres_filled(void)
{
    run("VACUUM ANALYZE " SCHEMA ".jobs");
    run("CHECKPOINT");
}

static int postgres_turn(int batch)
{
    char most[16];
    size_t at = 0;
    PGresult *r;
    int n;

    snprintf(most, sizeof most, "%d", batch);
    r = execute(cycle, 2, (const char *[]){most, array});
    n = PQntuples(r);
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(array + at, sizeof array - at, "%c%s", i ? ',' : '{',
                               PQgetvalue(r, i, 0));
    array_end(at);
    if (n > 0)
        memcpy(payload, PQgetvalue(r, n - 1, 3), PAYLOAD_LEN);
    PQclear(r);
    return n;
}

static const char *postgres_payload(void)
{
    return payload;
}

static int64_t postgres_clear(void)
{
    PGresult *r = answer(PQexec(db, used_sql), used_sql);
    int64_t used = strtoll(PQgetvalue(r, 0, 0), NULL, 10);

    PQclear(r);
    run(clear_sql);
    return used;
}

static void postgres_hold(void)
{
    run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    run("SELECT 1");
}

const struct engine engine = {.open = postgres_open,
                              .make = postgres_make,
                              .push = postgres_insert,
                              .insert = postgres_insert,
                              .filled = postgres_filled,
                              .turn = postgres_turn,
                              .payload = postgres_payload,
                              .hold = postgres_hold,
                              .clear = postgres_clear};
