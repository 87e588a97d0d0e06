/* connect.c: where a store is, and connecting to it.
 *
 * The URL is libpq's own, in which postgres: means postgresql:, and some parameters are
 * ours. What libpq says of a URL it cannot read may repeat the password: only what it
 * says of names of parameters is shown. */
#include "store/postgres/postgres.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"

enum { SCHEMA_MAX = 63, CONNECT_S_MIN = 2, CONNECT_S_MAX = 10 };

static const char form[] =
    "write postgres://user:password@host:port/database?schema=errand, with %40 for an @ "
    "in user or password, %2F for '/', %3F for '?' and %25 for '%'";

static int not_a_url(struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL, "is not a URL of PostgreSQL: %s", form);
}

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

/* A value of the query, in which %XX is what it stands for, in place of the one before.
 */
static int value_set(char **ret, const char *text, size_t len, struct errand_error *err)
{
    char *to;

    free(*ret);
    if (!(*ret = to = malloc(len + 1)))
        return er_error_nomem(err);
    for (size_t i = 0; i < len; i++) {
        unsigned byte = (unsigned char)text[i];
        if (byte == '%' && i + 2 < len && sscanf(text + i + 1, "%2x", &byte) == 1)
            i += 2;
        *to++ = (char)byte;
    }
    *to = '\0';
    return 0;
}

static int listen_set(struct er_pg_place *place, const char *text, size_t len,
                      struct errand_error *err)
{
    int rc = value_set(&place->listen, text, len, err);

    if (rc < 0 || *place->listen)
        return rc;
    return errand_error_set(err, ERRAND_EINVAL,
                            "listen is empty: HOST:PORT of the server, or poll");
}

static int owner_set(struct er_pg_place *place, const char *text, size_t len,
                     struct errand_error *err)
{
    return value_set(&place->owner, text, len, err);
}

/* What is ours of the query: 1, 0 not, or an error. */
static int query_take(struct er_pg_place *place, const char *text, size_t len,
                      struct errand_error *err)
{
    static const struct {
        const char *name;
        int (*set)(struct er_pg_place *place, const char *text, size_t len,
                   struct errand_error *err);
    } ours[] = {{"schema=", schema_set}, {"listen=", listen_set}, {"owner=", owner_set}};
    int rc;

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        size_t name_len = strlen(ours[i].name);
        if (len < name_len || strncmp(text, ours[i].name, name_len) != 0)
            continue;
        rc = ours[i].set(place, text + name_len, len - name_len, err);
        return rc < 0 ? rc : 1;
    }
    return 0;
}

/* Copies the query without what is ours. */
static int query_split(struct er_buf *uri, const char *query, struct er_pg_place *place,
                       struct errand_error *err)
{
    char between = '?';
    int rc;

    while (*query) {
        size_t len = strcspn(query, "&");
        if ((rc = query_take(place, query, len, err)) < 0)
            return rc;
        if (rc == 0 && len) {
            er_buf_add(uri, &between, 1);
            er_buf_add(uri, query, len);
            between = '&';
        }
        query += len + (query[len] == '&');
    }
    return 0;
}

/* libpq takes a password that holds a '/' or '?' for host, port and database, or names of
 * parameters, and one with an '@' partly for a host; then the server and libpq name it in
 * their messages. */
static int authority_check(const char *text, struct errand_error *err)
{
    const char *at = memchr(text, '@', strcspn(text, "/?"));

    if (!strchr(at ? at + 1 : text, '@'))
        return 0;
    return not_a_url(err);
}

static bool is_remote_host(const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 != IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return !IN6_IS_ADDR_LOOPBACK(&v6);
    return *host && *host != '/' && *host != '@' && strcmp(host, "localhost") != 0;
}

/* "a,b": one that is elsewhere is enough. Without any it is a socket of this machine. */
static bool is_remote_list(const char *hosts)
{
    char host[256];

    while (hosts && *hosts) {
        size_t len = strcspn(hosts, ",");
        snprintf(host, sizeof host, "%.*s", (int)len, hosts);
        if (is_remote_host(host))
            return true;
        hosts += len + (hosts[len] == ',');
    }
    return false;
}

/* What the URL says, or else the environment. */
static const char *option_of(const PQconninfoOption *options, const char *keyword,
                             const char *variable)
{
    const char *value = getenv(variable);

    for (; options->keyword; options++)
        if (options->val && strcmp(options->keyword, keyword) == 0)
            value = options->val;
    return value && *value ? value : NULL;
}

/* A service's host stands in a file that only libpq reads: it may be anywhere. */
static bool is_remote(const PQconninfoOption *options)
{
    const char *addresses = option_of(options, "hostaddr", "PGHOSTADDR");

    return option_of(options, "service", "PGSERVICE") ||
           is_remote_list(addresses ? addresses : option_of(options, "host", "PGHOST"));
}

/* "5432,5433": an empty one is the default. */
static bool is_port_list(const char *ports)
{
    for (;; ports++) {
        char *end = (char *)ports;
        long port = isdigit((unsigned char)*ports) ? strtol(ports, &end, 10) : 1;
        if (port < 1 || port > 65535 || (*end && *end != ','))
            return false;
        if (!*end)
            return true;
        ports = end;
    }
}

/* libpq would show what stands there, which may be a password that no '@' ends. */
static int port_check(const PQconninfoOption *options, struct errand_error *err)
{
    for (; options->keyword; options++)
        if (options->val && strcmp(options->keyword, "port") == 0 &&
            !is_port_list(options->val))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "the port is not a number from 1 to 65535: %s", form);
    return 0;
}

static int uri_check(const char *uri, bool *ret_is_remote, struct errand_error *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &message);
    int rc = 0;

    if (!options && (!message || strstr(message, "out of memory"))) {
        rc = er_error_nomem(err);
    } else if (!options) {
        bool names_a_parameter =
            message && strncmp(message, "invalid URI query parameter", 27) == 0;
        rc = names_a_parameter ? errand_error_set(err, ERRAND_EINVAL, "%.*s",
                                                  (int)strcspn(message, "\n"), message)
                               : not_a_url(err);
    }
    if (options && (rc = port_check(options, err)) == 0)
        *ret_is_remote = is_remote(options);
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
        return not_a_url(err);
    if ((rc = authority_check(rest + 2, err)) < 0)
        return rc;
    er_buf_init(&uri, 64 << 10);
    er_buf_str(&uri, "postgresql:");
    er_buf_add(&uri, rest, query ? (size_t)(query - rest) : strlen(rest));
    if ((rc = schema_set(&place, "errand", strlen("errand"), err)) == 0 && query)
        rc = query_split(&uri, query + 1, &place, err);
    if (rc == 0 && (uri.has_failed || !(place.uri = er_buf_take(&uri))))
        rc = er_error_nomem(err);
    if (rc == 0)
        rc = uri_check(place.uri, &place.is_remote, err);
    er_buf_done(&uri);
    if (rc < 0)
        er_pg_place_done(&place);
    else
        *ret = place;
    return rc;
}

/* NULL stays NULL; false: no memory. */
static bool copy(const char *from, char **ret)
{
    *ret = from ? strdup(from) : NULL;
    return !from == !*ret;
}

int er_pg_place_copy(const struct er_pg_place *from, struct er_pg_place *ret)
{
    bool is_whole;

    *ret = (struct er_pg_place){.is_remote = from->is_remote};
    is_whole = copy(from->uri, &ret->uri);
    is_whole &= copy(from->schema, &ret->schema);
    is_whole &= copy(from->prefix, &ret->prefix);
    is_whole &= copy(from->listen, &ret->listen);
    is_whole &= copy(from->owner, &ret->owner);
    if (is_whole)
        return 0;
    er_pg_place_done(ret);
    return -1;
}

void er_pg_place_done(struct er_pg_place *place)
{
    free(place->uri);
    free(place->schema);
    free(place->prefix);
    free(place->listen);
    free(place->owner);
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

/* Encrypted, and to the server that was meant, unless the URL says otherwise: what is
 * sent passes other machines. */
static const char *sslmode(bool is_remote)
{
    return is_remote && !getenv("PGSSLMODE") ? "verify-full" : NULL;
}

/* libpq says what is wrong with TLS, not what to do. */
static int tls_error(int rc, struct errand_error *err)
{
    char reason[512];

    if (!err || (!strstr(err->message, "SSL") && !strstr(err->message, "certificate")))
        return rc;
    snprintf(reason, sizeof reason, "%.500s", err->message);
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s; to another machine errand speaks TLS with a server "
                            "that proves its name: sslrootcert=FILE names the CA, and on "
                            "a network that you trust sslmode=disable goes without",
                            reason);
}

/* What libpq says of parameters before it connects to anybody: it would each time. */
static bool is_bad_parameter(const char *message)
{
    return strncmp(message, "invalid ", 8) == 0 ||
           strncmp(message, "could not match ", 16) == 0;
}

static int refused(struct er_pg *conn, PGconn *pg, struct errand_error *err)
{
    const char *message = PQerrorMessage(pg);
    int rc;

    if (is_bad_parameter(message))
        return errand_error_set(err, ERRAND_EINVAL, "%.*s", (int)strcspn(message, "\n"),
                                message);
    rc = er_pg_error(conn, pg, NULL, err);
    return conn->place.is_remote || strstr(conn->place.uri, "sslmode")
               ? tls_error(rc, err)
               : rc;
}

/* "HOST:PORT" as two; a folder has no port of its own but may bring one. */
static void host_split(const char *text, char *host, size_t host_size, char *port,
                       size_t port_size)
{
    const char *colon = text ? strrchr(text, ':') : NULL;

    host[0] = port[0] = '\0';
    if (!text)
        return;
    snprintf(host, host_size, "%.*s", colon ? (int)(colon - text) : (int)strlen(text),
             text);
    snprintf(port, port_size, "%s", colon ? colon + 1 : "5432");
}

/* Connects as far as it goes in a moment, which leaves out who is frozen or far away:
 * those libpq's own waiting call tries anew, since it alone can give up one address for
 * the next. */
static void connect_wait(PGconn *pg)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + CONNECT_S_MIN * 1000;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;

    if (PQstatus(pg) == CONNECTION_BAD)
        return;
    while (want == PGRES_POLLING_WRITING || want == PGRES_POLLING_READING) {
        struct pollfd fd = {.fd = PQsocket(pg),
                            .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int64_t left_ms = until_ms - er_clock_mono_ms(NULL);
        if (left_ms <= 0) {
            PQreset(pg);
            return;
        }
        if (poll(&fd, 1, (int)left_ms) > 0)
            want = PQconnectPoll(pg);
    }
}

int er_pg_dial(struct er_pg *conn, const char *host_port, int64_t until_ms, PGconn **ret,
               struct errand_error *err)
{
    char timeout[16], host[256], port[16];
    PGconn *pg;
    int rc;

    /* What the URL says stands behind and wins; dbname is the URL itself. Empty: not
     * said. */
    const char *const keys[] = {"sslmode",
                                "connect_timeout",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "tcp_user_timeout",
                                "target_session_attrs",
                                "dbname",
                                "client_encoding",
                                "fallback_application_name",
                                "host",
                                "port",
                                NULL};
    const char *const values[] = {
        sslmode(host_port ? is_remote_list(host_port) : conn->place.is_remote),
        timeout,
        "10",
        "5",
        "3",
        "30000",
        conn->is_read_only ? "any" : "read-write",
        conn->place.uri,
        "UTF8",
        "errand",
        host,
        port,
        NULL};

    timeout_of(until_ms, timeout, sizeof timeout);
    host_split(host_port, host, sizeof host, port, sizeof port);
    if (!(pg = PQconnectStartParams(keys, values, 1)))
        return er_error_nomem(err);
    /* Before anything of the server is read: libpq would print it. */
    PQsetNoticeReceiver(pg, say_nothing, NULL);
    connect_wait(pg);
    if (PQstatus(pg) != CONNECTION_OK) {
        rc = refused(conn, pg, err);
        PQfinish(pg);
        return rc;
    }
    PQsetnonblocking(pg, 1);
    *ret = pg;
    return 0;
}

int er_pg_connect(struct er_pg *conn, int64_t until_ms, struct errand_error *err)
{
    int rc;

    er_pg_disconnect(conn);
    conn->session = (struct er_pg_session){0};
    if ((rc = er_pg_dial(conn, NULL, until_ms, &conn->pg, err)) < 0)
        return rc;
    if ((rc = server_check(conn, err)) < 0)
        er_pg_disconnect(conn);
    return rc;
}
