/* redis.c: the queue everybody writes first: a hash of payloads, a list of what is ready
 * and a sorted set of what is reserved, one script that ends the last jobs and reserves
 * the next. What a push is held to is LPUSH of the payload alone. */
#include "ceiling/server.h"

#include "measure.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "{errand-bench-ceiling}:"

enum { BULK = 1000, KEYS = 4 };
static const char *const keys[KEYS] = {KEY "jobs", KEY "ready", KEY "reserved",
                                       KEY "next"};
static const char push_lua[] =
    "local last = redis.call('INCRBY', KEYS[4], #ARGV)"
    " local jobs, ids = {}, {}"
    " for i = 1, #ARGV do local id = last - #ARGV + i"
    "  jobs[2 * i - 1], jobs[2 * i], ids[i] = id, ARGV[i], id end"
    " redis.call('HSET', KEYS[1], unpack(jobs))"
    " return redis.call('RPUSH', KEYS[2], unpack(ids))";
/* ARGV: how many, until when, the ids that have ended. */
static const char cycle_lua[] =
    "if #ARGV > 2 then redis.call('ZREM', KEYS[3], unpack(ARGV, 3))"
    " redis.call('HDEL', KEYS[1], unpack(ARGV, 3)) end"
    " local ids = redis.call('LPOP', KEYS[2], ARGV[1])"
    " if not ids then return {} end"
    " local until_when = {}"
    " for i = 1, #ids do"
    "  until_when[2 * i - 1], until_when[2 * i] = ARGV[2], ids[i] end"
    " redis.call('ZADD', KEYS[3], unpack(until_when))"
    " return {ids, redis.call('HMGET', KEYS[1], unpack(ids))}";
/* At once and not in another thread: how much that frees is asked for next. A script, so
 * that it is one trip; half a million keys would be a long one, errand has a few. */
static const char clear_lua[] =
    "local from = '0' repeat"
    " local got = redis.call('SCAN', from, 'MATCH', '{errand-bench*', 'COUNT', 1000)"
    " from = got[1]"
    " for i = 1, #got[2] do redis.call('DEL', got[2][i]) end"
    " until from == '0'";

static redisContext *db;
static char push_sha[41], cycle_sha[41];
static char payloads[BULK][PAYLOAD_LEN + 1];
static redisReply *held; /* what the last turn reserved: ids, payloads */

static redisReply *answer(void)
{
    redisReply *r;

    if (redisGetReply(db, (void **)&r) != REDIS_OK)
        die("redis: %s", db->errstr);
    if (r->type == REDIS_REPLY_ERROR)
        die("redis: %s", r->str);
    return r;
}

static redisReply *command(const char *a, const char *b, const char *c, const char *d)
{
    const char *args[] = {a, b, c, d};
    int n = 1;

    while (n < 4 && args[n])
        n++;
    redisAppendCommandArgv(db, n, args, NULL);
    return answer();
}

static void script_load(const char *lua, char ret_sha[41])
{
    redisReply *r = command("SCRIPT", "LOAD", lua, NULL);

    snprintf(ret_sha, 41, "%s", r->str);
    freeReplyObject(r);
}

/* redis+unix:PATH or redis://HOST[:PORT]: as much as a server without a password needs.
 */
static redisContext *connect_to(const char *url)
{
    static const char local[] = "redis+unix:", remote[] = "redis://";
    const char *host, *port;
    char name[256];

    if (strncmp(url, local, strlen(local)) == 0)
        return redisConnectUnix(url + strlen(local));
    host = url + strlen(remote);
    if (strncmp(url, remote, strlen(remote)) != 0 || strpbrk(host, "@/?"))
        die("the ceiling wants redis+unix:PATH or redis://HOST[:PORT]");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":"), host);
    port = strchr(host, ':');
    return redisConnect(name, port ? (int)strtol(port + 1, NULL, 10) : 6379);
}

static void redis_open(const char *url)
{
    db = connect_to(url);
    if (!db || db->err)
        die("redis: %s", db ? db->errstr : "out of memory");
    script_load(push_lua, push_sha);
    script_load(cycle_lua, cycle_sha);
}

static int64_t memory_used(void)
{
    redisReply *r = command("INFO", "memory", NULL, NULL);
    const char *at = strstr(r->str, "used_memory:");
    int64_t used = at ? strtoll(at + strlen("used_memory:"), NULL, 10) : 0;

    freeReplyObject(r);
    return used;
}

static int64_t redis_clear(void)
{
    int64_t before = memory_used();

    freeReplyObject(command("EVAL", clear_lua, "0", NULL));
    return before - memory_used();
}

static void redis_make(const char *table)
{
    (void)table;
    freeReplyObject(command("EVAL", clear_lua, "0", NULL));
}

static void redis_push(int64_t number, int n)
{
    for (int i = 0; i < n; i++) {
        payload_write(payloads[0], number + i, now_ns());
        redisAppendCommandArgv(db, 3, (const char *[]){"LPUSH", keys[1], payloads[0]},
                               NULL);
    }
    for (int i = 0; i < n; i++)
        freeReplyObject(answer());
}

/* EVALSHA of a script with all the keys; how many arguments that is. */
static int script_args(const char *args[], const char *sha)
{
    args[0] = "EVALSHA";
    args[1] = sha;
    args[2] = "4";
    memcpy(args + 3, keys, sizeof keys);
    return 3 + KEYS;
}

static void redis_insert(int64_t number, int n)
{
    const char *args[3 + KEYS + BULK];
    int args_n = script_args(args, push_sha);

    for (int i = 0; i < n; i++) {
        payload_write(payloads[i], number + i, now_ns());
        args[args_n++] = payloads[i];
    }
    redisAppendCommandArgv(db, args_n, args, NULL);
    freeReplyObject(answer());
}

static void redis_filled(void)
{
}

static int redis_turn(int batch)
{
    const char *args[3 + KEYS + 2 + BULK];
    int args_n = script_args(args, cycle_sha);
    char most[16], until_ms[24];
    redisReply *r;

    snprintf(most, sizeof most, "%d", batch);
    snprintf(until_ms, sizeof until_ms, "%lld", (long long)(wall_ns() / 1000000 + 60000));
    args[args_n++] = most;
    args[args_n++] = until_ms;
    for (size_t i = 0; held && i < held->element[0]->elements; i++)
        args[args_n++] = held->element[0]->element[i]->str;
    redisAppendCommandArgv(db, args_n, args, NULL);
    r = answer();
    if (held)
        freeReplyObject(held);
    held = r->elements ? r : NULL;
    if (!held)
        freeReplyObject(r);
    return held ? (int)held->element[0]->elements : 0;
}

static const char *redis_payload(void)
{
    return held->element[1]->element[held->element[1]->elements - 1]->str;
}

const struct engine engine = {.open = redis_open,
                              .make = redis_make,
                              .push = redis_push,
                              .insert = redis_insert,
                              .filled = redis_filled,
                              .turn = redis_turn,
                              .payload = redis_payload,
                              .clear = redis_clear};
