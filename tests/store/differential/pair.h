/* pair.h: two stores that get the same operations, and what each of them answered, as
 * text in which ids are numbers that both sides share. */
#ifndef ER_TESTS_STORE_PAIR_H
#define ER_TESTS_STORE_PAIR_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

enum { SIDES = 2, NAMES_MAX = 64, WORK_MAX = 256, BATCHES_MAX = 64, LOCKS_N = 3 };

/* Ids of one side, to the number of the job or batch. Open addressing. */
struct id_map {
    struct errand_id *ids;
    size_t *numbers;
    size_t size, n;
};

struct side {
    struct er_store *store;
    struct errand_arena *arena; /* of one step */
    struct er_buf text;         /* what it answered in this step */
    struct errand_error err;
    struct id_map map;
    int64_t last_control, last_token;
    int64_t next_at_ms; /* of the last exchange */
};

/* What was reserved, under each side's own names for it. */
struct work {
    size_t job;
    enum errand_work_kind kind;
    int64_t token[SIDES], key[SIDES];
    char name[32], queue[32]; /* as reserved, as the attempt */
    int32_t attempt;
};

struct pair {
    struct side sides[SIDES];
    uint64_t seed, random;
    int64_t now;
    struct errand_id (*jobs)[SIDES]; /* by number */
    size_t jobs_n, jobs_size;
    struct errand_id batches[BATCHES_MAX]; /* the caller's own: the same on both sides */
    size_t batches_n, batches_made;
    struct work work[WORK_MAX]; /* the last that were handed out; some are settled */
    size_t work_n;
    int64_t lock_tokens[LOCKS_N][SIDES];
    const char *doing; /* the operation of this step */
};

uint64_t pair_random(struct pair *p);
int64_t pick(struct pair *p, int64_t n); /* 0 to n - 1 */
bool chance(struct pair *p, int64_t percent);

/* Gives both ids the next number. */
size_t job_add(struct pair *p, struct errand_id a, struct errand_id b);
size_t job_pick(struct pair *p); /* a recent one more often */

/* What a side answered. */
#define say(side, ...) er_buf_printf(&(side)->text, __VA_ARGS__)
/* false, and the code is said, when the call failed. */
bool say_rc(struct side *side, int rc);
void say_id(struct side *side, const struct errand_id *id);
void say_slice(struct side *side, const char *what, struct errand_slice slice);
void say_control(struct side *side, int64_t control);
/* What `write` says about each of n things, as sorted lines: where the contract leaves
 * the order open. */
void say_sorted(struct side *side, size_t n,
                void (*write)(struct side *, const void *, size_t), const void *things);
void say_moves(struct side *side, const struct errand_move *moves, size_t n);
void say_pushed(struct side *side, const struct errand_pushed_job *job);
void say_info(struct side *side, const struct errand_job_info *job);
void say_detail(struct side *side, const struct errand_job_detail *detail);
void say_batch(struct side *side, const struct errand_batch_info *batch);

/* One random operation on both sides. */
void step(struct pair *p);
/* Everything that can be seen of both. */
void dump(struct pair *p);
void dump_side(struct side *side, int64_t now);
void dump_kept(struct side *side, int64_t now); /* what a move carries */

void step_push(struct pair *p);
void step_fire(struct pair *p);
void step_exchange(struct pair *p);
void step_extend(struct pair *p);
void step_reap(struct pair *p);
void step_change(struct pair *p);
void step_operator(struct pair *p);
void step_beside(struct pair *p);
void step_look(struct pair *p);

#endif
