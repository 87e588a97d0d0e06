/* connect.c: where a store is, and connecting to it.
 *
 * The URL is libpq's own, in which postgres: means postgresql:, and ?schema=NAME is ours.
 * What libpq says of a URL it cannot read may repeat the password: only what it says of
 * names of parameters is shown. */
#include "store/postgres/postgres.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"

enum { SCHEMA_MAX = 63, CONNECT_S_MIN = 2, CONNECT_S_MAX = 10 };

static const char usage[] =
    "is not a URL of PostgreSQL: write postgres://user:password@host:port/database"
    "?schema=errand, with %40 for an @ in a password";

/* ------------------------------------------------------------------ the URL */

static int schema_check(const char *name, size_t len, struct errand_error *err)
{
    bool is_name = len > 0 && len <= SCHEMA_MAX && !isdigit((unsigned char)*name) &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") >= len &&
                   strncmp(name, "pg_", 3) != 0;

    if (is_name)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "schema '%.*s': 1 to 63 small letters, digits and _, not "
                            "beginning with a digit or pg_",
                            (int)(len < 80 ? len : 80), name);
}

static int schema_set(struct er_pg_place *place, const char *name, size_t len,
                      struct errand_error *err)
{
    int rc = schema_check(name, len, err);

    if (rc < 0)
        return rc;
    free(place->schema);
    free(place->prefix);
    place->prefix = NULL;
    if (!(place->schema = strndup(name, len)) ||
        asprintf(&place->prefix, "\"%s\".", place->schema) < 0)
        return er_error_nomem(err);
    return 0;
}

/* Copies the query without what is ours. */
static int query_split(struct er_buf *uri, const char *query, struct er_pg_place *place,
                       struct errand_error *err)
{
    static const char ours[] = "schema=";
    char between = '?';
    int rc;

    while (*query) {
        size_t len = strcspn(query, "&");
        if (strncmp(query, ours, sizeof ours - 1) == 0) {
            if ((rc = schema_set(place, query + sizeof ours - 1, len - (sizeof ours - 1),
                                 err)) < 0)
                return rc;
        } else if (len) {
            er_buf_add(uri, &between, 1);
            er_buf_add(uri, query, len);
            between = '&';
        }
        query += len + (query[len] == '&');
    }
    return 0;
}

static int uri_check(const char *uri, struct errand_error *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &message);
    int rc = 0;

    if (!options) {
        bool names_a_parameter =
            message && strncmp(message, "invalid URI query parameter", 27) == 0;
        rc = names_a_parameter ? errand_error_set(err, ERRAND_EINVAL, "%.*s",
                                                  (int)strcspn(message, "\n"), message)
                               : errand_error_set(err, ERRAND_EINVAL, "%s", usage);
    }
    PQfreemem(message);
    PQconninfoFree(options);
    return rc;
}

int er_pg_place_parse(const char *url, struct er_pg_place *ret, struct errand_error *err)
{
    const char *rest = strchr(url, ':') + 1, *query = strchr(rest, '?');
    struct er_pg_place place = {0};
    struct er_buf uri;
    int rc;

    if (strncmp(rest, "//", 2) != 0)
        return errand_error_set(err, ERRAND_EINVAL, "%s", usage);
    er_buf_init(&uri, 64 << 10);
    er_buf_str(&uri, "postgresql:");
    er_buf_add(&uri, rest, query ? (size_t)(query - rest) : strlen(rest));
    if ((rc = schema_set(&place, "errand", strlen("errand"), err)) == 0 && query)
        rc = query_split(&uri, query + 1, &place, err);
    if (rc == 0 && (uri.has_failed || !(place.uri = er_buf_take(&uri))))
        rc = er_error_nomem(err);
    if (rc == 0)
        rc = uri_check(place.uri, err);
    er_buf_done(&uri);
    if (rc < 0)
        er_pg_place_done(&place);
    else
        *ret = place;
    return rc;
}

int er_pg_place_copy(const struct er_pg_place *from, struct er_pg_place *ret)
{
    *ret = (struct er_pg_place){strdup(from->uri), strdup(from->schema),
                                strdup(from->prefix)};
    if (ret->uri && ret->schema && ret->prefix)
        return 0;
    er_pg_place_done(ret);
    return -1;
}

void er_pg_place_done(struct er_pg_place *place)
{
    free(place->uri);
    free(place->schema);
    free(place->prefix);
    *place = (struct er_pg_place){0};
}

/* ------------------------------------------------------------------ connecting */

static void say_nothing(void *arg, const PGresult *res)
{
    (void)arg, (void)res;
}

void er_pg_disconnect(struct er_pg *conn)
{
    PQfinish(conn->pg);
    conn->pg = NULL;
}

static int server_check(struct er_pg *conn, struct errand_error *err)
{
    int version = PQserverVersion(conn->pg);
    const char *encoding = PQparameterStatus(conn->pg, "server_encoding");

    if (version < 150000)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "is PostgreSQL %d.%d; errand needs 15 or newer",
                                version / 10000, version % 10000);
    if (encoding && strcmp(encoding, "UTF8") != 0)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "the database has the encoding %s; errand needs one "
                                "that is made with ENCODING 'UTF8'",
                                encoding);
    return 0;
}

/* "5": so long one address may take. */
static void timeout_of(int64_t until_ms, char *ret, size_t size)
{
    int64_t left_s = (until_ms - er_clock_mono_ms(NULL)) / 1000;

    if (left_s < CONNECT_S_MIN)
        left_s = CONNECT_S_MIN;
    if (left_s > CONNECT_S_MAX)
        left_s = CONNECT_S_MAX;
    snprintf(ret, size, "%d", (int)left_s);
}

int er_pg_connect(struct er_pg *conn, int64_t until_ms, struct errand_error *err)
{
    char timeout[16];
    int rc;

    /* What the URL says stands behind and wins; dbname is the URL itself. */
    const char *const keys[] = {"connect_timeout",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "tcp_user_timeout",
                                "target_session_attrs",
                                "dbname",
                                "client_encoding",
                                "fallback_application_name",
                                NULL};
    const char *const values[] = {timeout,
                                  "10",
                                  "5",
                                  "3",
                                  "30000",
                                  conn->is_read_only ? "any" : "read-write",
                                  conn->place.uri,
                                  "UTF8",
                                  "errand",
                                  NULL};

    er_pg_disconnect(conn);
    timeout_of(until_ms, timeout, sizeof timeout);
    if (!(conn->pg = PQconnectdbParams(keys, values, 1)))
        return er_error_nomem(err);
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        rc = er_pg_error(conn, conn->pg, NULL, err);
        er_pg_disconnect(conn);
        return rc;
    }
    PQsetNoticeReceiver(conn->pg, say_nothing, NULL);
    PQsetnonblocking(conn->pg, 1);
    if ((rc = server_check(conn, err)) < 0)
        er_pg_disconnect(conn);
    return rc;
}
