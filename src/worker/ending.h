/* ending.h: how a process ended, in words, and other things that both kinds of children
 * have in common. */
#ifndef ER_WORKER_ENDING_H
#define ER_WORKER_ENDING_H

#include <sys/resource.h>

#include "errand/driver.h"

struct er_attempt;
struct er_ending;
struct er_supervisor;

/* A process that ended without an answer: cause, code or signal, what it used; `error`
 * stays empty. */
void er_ending_of_status(int status, const struct rusage *usage, struct er_ending *ret);
/* How many processes the kernel has killed for want of memory. */
int64_t er_oom_kills(void);
/* A SIGKILL that nobody here sent, while that number grew, was for want of memory. */
void er_ending_look_for_oom(struct er_supervisor *s, struct er_ending *ending);
/* "exited with code 3", "killed by signal 11 (SIGSEGV)". Borrowed from the arena. */
const char *er_ending_text(const struct er_ending *ending, struct errand_arena *arena);
/* Kept until the next extend. */
void er_attempt_progress(struct er_supervisor *s, struct er_attempt *attempt,
                         int32_t percent, struct errand_slice note);

#endif
