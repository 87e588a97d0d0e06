/* ask_turn.c: running jobs that wait for an answer of the store.
 *
 * The frame is noted when it comes and answered in the turn, before anything is settled:
 * what a job has dispatched is stored before its own end is. A store that is busy is
 * asked again for a while, and only then the handler hears of it. */
#include "worker/ask.h"

#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "worker/supervisor.h"

enum { RETRY_MS = 100, GIVE_UP_MS = 10000 };

int er_runner_asks(struct er_runner *r, const struct er_frame *frame)
{
    struct er_question *q = &r->question;
    struct er_frame_ask ask;

    if (er_frame_read_ask(frame, &ask) < 0 || ask.slot >= ER_SLOTS ||
        !r->slots[ask.slot] || q->is_open)
        return -1;
    if (!q->text.max)
        er_buf_init(&q->text, ER_FRAME_MAX);
    er_buf_reset(&q->text);
    if (er_buf_add(&q->text, ask.text.ptr, ask.text.len) < 0)
        return -1;
    q->is_open = true;
    q->slot = ask.slot;
    q->kind = ask.code;
    q->retry_at_ms = r->s->now_ms;
    q->give_up_ms = r->s->now_ms + GIVE_UP_MS;
    er_supervisor_wake_at(r->s, r->s->now_ms);
    return 0;
}

int er_ask_now(struct er_supervisor *s, struct er_attempt *a, int kind,
               struct errand_slice text, struct er_buf *answer, struct errand_error *err)
{
    struct er_asker asker = {
        .job = a->job, .kind = a->kind, .dispatched_n = a->dispatched_n};
    int rc;

    if (a->lot->is_lost || a->stop == ER_STOP_LOST)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "the lease of this job was lost: another worker may run "
                                "it by now");
    (void)er_failpoint("before-ask");
    rc = er_ask_answer(s->client, &asker, (enum er_ask_kind)kind, text, answer, err);
    if (rc == 0 && kind == ER_ASK_DISPATCH) {
        a->dispatched_n = asker.dispatched_n;
        er_settle_look(s);
        (void)er_failpoint("after-ask");
    }
    return rc;
}

static void answer(struct er_runner *r, const struct er_frame_ask *frame)
{
    static const char lost[] = "the answer is more than a runner takes at once";
    struct er_frame_ask shorter = {
        .slot = frame->slot, .code = ERRAND_ETOOBIG, .text = {lost, sizeof lost - 1}};

    r->question.is_open = false;
    if (er_frame_write_answer(&r->out, frame) < 0)
        er_frame_write_answer(&r->out, &shorter);
    er_runner_flush(r);
}

static void question_try(struct er_supervisor *s, struct er_runner *r)
{
    struct er_question *q = &r->question;
    struct er_frame_ask frame = {.slot = q->slot};
    struct errand_error err = {0};
    struct er_buf text;

    er_buf_init(&text, ER_FRAME_MAX - 64);
    frame.code = er_ask_now(s, r->slots[q->slot], q->kind,
                            (struct errand_slice){q->text.ptr, q->text.len}, &text, &err);
    frame.text = (struct errand_slice){text.ptr, text.len};
    if (frame.code < 0) {
        frame.text = errand_text(err.message);
        q->retry_at_ms = s->now_ms + RETRY_MS;
    }
    if (frame.code < 0 && err.retryable && s->now_ms < q->give_up_ms)
        er_supervisor_wake_at(s, q->retry_at_ms);
    else
        answer(r, &frame);
    er_buf_done(&text);
}

void er_asks_turn(struct er_supervisor *s)
{
    for (struct er_runner *r = s->slots.runners; r; r = r->next) {
        struct er_question *q = &r->question;
        if (!q->is_open)
            continue;
        if (!r->slots[q->slot])
            q->is_open = false; /* it ended without waiting */
        else if (s->now_ms >= q->retry_at_ms)
            question_try(s, r);
        else
            er_supervisor_wake_at(s, q->retry_at_ms);
    }
}
