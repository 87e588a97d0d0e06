/* protocol.c: what goes into a frame comes out of it, and nothing that comes over the
 * socket can make a reader step outside of it. */
#include "worker/protocol.h"

#include "support/test.h"

static struct errand_slice text(const char *s)
{
    return (struct errand_slice){.ptr = s, .len = strlen(s)};
}

static void assert_slice(struct errand_slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    if (got.len)
        assert_memory_equal(got.ptr, want, got.len);
}

static const struct er_frame_job sample_job = {
    .slot = 1023,
    .kind = ER_RUN_FAILED_HOOK,
    .attempt = 3,
    .tries = -1,
    .timeout_ms = INT64_C(0x0102030405060708),
    .id = {"id-1", 4},
    .name = {"send-email", 10},
    .queue = {"mail", 4},
    .data = {"{\"to\":\"\0\"}", 9},
    .options = {"{}", 2},
    .error = {"no such user", 12},
};

TEST(job_comes_back_as_it_was_sent)
{
    struct er_buf buf;
    struct er_frame frame;
    struct er_frame_job got;

    er_buf_init(&buf, ER_FRAME_MAX * 2);
    assert_int_equal(er_frame_write_job(&buf, &sample_job), 0);
    assert_int_equal(er_frame_next(buf.ptr, buf.len, &frame), (long)buf.len);
    assert_int_equal(frame.type, ER_FRAME_JOB);
    assert_int_equal(er_frame_read_job(&frame, &got), 0);
    assert_int_equal(got.slot, 1023);
    assert_int_equal(got.kind, ER_RUN_FAILED_HOOK);
    assert_int_equal(got.attempt, 3);
    assert_int_equal(got.tries, -1);
    assert_true(got.timeout_ms == INT64_C(0x0102030405060708));
    assert_slice(got.id, "id-1");
    assert_slice(got.name, "send-email");
    assert_slice(got.queue, "mail");
    assert_int_equal(got.data.len, 9);
    assert_memory_equal(got.data.ptr, sample_job.data.ptr, 9);
    assert_slice(got.options, "{}");
    assert_slice(got.error, "no such user");
    er_buf_done(&buf);
}

/* One of each, in the order in which they are read below. */
static void runner_frames_write(struct er_buf *buf)
{
    er_buf_init(buf, ER_FRAME_MAX);
    assert_int_equal(
        er_frame_write_hello(buf, &(struct er_frame_hello){1, text("{\"jobs\":[]}")}), 0);
    assert_int_equal(
        er_frame_write_slot(buf, ER_FRAME_STARTED, 7, (struct errand_slice){0}), 0);
    assert_int_equal(
        er_frame_write_progress(buf, &(struct er_frame_progress){7, -40, text("half")}),
        0);
    assert_int_equal(er_frame_write_slot(buf, ER_FRAME_LOG, 7, text("hello\n")), 0);
    assert_int_equal(
        er_frame_write_done(buf, &(struct er_frame_done){.slot = 7,
                                                         .verdict = 3,
                                                         .snooze_ms = -5,
                                                         .cpu_us = INT64_MAX,
                                                         .error = text("later"),
                                                         .result = text("[1]")}),
        0);
    assert_int_equal(er_frame_write_bare(buf, ER_FRAME_STOP, (struct errand_slice){0}),
                     0);
}

TEST(frames_of_the_runner_come_back_as_they_were_sent)
{
    struct er_buf buf;
    struct er_frame frame;
    struct er_frame_done done;
    struct er_frame_progress progress;
    struct er_frame_hello hello;
    struct errand_slice log;
    uint32_t slot;
    size_t at = 0;

    runner_frames_write(&buf);
    at += (size_t)er_frame_next(buf.ptr, buf.len, &frame);
    assert_int_equal(er_frame_read_hello(&frame, &hello), 0);
    assert_int_equal(hello.version, 1);
    assert_slice(hello.about, "{\"jobs\":[]}");

    at += (size_t)er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(frame.type, ER_FRAME_STARTED);
    assert_int_equal(er_frame_read_slot(&frame, &slot, &log), 0);
    assert_int_equal(slot, 7);

    at += (size_t)er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(er_frame_read_progress(&frame, &progress), 0);
    assert_int_equal(progress.percent, -40);
    assert_slice(progress.note, "half");

    at += (size_t)er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(frame.type, ER_FRAME_LOG);
    assert_int_equal(er_frame_read_slot(&frame, &slot, &log), 0);
    assert_slice(log, "hello\n");

    at += (size_t)er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(er_frame_read_done(&frame, &done), 0);
    assert_int_equal(done.verdict, 3);
    assert_true(done.snooze_ms == -5 && done.cpu_us == INT64_MAX);
    assert_slice(done.error, "later");
    assert_slice(done.result, "[1]");

    at += (size_t)er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(frame.type, ER_FRAME_STOP);
    assert_int_equal(frame.body.len, 0);
    assert_int_equal(at, buf.len);
    er_buf_done(&buf);
}

TEST(bytes_of_a_frame_are_those_of_the_document)
{
    static const unsigned char want[] = {
        0x23, 0, 0, 0, 0x12,              /* 35 bytes follow, DONE */
        2,    0, 0, 0,                    /* slot */
        1,                                /* RETRY */
        0xe8, 3, 0, 0, 0,    0,   0,   0, /* snooze_ms 1000 */
        9,    0, 0, 0, 0,    0,   0,   0, /* cpu_us */
        3,    0, 0, 0, 'b',  'a', 'd', 2, 0, 0, 0, '[', ']',
    };
    struct er_buf buf;

    er_buf_init(&buf, 1000);
    assert_int_equal(
        er_frame_write_done(
            &buf, &(struct er_frame_done){2, 1, 1000, 9, text("bad"), text("[]")}),
        0);
    assert_int_equal(buf.len, sizeof want);
    assert_memory_equal(buf.ptr, want, sizeof want);
    er_buf_done(&buf);
}

TEST(questions_and_answers_come_through_whole)
{
    struct er_frame_ask ask = {.slot = 3, .code = ER_ASK_DISPATCH, .text = text("[]")};
    struct er_frame_ask answer = {.slot = 3, .code = -4, .text = text("no JSON")}, got;
    struct er_frame frame;
    struct er_buf buf;
    size_t at;

    er_buf_init(&buf, ER_FRAME_MAX);
    assert_int_equal(er_frame_write_ask(&buf, &ask), 0);
    assert_int_equal(er_frame_write_answer(&buf, &answer), 0);
    at = (size_t)er_frame_next(buf.ptr, buf.len, &frame);
    assert_int_equal(frame.type, ER_FRAME_ASK);
    assert_int_equal(er_frame_read_ask(&frame, &got), 0);
    assert_int_equal(got.slot, 3);
    assert_int_equal(got.code, ER_ASK_DISPATCH);
    assert_slice(got.text, "[]");
    frame.body.len--;
    assert_int_equal(er_frame_read_ask(&frame, &got), -1);
    er_frame_next(buf.ptr + at, buf.len - at, &frame);
    assert_int_equal(frame.type, ER_FRAME_ANSWER);
    assert_int_equal(er_frame_read_answer(&frame, &got), 0);
    assert_int_equal(got.code, -4);
    assert_slice(got.text, "no JSON");
    er_buf_done(&buf);
}

TEST(a_frame_cut_anywhere_is_waited_for)
{
    struct er_buf buf;
    struct er_frame frame;

    er_buf_init(&buf, ER_FRAME_MAX);
    assert_int_equal(er_frame_write_job(&buf, &sample_job), 0);
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(er_frame_next(buf.ptr, len, &frame), 0);
    er_buf_done(&buf);
}

TEST(impossible_lengths_are_broken)
{
    struct er_frame frame;

    assert_int_equal(er_frame_next("\0\0\0\0\1", 5, &frame), -1);
    assert_int_equal(er_frame_next("\xff\xff\xff\xff\1", 5, &frame), -1);
    assert_int_equal(er_frame_next("\1\0\x20\1\1", 5, &frame), -1); /* 18 MiB and one */
}

TEST(a_body_too_short_or_too_long_is_broken)
{
    struct er_buf buf;
    struct er_frame frame, cut;
    struct er_frame_job got;

    er_buf_init(&buf, ER_FRAME_MAX);
    assert_int_equal(er_frame_write_job(&buf, &sample_job), 0);
    assert_true(er_frame_next(buf.ptr, buf.len, &frame) > 0);
    for (size_t len = 0; len < frame.body.len; len++) {
        /* A copy of exactly that size, so that a sanitizer sees one byte too many. */
        char *body = malloc(len ? len : 1);
        memcpy(body, frame.body.ptr, len);
        cut = (struct er_frame){frame.type, {body, len}};
        assert_int_equal(er_frame_read_job(&cut, &got), -1);
        free(body);
    }
    cut = (struct er_frame){frame.type, {frame.body.ptr, frame.body.len + 1}};
    assert_int_equal(er_frame_read_job(&cut, &got), -1); /* the NUL behind it */
    er_buf_done(&buf);
}

TEST(a_slot_that_does_not_exist_is_broken)
{
    struct er_frame frame = {ER_FRAME_STARTED, {"\0\4\0\0", 4}};
    struct errand_slice none;
    uint32_t slot;

    assert_int_equal(er_frame_read_slot(&frame, &slot, &none), -1);
}

/* Appends the bytes of the document's lines "    < 41 00 …  A.…" or "    > …". */
static void document_read(char direction, struct er_buf *buf)
{
    const char *source = getenv("ERRAND_SOURCE");
    char path[4096], line[256];
    unsigned byte;
    FILE *f;

    snprintf(path, sizeof path, "%s/docs/protocol.md", source ? source : ".");
    assert_non_null(f = fopen(path, "r"));
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "    ", 4) != 0 || line[4] != direction || line[5] != ' ')
            continue;
        for (const char *p = line + 6; p < line + 6 + 48 && sscanf(p, "%2x", &byte) == 1;
             p += 3) {
            char c = (char)byte;
            assert_int_equal(er_buf_add(buf, &c, 1), 0);
        }
    }
    fclose(f);
}

static struct er_frame document_next(const struct er_buf *buf, size_t *at)
{
    struct er_frame frame = {0};
    long n = er_frame_next(buf->ptr + *at, buf->len - *at, &frame);

    assert_true(n > 0);
    *at += (size_t)n;
    return frame;
}

TEST(the_conversation_in_the_document_is_true)
{
    struct er_buf to, from;
    struct er_frame_job job;
    struct er_frame_hello hello;
    struct er_frame_progress progress;
    struct er_frame_done done;
    struct errand_slice log;
    struct er_frame frame;
    size_t at = 0;
    uint32_t slot;

    er_buf_init(&to, 4096);
    er_buf_init(&from, 4096);
    document_read('>', &to);
    document_read('<', &from);
    frame = document_next(&to, &at);
    assert_int_equal(er_frame_read_job(&frame, &job), 0);
    assert_slice(job.name, "greet");
    assert_slice(job.data, "{\"to\":\"Ann\"}");
    assert_true(job.timeout_ms == 60000);
    assert_int_equal(document_next(&to, &at).type, ER_FRAME_STOP);
    assert_int_equal(at, to.len);

    at = 0;
    frame = document_next(&from, &at);
    assert_int_equal(er_frame_read_hello(&frame, &hello), 0);
    assert_int_equal(hello.version, ER_PROTOCOL_VERSION);
    assert_int_equal(document_next(&from, &at).type, ER_FRAME_STARTED);
    frame = document_next(&from, &at);
    assert_int_equal(er_frame_read_progress(&frame, &progress), 0);
    assert_int_equal(progress.percent, 50);
    frame = document_next(&from, &at);
    assert_int_equal(er_frame_read_slot(&frame, &slot, &log), 0);
    assert_slice(log, "hello Ann\n");
    frame = document_next(&from, &at);
    assert_int_equal(er_frame_read_done(&frame, &done), 0);
    assert_slice(done.result, "\"sent\"");
    assert_true(done.cpu_us == 1200);
    assert_int_equal(at, from.len);
    er_buf_done(&to);
    er_buf_done(&from);
}

/* The tables of the document are held to the code: whoever maps that memory from another
 * language counts on these offsets. */
TEST(the_shared_area_is_laid_out_as_documented)
{
    assert_int_equal(offsetof(struct er_shared, stopping), 8);
    assert_int_equal(offsetof(struct er_shared, running), 12);
    assert_int_equal(offsetof(struct er_shared, started_mono_ms), 16);
    assert_int_equal(offsetof(struct er_shared, cancel), 24);
    assert_int_equal(offsetof(struct er_shared, marks), 28);
    assert_int_equal(sizeof(struct er_shared), 4128);
    assert_int_equal(ER_FRAME_MAX, 18874368);
}

/* Every reader on every kind of rubbish; the sanitizers are the judge, and what is
 * answered must lie inside of what was given. */
TEST(rubbish_is_read_without_a_step_outside)
{
    uint32_t seed = 20261124;
    char *bytes = malloc(4096);

    for (int round = 0; round < 20000; round++) {
        size_t len = round % 200;
        struct er_frame frame;
        struct er_frame_job job;
        struct er_frame_done done;
        struct er_frame_progress progress;
        struct er_frame_hello hello;
        struct errand_slice log;
        uint32_t slot;

        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            /* Mostly small numbers, so that lengths are often almost right. */
            bytes[i] = (char)((seed >> 24) % ((seed >> 20) % 3 ? 6 : 256));
        }
        long n = er_frame_next(bytes, len, &frame);
        assert_true(n >= -1 && n <= (long)len);
        frame = (struct er_frame){ER_FRAME_LOG, {bytes, len}};
        if (er_frame_read_job(&frame, &job) == 0)
            assert_true(job.error.ptr + job.error.len == bytes + len);
        if (er_frame_read_done(&frame, &done) == 0)
            assert_true(done.result.ptr + done.result.len == bytes + len);
        if (er_frame_read_progress(&frame, &progress) == 0)
            assert_true(progress.note.ptr + progress.note.len == bytes + len);
        if (er_frame_read_hello(&frame, &hello) == 0)
            assert_true(hello.about.ptr + hello.about.len == bytes + len);
        if (er_frame_read_slot(&frame, &slot, &log) == 0)
            assert_true(log.ptr + log.len == bytes + len);
    }
    free(bytes);
}

TEST(a_frame_over_the_maximum_is_refused_and_changes_nothing)
{
    struct er_buf buf;
    struct errand_slice huge = {"", (size_t)ER_FRAME_MAX + 1};

    er_buf_init(&buf, SIZE_MAX / 4);
    assert_int_equal(er_buf_str(&buf, "before"), 0);
    assert_int_equal(er_frame_write_slot(&buf, ER_FRAME_LOG, 0, huge), -1);
    huge.len = ER_FRAME_MAX - 8; /* fits alone, not with its header */
    assert_int_equal(er_frame_write_slot(&buf, ER_FRAME_LOG, 0, huge), -1);
    assert_int_equal(buf.len, 6);
    er_buf_done(&buf);
}

TEST_MAIN()
