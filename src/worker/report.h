/* report.h: what a person at a terminal sees of a worker: a line per attempt, or a line a
 * second under load. */
#ifndef ER_WORKER_REPORT_H
#define ER_WORKER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_supervisor;
struct errand_arena;
struct errand_outcome;
struct er_attempt;

enum { ER_REPORT_REMARKS = 16 };

struct er_report {
    bool is_quiet, has_colour;
    int64_t second_ms;                   /* wall clock: the second that is counted */
    int lines_n;                         /* printed in it */
    int64_t done_n, retried_n, failed_n; /* not printed in it */
    int64_t minute_ms;
    int warnings_n, muted_n; /* in this minute */
    int64_t remarks_at_ms;   /* monotonic: the next look at what surrounds the store */
    uint64_t remarked[ER_REPORT_REMARKS]; /* what the last one found, by hash */
    size_t remarked_n;
};

void er_report_init(struct er_supervisor *s);
void er_report_start(struct er_supervisor *s);
/* Before the first heartbeat: a living worker of the same name is warned of. */
void er_report_namesake(struct er_supervisor *s, struct errand_arena *arena);
/* Once a minute: what a server's settings do to the promises and who is in the way, each
 * said once as long as it stays so. */
void er_report_surroundings(struct er_supervisor *s, struct errand_arena *arena);
/* Files that cannot run. */
void er_report_jobs(struct er_supervisor *s);
void er_report_ended(struct er_supervisor *s, const struct er_attempt *attempt,
                     const struct errand_outcome *outcome);
/* What happened to the worker itself; not with is_quiet. */
void er_report_note(struct er_supervisor *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What went wrong; at most 10 a minute, the rest is counted. */
void er_report_warn(struct er_supervisor *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints what was counted. */
void er_report_flush(struct er_supervisor *s);
/* The same when its second is over. */
void er_report_turn(struct er_supervisor *s);

#endif
