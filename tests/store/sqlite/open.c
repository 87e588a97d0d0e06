/* Opening: where a database may live, whose it may be, and what a user reads when not. */
#include "store/sqlite/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>

#include "store/sqlite/sqlite.h"

TEST_FIXTURE(files_setup, files_teardown)

/* Stands in for the one of libc: T18 wants a file system that this machine has not. */
static unsigned long shown_magic;
int statfs(const char *path, struct statfs *ret)
{
    (void)path;
    *ret = (struct statfs){
        .f_type = (__typeof__(ret->f_type))(shown_magic ? shown_magic : 0xef53)};
    return 0;
}

static void create(void)
{
    driver->close(open_ok());
}

static mode_t mode_of(const char *suffix)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s%s", file, suffix);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static int open_plain(const char *at)
{
    struct errand_conn *conn = NULL;
    int rc = open_at(at, (struct errand_open_params){.create = true}, &conn);

    assert_null(conn);
    return rc;
}

TEST(files_belong_to_their_owner_alone_whatever_the_umask)
{
    mode_t old = umask(0);
    struct errand_conn *conn = open_ok();

    push_ok(conn);
    umask(old);
    assert_int_equal(mode_of(""), 0600);
    assert_int_equal(mode_of("-wal"), 0600);
    assert_int_equal(mode_of("-shm"), 0600);
    assert_int_equal(mode_of("-wake"), 0600);
    driver->close(conn);
}

TEST(a_missing_file_is_not_found_unless_it_may_be_made)
{
    struct errand_conn *conn = NULL;

    assert_int_equal(open_at(url, (struct errand_open_params){0}, &conn),
                     ERRAND_ENOTFOUND);
    assert_says("errand migrate");
    assert_int_not_equal(access(file, F_OK), 0);
}

TEST(an_empty_file_holds_no_store_yet)
{
    struct errand_conn *conn = NULL;

    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(open_at(url, (struct errand_open_params){0}, &conn),
                     ERRAND_ENOTFOUND);
    create();
}

TEST(a_missing_folder_is_told_from_a_missing_file)
{
    char at[128];

    snprintf(at, sizeof at, "sqlite:%s/no/jobs.db", folder);
    assert_int_equal(open_plain(at), ERRAND_ENOTFOUND);
    assert_says("its folder is not there");
}

TEST(a_folder_is_no_database)
{
    char at[128];

    snprintf(at, sizeof at, "sqlite:%s", folder);
    assert_int_equal(open_plain(at), ERRAND_EINVAL);
    assert_says("is a folder");
}

TEST(a_symbolic_link_is_refused_unless_forced)
{
    char at[128], link[96];
    struct errand_conn *conn = NULL;

    create();
    snprintf(link, sizeof link, "%s/link.db", folder);
    snprintf(at, sizeof at, "sqlite:%s", link);
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(open_plain(at), ERRAND_EINVAL);
    assert_says("symbolic link");
    assert_int_equal(open_at(at, (struct errand_open_params){.force = true}, &conn), 0);
    driver->close(conn);
}

/* T18 */
TEST(a_network_file_system_is_refused_unless_forced)
{
    static const unsigned long magics[] = {0x6969, 0xff534d42, 0xfe534d42, 0x01021997};
    struct errand_conn *conn = NULL;

    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        shown_magic = magics[i];
        assert_int_equal(open_plain(url), ERRAND_EUNSUPPORTED);
        assert_says(folder);
    }
    assert_int_not_equal(access(file, F_OK), 0);
    shown_magic = 0x6969;
    assert_int_equal(
        open_at(url, (struct errand_open_params){.create = true, .force = true}, &conn),
        0);
    shown_magic = 0;
    driver->close(conn);
}

static void write_file(const char *text)
{
    int fd = open(file, O_CREAT | O_WRONLY, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void read_file(char *buf, size_t size)
{
    int fd = open(file, O_RDONLY);
    ssize_t n = read(fd, buf, size - 1);

    assert_true(n >= 0);
    buf[n] = '\0';
    close(fd);
}

TEST(a_file_that_is_no_database_is_refused_and_untouched)
{
    const char *text = "to whom it may concern: this is a letter and not a database, and "
                       "it is long enough to have what might be a header of one hundred "
                       "bytes\n";
    char after[512];

    write_file(text);
    assert_int_equal(open_plain(url), ERRAND_ECORRUPT);
    read_file(after, sizeof after);
    assert_string_equal(after, text);
}

TEST(the_database_of_another_program_is_refused_and_untouched)
{
    sqlite3 *db = plain_open(file);
    struct stat before, after;

    plain_exec(db, "CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT)");
    sqlite3_close(db);
    assert_int_equal(stat(file, &before), 0);
    assert_int_equal(open_plain(url), ERRAND_ECONFLICT);
    assert_says("another program");
    assert_int_equal(stat(file, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    db = plain_open(file);
    assert_int_equal(plain_number(db, "SELECT count(*) FROM sqlite_schema"), 1);
    sqlite3_close(db);
}

TEST(the_database_of_another_program_can_be_shared_when_that_is_said)
{
    sqlite3 *db = plain_open(file);
    struct errand_conn *conn = NULL;

    plain_exec(db, "CREATE TABLE jobs(id INTEGER PRIMARY KEY); PRAGMA user_version=7");
    assert_int_equal(
        open_at(url, (struct errand_open_params){.create = true, .force = true}, &conn),
        0);
    push_ok(conn);
    assert_sound(conn);
    driver->close(conn);
    assert_int_equal(plain_number(db, "PRAGMA user_version"), 7);
    assert_int_equal(plain_number(db, "SELECT count(*) FROM jobs"), 0);
    sqlite3_close(db);
}

TEST(a_newer_schema_is_refused_with_both_versions)
{
    sqlite3 *db;

    create();
    db = plain_open(file);
    plain_exec(db, "UPDATE errand_meta SET value=99 WHERE key='schema';"
                   "UPDATE errand_meta SET value='7.1' WHERE key='version'");
    assert_int_equal(open_plain(url), ERRAND_ESCHEMA);
    assert_says("written by errand 7.1 (schema 99), this is errand " ERRAND_VERSION);
    assert_says("upgrade errand on this machine; nothing was changed");
    assert_int_equal(plain_number(db, "SELECT value FROM errand_meta WHERE key='schema'"),
                     99);
    sqlite3_close(db);
}

TEST(an_older_schema_is_raised_only_when_that_is_allowed)
{
    struct errand_migrate_result ret = {0};
    struct errand_open_params p = {.url = url, .shown = url};
    struct errand_conn *conn = NULL;
    sqlite3 *db = plain_open(file);

    plain_exec(db, er_sqlite_migrations[0]);
    plain_exec(db, "INSERT INTO errand_meta VALUES('schema', 1), ('version', '0.0'), "
                   "('salt', 77)");
    assert_int_equal(open_at(url, (struct errand_open_params){0}, &conn), ERRAND_ESCHEMA);
    assert_says("errand migrate");
    assert_int_equal(driver->migrate(&p, false, &ret, &err), 0);
    assert_int_equal(ret.schema_found, 1);
    assert_int_equal(ret.schema_wanted, ER_SQLITE_SCHEMA);
    assert_int_equal(driver->migrate(&p, true, &ret, &err), 0);
    assert_int_equal(ret.schema_found, 1);
    assert_int_equal(plain_number(db, "SELECT value FROM errand_meta WHERE key='schema'"),
                     ER_SQLITE_SCHEMA);
    assert_int_equal(plain_number(db, "SELECT value FROM errand_meta WHERE key='salt'"),
                     77);
    sqlite3_close(db);
    conn = open_ok();
    assert_sound(conn);
    driver->close(conn);
}

/* As a store of schema 3 wrote them: keys and limits in tables of their own. */
TEST(keys_and_limits_of_an_older_schema_still_hold)
{
    const struct errand_unique unique = {.key = {"order:7", 7},
                                         .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job again = {.unique = &unique};
    struct errand_pushed_job pushed;
    sqlite3 *db = plain_open(file);
    struct errand_conn *conn;

    for (int i = 0; i < 3; i++)
        plain_exec(db, er_sqlite_migrations[i]);
    plain_exec(
        db,
        "INSERT INTO errand_meta VALUES('schema', 3), ('version', '0.0'), ('salt', 77);"
        "INSERT INTO push(name, ukey) VALUES('a', 'order:7');"
        "INSERT INTO push(name) VALUES('b');"
        "INSERT INTO push(name) VALUES('c');"
        "UPDATE errand_jobs SET flags = flags | 8194 WHERE id > 1;"
        "INSERT INTO errand_job_limits VALUES(2, 0, 'other', x'', 0, 9, 1000),"
        "  (2, 1, 'door', x'6b0079', 1, 1, 0), (3, 0, 'door', x'6b0079', 1, 1, 0)");
    sqlite3_close(db);
    conn = open_ok();
    assert_sound(conn);
    assert_int_equal(push_try(conn, again, NULL, &pushed), 0);
    assert_int_equal(pushed.pushed, ERRAND_DUPLICATE);
    assert_int_equal(reserve(conn, 10).jobs_n, 2);
    driver->close(conn);
}

enum { RATE = 10 };

static struct errand_rate_result take_of(struct errand_conn *conn, int64_t rate,
                                         const char *key, int64_t n, int64_t now_ms)
{
    const struct errand_rate_params p = {.now_ms = now_ms,
                                         .name = "mail",
                                         .key = {key, strlen(key)},
                                         .n = rate,
                                         .per_ms = 60000,
                                         .take = n};
    struct errand_rate_result ret = {0};

    assert_int_equal(driver->rate_take(conn, &p, &ret, &err), 0);
    return ret;
}

static struct errand_rate_result take(struct errand_conn *conn, const char *key,
                                      int64_t n, int64_t now_ms)
{
    return take_of(conn, RATE, key, n, now_ms);
}

/* Many go into a row of their own under their last moment, which may be taken then. */
TEST(starts_are_counted_when_the_clock_is_set_back)
{
    enum { MANY = 1000, EACH = 100, BACK = 20 };
    struct errand_conn *conn = open_ok();

    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < EACH; i++)
            assert_true(take_of(conn, MANY, "k", 1, 100000 + i - turn * BACK).allowed);
    assert_sound(conn);
    assert_false(take_of(conn, MANY, "k", MANY - 3 * EACH + 1, 100100).allowed);
    assert_true(take_of(conn, MANY, "k", MANY - 3 * EACH, 100100).allowed);
    assert_false(take_of(conn, MANY, "k", 1, 100101).allowed);
    assert_int_equal(take_of(conn, MANY, "k", 1, 100101).retry_at_ms,
                     100000 - 2 * BACK + 60000);
    assert_true(take_of(conn, MANY, "k", MANY, 160101).allowed);
    assert_sound(conn);
    driver->close(conn);
}

TEST(more_starts_in_a_row_than_anybody_leaves_there_are_damage)
{
    const struct errand_rate_params p = {.now_ms = 30000,
                                         .name = "mail",
                                         .key = {"k", 1},
                                         .n = RATE,
                                         .per_ms = 60000,
                                         .take = 1};
    struct errand_rate_result ret = {0};
    struct errand_conn *conn = open_ok();
    sqlite3 *db = plain_open(file);

    assert_true(take(conn, "k", 1, 20000).allowed);
    plain_exec(db,
               "UPDATE errand_buckets SET recent = "
               "CAST(replace(hex(zeroblob(200)), '00', char(127) || char(1)) AS BLOB)");
    assert_int_equal(driver->rate_take(conn, &p, &ret, &err), ERRAND_ECORRUPT);
    driver->close(conn);
    sqlite3_close(db);
}

/* As a store of schema 4 wrote them: a row for each moment, and no numbers beside. */
TEST(starts_of_an_older_schema_still_count)
{
    sqlite3 *db = plain_open(file);
    struct errand_conn *conn;

    for (int i = 0; i < 4; i++)
        plain_exec(db, er_sqlite_migrations[i]);
    plain_exec(
        db, "INSERT INTO errand_meta VALUES('schema', 4), ('version', '0.0'), "
            "  ('salt', 77);"
            "INSERT INTO errand_buckets VALUES(1, 'mail', CAST('a' AS BLOB), 0, 60000),"
            "  (2, 'mail', CAST('b' AS BLOB), 0, 60000),"
            "  (3, 'mail', CAST('idle' AS BLOB), 0, 60000);"
            "INSERT INTO errand_starts VALUES(1, 100000, 4), (1, 110000, 3), "
            "  (1, 130000, 2), (2, 1000, 10)");
    conn = open_ok();
    assert_sound(conn);
    assert_false(take(conn, "a", 2, 140000).allowed);
    assert_int_equal(take(conn, "a", 2, 140000).retry_at_ms, 160000);
    assert_true(take(conn, "a", 1, 140000).allowed);
    assert_false(take(conn, "a", 5, 160000).allowed);
    assert_true(take(conn, "a", 4, 160000).allowed);
    assert_true(take(conn, "b", 10, 140000).allowed);
    assert_false(take(conn, "b", 1, 140001).allowed);
    assert_true(take(conn, "idle", 10, 140000).allowed);
    assert_sound(conn);
    assert_int_equal(plain_number(db, "SELECT count(*) FROM errand_starts WHERE "
                                      "bucket = 2"),
                     0);
    driver->close(conn);
    sqlite3_close(db);
}

TEST(a_damaged_file_is_said_to_be_damaged)
{
    struct errand_conn *conn = open_ok();
    char noise[4096];
    int fd, rc;

    for (int i = 0; i < 200; i++)
        push_ok(conn);
    driver->close(conn);
    memset(noise, 0xa5, sizeof noise);
    fd = open(file, O_WRONLY);
    for (off_t page = 1; page < 40; page++)
        assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);
    close(fd);
    conn = NULL;
    rc = open_at(url, (struct errand_open_params){.create = true}, &conn);
    if (rc == 0)
        rc = push_try(conn, (struct errand_push_job){0}, NULL, NULL);
    assert_int_equal(rc, ERRAND_ECORRUPT);
    driver->close(conn);
}

TEST(one_that_only_reads_may_read_and_not_write)
{
    struct errand_conn *writer = open_ok(), *reader = NULL;

    push_ok(writer);
    assert_int_equal(
        open_at(url, (struct errand_open_params){.read_only = true}, &reader), 0);
    assert_int_equal(count(reader, 0), 1);
    assert_int_equal(push_try(reader, (struct errand_push_job){0}, NULL, NULL),
                     ERRAND_EREADONLY);
    driver->close(reader);
    driver->close(writer);
}

/* Root may write everything: the test becomes somebody who may not. */
static void become(uid_t uid)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(uid), 0);
}

/* T18: what nobody may write is still read, with and without a log beside it. */
TEST(a_read_only_file_is_refused_for_writing_and_read)
{
    struct errand_conn *conn = open_ok(), *reader = NULL;

    push_ok(conn);
    driver->close(conn);
    assert_int_equal(chmod(file, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    become(65534);
    assert_int_equal(open_plain(url), ERRAND_EREADONLY);
    assert_int_equal(
        open_at(url, (struct errand_open_params){.read_only = true}, &reader), 0);
    assert_int_equal(count(reader, 0), 1);
    driver->close(reader);
    become(0);
    assert_int_equal(chmod(folder, 0700), 0);
}

TEST(ids_tell_their_own_store_and_grow)
{
    struct errand_conn *conn = open_ok();
    struct errand_pushed_job last = push_ok(conn);

    for (int i = 0; i < 200; i++) {
        struct errand_pushed_job next = push_ok(conn);
        assert_true(strcmp(last.id.text, next.id.text) < 0);
        assert_int_equal(next.id.text[14], '7');
        last = next;
    }
    driver->close(conn);
}

TEST_MAIN()
