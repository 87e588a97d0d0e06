/* progress.h: a bar on standard error, for people: only on a terminal, a few times a
 * second, gone when it is over. */
#ifndef ER_CLI_PROGRESS_H
#define ER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct er_progress {
    bool is_shown;
    int64_t total; /* 0: not known, then only a count */
    int64_t began_ms, last_ms;
    const char *noun; /* "jobs" */
};

void er_progress_begin(struct er_progress *progress, int64_t total, const char *noun);
/* `done` of the total, `count` of the noun. */
void er_progress_show(struct er_progress *progress, int64_t done, int64_t count);
void er_progress_end(struct er_progress *progress);

#endif
