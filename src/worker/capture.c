/* capture.c: a head and a ring. The ring is made only when a job prints more than most.
 */
#include "worker/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { HALF = ER_CAPTURE_HALF, WHOLE = 2 * ER_CAPTURE_HALF };

void er_capture_init(struct er_capture *capture)
{
    *capture = (struct er_capture){0};
    er_buf_init(&capture->head, WHOLE);
}

void er_capture_done(struct er_capture *capture)
{
    er_buf_done(&capture->head);
    free(capture->ring);
    capture->ring = NULL;
    capture->total = 0;
}

/* The byte with number i (from HALF on) stands at (i - HALF) % HALF. */
static void ring_add(struct er_capture *c, uint64_t at, const char *ptr, size_t len)
{
    if (len > HALF) {
        at += len - HALF;
        ptr += len - HALF;
        len = HALF;
    }
    while (len) {
        size_t place = (size_t)((at - HALF) % HALF);
        size_t n = len < HALF - place ? len : HALF - place;
        memcpy(c->ring + place, ptr, n);
        at += n;
        ptr += n;
        len -= n;
    }
}

void er_capture_add(struct er_capture *c, const char *ptr, size_t len)
{
    uint64_t at = c->total;
    size_t room = WHOLE - c->head.len, n = len < room ? len : room;

    c->total += len;
    if (c->ring) {
        ring_add(c, at, ptr, len);
        return;
    }
    if (er_buf_add(&c->head, ptr, n) < 0 || n == len)
        return;
    if (!(c->ring = malloc(HALF)))
        return;
    memcpy(c->ring, c->head.ptr + HALF, HALF);
    ring_add(c, WHOLE, ptr + n, len - n);
}

struct errand_slice er_capture_text(const struct er_capture *c,
                                    struct errand_arena *arena)
{
    size_t place = (size_t)(c->total % HALF);
    char *text;
    int mark;

    if (!c->total || !c->head.len)
        return (struct errand_slice){0};
    if (!c->ring)
        return er_arena_slice(arena, c->head.ptr, c->head.len);
    if (!(text = errand_arena_alloc(arena, WHOLE + 64)))
        return (struct errand_slice){0};
    memcpy(text, c->head.ptr, HALF);
    mark = snprintf(text + HALF, 64, "\n[... %llu bytes left out ...]\n",
                    (unsigned long long)(c->total - WHOLE));
    memcpy(text + HALF + mark, c->ring + place, HALF - place);
    memcpy(text + HALF + mark + (HALF - place), c->ring, place);
    return (struct errand_slice){.ptr = text, .len = WHOLE + (size_t)mark};
}

struct errand_slice er_last_line(struct errand_slice text, size_t max)
{
    const char *start;

    while (text.len && strchr("\n\r\t ", text.ptr[text.len - 1]))
        text.len--;
    if (!text.len)
        return text;
    start = memrchr(text.ptr, '\n', text.len);
    start = start ? start + 1 : text.ptr;
    text.len -= (size_t)(start - text.ptr);
    text.ptr = start;
    if (text.len > max)
        text.len = max;
    return text;
}
