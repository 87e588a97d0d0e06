/* call.c: one operation, one call of one function, one round trip.
 *
 * Parsing and planning the call is a third of what a dispatch costs the server, so a
 * statement that is used again gets a name there. Not behind a pooler, where the next
 * transaction may run on another server process. */
#include "store/postgres/postgres.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/backoff.h"
#include "core/clock.h"

enum { CANCEL_MS = 2000 };

/* How one try ended that did not work. */
enum verdict {
    FINAL,   /* the next one would end the same way */
    NOTHING, /* nothing was committed, and it may go through the next time */
    UNKNOWN, /* the connection was lost while the server worked */
};

/* ------------------------------------------------------------------ the statement */

const char *er_pg_expand(struct er_pg *conn, const char *text)
{
    const char *at;

    er_buf_reset(&conn->sql);
    conn->sql.has_failed = false;
    while ((at = strstr(text, "@."))) {
        er_buf_add(&conn->sql, text, (size_t)(at - text));
        er_buf_str(&conn->sql, conn->place.prefix);
        text = at + 2;
    }
    er_buf_str(&conn->sql, text);
    return conn->sql.has_failed ? NULL : conn->sql.ptr;
}

/* SELECT * FROM "errand".exchange($1,$2) */
static const char *call_text(struct er_pg *conn, const char *function, int args_n)
{
    er_buf_reset(&conn->sql);
    conn->sql.has_failed = false;
    er_buf_str(&conn->sql, "SELECT * FROM ");
    er_buf_str(&conn->sql, conn->place.prefix);
    er_buf_str(&conn->sql, function);
    for (int i = 1; i <= args_n; i++)
        er_buf_printf(&conn->sql, "%c$%d", i == 1 ? '(' : ',', i);
    er_buf_str(&conn->sql, args_n ? ")" : "()");
    return conn->sql.has_failed ? NULL : conn->sql.ptr;
}

/* ------------------------------------------------------------------ waiting */

/* 1: something can be read or written; 0: time is over; -1: the connection is gone. */
static int wait_for(PGconn *pg, short events, int64_t until_ms)
{
    struct pollfd fd = {.fd = PQsocket(pg), .events = events};
    int64_t left_ms = until_ms - er_clock_mono_ms(NULL);
    int n;

    if (fd.fd < 0)
        return -1;
    if (left_ms <= 0)
        return 0;
    n = poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
    if (n < 0 && errno != EINTR)
        return -1;
    return 1;
}

static int flush(PGconn *pg, int64_t until_ms)
{
    int rc;

    while ((rc = PQflush(pg)) > 0) {
        /* The server may send before it has read everything. */
        if ((rc = wait_for(pg, POLLIN | POLLOUT, until_ms)) <= 0)
            return rc;
        if (!PQconsumeInput(pg))
            return -1;
    }
    return rc < 0 ? -1 : 1;
}

/* 1: the next PQgetResult() does not block. */
static int wait_result(PGconn *pg, int64_t until_ms)
{
    int rc = flush(pg, until_ms);

    while (rc > 0 && PQisBusy(pg)) {
        if ((rc = wait_for(pg, POLLIN, until_ms)) > 0 && !PQconsumeInput(pg))
            return -1;
    }
    return rc;
}

static void cancel(PGconn *pg)
{
    PGcancel *handle = PQgetCancel(pg);
    char text[256];

    if (handle)
        PQcancel(handle, text, sizeof text);
    PQfreeCancel(handle);
}

PGresult *er_pg_result(PGconn *pg, int64_t until_ms)
{
    PGresult *last = NULL, *res;
    int rc;

    while (true) {
        if ((rc = wait_result(pg, until_ms)) == 0) {
            /* Somebody holds a lock for long, or the server is stuck. */
            cancel(pg);
            rc = wait_result(pg, er_clock_mono_ms(NULL) + CANCEL_MS);
        }
        if (rc <= 0) {
            PQclear(last);
            return NULL;
        }
        if (!(res = PQgetResult(pg)))
            return last;
        /* An error is said once, and what follows it is only the end. */
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(res);
            continue;
        }
        PQclear(last);
        last = res;
    }
}

bool er_pg_has_worked(const PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* ------------------------------------------------------------------ one try */

/* A connection that the server has closed while nobody looked says so before anything is
 * sent on it: its last words first, then the end. */
static bool is_dead(PGconn *pg)
{
    struct pollfd fd = {.fd = PQsocket(pg), .events = POLLIN};

    if (PQstatus(pg) != CONNECTION_OK)
        return true;
    while (poll(&fd, 1, 0) > 0)
        if (!PQconsumeInput(pg))
            return true;
    return PQstatus(pg) != CONNECTION_OK;
}

static int lost(struct er_pg *conn, enum verdict verdict, enum verdict *ret,
                struct errand_error *err)
{
    int rc = er_pg_error(conn, conn->pg, NULL, err);

    er_pg_disconnect(conn);
    *ret = verdict;
    return rc;
}

struct statement {
    const char *name; /* the server has it by this name; NULL: it has not */
    const char *sql;
    const struct er_pg_args *args; /* NULL: a script */
};

static int refused(struct er_pg *conn, const struct statement *s, PGresult *res,
                   enum verdict *ret, struct errand_error *err)
{
    int rc;

    *ret = er_pg_is_transient(res) ? NOTHING : FINAL;
    if (s->name && er_pg_is_name_lost(res)) { /* before anything was done */
        conn->is_direct = false;
        *ret = NOTHING;
    }
    /* libpq makes a result of its own when the connection breaks: it has no SQLSTATE. */
    if (!PQresultErrorField(res, PG_DIAG_SQLSTATE))
        *ret = UNKNOWN;
    rc = er_pg_error(conn, conn->pg, res, err);
    PQclear(res);
    if (conn->pg && PQstatus(conn->pg) != CONNECTION_OK)
        er_pg_disconnect(conn);
    return rc;
}

static int send_call(PGconn *pg, const struct statement *s)
{
    const struct er_pg_args *args = s->args;
    const char *values[ER_PG_ARGS_MAX];
    int formats[ER_PG_ARGS_MAX];

    for (int i = 0; i < args->n; i++) {
        values[i] = args->lens[i] < 0 ? NULL : args->bytes.ptr + args->at[i];
        if (args->lens[i] == 0)
            values[i] = "";
        formats[i] = 1;
    }
    if (s->name)
        return PQsendQueryPrepared(pg, s->name, args->n, values, args->lens, formats, 1);
    return PQsendQueryParams(pg, s->sql, args->n, args->types, values, args->lens,
                             formats, 1);
}

/* What was sent (false: it was not), to its end. */
static int answer(struct er_pg *conn, const struct statement *s, int was_sent,
                  int64_t until_ms, PGresult **ret, enum verdict *ret_verdict,
                  struct errand_error *err)
{
    PGresult *res;

    if (!was_sent)
        return lost(conn, NOTHING, ret_verdict, err);
    if (!(res = er_pg_result(conn->pg, until_ms)))
        return lost(conn, UNKNOWN, ret_verdict, err);
    if (!er_pg_has_worked(res))
        return refused(conn, s, res, ret_verdict, err);
    *ret = res;
    return 0;
}

static int run(struct er_pg *conn, const struct statement *s, int64_t until_ms,
               PGresult **ret, enum verdict *ret_verdict, struct errand_error *err)
{
    if (is_dead(conn->pg))
        return lost(conn, NOTHING, ret_verdict, err);
    return answer(conn, s,
                  s->args ? send_call(conn->pg, s) : PQsendQuery(conn->pg, s->sql),
                  until_ms, ret, ret_verdict, err);
}

static int run_quietly(struct er_pg *conn, const char *sql, int64_t until_ms,
                       enum verdict *ret, struct errand_error *err)
{
    PGresult *res = NULL;
    int rc = run(conn, &(struct statement){.sql = sql}, until_ms, &res, ret, err);

    PQclear(res);
    return rc;
}

/* What the role's transactions are not by themselves has to be said: a function that
 * waited for another's commit must see what that has written, and what was accepted must
 * survive the kill of a server process. A session of our own is told once. */
static int settings_make(struct er_pg *conn, int64_t until_ms, enum verdict *ret,
                         struct errand_error *err)
{
    int rc;

    if (!conn->needs_settings || !conn->is_direct || conn->session.has_settings)
        return 0;
    rc = run_quietly(conn,
                     "SET default_transaction_isolation = 'read committed';"
                     " SET synchronous_commit = on",
                     until_ms, ret, err);
    conn->session.has_settings = rc == 0;
    return rc;
}

/* And a transaction that a pooler hands to any server, each time. */
static int run_wrapped(struct er_pg *conn, const struct statement *s, int64_t until_ms,
                       PGresult **ret, enum verdict *ret_verdict,
                       struct errand_error *err)
{
    enum verdict ignored;
    int rc = run_quietly(
        conn, "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on",
        until_ms, ret_verdict, err);

    if (rc < 0)
        return rc;
    if ((rc = run(conn, s, until_ms, ret, ret_verdict, err)) < 0) {
        if (conn->pg)
            run_quietly(conn, "ROLLBACK", until_ms, &ignored, NULL);
        return rc;
    }
    if ((rc = run_quietly(conn, "COMMIT", until_ms, ret_verdict, err)) < 0) {
        PQclear(*ret);
        *ret = NULL;
    }
    return rc;
}

/* What the session knows of a function of so many parameters; NULL: nothing yet, or it
 * keeps nothing. */
static struct er_pg_name *name_find(struct er_pg *conn, const char *function, int args_n)
{
    struct er_pg_session *session = &conn->session;
    struct er_pg_name *name = session->names;

    if (!conn->is_direct)
        return NULL;
    for (int i = 0; i < session->n; i++, name++)
        if (name->args_n == args_n && strcmp(name->function, function) == 0)
            return name;
    /* Once is no reason to make one: a command calls, and ends. */
    if (session->n < ER_PG_NAMES_MAX) {
        *name = (struct er_pg_name){.function = function, .args_n = args_n};
        snprintf(name->text, sizeof name->text, "%s/%d", function, args_n);
        session->n++;
    }
    return NULL;
}

/* What to send for a call: a name, or a text, and the second time the text becomes a name
 * that the server keeps. */
static int statement_make(struct er_pg *conn, const char *function, struct statement *s,
                          int64_t until_ms, enum verdict *ret, struct errand_error *err)
{
    struct er_pg_name *name = name_find(conn, function, s->args->n);
    PGresult *res = NULL;
    int rc;

    if (name)
        s->name = name->text;
    if (name && name->is_kept)
        return 0;
    if (!(s->sql = call_text(conn, function, s->args->n))) {
        *ret = FINAL;
        return er_error_nomem(err);
    }
    if (!name)
        return 0;
    if (is_dead(conn->pg))
        return lost(conn, NOTHING, ret, err);
    rc = answer(conn, s,
                PQsendPrepare(conn->pg, s->name, s->sql, s->args->n, s->args->types),
                until_ms, &res, ret, err);
    PQclear(res);
    name->is_kept = rc == 0;
    return rc;
}

static int attempt(struct er_pg *conn, const char *function,
                   const struct er_pg_args *args, int64_t until_ms, PGresult **ret,
                   enum verdict *ret_verdict, struct errand_error *err)
{
    struct statement s = {.args = args};
    int rc;

    *ret_verdict = NOTHING;
    if (!conn->pg && (rc = er_pg_connect(conn, until_ms, err)) < 0) {
        if (rc != ERRAND_EUNAVAILABLE)
            *ret_verdict = FINAL;
        return rc;
    }
    if ((rc = settings_make(conn, until_ms, ret_verdict, err)) < 0 ||
        (rc = statement_make(conn, function, &s, until_ms, ret_verdict, err)) < 0) {
        if (*ret_verdict == UNKNOWN) /* the call itself was not sent yet */
            *ret_verdict = NOTHING;
        return rc;
    }
    if (conn->needs_settings && !conn->is_direct)
        return run_wrapped(conn, &s, until_ms, ret, ret_verdict, err);
    return run(conn, &s, until_ms, ret, ret_verdict, err);
}

/* ------------------------------------------------------------------ all tries */

static bool may_repeat(enum verdict verdict, enum er_pg_repeat repeat)
{
    return verdict == NOTHING || (verdict == UNKNOWN && repeat == ER_PG_HARMLESS);
}

/* False: there is no time for another try. */
static bool pause_once(struct er_pg *conn, int tries, int64_t until_ms)
{
    int64_t ms = er_backoff_call_ms(tries, er_backoff_random(&conn->random));

    if (er_clock_mono_ms(NULL) + ms >= until_ms)
        return false;
    er_clock_sleep_ms(ms);
    return true;
}

int er_pg_call(struct er_pg *conn, const char *function, enum er_pg_repeat repeat,
               struct er_pg_args *args, struct er_pg_rows *ret, struct errand_error *err)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + conn->busy_ms;
    enum verdict verdict;
    PGresult *res = NULL;
    int rc, tries = 0;

    if (!err)
        err = &conn->error;
    if (args->bytes.has_failed)
        return er_error_nomem(err);
    if ((rc = er_failpoint_commit(function, "before", err)) < 0)
        return rc;
    while ((rc = attempt(conn, function, args, until_ms, &res, &verdict, err)) < 0 &&
           may_repeat(verdict, repeat) && pause_once(conn, ++tries, until_ms))
        ;
    if (rc < 0 && verdict == UNKNOWN)
        return er_error_wrap(err, rc,
                             "the connection was lost while the server worked, and "
                             "nobody knows whether it was done");
    if (rc < 0)
        return rc;
    conn->has_written = true;
    if ((rc = er_failpoint_commit(function, "after", err)) < 0) {
        PQclear(res);
        return rc;
    }
    *ret = (struct er_pg_rows){res, PQntuples(res)};
    return 0;
}

int er_pg_exec(struct er_pg *conn, const char *sql, PGresult **ret,
               struct errand_error *err)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + conn->busy_ms;
    enum verdict verdict;
    PGresult *res = NULL;
    int rc;

    if (!err)
        err = &conn->error;
    if (!conn->pg && (rc = er_pg_connect(conn, until_ms, err)) < 0)
        return rc;
    if ((rc = run(conn, &(struct statement){.sql = sql}, until_ms, &res, &verdict, err)) <
        0)
        return rc;
    if (ret)
        *ret = res;
    else
        PQclear(res);
    return 0;
}

/* ------------------------------------------------------------------ inside */

static int command(struct er_pg *conn, PGconn *theirs, const char *sql,
                   struct errand_error *err)
{
    PGresult *res = PQexec(theirs, sql);
    int rc = er_pg_has_worked(res) ? 0 : er_pg_error(conn, theirs, res, err);

    PQclear(res);
    return rc;
}

static int exec_call(struct er_pg *conn, PGconn *theirs, const struct statement *s,
                     PGresult **ret, struct errand_error *err)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + conn->busy_ms;
    int was_nonblocking = PQisnonblocking(theirs);
    PGresult *res = NULL;
    int rc = 0;

    PQsetnonblocking(theirs, 1);
    if (!send_call(theirs, s) || !(res = er_pg_result(theirs, until_ms)))
        rc = er_pg_error(conn, theirs, NULL, err);
    else if (!er_pg_has_worked(res))
        rc = er_pg_error(conn, theirs, res, err);
    PQsetnonblocking(theirs, was_nonblocking);
    if (rc < 0)
        PQclear(res);
    else
        *ret = res;
    return rc;
}

int er_pg_call_inside(struct er_pg *conn, PGconn *theirs, const char *function,
                      struct er_pg_args *args, struct er_pg_rows *ret,
                      struct errand_error *err)
{
    struct statement s = {.args = args};
    PGresult *res;
    int rc;

    if (!err)
        err = &conn->error;
    if (PQtransactionStatus(theirs) != PQTRANS_INTRANS)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the connection has no transaction open, or one that has "
                                "failed");
    if (PQpipelineStatus(theirs) != PQ_PIPELINE_OFF)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the connection is in pipeline mode: end it first");
    if (args->bytes.has_failed || !(s.sql = call_text(conn, function, args->n)))
        return er_error_nomem(err);
    if ((rc = command(conn, theirs, "SAVEPOINT errand_call", err)) < 0)
        return rc;
    if ((rc = exec_call(conn, theirs, &s, &res, err)) < 0) {
        command(conn, theirs, "ROLLBACK TO errand_call", NULL);
        command(conn, theirs, "RELEASE errand_call", NULL);
        return rc;
    }
    if ((rc = command(conn, theirs, "RELEASE errand_call", err)) < 0) {
        PQclear(res);
        return rc;
    }
    *ret = (struct er_pg_rows){res, PQntuples(res)};
    return 0;
}
