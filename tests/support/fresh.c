/* fresh.c: see fresh.h. What a driver made on a server is removed here without the
 * driver, by what its URL says: the schema, or the keys that begin with the prefix. */
#include "support/fresh.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef TEST_POSTGRES
#include <libpq-fe.h>
#endif
#ifdef TEST_REDIS
#include <hiredis/hiredis.h>
#endif

/* The pattern with what is new in the place of its '%': several programs share a server.
 */
static void pattern_fill(const char *pattern, char *ret, size_t size)
{
    static unsigned number;
    int before = (int)strcspn(pattern, "%");

    snprintf(ret, size, "%.*s%ldx%u%s", before, pattern, (long)getpid(), ++number,
             pattern + before + (pattern[before] != '\0'));
}

static bool server_url(const char *variable, char *ret, size_t size)
{
    const char *pattern = getenv(variable);

    if (pattern && *pattern) {
        pattern_fill(pattern, ret, size);
        return true;
    }
    fprintf(stderr, "skipped: %s names no server (see script/servers)\n", variable);
    return false;
}

bool fresh_url(const char *kind, const char *folder, char *ret, size_t size)
{
    char pattern[PATH_MAX];

    if (strcmp(kind, "postgres") == 0)
        return server_url("ERRAND_TEST_POSTGRES", ret, size);
    if (strcmp(kind, "redis") == 0)
        return server_url("ERRAND_TEST_REDIS", ret, size);
    if (strcmp(kind, "memory") == 0)
        pattern_fill("memory:test-%", ret, size);
    else if (strcmp(kind, "sqlite") == 0) {
        snprintf(pattern, sizeof pattern, "sqlite:%s/%%.db", folder);
        pattern_fill(pattern, ret, size);
    } else
        pattern_fill(kind, ret, size);
    return true;
}

/* The value of a parameter; `rest` is the URL without it. */
static bool parameter_take(const char *url, const char *name, char *value, char *rest,
                           size_t size)
{
    size_t name_len = strlen(name), len;
    const char *at = strchr(url, '?');

    while (at && strncmp(at + 1, name, name_len) != 0)
        at = strchr(at + 1, '&');
    if (!at)
        return false;
    len = strcspn(at + 1 + name_len, "&");
    snprintf(value, size, "%.*s", (int)len, at + 1 + name_len);
    snprintf(rest, size, "%.*s", (int)(at - url), url);
    at += 1 + name_len + len;
    if (*at) /* the first one has a '?' before it */
        snprintf(rest + strlen(rest), size - strlen(rest), "%c%s",
                 strchr(rest, '?') ? '&' : '?', at + 1);
    return true;
}

#ifdef TEST_POSTGRES
static bool schema_drop(const char *url)
{
    char schema[PATH_MAX], listen[PATH_MAX], rest[PATH_MAX], server[PATH_MAX];
    char sql[PATH_MAX + 128];
    bool is_done = false;
    char *quoted = NULL;
    PGresult *result;
    PGconn *c;

    if (!parameter_take(url, "schema=", schema, server, sizeof schema))
        return true;
    if (parameter_take(server, "listen=", listen, rest, sizeof rest))
        snprintf(server, sizeof server, "%s", rest);
    c = PQconnectdb(server);
    if (PQstatus(c) == CONNECTION_OK &&
        (quoted = PQescapeIdentifier(c, schema, strlen(schema)))) {
        snprintf(sql, sizeof sql,
                 "BEGIN; SET LOCAL client_min_messages = error; SET LOCAL lock_timeout = "
                 "'20s'; DROP SCHEMA IF EXISTS %s CASCADE; COMMIT",
                 quoted);
        result = PQexec(c, sql);
        is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!is_done)
        fprintf(stderr, "dropping %s: %s\n", schema, PQerrorMessage(c));
    PQfreemem(quoted);
    PQfinish(c);
    return is_done;
}
#else
static bool schema_drop(const char *url)
{
    return url != NULL;
}
#endif

#ifdef TEST_REDIS
static redisContext *redis_open(const char *server)
{
    static const char unix_scheme[] = "redis+unix:", tcp_scheme[] = "redis://";
    char host[PATH_MAX];
    const char *port;

    if (strncmp(server, unix_scheme, sizeof unix_scheme - 1) == 0) {
        snprintf(host, sizeof host, "%s", server + sizeof unix_scheme - 1);
        host[strcspn(host, "?")] =
            '\0'; /* whoever the test is, this is the default user */
        return redisConnectUnix(host);
    }
    if (strncmp(server, tcp_scheme, sizeof tcp_scheme - 1) != 0)
        return NULL;
    snprintf(host, sizeof host, "%s", server + sizeof tcp_scheme - 1);
    port = strchr(host, ':');
    host[strcspn(host, ":/?")] = '\0';
    return redisConnect(host, port ? (int)strtol(port + 1, NULL, 10) : 6379);
}

static bool keys_unlink(const char *url)
{
    static const char script[] =
        "local cursor = '0' repeat"
        "  local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)"
        "  cursor = found[1]"
        "  for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end "
        "until cursor == '0'";
    char prefix[PATH_MAX], server[PATH_MAX];
    redisReply *reply = NULL;
    bool is_done = false;
    redisContext *c;

    if (!parameter_take(url, "prefix=", prefix, server, sizeof prefix))
        return true;
    if ((c = redis_open(server)) && !c->err &&
        (reply = redisCommand(c, "EVAL %s 0 {%s}:*", script, prefix)))
        is_done = reply->type != REDIS_REPLY_ERROR;
    if (!is_done)
        fprintf(stderr, "removing the keys of %s: %s\n", prefix,
                reply ? reply->str
                : c   ? c->errstr
                      : "no such URL");
    freeReplyObject(reply);
    if (c)
        redisFree(c);
    return is_done;
}
#else
static bool keys_unlink(const char *url)
{
    return url != NULL;
}
#endif

bool fresh_remove(const char *url)
{
    if (strncmp(url, "postgres", strlen("postgres")) == 0)
        return schema_drop(url);
    if (strncmp(url, "redis", strlen("redis")) == 0)
        return keys_unlink(url);
    return true;
}

static void files_unlink(const char *path)
{
    static const char *const suffixes[] = {"",      "-wal",  "-shm",
                                           "-wake", "-lock", "-journal"};
    char name[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

bool fresh_remove_under(const char *url)
{
    if (strncmp(url, "memory:", strlen("memory:")) == 0)
        return false;
    if (strncmp(url, "sqlite:", strlen("sqlite:")) != 0)
        return fresh_remove(url);
    files_unlink(url + strlen("sqlite:"));
    return true;
}
