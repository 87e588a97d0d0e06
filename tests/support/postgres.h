/* postgres.h: a PostgreSQL server of a test's own, on a socket in a folder, gone with the
 * test. */
#ifndef ER_TESTS_POSTGRES_H
#define ER_TESTS_POSTGRES_H

#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

struct pg_server {
    char dir[FOLDER_MAX];
    pid_t pid; /* 0: it does not run */
    int port;  /* part of the socket's name */
};

static inline void pg_pause(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static inline pid_t pg_script(const struct pg_server *s, const char *what)
{
    char script[512];
    pid_t pid;

    snprintf(script, sizeof script, "%s/tests/support/postgres.sh",
             getenv("ERRAND_SOURCE"));
    fflush(NULL);
    if ((pid = fork()) == 0) {
        execl("/bin/sh", "sh", script, what, s->dir, (char *)NULL);
        _exit(99);
    }
    assert_true(pid > 0);
    return pid;
}

/* A connection as the superuser, without errand. */
static inline PGconn *pg_plain(const struct pg_server *s)
{
    char text[160];

    snprintf(text, sizeof text,
             "host=%s port=%d user=errand dbname=postgres "
             "options='-c client_min_messages=warning'",
             s->dir, s->port);
    return PQconnectdb(text);
}

static inline void pg_start(struct pg_server *s)
{
    PGconn *pg = NULL;

    s->pid = pg_script(s, "run");
    for (int i = 0; i < 3000; i++) {
        PQfinish(pg);
        pg = pg_plain(s);
        if (PQstatus(pg) == CONNECTION_OK)
            break;
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        pg_pause(20);
    }
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    PQfinish(pg);
}

/* INT: sessions are ended; QUIT: at once, as when it crashes. */
static inline void pg_stop(struct pg_server *s, int signal)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, signal);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

/* Lines of postgresql.conf, for the next start. */
static inline void pg_conf(struct pg_server *s, const char *conf)
{
    char path[FOLDER_MAX + 16];
    FILE *file;

    snprintf(path, sizeof path, "%s/test.conf", s->dir);
    assert_non_null(file = fopen(path, "we"));
    fputs("listen_addresses = ''\n", file);
    fputs(conf, file);
    fclose(file);
}

/* Not started yet. */
static inline void pg_make(struct pg_server *s, const char *conf)
{
    int status;

    *s = (struct pg_server){.port = 5432};
    assert_int_equal(folder_make(s->dir, "pg"), 0);
    waitpid(pg_script(s, "make"), &status, 0);
    assert_int_equal(status, 0);
    pg_conf(s, conf);
}

static inline void pg_remove(struct pg_server *s)
{
    pg_stop(s, SIGQUIT);
    if (s->dir[0])
        folder_remove(s->dir);
    s->dir[0] = '\0';
}

static inline void pg_exec(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(res);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    PQclear(res);
}

static inline long pg_number(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    long n;

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    n = PQntuples(res) ? strtol(PQgetvalue(res, 0, 0), NULL, 10) : -1;
    PQclear(res);
    return n;
}

#endif
