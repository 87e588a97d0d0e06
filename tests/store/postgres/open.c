/* open.c: whose schema it is, which version it has, who may, and by which way one comes
 * to it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "store/postgres/server.h"

static const struct errand_open_params create = {.create = true};

static int64_t locks_taken(struct er_store *store)
{
    struct errand_lock_params p = {
        .key = errand_text("k"), .owner = "ann", .ttl_ms = 60000};
    struct errand_lock_result ret = {0};

    assert_ok(er_store_lock(store, &p, arena, &ret, &err));
    return ret.token != 0;
}

/* ------------------------------------------------------------------ schemas */

TEST(several_stores_share_a_database)
{
    struct er_store *a, *b;
    struct errand_lock_params p = {
        .key = errand_text("k"), .owner = "bob", .ttl_ms = 60000};
    struct errand_lock_result ret = {0};

    a = open_ok(url_with(""));
    schema_n++;
    b = open_ok(url_with(""));
    assert_true(locks_taken(a));
    assert_ok(er_store_lock(b, &p, arena, &ret, &err));
    assert_string_equal(ret.owner, "bob");
    er_store_close(a);
    er_store_close(b);
}

enum { STARTS = 12 };

TEST(programs_that_start_at_the_same_time_agree)
{
    char url[400];
    pid_t pids[STARTS];
    int status;

    snprintf(url, sizeof url, "%s", url_with(""));
    for (int i = 0; i < STARTS; i++)
        if ((pids[i] = fork()) == 0) {
            struct er_store *store = NULL;
            int rc = open_at(url, create, &store);
            if (rc < 0)
                fprintf(stderr, "%s\n", err.message);
            _exit(rc < 0);
        }
    for (int i = 0; i < STARTS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    er_store_close(open_ok(url));
}

TEST(a_store_that_is_not_there_is_not_made_unasked)
{
    struct er_store *store = NULL;

    assert_refused(open_at(url_with(""), (struct errand_open_params){0}, &store),
                   ERRAND_ENOTFOUND, "errand migrate");
}

TEST(a_schema_of_another_program_is_refused_and_not_touched)
{
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);
    char sql[200];

    snprintf(sql, sizeof sql, "CREATE SCHEMA t%u; CREATE TABLE t%u.orders(id int)",
             schema_n, schema_n);
    pg_exec(pg, sql);
    assert_refused(open_at(url_with(""), create, &store), ERRAND_ECONFLICT, "--force");
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM pg_class WHERE relnamespace = 't%u'::regnamespace",
             schema_n);
    assert_int_equal(pg_number(pg, sql), 1);
    assert_int_equal(open_at(url_with(""),
                             (struct errand_open_params){.create = true, .force = true},
                             &store),
                     0);
    er_store_close(store);
    PQfinish(pg);
}

TEST(a_newer_schema_is_refused)
{
    struct er_store *store = NULL;
    PGconn *pg = pg_plain(&server);
    char sql[200];

    er_store_close(open_ok(url_with("")));
    snprintf(
        sql, sizeof sql,
        "UPDATE t%u.meta SET value = CASE key WHEN 'schema' THEN '99' ELSE '9.7' END",
        schema_n);
    pg_exec(pg, sql);
    assert_refused(open_at(url_with(""), create, &store), ERRAND_ESCHEMA,
                   "written by errand 9.7 (schema 99)");
    PQfinish(pg);
}

/* ------------------------------------------------------------------ URLs */

TEST(a_url_with_a_slip_names_it_and_never_the_password)
{
    static const struct {
        const char *url;
        int code;
        const char *says;
    } slips[] = {
        {"postgres:jobs", ERRAND_EINVAL, "postgres://user:password@host"},
        {"postgres://ann:secret@/jobs?shcema=x", ERRAND_EINVAL, "shcema"},
        {"postgres://ann:secret@/jobs?schema=A-B", ERRAND_EINVAL, "schema 'A-B'"},
        {"postgres://ann:secret@/jobs?listen=", ERRAND_EINVAL, "listen"},
        {"postgres://ann:secret@/jobs?host=/nowhere", ERRAND_EUNAVAILABLE, "/nowhere"},
        {"postgres:/ann:secret@/jobs?host=/run", ERRAND_EINVAL, "postgres://user"},
        {"postgres:ann:secret@/jobs", ERRAND_EINVAL, "postgres://user"},
        {"postgres://ann@/jobs?pasword=secret", ERRAND_EINVAL, "pasword"},
        {"postgres://ann:secret/x@127.0.0.1/jobs", ERRAND_EINVAL, "%40"},
        {"postgres://ann:1/secret@127.0.0.1/jobs", ERRAND_EINVAL, "%2F"},
        {"postgres://ann:1?secret=x@127.0.0.1/jobs", ERRAND_EINVAL, "%3F"},
        {"postgres://ann:x@secret@127.0.0.1/jobs", ERRAND_EINVAL, "%40"},
        {"postgres://ann:secret/jobs", ERRAND_EINVAL, "port"},
        {"postgres://127.0.0.1:1,ann:secret/jobs", ERRAND_EINVAL, "port"},
        {"postgres://ann:%zzsecret@127.0.0.1/jobs", ERRAND_EINVAL, "%25"},
        {"postgres://127.0.0.1:99999/jobs", ERRAND_EINVAL, "1 to 65535"},
        {"postgres://127.0.0.1/jobs?port=0", ERRAND_EINVAL, "1 to 65535"},
        {"postgres://127.0.0.1/jobs?port=5432,5433", ERRAND_EINVAL, "could not match"},
        {"postgres://127.0.0.1/jobs?sslmode=maybe", ERRAND_EINVAL, "sslmode"},
    };

    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        struct er_store *store = NULL;
        int rc =
            open_at(slips[i].url,
                    (struct errand_open_params){.create = true, .busy_ms = 1}, &store);
        assert_refused(rc, slips[i].code, slips[i].says);
        assert_null(strstr(err.message, "secret"));
    }
}

/* ------------------------------------------------------------------ TLS */

/* A port that is free, most likely still a moment later. */
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

/* One that can be reached by TCP. With TLS it has the name localhost, and its CA is in
 * `dir`/ca.pem. */
static void tcp_start(struct pg_server *s, bool has_tls)
{
    char conf[400];
    int status;

    pg_make(s, "");
    s->port = free_port();
    snprintf(conf, sizeof conf,
             "listen_addresses = '127.0.0.1'\nport = %d\nssl = %s\n"
             "ssl_cert_file = '%s/server.pem'\nssl_key_file = '%s/server.key'\n",
             s->port, has_tls ? "on" : "off", s->dir, s->dir);
    pg_conf(s, conf);
    waitpid(pg_script(s, "tls"), &status, 0);
    assert_int_equal(status, 0);
    pg_start(s);
}

/* The URL of one of its names; the CA as a file of its folder. */
static int open_by(const struct pg_server *s, const char *host, const char *more,
                   const char *ca)
{
    struct er_store *store = NULL;
    char url[500];
    int rc;

    snprintf(url, sizeof url, "postgres://errand@%s:%d/postgres?%s&sslrootcert=%s/%s",
             host, s->port, more, s->dir, ca);
    rc = open_at(url, create, &store);
    er_store_close(store);
    return rc;
}

TEST(a_server_has_to_prove_its_name)
{
    static const char alias[] = "sslmode=verify-full&hostaddr=127.0.0.1";
    struct pg_server tls;

    tcp_start(&tls, true);
    assert_ok(open_by(&tls, "localhost", "sslmode=verify-full", "ca.pem"));
    assert_refused(open_by(&tls, "wrong.example.com", alias, "ca.pem"), ERRAND_EINVAL,
                   "does not match host name \"wrong.example.com\"");
    assert_refused(open_by(&tls, "localhost", "sslmode=verify-full", "else.pem"),
                   ERRAND_EINVAL, "certificate verify failed");
    assert_non_null(strstr(err.message, "sslrootcert=FILE"));
    pg_remove(&tls);
}

/* The second of the two hosts is not of this machine, so nothing may go in the clear to
 * the first one either. */
TEST(to_another_machine_it_is_tls_unless_the_url_says_otherwise)
{
    struct er_store *store = NULL;
    struct pg_server plain;
    char url[400];

    tcp_start(&plain, false);
    snprintf(url, sizeof url, "postgres://errand@127.0.0.1:%d/postgres", plain.port);
    assert_ok(open_at(url, create, &store));
    er_store_close(store);
    snprintf(url, sizeof url, "postgres://errand@127.0.0.1:%d,db.invalid:%d/postgres",
             plain.port, plain.port);
    assert_refused(open_at(url, create, &store), ERRAND_EINVAL, "sslmode=disable");
    snprintf(url + strlen(url), 64, "?sslmode=disable");
    assert_ok(open_at(url, create, &store));
    er_store_close(store);
    pg_remove(&plain);
}

/* Everybody can have a name that begins so. */
TEST(a_name_that_looks_like_an_address_of_this_machine_is_another_machine)
{
    struct er_store *store = NULL;
    struct pg_server plain;
    char url[400];

    tcp_start(&plain, false);
    snprintf(url, sizeof url, "postgres://errand@127.0.0.1:%d,127.evil.invalid/postgres",
             plain.port);
    assert_refused(open_at(url, create, &store), ERRAND_EINVAL, "sslmode=disable");
    pg_remove(&plain);
}

/* Where it is stands in a file that errand does not read. */
TEST(a_service_counts_as_another_machine)
{
    struct er_store *store = NULL;
    struct pg_server plain;
    char path[FOLDER_MAX + 16];
    FILE *file;

    tcp_start(&plain, false);
    snprintf(path, sizeof path, "%s/services", plain.dir);
    assert_non_null(file = fopen(path, "we"));
    fprintf(file, "[jobs]\nhost=127.0.0.1\nport=%d\nuser=errand\ndbname=postgres\n",
            plain.port);
    fclose(file);
    setenv("PGSERVICEFILE", path, 1);
    assert_refused(open_at("postgres://?service=jobs", create, &store), ERRAND_EINVAL,
                   "sslmode=disable");
    assert_ok(open_at("postgres://?service=jobs&sslmode=disable", create, &store));
    er_store_close(store);
    store = NULL;
    setenv("PGSERVICE", "jobs", 1);
    assert_refused(open_at("postgres://", create, &store), ERRAND_EINVAL,
                   "sslmode=disable");
    unsetenv("PGSERVICE");
    unsetenv("PGSERVICEFILE");
    pg_remove(&plain);
}

/* ------------------------------------------------------------------ notices */

/* Bytes of a server that lets anybody in, warns, and is gone. */
static void server_warns_and_ends(int fd)
{
    static const char says[] = "R\0\0\0\x08\0\0\0\0"
                               "N\0\0\0\x27SWARNING\0VWARNING\0C01000\0Mplanted\0";
    char startup[1024];
    int peer = accept(fd, NULL, NULL);

    _exit(peer < 0 || read(peer, startup, sizeof startup) <= 0 ||
          write(peer, says, sizeof says) != sizeof says);
}

static pid_t warning_server(const char *dir)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.5432", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    if ((pid = fork()) == 0)
        server_warns_and_ends(fd);
    close(fd);
    return pid;
}

TEST(nothing_is_said_past_errand_while_it_connects)
{
    struct er_store *store = NULL;
    char dir[FOLDER_MAX], url[200];
    FILE *said = tmpfile();
    int kept = dup(STDERR_FILENO), rc, status;
    pid_t pid;

    assert_int_equal(folder_make(dir, "pg"), 0);
    pid = warning_server(dir);
    snprintf(url, sizeof url, "postgres://errand@/postgres?host=%s", dir);
    dup2(fileno(said), STDERR_FILENO);
    rc = open_at(url, (struct errand_open_params){.create = true, .busy_ms = 1}, &store);
    dup2(kept, STDERR_FILENO);
    close(kept);
    assert_int_equal(rc, ERRAND_EUNAVAILABLE);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(lseek(fileno(said), 0, SEEK_END), 0);
    fclose(said);
    folder_remove(dir);
}

/* ------------------------------------------------------------------ what to do */

static int lock_take(struct er_store *store)
{
    struct errand_lock_params p = {
        .key = errand_text("k"), .owner = "ann", .ttl_ms = 60000};
    struct errand_lock_result ret = {0};

    err = (struct errand_error){0};
    return er_store_lock(store, &p, arena, &ret, &err);
}

TEST(a_store_that_another_session_locks_says_so_and_how_to_find_it)
{
    PGconn *pg = pg_plain(&server);
    struct er_store *store = NULL;
    char sql[160];

    er_store_close(open_ok(url_with("")));
    if (open_at(url_with(""), (struct errand_open_params){.busy_ms = 300}, &store) < 0)
        fail_msg("%s", err.message);
    snprintf(sql, sizeof sql, "BEGIN; LOCK TABLE t%u.root, t%u.locks", schema_n,
             schema_n);
    pg_exec(pg, sql);
    assert_refused(lock_take(store), ERRAND_EBUSY, "locked by another session");
    assert_refused(ERRAND_EBUSY, ERRAND_EBUSY, "pg_blocking_pids()");
    pg_exec(pg, "ROLLBACK");
    assert_ok(lock_take(store));
    er_store_close(store);
    PQfinish(pg);
}

SERVER_MAIN("")
