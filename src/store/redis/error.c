/* error.c: what servers and scripts answer, in our words. */
#include "store/redis/redis.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

struct meaning {
    const char *begins;
    int code;
    bool is_passing; /* refused before anything was done, and it will end */
    const char *text;
};

static const struct meaning meanings[] = {
    {"LOADING", ERRAND_EUNAVAILABLE, true, "the server loads its data"},
    {"BUSY", ERRAND_EBUSY, true,
     "the server is busy with a script that runs for too long (SCRIPT KILL ends it)"},
    {"READONLY", ERRAND_EUNAVAILABLE, true,
     "the server is a replica, which cannot be written to; the URL must lead to the "
     "master"},
    {"MASTERDOWN", ERRAND_EUNAVAILABLE, true, "the replica has lost its master"},
    {"CLUSTERDOWN", ERRAND_EUNAVAILABLE, true, "the Cluster is down"},
    {"TRYAGAIN", ERRAND_EUNAVAILABLE, true, "the Cluster is moving the store"},
    {"NOREPLICAS", ERRAND_EUNAVAILABLE, true,
     "fewer replicas than the server wants are there (min-replicas-to-write)"},
    {"UNBLOCKED", ERRAND_EUNAVAILABLE, true, "the server has another role now"},
    {"MISCONF", ERRAND_EFULL, false,
     "the server cannot save to its disk and takes no writes until it can "
     "(stop-writes-on-bgsave-error): free space on its disk, its log says more"},
    {"OOM", ERRAND_EFULL, false,
     "the server's memory is full: raise its maxmemory, or remove jobs that have ended "
     "(errand queue:prune)"},
    {"NOAUTH", ERRAND_EUNAVAILABLE, false,
     "the server wants a password: put USER:PASSWORD@ into the URL"},
    {"WRONGPASS", ERRAND_EUNAVAILABLE, false, "user or password is wrong"},
    {"MOVED", ERRAND_EUNAVAILABLE, false,
     "the server is a node of a Cluster: the URL must begin with redis+cluster:"},
    {"WRONGTYPE", ERRAND_ECORRUPT, false,
     "a key of the store holds something that errand did not put there"},
};
enum { MEANINGS_N = sizeof meanings / sizeof *meanings };

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const struct meaning *meaning_of(const char *reply)
{
    for (size_t i = 0; i < MEANINGS_N; i++)
        if (begins(reply, meanings[i].begins))
            return &meanings[i];
    return NULL;
}

bool er_redis_is_passing(const char *reply)
{
    const struct meaning *m = meaning_of(reply);

    return m && m->is_passing;
}

/* "ERRAND NOTFOUND there is no batch": a script's own answer. */
static int of_script(const char *reply, struct errand_error *err)
{
    static const struct {
        const char *name;
        int code;
    } codes[] = {{"ENOTFOUND ", ERRAND_ENOTFOUND},
                 {"ECONFLICT ", ERRAND_ECONFLICT},
                 {"ESCHEMA ", ERRAND_ESCHEMA},
                 {"EUNAVAILABLE ", ERRAND_EUNAVAILABLE}};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (begins(reply, codes[i].name))
            return errand_error_set(err, codes[i].code, "%s",
                                    reply + strlen(codes[i].name));
    return errand_error_set(err, ERRAND_EINTERNAL, "%s", reply);
}

int er_redis_error(const char *reply, struct errand_error *err)
{
    const struct meaning *m = meaning_of(reply);

    if (begins(reply, "ERRAND "))
        return of_script(reply + strlen("ERRAND "), err);
    if (m)
        return errand_error_set(err, m->code, "%s", m->text);
    if (begins(reply, "NOPERM"))
        return errand_error_set(err, ERRAND_EUNAVAILABLE,
                                "the user of the URL may not do what errand needs (%s); "
                                "docs/stores/redis.md has the rights",
                                reply);
    return errand_error_set(err, ERRAND_EINTERNAL, "the server answered: %s", reply);
}

int er_link_error(const redisContext *link, struct errand_error *err, const char *doing)
{
    bool is_late = link->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);

    if (link->err == REDIS_ERR_PROTOCOL)
        return errand_error_set(err, ERRAND_EUNAVAILABLE,
                                "%s: this is no Redis or Valkey (%s)", doing,
                                link->errstr);
    return errand_error_set(err, ERRAND_EUNAVAILABLE, "%s: %s", doing,
                            is_late ? "the server took too long" : link->errstr);
}
