/* handle.h: what stands behind an `errand`, for the files of the client. */
#ifndef ER_CLIENT_HANDLE_H
#define ER_CLIENT_HANDLE_H

#include "base/buf.h"
#include "client/asked.h"
#include "client/client.h"
#include "core/id.h"
#include "core/json.h"

struct errand_job_class;
struct er_key_ring;

/* Definitions as the store has them, and the classes of this program, which stand before
 * what is published under their key; by key and then name. Their specs are read when they
 * are first asked for: a store may hold thousands, a program dispatches a few. */
struct er_definition {
    const char *name, *key;
    const struct errand_job_class *job_class; /* NULL: published */
    struct errand_slice spec;
    struct er_options options;
    bool is_read;
};

struct er_definitions {
    struct errand_arena *arena;
    struct er_definition *list;
    size_t n;
    int64_t read_ms;                       /* monotonic */
    const struct errand_job_class *newest; /* registered when it was read */
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
    struct er_options plain;        /* of a job about which nobody says anything */
    struct er_json_limits json;
    const char *keys_path;    /* NULL: none */
    struct er_key_ring *keys; /* of that file, once it was needed; or NULL */
    int64_t busy_ms;
    struct er_definitions definitions;
    struct er_id_source ids;        /* of batches, and of jobs with encrypted data */
    struct errand_fake_queue *fake; /* NULL: this handle is none */
};

enum {
    ER_CLIENT_DATA_MAX = 16 << 20, /* whatever anybody says */
    ER_CLIENT_DATA_DEFAULT = 1 << 20,
};

/* client.c: the time of the handle's clock, and without one, or without a handle, that of
 * the store. */
int64_t er_client_wall_ms(const errand *e);

/* call.c: what a call says. */
int er_call_options(const struct errand_options *o, struct er_options *ret,
                    struct errand_error *err);
int er_call_run_at(const struct errand_options *o, const errand *e, int64_t *ret,
                   struct errand_error *err);

/* definitions.c: reads them again when they are older than a second. */
int er_definitions_refresh(errand *e, struct errand_error *err);
/* What is known; `*ret` NULL when nothing is published under that name. */
int er_definitions_find(errand *e, const char *name, const struct er_options **ret,
                        struct errand_error *err);
void er_definitions_done(struct er_definitions *definitions);

/* resolve.c: er_client_resolve without the look at the clock: once a call is enough for a
 * thousand jobs. `*ret` is written even when it fails. */
int er_resolve(errand *e, const char *name, struct errand_slice data,
               const struct errand_options *options, struct errand_arena *arena,
               struct errand_push_job *ret, struct errand_error *err);
/* The same for a class at hand, registered or not. */
int er_resolve_class(errand *e, const struct errand_job_class *job_class,
                     struct errand_slice data, const struct errand_options *options,
                     struct errand_push_job *ret, struct errand_error *err);
/* Fills in queue, configuration and default. */
void er_levels_below(const errand *e, struct er_options *into);

/* dispatch.c: one push, repeated while it may be. */
int er_push(errand *e, const struct errand_push_params *p, struct errand_push_result *ret,
            struct errand_error *err);

/* wait.c: asks `look` until it answers 1, asleep in between until something has ended. 0,
 * or ETIMEOUT without a message, or what look answers that no later look mends.
 * timeout_ms < 0: for ever. */
typedef int er_look_fn(errand *e, void *ctx, struct errand_error *err);
int er_wait_until(errand *e, int64_t timeout_ms, er_look_fn *look, void *ctx,
                  struct errand_error *err);

#endif
