/* protocol.c: a stream of frames from a process that may be mad. No length is believed,
 * and a frame that can be read is written again as the same bytes. */
#include "fuzz.h"

#include "worker/protocol.h"

/* Reads a frame as what it says it is and writes it. -1 when it is broken. */
static int write_again(const struct er_frame *frame, struct er_buf *ret)
{
    struct er_frame_job job;
    struct er_frame_done done;
    struct er_frame_progress progress;
    struct er_frame_hello hello;
    struct er_frame_ask ask;
    struct errand_slice text;
    uint32_t slot;

    switch (frame->type) {
    case ER_FRAME_JOB:
        return er_frame_read_job(frame, &job) < 0 ? -1 : er_frame_write_job(ret, &job);
    case ER_FRAME_DONE:
        return er_frame_read_done(frame, &done) < 0 ? -1
                                                    : er_frame_write_done(ret, &done);
    case ER_FRAME_PROGRESS:
        return er_frame_read_progress(frame, &progress) < 0
                   ? -1
                   : er_frame_write_progress(ret, &progress);
    case ER_FRAME_HELLO:
        return er_frame_read_hello(frame, &hello) < 0 ? -1
                                                      : er_frame_write_hello(ret, &hello);
    case ER_FRAME_ASK:
        return er_frame_read_ask(frame, &ask) < 0 ? -1 : er_frame_write_ask(ret, &ask);
    case ER_FRAME_ANSWER:
        return er_frame_read_answer(frame, &ask) < 0 ? -1
                                                     : er_frame_write_answer(ret, &ask);
    case ER_FRAME_STARTED:
    case ER_FRAME_LOG:
        return er_frame_read_slot(frame, &slot, &text) < 0
                   ? -1
                   : er_frame_write_slot(ret, (enum er_frame_type)frame->type, slot,
                                         text);
    default:
        return -1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;
    struct er_frame frame;
    struct er_buf buf;
    long n;

    er_buf_init(&buf, 64 << 20);
    while ((n = er_frame_next(p, (size_t)(end - p), &frame)) > 0) {
        MUST(n <= end - p);
        MUST(frame.body.ptr + frame.body.len == p + n);
        er_buf_reset(&buf);
        if (write_again(&frame, &buf) == 0)
            MUST(buf.len == (size_t)n && memcmp(buf.ptr, p, buf.len) == 0);
        p += n;
    }
    er_buf_done(&buf);
    return 0;
}
