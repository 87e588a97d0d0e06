/* out.h: what a runner sends, gathered.
 *
 * A write for each of 400,000 outcomes a second would cost more than the jobs, so DONE
 * frames wait for each other: until the input is used up, a millisecond has passed, or
 * a job starts that may take long. When an attempt takes long against expectation, a
 * thread sends what waits; it is made when it is first needed, so a runner of slow jobs
 * stays single-threaded. */
#ifndef ER_WORKER_OUT_H
#define ER_WORKER_OUT_H

#include <pthread.h>

#include "base/buf.h"

struct er_out {
    int fd;
    struct er_buf buf; /* under `lock` once has_thread */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t flushes; /* counts up with each write */
    bool has_thread, is_asleep;
    const volatile int *owner; /* 1 here, 0 in a child of fork */
};

int er_out_init(struct er_out *out, int fd); /* 0 or -1 */
/* Between these two the caller may append to out->buf. */
struct er_buf *er_out_begin(struct er_out *out);
void er_out_end(struct er_out *out);
/* Sends all; 0, or -1 when nobody is there any more. */
int er_out_flush(struct er_out *out);
/* A job is about to start while frames wait: promises that they are sent within about two
 * milliseconds whatever it does. */
void er_out_watch(struct er_out *out);
/* False in the child of a fork, which must keep its hands off the socket. */
bool er_out_is_ours(const struct er_out *out);

#endif
