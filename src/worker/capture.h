/* capture.h: what a job prints, kept up to 64 KiB: the first half and the last half, with
 * a mark where something was cut. */
#ifndef ER_WORKER_CAPTURE_H
#define ER_WORKER_CAPTURE_H

#include "base/buf.h"
#include "errand/driver.h"

/* Two halves and the mark together are 64 KiB, which is all that a store takes. */
enum { ER_CAPTURE_HALF = (32 << 10) - 32 };

struct er_capture {
    /* the first 64 KiB; when more came, the first half of it counts */
    struct er_buf head;
    char *ring; /* then the last half, a ring */
    uint64_t total;
};

void er_capture_init(struct er_capture *capture);
void er_capture_done(struct er_capture *capture);
/* Never fails: what does not fit in memory is cut as well. */
void er_capture_add(struct er_capture *capture, const char *ptr, size_t len);
struct errand_slice er_capture_text(const struct er_capture *capture,
                                    struct errand_arena *arena);
/* The last line that is not empty, at most `max` bytes: what a failed program has to
 * say. Points into the text. */
struct errand_slice er_last_line(struct errand_slice text, size_t max);

#endif
