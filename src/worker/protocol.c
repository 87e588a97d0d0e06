/* protocol.c: frames to bytes and back.
 *
 * A writer measures the body first and appends the frame whole or not at all. A reader
 * believes no length: every step through a body asks whether so many bytes are left, and
 * numbers are put together byte by byte, so that neither alignment nor the order of bytes
 * of the machine matters. */
#include "worker/protocol.h"

#include <string.h>

enum { LENGTH_SIZE = 4, HEADER_SIZE = 5, STRING_MAX = ER_FRAME_MAX };

/* ------------------------------------------------------------------ writing */

static char *put_u32(char *p, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(n >> (8 * i));
    return p + 4;
}

static char *put_i64(char *p, int64_t number)
{
    uint64_t n = (uint64_t)number;

    for (int i = 0; i < 8; i++)
        p[i] = (char)(n >> (8 * i));
    return p + 8;
}

static char *put_string(char *p, struct errand_slice text)
{
    p = put_u32(p, (uint32_t)text.len);
    if (text.len)
        memcpy(p, text.ptr, text.len);
    return p + text.len;
}

/* Room for one frame with `fixed` bytes of numbers and these strings; NULL when it would
 * be too big. The caller writes the body where the answer points and then calls
 * frame_end. */
static char *frame_begin(struct er_buf *buf, enum er_frame_type type, size_t fixed,
                         const struct errand_slice *strings, size_t strings_n)
{
    size_t body = fixed;
    char *p;

    for (size_t i = 0; i < strings_n; i++) {
        if (strings[i].len > STRING_MAX)
            return NULL;
        body += LENGTH_SIZE + strings[i].len;
    }
    if (body + 1 > ER_FRAME_MAX || er_buf_reserve(buf, HEADER_SIZE + body) < 0)
        return NULL;
    p = put_u32(buf->ptr + buf->len, (uint32_t)body + 1);
    *p++ = (char)type;
    return p;
}

static int frame_end(struct er_buf *buf, char *end)
{
    *end = '\0';
    buf->len = (size_t)(end - buf->ptr);
    return 0;
}

int er_frame_write_job(struct er_buf *buf, const struct er_frame_job *frame)
{
    const struct errand_slice strings[] = {frame->id,   frame->name,    frame->queue,
                                           frame->data, frame->options, frame->error};
    const size_t strings_n = sizeof strings / sizeof *strings;
    char *p = frame_begin(buf, ER_FRAME_JOB, 4 + 1 + 4 + 4 + 8, strings, strings_n);

    if (!p)
        return -1;
    p = put_u32(p, frame->slot);
    *p++ = (char)frame->kind;
    p = put_u32(p, (uint32_t)frame->attempt);
    p = put_u32(p, (uint32_t)frame->tries);
    p = put_i64(p, frame->timeout_ms);
    for (size_t i = 0; i < strings_n; i++)
        p = put_string(p, strings[i]);
    return frame_end(buf, p);
}

int er_frame_write_done(struct er_buf *buf, const struct er_frame_done *frame)
{
    const struct errand_slice strings[] = {frame->error, frame->result};
    char *p = frame_begin(buf, ER_FRAME_DONE, 4 + 1 + 8 + 8, strings, 2);

    if (!p)
        return -1;
    p = put_u32(p, frame->slot);
    *p++ = (char)frame->verdict;
    p = put_i64(p, frame->snooze_ms);
    p = put_i64(p, frame->cpu_us);
    p = put_string(p, frame->error);
    return frame_end(buf, put_string(p, frame->result));
}

int er_frame_write_progress(struct er_buf *buf, const struct er_frame_progress *frame)
{
    char *p = frame_begin(buf, ER_FRAME_PROGRESS, 4 + 4, &frame->note, 1);

    if (!p)
        return -1;
    p = put_u32(p, frame->slot);
    p = put_u32(p, (uint32_t)frame->percent);
    return frame_end(buf, put_string(p, frame->note));
}

int er_frame_write_ask(struct er_buf *buf, const struct er_frame_ask *frame)
{
    char *p = frame_begin(buf, ER_FRAME_ASK, 4 + 1, &frame->text, 1);

    if (!p)
        return -1;
    p = put_u32(p, frame->slot);
    *p++ = (char)frame->code;
    return frame_end(buf, put_string(p, frame->text));
}

int er_frame_write_answer(struct er_buf *buf, const struct er_frame_ask *frame)
{
    char *p = frame_begin(buf, ER_FRAME_ANSWER, 4 + 4, &frame->text, 1);

    if (!p)
        return -1;
    p = put_u32(p, frame->slot);
    p = put_u32(p, (uint32_t)frame->code);
    return frame_end(buf, put_string(p, frame->text));
}

int er_frame_write_hello(struct er_buf *buf, const struct er_frame_hello *frame)
{
    char *p = frame_begin(buf, ER_FRAME_HELLO, 4, &frame->about, 1);

    if (!p)
        return -1;
    p = put_u32(p, frame->version);
    return frame_end(buf, put_string(p, frame->about));
}

int er_frame_write_slot(struct er_buf *buf, enum er_frame_type type, uint32_t slot,
                        struct errand_slice text)
{
    const size_t strings_n = type == ER_FRAME_STARTED ? 0 : 1;
    char *p = frame_begin(buf, type, 4, &text, strings_n);

    if (!p)
        return -1;
    p = put_u32(p, slot);
    return frame_end(buf, strings_n ? put_string(p, text) : p);
}

int er_frame_write_bare(struct er_buf *buf, enum er_frame_type type,
                        struct errand_slice text)
{
    const size_t strings_n = type == ER_FRAME_STOP ? 0 : 1;
    char *p = frame_begin(buf, type, 0, &text, strings_n);

    if (!p)
        return -1;
    return frame_end(buf, strings_n ? put_string(p, text) : p);
}

/* ------------------------------------------------------------------ reading */

/* Where a reader stands in a body. Once it is broken every further read answers zero. */
struct cursor {
    const unsigned char *p;
    size_t left;
    bool is_broken;
};

static struct cursor cursor_of(const struct er_frame *frame)
{
    return (struct cursor){.p = (const unsigned char *)frame->body.ptr,
                           .left = frame->body.len};
}

static const unsigned char *take(struct cursor *c, size_t n)
{
    const unsigned char *p = c->p;

    if (c->is_broken || n > c->left) {
        c->is_broken = true;
        return NULL;
    }
    if (n == 0)
        return p;
    c->p += n;
    c->left -= n;
    return p;
}

static uint64_t take_number(struct cursor *c, size_t bytes)
{
    const unsigned char *p = take(c, bytes);
    uint64_t n = 0;

    for (size_t i = 0; p && i < bytes; i++)
        n |= (uint64_t)p[i] << (8 * i);
    return n;
}

static uint32_t take_u32(struct cursor *c)
{
    return (uint32_t)take_number(c, 4);
}

static uint32_t take_slot(struct cursor *c)
{
    uint32_t slot = take_u32(c);

    if (slot >= ER_SLOTS)
        c->is_broken = true;
    return slot;
}

static struct errand_slice take_string(struct cursor *c)
{
    size_t len = take_u32(c);
    const unsigned char *p = take(c, len);

    return (struct errand_slice){.ptr = (const char *)p, .len = p ? len : 0};
}

/* A body that is longer than it should be is as wrong as one that is too short. */
static int finish(const struct cursor *c)
{
    return c->is_broken || c->left > 0 ? -1 : 0;
}

long er_frame_next(const char *bytes, size_t len, struct er_frame *ret)
{
    struct cursor c = {.p = (const unsigned char *)bytes, .left = len};
    size_t rest;

    if (len < LENGTH_SIZE)
        return 0;
    rest = take_u32(&c);
    if (rest < 1 || rest > ER_FRAME_MAX)
        return -1;
    if (rest > c.left)
        return 0;
    *ret = (struct er_frame){
        .type = c.p[0],
        .body = {.ptr = (const char *)c.p + 1, .len = rest - 1},
    };
    return (long)(LENGTH_SIZE + rest);
}

int er_frame_read_job(const struct er_frame *frame, struct er_frame_job *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_job){.slot = take_slot(&c)};
    ret->kind = (uint8_t)take_number(&c, 1);
    ret->attempt = (int32_t)take_u32(&c);
    ret->tries = (int32_t)take_u32(&c);
    ret->timeout_ms = (int64_t)take_number(&c, 8);
    ret->id = take_string(&c);
    ret->name = take_string(&c);
    ret->queue = take_string(&c);
    ret->data = take_string(&c);
    ret->options = take_string(&c);
    ret->error = take_string(&c);
    return finish(&c);
}

int er_frame_read_done(const struct er_frame *frame, struct er_frame_done *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_done){.slot = take_slot(&c)};
    ret->verdict = (uint8_t)take_number(&c, 1);
    ret->snooze_ms = (int64_t)take_number(&c, 8);
    ret->cpu_us = (int64_t)take_number(&c, 8);
    ret->error = take_string(&c);
    ret->result = take_string(&c);
    return finish(&c);
}

int er_frame_read_progress(const struct er_frame *frame, struct er_frame_progress *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_progress){.slot = take_slot(&c)};
    ret->percent = (int32_t)take_u32(&c);
    ret->note = take_string(&c);
    return finish(&c);
}

int er_frame_read_ask(const struct er_frame *frame, struct er_frame_ask *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_ask){.slot = take_slot(&c)};
    ret->code = (int32_t)take_number(&c, 1);
    ret->text = take_string(&c);
    return finish(&c);
}

int er_frame_read_answer(const struct er_frame *frame, struct er_frame_ask *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_ask){.slot = take_slot(&c)};
    ret->code = (int32_t)take_u32(&c);
    ret->text = take_string(&c);
    return finish(&c);
}

int er_frame_read_hello(const struct er_frame *frame, struct er_frame_hello *ret)
{
    struct cursor c = cursor_of(frame);

    *ret = (struct er_frame_hello){.version = take_u32(&c)};
    ret->about = take_string(&c);
    return finish(&c);
}

int er_frame_read_slot(const struct er_frame *frame, uint32_t *ret_slot,
                       struct errand_slice *ret_text)
{
    struct cursor c = cursor_of(frame);

    *ret_slot = take_slot(&c);
    *ret_text = (struct errand_slice){0};
    if (frame->type != ER_FRAME_STARTED)
        *ret_text = take_string(&c);
    return finish(&c);
}
