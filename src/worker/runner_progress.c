/* runner_progress.c: progress as it is told, at most four times a second. The last word
 * before the end is never lost: it goes out with DONE. */
#include "worker/runner_inside.h"

#include <string.h>

#include "base/error.h"

enum { PROGRESS_EVERY_US = 250000 };

/* At most as much as fits, cut before a character. */
static void note_keep(char *into, const char *note)
{
    size_t len = strnlen(note, ER_NOTE_MAX);

    if (len == ER_NOTE_MAX) {
        len--;
        while (len > 0 && ((unsigned char)note[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(into, note, len);
    into[len] = '\0';
}

void er_self_progress_rest(struct er_self *r, struct er_buf *buf)
{
    struct er_frame_progress frame = {.slot = r->slot, .percent = r->percent};

    if (!r->has_progress)
        return;
    frame.note = (struct errand_slice){.ptr = r->note, .len = strlen(r->note)};
    er_frame_write_progress(buf, &frame);
    r->has_progress = false;
}

int er_self_progress(void *ctx, int percent, const char *note, struct errand_error *err)
{
    struct er_self *r = ctx;
    int64_t now = er_self_now_us();

    r->percent = percent;
    r->has_progress = true;
    note_keep(r->note, note);
    if (r->progress_sent_us && now - r->progress_sent_us < PROGRESS_EVERY_US)
        return 0;
    r->progress_sent_us = now;
    er_self_progress_rest(r, er_out_begin(&r->out));
    er_out_end(&r->out);
    if (er_out_flush(&r->out) < 0)
        return errand_error_set(err, ERRAND_EIO, "the worker is gone");
    return 0;
}
