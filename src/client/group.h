/* group.h: the push behind chains, batches and flows: jobs, edges between them, the batch
 * that watches them and the jobs that follow its end. */
#ifndef ER_CLIENT_GROUP_H
#define ER_CLIENT_GROUP_H

#include "client/handle.h"
#include "errand/flow.h"

/* An id with room for what is hung on it: "/12345", "/node", ":finally". */
enum { ER_GROUP_ID_MAX = 50, ER_GROUP_CALLBACKS_N = 3 };

struct er_group {
    errand *e;
    const struct errand_batch_options *options; /* never NULL */
    struct errand_push_batch batch;
    struct errand_push_job *jobs; /* in the arena of the call */
    struct errand_edge *edges;
    size_t jobs_n, edges_n;
    size_t given_n;           /* ids that the caller has given to jobs */
    bool has_own_id;          /* then every job gets an id that follows from it */
    struct errand_id next_id; /* of the next job, where its caller has not given one */
};

/* Empties the arena of the call and makes room for so many jobs and edges. `kind` is kept
 * with the batch: "chain", "batch", "flow". */
int er_group_begin(struct er_group *group, errand *e, const char *kind,
                   const struct errand_batch_options *options, struct errand_error *err);
int er_group_room(struct er_group *group, size_t jobs, size_t edges,
                  struct errand_error *err);
/* Resolves the next job; it is a member when `is_member`. The caller names the place of
 * an error. */
int er_group_add(struct er_group *group, const struct errand_dispatch_item *item,
                 bool is_member, struct errand_error *err);
/* The next job added becomes ID + separator + name, or EINVAL when that is too long.
 * Before it is added, because what is encrypted is bound to the id. */
int er_group_name(struct er_group *group, char separator, const char *name,
                  struct errand_error *err);
void er_group_edge(struct er_group *group, size_t child, size_t parent,
                   enum errand_edge_on on);
/* Adds what follows the end and stores it all; answers how many jobs were inserted. */
int er_group_push(struct er_group *group, struct errand_id *ret_id,
                  struct errand_error *err);

/* Stores `items` in one transaction, each as a member of batches[i] where that is said,
 * as errand_dispatch_bulk does. `ret` is valid until the next call on `e`. */
struct er_item;
int er_items_push(errand *e, const struct er_item *items, size_t n,
                  const struct errand_id *batches, struct errand_push_result *ret,
                  struct errand_error *err);

/* batch.c: what the store says of one, without failures. Borrowed from `info`. */
struct errand_batch_result er_batch_result_of(const struct errand_batch_info *info);
/* Members that failed for good, in order of insertion. */
int er_batch_failures(struct er_store *store, const struct errand_id *batch, size_t max,
                      struct errand_arena *arena, struct errand_list_result *ret,
                      struct errand_error *err);

#endif
