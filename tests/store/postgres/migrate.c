/* migrate.c: a store with the tables of an earlier errand is raised, and what is in it
 * goes on. */
#include "server.h"

#include <dirent.h>

enum { BEFORE_NARROW = 5 };

static PGconn *admin;

/* Every "@." of the text is the schema; free. */
static char *in_schema(const char *text)
{
    char *sql = calloc(strlen(text) + 1, 16), *to = sql;

    assert_non_null(sql);
    for (; *text; text++)
        if (strncmp(text, "@.", 2) == 0) {
            to += snprintf(to, 16, "t%u.", schema_n);
            text++;
        } else {
            *to++ = *text;
        }
    return sql;
}

static void run(const char *text)
{
    char *sql = in_schema(text);

    pg_exec(admin, sql);
    free(sql);
}

static int64_t number(const char *text)
{
    char *sql = in_schema(text);
    long n = pg_number(admin, sql);

    free(sql);
    return n;
}

static void file_run(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    run(text);
    free(text);
}

/* The tables as the first `last` migrations make them. */
static void tables_make(int last)
{
    const char *source = getenv("ERRAND_SOURCE");
    char folder[400], path[700];
    struct dirent **names;
    int n;

    assert_non_null(source);
    snprintf(folder, sizeof folder, "%s/src/store/postgres/migrations", source);
    n = scandir(folder, &names, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        int number_of = (int)strtol(names[i]->d_name, NULL, 10);
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (number_of > 0 && number_of <= last)
            file_run(path);
        free(names[i]);
    }
    free(names);
}

static void store_make(int last)
{
    char sql[200];

    snprintf(sql, sizeof sql, "CREATE SCHEMA t%u", schema_n);
    pg_exec(admin, sql);
    tables_make(last);
    snprintf(
        sql, sizeof sql,
        "INSERT INTO @.meta(key, value) VALUES('schema', '%d'), ('version', '0.0.1'), "
        "('functions', 'older')",
        last);
    run(sql);
}

/* Two that wait in the order of their priorities, one that runs, one put off. */
static void jobs_put(void)
{
    run("INSERT INTO @.jobs(key, created_at, run_at, priority, attempt, tries, flags, "
        "waits, "
        "state, queue, name, data) SELECT nextval('@.job_keys'), 1000, CASE n WHEN 4 "
        "THEN "
        "9000000000000 ELSE 1000 END, CASE n WHEN 2 THEN -1 ELSE 0 END, 0, 3, 0, 0, CASE "
        "n "
        "WHEN 4 THEN 1 ELSE 2 END, 'q', 'job' || n, '{}' FROM generate_series(1, 4) AS n;"
        "INSERT INTO @.ready(queue, priority, run_at, key, flags) SELECT queue, "
        "priority, "
        "run_at, key, flags FROM @.jobs WHERE key IN (1, 2);"
        "INSERT INTO @.scheduled(queue, run_at, key, priority) SELECT queue, run_at, "
        "key, "
        "priority FROM @.jobs WHERE key = 4;"
        "INSERT INTO @.leases(token, until_ms, started_at, worker, keys, hooks) "
        "VALUES(nextval('@.tokens'), 9000000000000, 1000, 'w', '{3}', '{}');"
        "INSERT INTO @.counts(queue, scheduled, ready, running) VALUES('q', 1, 2, 1)");
}

TEST(a_store_of_wider_rows_is_raised_with_what_is_in_it)
{
    struct errand_exchange_params p = {.max = 10, .lease_ms = 60000, .worker = "w"};
    struct errand_exchange_result got = {0};
    struct er_store *store;

    admin = pg_plain(&server);
    store_make(BEFORE_NARROW);
    jobs_put();
    pg_exec(admin, "DROP ROLE IF EXISTS app; CREATE ROLE app");
    run("GRANT SELECT, INSERT ON @.jobs TO app; GRANT DELETE ON @.ready TO PUBLIC");
    store = open_ok(url_with("&owner=errand"));
    assert_int_equal(number("SELECT count(*) FROM @.check_all(100)"), 0);
    assert_ok(er_store_exchange(store, &p, arena, &got, &err));
    assert_int_equal(got.jobs_n, 2);
    assert_string_equal(got.jobs[0].name, "job2");
    assert_string_equal(got.jobs[1].name, "job1");
    assert_int_equal(number("SELECT count(*) FROM @.check_all(100)"), 0);
    assert_int_equal(number("SELECT has_table_privilege('app', '@.jobs', 'INSERT')::int"),
                     1);
    assert_int_equal(number("SELECT has_table_privilege('app', '@.jobs', 'DELETE')::int"),
                     0);
    assert_int_equal(
        number("SELECT has_table_privilege('app', '@.ready', 'DELETE')::int"), 1);
    er_store_close(store);
    run("REVOKE ALL ON @.jobs FROM app");
    pg_exec(admin, "DROP ROLE app");
    PQfinish(admin);
}

SERVER_MAIN("")
