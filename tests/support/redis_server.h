/* redis_server.h: a Redis of a test's own, to be stopped, killed, filled and turned into
 * a replica: on a unix socket in a short folder, or also on a loopback port where others
 * have to reach it; as an unprivileged user; ended by its pid, and with the test by the
 * kernel. */
#ifndef ER_TESTS_REDIS_SERVER_H
#define ER_TESTS_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

#include "support/test.h"

enum { REDIS_ARGS_MAX = 24 };

struct redis_server {
    char dir[64], socket[96];
    int port;                         /* 0: none */
    pid_t pid;                        /* 0: it does not run */
    const char *program;              /* NULL: redis-server */
    const char *args[REDIS_ARGS_MAX]; /* "--appendonly", "yes", … NULL */
};

/* Makes folder and names; args are borrowed. with_port: a free one. */
void redis_server_init(struct redis_server *s, bool with_port, const char *const *args);
/* Starts it, anew as well, and waits until it answers (PONG, LOADING or an error). */
void redis_server_start(struct redis_server *s);
/* The same without waiting. */
void redis_server_launch(struct redis_server *s);
/* Sends the signal and waits for the end. */
void redis_server_stop(struct redis_server *s, int signal);
/* Stops it if it runs and removes its folder. */
void redis_server_free(struct redis_server *s);

/* A connection of the test's own, or NULL. */
redisContext *redis_server_link(const struct redis_server *s);
/* One command, in hiredis' own format, on a connection of its own; free with
 * freeReplyObject. Fails the test when
 * nothing answers. */
redisReply *redis_server_ask(const struct redis_server *s, const char *format, ...);
/* The same, and it must answer no error. */
void redis_server_do(const struct redis_server *s, const char *format, ...);
/* A number that INFO says. */
long long redis_server_info(const struct redis_server *s, const char *name);
/* "name:value" of INFO is what is wanted, within so many ms. */
bool redis_server_becomes(const struct redis_server *s, const char *name,
                          const char *value, int timeout_ms);

/* ------------------------------------------------------------------ a Cluster */

enum { REDIS_NODES_N = 3, REDIS_SLOTS_N = 16384 };

struct redis_cluster {
    struct redis_server nodes[REDIS_NODES_N];
};

/* Three nodes, a third of the slots each. */
void redis_cluster_start(struct redis_cluster *c);
void redis_cluster_free(struct redis_cluster *c);
void redis_cluster_url(const struct redis_cluster *c, const char *prefix, char *ret,
                       size_t size);
int redis_cluster_slot(const struct redis_cluster *c, const char *key);
/* Which node it has from the start. */
int redis_cluster_owner(int slot);
/* What `redis-cli --cluster reshard` does to one slot. */
void redis_cluster_move(const struct redis_cluster *c, int slot, int from, int to);

#endif
