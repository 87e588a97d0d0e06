/* push.h: the plan of a push: what becomes of each job, before anything is changed. */
#ifndef ER_STORE_MEMORY_PUSH_H
#define ER_STORE_MEMORY_PUSH_H

#include "store/memory/memory.h"

struct mem_plan_job {
    enum errand_pushed pushed;
    struct mem_job *target;            /* the new job, or the one that stands for it */
    struct errand_id pruned;           /* target NULL: its id, it is gone */
    struct errand_slice data, options; /* REPLACED: owned until carried out */
};

struct mem_plan {
    struct mem_plan_job *jobs;
    size_t jobs_n;
    struct mem_batch *batch; /* to be made */
    struct mem_edge **edges; /* NULL where the child was not inserted */
    size_t edges_n;
    struct er_tree ids;  /* new jobs by id */
    struct er_tree keys; /* new jobs' claims by key */
};

int er_mem_plan_make(struct mem_call *call, const struct errand_push_params *p,
                     struct mem_plan *plan, struct errand_error *err);
/* Frees what was not carried out. */
void er_mem_plan_done(struct mem_plan *plan, bool was_carried_out);

/* A job that nobody knows yet, or NULL. */
struct mem_job *er_mem_job_new(struct mem_call *call, const struct errand_push_job *from);
/* What a job asks of the store, into one that asks nothing yet. 0 or -1. */
int er_mem_uses_dup(struct mem_job *job, const struct errand_limit_use *limits, size_t n);
int er_mem_unique_dup(struct mem_job *job, const struct errand_unique *unique);

#endif
