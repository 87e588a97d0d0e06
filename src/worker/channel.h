/* channel.h: what an executable says on its descriptor 3, a line of JSON each. */
#ifndef ER_WORKER_CHANNEL_H
#define ER_WORKER_CHANNEL_H

#include "errand/error.h"
#include "errand/types.h"

enum er_said {
    ER_SAID_NOTHING, /* no JSON, or more than a result may have */
    ER_SAID_PROGRESS,
    ER_SAID_RESULT, /* the line is the result, unless another one follows */
    ER_SAID_DISPATCH,
};

enum { ER_CHANNEL_LINE_MAX = 17 << 20 };

/* What this line (without its line feed) says. Progress: `ret_percent` is a whole number
 * from 0 to 100, `ret_value` its note as a JSON string, len 0 without one. Dispatch:
 * `ret_value` is the job as an object, or an array of them. ER_SAID_NOTHING sets `err`,
 * but for an empty line. */
enum er_said er_channel_line(struct errand_slice line, int32_t *ret_percent,
                             struct errand_slice *ret_value, struct errand_error *err);

#endif
