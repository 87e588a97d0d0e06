/* move_inside.h: what the files of a move share. */
#ifndef ER_CLIENT_MOVE_INSIDE_H
#define ER_CLIENT_MOVE_INSIDE_H

#include "client/move.h"

struct er_move_lock {
    struct er_store *store;
    char owner[ERRAND_ID_MAX + 1];
    int64_t token; /* 0: not taken */
};

struct er_moving {
    const struct er_move *move;
    struct er_store *from, *to;
    struct errand_arena *page; /* of the jobs of one call */
    struct errand_arena *list; /* of the page they are read from */
    struct errand_arena *queue_arena;
    struct errand_queue_info *queues; /* of the source; counts: found in the target */
    size_t queues_n;
    bool is_holding; /* queues of the source are paused by this move, or one before */
    bool is_first;   /* nothing was loaded yet: what is in the target came otherwise */
    enum er_move_pass pass;
    int64_t done, total;
    struct er_move_lock locks[2];
};

/* move_lock.c: nobody else moves out of the one or into the other; both are not one. */
int er_move_lock(struct er_moving *m, struct errand_error *err);
/* With every page: the lock is short, so that nobody waits for a move that was killed. */
int er_move_lock_keep(struct er_moving *m, struct errand_error *err);
void er_move_unlock(struct er_moving *m);

/* move_jobs.c: one pass. *ret_n: how many jobs it met. */
/* Before anything is paused: those that are in the target and are not the same. */
int er_move_jobs_compare(struct er_moving *m, struct errand_error *err);
int er_move_jobs_load(struct er_moving *m, struct errand_error *err);
int er_move_jobs_check(struct er_moving *m, struct errand_error *err);
int er_move_jobs_take_out(struct er_moving *m, struct errand_error *err);

/* move_rest.c: what is beside the jobs. */
int er_move_rest_load(struct er_moving *m, struct er_move_result *ret,
                      struct errand_error *err);
/* With m->is_first: what is not in the target is no difference. */
int er_move_rest_check(struct er_moving *m, struct errand_error *err);
int er_move_rest_take_out(struct er_moving *m, struct errand_error *err);

/* move_same.c: what differs, or NULL. */
const char *er_move_differs(const struct errand_job_detail *a,
                            const struct errand_job_detail *b);
const char *er_move_batch_differs(const struct errand_batch_info *a,
                                  const struct errand_batch_info *b);

#endif
