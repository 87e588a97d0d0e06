/* target.h: what a URL of this store says.
 *
 *   redis://[USER[:PASSWORD]@]HOST[:PORT][/DB][?prefix=P]     valkey: the same
 *   rediss://… by TLS (?cacert=FILE&cert=FILE&tlskey=FILE)          valkeys: the same
 *   redis+unix:PATH[?db=N&user=U&password=P&prefix=P]
 *   redis+sentinel://[USER[:PASSWORD]@]HOST[:PORT],…/MASTER[/DB]
 *       [?sentinel_user=U&sentinel_password=P&tls=1]
 *   redis+cluster://[USER[:PASSWORD]@]HOST[:PORT],…[?tls=1]
 *
 * USER, PASSWORD and values may be percent-encoded. */
#ifndef ER_STORE_REDIS_TARGET_H
#define ER_STORE_REDIS_TARGET_H

#include "errand/driver.h"

enum { ER_REDIS_PORT = 6379, ER_SENTINEL_PORT = 26379, ER_REDIS_PREFIX_MAX = 64 };

enum er_redis_kind { ER_REDIS_PLAIN, ER_REDIS_SENTINEL, ER_REDIS_CLUSTER };

struct er_redis_address {
    const char *host; /* begins with '/': a socket, and port is 0 */
    int port;
};

struct er_redis_target {
    enum er_redis_kind kind;
    struct er_redis_address *addresses; /* at least one */
    size_t addresses_n;
    const char *master; /* Sentinel's name of it */
    const char *user, *password, *sentinel_user, *sentinel_password; /* NULL: none */
    const char *cacert, *cert, *tls_key;                             /* files, or NULL */
    const char *prefix;
    int64_t db;
    bool is_tls;
};

/* Strings live in the arena. EINVAL says what is wrong, never a value of the URL. */
int er_redis_target_parse(const char *url, struct errand_arena *arena,
                          struct er_redis_target *ret, struct errand_error *err);

#endif
