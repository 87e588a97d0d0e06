/* channel.h: what an executable says: on its descriptor 3, a line of JSON each, and by
 * its exit code. */
#ifndef ER_WORKER_CHANNEL_H
#define ER_WORKER_CHANNEL_H

#include "errand/error.h"
#include "errand/types.h"

enum er_said {
    ER_SAID_NOTHING, /* no JSON, or more than a result may have */
    ER_SAID_PROGRESS,
    ER_SAID_RESULT, /* the line is the result, unless another one follows */
    ER_SAID_DISPATCH,
    ER_SAID_SNOOZE, /* not now, or with an exit code that fails: the next try then */
};

enum { ER_CHANNEL_LINE_MAX = 17 << 20, ER_CODE_FOR_GOOD = 65, ER_CODE_RETRY = 75 };

struct er_channel_value {
    /* of a dispatch the job as an object, or an array of them; of progress its note as a
     * JSON string, len 0 without one */
    struct errand_slice json;
    int32_t percent; /* of progress, 0 to 100 */
    int64_t wait_ms; /* of snooze */
};

/* What this line (without its line feed) says. ER_SAID_NOTHING sets `err`, but for an
 * empty line. */
enum er_said er_channel_line(struct errand_slice line, struct er_channel_value *ret,
                             struct errand_error *err);
/* The verdict (enum errand_verdict) of one that exits so; `snoozes`: it said when. */
int er_channel_verdict(int exit_code, bool snoozes);

#endif
