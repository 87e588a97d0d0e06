/* error.c: what PostgreSQL and libpq say, in our words. A message of libpq names host,
 * user and database, never the password. */
#include "store/postgres/postgres.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define HOLDER                                                                     \
    "; pg_blocking_pids() says who holds it, pg_terminate_backend() ends it; try " \
    "again"

/* By SQLSTATE, whole or its class (two characters). Our own functions raise ER003 for
 * ENOTFOUND (-3), and so on. */
static const struct {
    const char *state;
    int code;
    bool is_transient; /* taken back whole; the next time it may go through */
    const char *remedy;
    const char *ours; /* NULL, or what to say before the server's words */
} states[] = {
    {"40001", ERRAND_EBUSY, true, "; try again"},
    {"40P01", ERRAND_EBUSY, true, "; try again"},
    {"55P03", ERRAND_EBUSY, true, HOLDER, "the store is locked by another session"},
    {"57014", ERRAND_EBUSY, false, HOLDER,
     "the store is locked by another session, or the server is too slow"},
    {"57P01", ERRAND_EUNAVAILABLE, true, ""},
    {"57P02", ERRAND_EUNAVAILABLE, true, ""},
    {"57P03", ERRAND_EUNAVAILABLE, true, ""},
    {"57P05", ERRAND_EUNAVAILABLE, true, ""},
    {"53300", ERRAND_EUNAVAILABLE, true,
     "; raise max_connections, or put a pooler in front"},
    {"53100", ERRAND_EFULL, false,
     "; free space on the server's disk and try again, nothing was lost"},
    {"53200", ERRAND_ENOMEM, false, ""},
    {"53", ERRAND_EUNAVAILABLE, false, ""},
    {"08", ERRAND_EUNAVAILABLE, true, ""},
    {"28P01", ERRAND_EINVAL, false, "; check user and password of the URL"},
    {"28", ERRAND_EINVAL, false, "; check user, password and the server's pg_hba.conf"},
    {"3D000", ERRAND_ENOTFOUND, false, "; make it with createdb, or name another"},
    {"42501", ERRAND_EINVAL, false,
     "; let the owner of the schema grant it, see docs/stores/postgres.md"},
    {"3F000", ERRAND_EUNAVAILABLE, false,
     "; 'errand migrate' makes a new one, and so does a program that is started",
     "the store is gone, its schema was dropped"},
    {"42P01", ERRAND_ESCHEMA, false, "; 'errand migrate' may repair it"},
    {"42883", ERRAND_ESCHEMA, false, "; 'errand migrate' may repair it"},
    {"54", ERRAND_ETOOBIG, false, ""},
    {"0A000", ERRAND_EUNSUPPORTED, false, ""},
    {"58030", ERRAND_EIO, false, ""},
    {"XX001", ERRAND_ECORRUPT, false, ""},
    {"XX002", ERRAND_ECORRUPT, false, "; REINDEX the index that it names"},
    {"22021", ERRAND_EINVAL, false, ""},
    {"22P05", ERRAND_EINVAL, false, ""},
};
enum { STATES_N = sizeof states / sizeof *states };

static const char *state_of(const PGresult *res)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "";
}

static int find(const char *state)
{
    for (int i = 0; i < STATES_N; i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return i;
    return -1;
}

bool er_pg_is_transient(const PGresult *res)
{
    int i = find(state_of(res));

    return i >= 0 && states[i].is_transient;
}

bool er_pg_is_name_lost(const PGresult *res)
{
    const char *state = state_of(res);

    return strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0 ||
           strcmp(state, "0A000") == 0;
}

/* The first line, without "ERROR: " and "connection to server … failed: FATAL: ". */
static void message_of(PGconn *pg, const PGresult *res, char *ret, size_t size)
{
    const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    size_t len;

    if (!text)
        text = PQerrorMessage(pg);
    len = strcspn(text, "\n");
    if (len >= size)
        len = size - 1;
    memcpy(ret, text, len);
    ret[len] = '\0';
}

/* A server that took writes and takes none now has become a standby: another one is, or
 * will be, the primary. */
static int read_only(struct er_pg *conn, const char *message, struct errand_error *err)
{
    if (!conn->has_written)
        return errand_error_set(err, ERRAND_EREADONLY,
                                "%s; name the primary, or let this role write", message);
    er_pg_disconnect(conn);
    return errand_error_set(err, ERRAND_EUNAVAILABLE,
                            "%s: the server has become a standby, or "
                            "default_transaction_read_only was set; let it write, or "
                            "name the new primary",
                            message);
}

int er_pg_error(struct er_pg *conn, PGconn *pg, const PGresult *res,
                struct errand_error *err)
{
    const char *state = state_of(res);
    char message[512];
    int i;

    message_of(pg, res, message, sizeof message);
    if (strcmp(state, "ER099") == 0) {
        conn->is_salt_old = true;
        return errand_error_set(err, ERRAND_EINVAL, "%s", message);
    }
    if (strncmp(state, "ER0", 3) == 0)
        return errand_error_set(err, -(int)strtol(state + 3, NULL, 10), "%s", message);
    if (strcmp(state, "25006") == 0)
        return read_only(conn, message, err);
    if (!*state && strstr(message, "out of memory")) /* libpq's own */
        return er_error_nomem(err);
    if (!*state) /* target_session_attrs=read-write; it may become the primary */
        return errand_error_set(err, ERRAND_EUNAVAILABLE, "%s%s",
                                *message ? message : "the connection is lost",
                                strstr(message, "session is read-only")
                                    ? "; name the primary, or let this role write"
                                    : "");
    if ((i = find(state)) < 0)
        return errand_error_set(err, ERRAND_EINTERNAL, "%s (SQLSTATE %s)", message,
                                state);
    if (states[i].ours)
        return errand_error_set(err, states[i].code, "%s (%s)%s", states[i].ours, message,
                                states[i].remedy);
    return errand_error_set(err, states[i].code, "%s%s", message, states[i].remedy);
}
