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

enum { ER_REPORT_REMARKS = 16, ER_REPORT_KINDS = 48 };
#define ER_REPORT_YELLOW "\x1b[33m"

/* Warnings of one kind: the same words, about the same error. */
struct er_report_kind {
    const char *words; /* of printf */
    int code;
    int64_t minute_ms;   /* monotonic: when the minute that is counted began */
    int said_n, muted_n; /* in it */
    char last[256];      /* of the muted */
};

struct er_report {
    bool is_quiet, has_colour;
    int64_t second_ms;                   /* wall clock: the second that is counted */
    int lines_n;                         /* printed in it */
    int64_t done_n, retried_n, failed_n; /* not printed in it */
    struct er_report_kind kinds[ER_REPORT_KINDS];
    size_t kinds_n;
    int64_t remarks_at_ms; /* monotonic: the next look at what surrounds the store */
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
/* One line, as it is. */
void er_report_line(struct er_supervisor *s, const char *colour, const char *text);

/* warn.c: what went wrong. Of one kind (the same fmt) at most 10 a minute: the rest is
 * counted, and told with the last of them when the minute is over. So what repeats itself
 * keeps nothing else from being told. */
void er_report_warn(struct er_supervisor *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, each error a kind of its own. False: counted only. */
bool er_report_warn_of(struct er_supervisor *s, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* That what was warned of is over: always said, so only after a warning that was. */
void er_report_over(struct er_supervisor *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Tells what was muted: all, or the minutes that are over. */
void er_report_warn_flush(struct er_supervisor *s);
void er_report_warn_turn(struct er_supervisor *s);
/* Prints what was counted. */
void er_report_flush(struct er_supervisor *s);
/* The same when its second is over. */
void er_report_turn(struct er_supervisor *s);

#endif
