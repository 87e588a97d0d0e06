/* item.h: a job to be stored as JSON says it: {"job":"send-email","data":{…},"tries":5}.
 *
 * One form for the files of queue:chain, queue:batch and queue:flow, for what an
 * executable writes on its descriptor 3, and for what a handler sends its supervisor. */
#ifndef ER_CLIENT_ITEM_H
#define ER_CLIENT_ITEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "errand/flow.h"

enum er_item_form {
    ER_ITEM_JOB,      /* job, data, id, delay, run_at and the options of a call */
    ER_ITEM_NODE,     /* node, after, after_failure, after_end beside them; no id */
    ER_ITEM_DISPATCH, /* batch beside them */
};

struct er_item {
    struct errand_dispatch_item item; /* item.options is &options, or NULL: none said */
    struct errand_options options;
    bool is_batch; /* a member of the batch of the job that says it */
    const char *node;
    const char *const *after, *const *after_failure, *const *after_end;
};

/* Reads one object, which is JSON. The data is borrowed from it, the rest lives in the
 * arena. EINVAL names the member that is wrong, and for an unknown one the nearest. */
int er_item_read(struct errand_slice object, enum er_item_form form,
                 struct errand_arena *arena, struct er_item *ret,
                 struct errand_error *err);

/* Reads an array of them: the whole of `text`, which `what` names in messages. EJSON with
 * line and column; what is wrong with one says which: "element 3: …". */
int er_items_read(const char *what, struct errand_slice text, enum er_item_form form,
                  struct errand_arena *arena, struct er_item **ret, size_t *ret_n,
                  struct errand_error *err);

/* Appends one as an object. EINVAL for options that are wrong, ENOMEM. The data must be
 * JSON: it is not looked at. */
int er_item_write(struct er_buf *buf, const struct errand_dispatch_item *item,
                  bool is_batch, struct errand_error *err);

#endif
