/* exec_job.h: one attempt as a process of its own: an executable of app/Jobs or a command
 * of queue:run. */
#ifndef ER_WORKER_EXEC_JOB_H
#define ER_WORKER_EXEC_JOB_H

#include <uv.h>

#include "worker/attempt.h"
#include "worker/spawn.h"

struct er_supervisor;

struct er_exec {
    struct er_exec *next;
    struct er_supervisor *s;
    struct er_attempt *attempt;
    struct er_child child;
    uv_poll_t death, output, channel;
    int output_fd, channel_fd; /* 1 and 2 of the child; its 3 */
    int handles_n;
    bool is_over;
    struct er_buf line;   /* of the channel, not whole yet */
    bool is_loss_told;    /* the log says that a line was left out */
    char failure[512];    /* what it said and could not be done, if it is not lost; "" */
    int64_t snooze_ms;    /* what it asked for; -1: nothing */
    struct er_buf result; /* the last whole line that was nothing else */
};

/* Starts it; on failure the attempt has been ended with the cause. */
void er_exec_start(struct er_supervisor *s, struct er_attempt *attempt);
/* Looks whether it has ended, where no descriptor tells. */
void er_exec_check(struct er_exec *exec);
void er_exec_free(struct er_exec *exec);

#endif
