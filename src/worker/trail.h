/* trail.h: which of its jobs a worker has begun, where others find it when it is dead.
 *
 * The store knows what a worker has reserved, not what it has begun: to tell it would
 * cost a commit a job. So a worker notes it in memory that outlives it, a file in
 * /dev/shm, for no more than a store to memory a job. When it is killed, the next worker
 * of this user, machine and store hands back what had not begun, and no attempt is lost.
 * Where there is no such memory, or it went with the machine, the lease decides. */
#ifndef ER_WORKER_TRAIL_H
#define ER_WORKER_TRAIL_H

#include <stdint.h>

#include "store/store.h"

struct er_trail;
struct er_shared;

/* A runner's marks; they are part of the trail when `no` is not 0. */
struct er_marks {
    struct er_shared *shared;
    uint32_t no;
};

/* Room for so many jobs at a time; those above it are not noted. NULL: there can be none
 * here. */
struct er_trail *er_trail_new(struct er_store *store, size_t jobs_n);
/* `is_kept`: not all of its jobs were settled; another worker is to see to them. */
void er_trail_free(struct er_trail *trail, bool is_kept);
/* It is needed still. One of another store that nobody has touched for an hour
 * is removed by whoever comes across it. */
void er_trail_touch(struct er_trail *trail);

/* All of these take a NULL trail, and entry 0 for a job that is not noted. */
uint32_t er_trail_add(struct er_trail *trail, const struct errand_reserved *job);
void er_trail_waits(struct er_trail *trail, uint32_t entry);
/* It begins when the runner moves the mark of this slot, unless it is taken back. */
void er_trail_given(struct er_trail *trail, uint32_t entry, uint32_t marks_no,
                    uint32_t slot);
void er_trail_begun(struct er_trail *trail, uint32_t entry);
void er_trail_gone(struct er_trail *trail, uint32_t entry);

/* Shared memory for a runner, with a descriptor for it that the caller closes. */
int er_marks_new(struct er_trail *trail, struct er_marks *ret, int *ret_fd,
                 struct errand_error *err);
void er_marks_free(struct er_trail *trail, struct er_marks *marks);

/* Hands back what dead workers of the same store had not begun. */
int er_trails_follow(struct er_store *store, struct errand_arena *arena, size_t *ret_n,
                     struct errand_error *err);

#endif
