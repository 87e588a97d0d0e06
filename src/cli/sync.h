/* sync.h: one attempt in a child process, here and now, without a store. */
#ifndef ER_CLI_SYNC_H
#define ER_CLI_SYNC_H

#include "base/buf.h"
#include "cli/cli.h"
#include "worker/runner.h"
#include "worker/spawn.h"

struct er_sync {
    struct er_cli *cli;
    const struct er_job_about *job;
    const char *name; /* as it was asked for */
    const char *queue;
    struct errand_slice data;
    int64_t timeout_ms;
    struct errand_id id;

    struct er_child child;
    bool is_runner; /* the channel is the protocol, else lines of JSON */
    int output_fd;  /* what the job prints, passed on to standard error */
    int channel_fd;
    bool is_over; /* the child has ended: status */
    int status;
    bool has_answer; /* a DONE frame, or an executable that ended */
    bool is_timed_out;
    int verdict;          /* enum errand_verdict */
    struct er_buf in;     /* of the channel, not whole yet */
    struct er_buf result; /* JSON, or empty */
    struct er_buf error;  /* what went wrong, in words */
};

/* sync_start.c: starts the child: the program itself for a C handler, else the file. */
int er_sync_start(struct er_sync *sync, struct errand_error *err);
/* sync_run.c: until the child has answered or its time is over. */
int er_sync_run(struct er_sync *sync, struct errand_error *err);

#endif
