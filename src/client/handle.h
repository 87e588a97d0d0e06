/* handle.h: what stands behind an `errand`, for the files of the client. */
#ifndef ER_CLIENT_HANDLE_H
#define ER_CLIENT_HANDLE_H

#include "base/buf.h"
#include "client/client.h"
#include "core/json.h"

/* Definitions as the store has them, by key and then name. Their specs are read when they
 * are first asked for: a store may hold thousands, a program dispatches a few. */
struct er_definition {
    const char *name, *key;
    struct errand_slice spec;
    struct er_options options;
    bool is_read;
};

struct er_definitions {
    struct errand_arena *arena;
    struct er_definition *list;
    size_t n;
    int64_t read_ms; /* monotonic */
    bool is_filled;
};

struct errand {
    struct er_store *store;
    const struct er_clock *clock;   /* NULL: the real one */
    const struct er_config *config; /* has the options of queues; NULL: there are none */
    struct errand_arena *own;       /* as long as the handle */
    struct errand_arena *call;      /* of one call, emptied by the next */
    struct er_buf text;             /* for options on their way into the store */
    struct er_options base;         /* the levels below queue: configuration, default */
    struct er_json_limits json;
    int64_t busy_ms;
    struct er_definitions definitions;
};

/* definitions.c: `*ret` NULL when nothing is published under that name. */
int er_definitions_find(errand *e, const char *name, const struct er_options **ret,
                        struct errand_error *err);
void er_definitions_done(struct er_definitions *definitions);

/* Largest data, whatever anybody says. */
enum { ER_CLIENT_DATA_MAX = 16 << 20, ER_CLIENT_DATA_DEFAULT = 1 << 20 };

#endif
