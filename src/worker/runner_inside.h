/* runner_inside.h: the state of a runner, for the files runner*.c. */
#ifndef ER_WORKER_RUNNER_INSIDE_H
#define ER_WORKER_RUNNER_INSIDE_H

#include "worker/job.h"
#include "worker/out.h"
#include "worker/protocol.h"
#include "worker/registry.h"
#include "worker/runner.h"

struct er_self {
    struct er_shared *shared; /* NULL: one job at a time, and STARTED */
    struct er_classes classes;
    struct er_out out;
    struct er_buf in;
    size_t at;           /* what of `in` was used */
    struct er_buf ahead; /* with is_ahead: what came behind `at`, see runner_ask.c */
    bool is_ahead;
    struct er_job_host host;
    struct errand_job job; /* the one that runs, or ran last */
    struct errand_error error;
    uint32_t slot;
    int64_t now_us; /* monotonic, as of the end of the last job or read */
    int64_t unsent_since_us;
    int64_t cpu_us, cpu_at_us; /* CPU time of the process, and when it was looked at */
    bool has_progress;         /* said, not sent yet */
    int64_t progress_sent_us;
    int percent;
    char note[ER_NOTE_MAX];
};

enum { ER_LOG_MAX = 64 << 10 };

int64_t er_self_now_us(void);
int64_t er_self_cpu_us(void);

/* runner_run.c: one JOB frame from mark to DONE. 0, or -1: nobody listens any more. */
int er_self_run(struct er_self *r, struct er_frame_job *frame);
/* runner_progress.c: what job.h promises of progress. */
int er_self_progress(void *ctx, int percent, const char *note, struct errand_error *err);
void er_self_progress_rest(struct er_self *r, struct er_buf *buf);
/* runner_ask.c: what job.h promises of questions. */
int er_self_ask(void *ctx, int kind, struct errand_slice text, struct errand_slice *ret,
                struct errand_error *err);
/* After the handler: goes on with what was read while it waited. */
void er_self_ask_over(struct er_self *r);
/* runner_log.c: what was printed since the last call, as a LOG frame; the memory file is
 * emptied. Cheap when nothing was printed; true when something was. */
bool er_self_log(struct er_self *r, uint32_t slot);
void er_self_log_forget(void);

/* load.c: the classes linked in and, when `project` is not NULL, those of its job files.
 * What is wrong with a file is an error of `classes`; only ENOMEM is an answer. */
int er_classes_load(struct er_classes *classes, const char *project,
                    struct errand_error *err);

/* vet.c: loads one compiled file into this process and adds its classes. EJOB. */
struct er_build;
int er_file_load(struct er_classes *classes, const struct er_build *build,
                 struct errand_error *err);

#endif
