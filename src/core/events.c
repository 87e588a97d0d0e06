/* events.c: what happens, by name. Names are stored and read by programs of others. */
#include "core/events.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "core/state.h"

static const struct {
    const char *name, *help;
} types[ER_TOLD_N] = {
    [ER_TOLD_DISPATCHED] = {"job:dispatched",
                            "it is stored; delay_ms when it is to run later"},
    [ER_TOLD_HELD] = {"job:held",
                      "it was cancelled and waits again, because what it waits for was "
                      "retried"},
    [ER_TOLD_RELEASED] = {"job:released",
                          "it may run without having been tried: what it waited for has "
                          "ended, or a worker that stops gave it back"},
    [ER_TOLD_RESCHEDULED] = {"job:rescheduled",
                             "it waits and has got another time or other data"},
    [ER_TOLD_STARTED] = {"job:started", "an attempt has begun"},
    [ER_TOLD_COMPLETED] = {"job:completed", "it is done, after duration_ms"},
    [ER_TOLD_RETRYING] = {"job:retrying",
                          "an attempt failed with error; attempt is the next one, in "
                          "delay_ms"},
    [ER_TOLD_SNOOZED] =
        {"job:snoozed",
         "it asked to be run later, in delay_ms, or waits for a broken file, with error"},
    [ER_TOLD_FAILED] = {"job:failed", "it has failed for good, with error"},
    [ER_TOLD_TIMED_OUT] = {"job:timed-out",
                           "an attempt ran out of time; what follows is told next"},
    [ER_TOLD_STALLED] = {"job:stalled",
                         "its worker died or was cut off: it may run again, or failed "
                         "or cancelled is told next"},
    [ER_TOLD_CANCELLED] = {"job:cancelled", "it will not run, or was stopped"},
    [ER_TOLD_RETRIED] = {"job:retried",
                         "somebody lets it run again after it had failed or was "
                         "cancelled"},
    [ER_TOLD_BATCH_ENDED] = {"batch:ended",
                             "no member is unfinished; job_id is the batch, job_name its "
                             "name"},
    [ER_TOLD_QUEUE_PAUSED] = {"queue:paused",
                              "nothing of it starts any more; delay_ms when the pause "
                              "has an end"},
    [ER_TOLD_QUEUE_RESUMED] = {"queue:resumed", "jobs of it start again"},
    [ER_TOLD_SCHEDULE_FIRED] = {"schedule:fired",
                                "a slot has made job_id; job_name is the schedule"},
    [ER_TOLD_SCHEDULE_SKIPPED] = {"schedule:skipped",
                                  "a slot made no job: the last one still runs, or it is "
                                  "paused"},
    [ER_TOLD_SCHEDULE_MISSED] = {"schedule:missed",
                                 "slots passed while no scheduler ran; error says how "
                                 "many"},
    [ER_TOLD_WORKER_STARTED] = {"worker:started", "job_name is the worker"},
    [ER_TOLD_WORKER_STOPPED] = {"worker:stopped", "it has stopped by itself"},
    [ER_TOLD_MISSED] = {"events:missed",
                        "this reader was too slow: what was told between the event "
                        "before and the one after is gone"},
};

const char *er_told_name(enum er_told told)
{
    return types[told].name;
}

const char *er_told_help(enum er_told told)
{
    return types[told].help;
}

static const char *word_of(const char *name)
{
    return strchr(name, ':') + 1;
}

int er_told_parse(const char *text, enum er_told *ret, struct errand_error *err)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;

    for (int i = 0; i < ER_TOLD_N; i++) {
        const char *name = types[i].name;
        size_t whole = er_word_distance(text, name);
        size_t word = er_word_distance(text, word_of(name));

        if (strcmp(text, name) == 0 || strcmp(text, word_of(name)) == 0) {
            *ret = (enum er_told)i;
            return 0;
        }
        if (word < whole)
            whole = word;
        if (whole < best) {
            best = whole;
            nearest = name;
        }
    }
    if (best <= 3 && nearest)
        return errand_error_set(err, ERRAND_EINVAL,
                                "no event is called '%s'; did you mean %s?", text,
                                nearest);
    return errand_error_set(err, ERRAND_EINVAL,
                            "no event is called '%s'; job:failed is one, docs/events.md "
                            "has them all",
                            text);
}

/* ------------------------------------------------------------------ what it is called
 */

enum er_told er_told_move(enum errand_state from, enum errand_state to)
{
    if (to == ERRAND_CANCELLED)
        return ER_TOLD_CANCELLED;
    if (to == ERRAND_FAILED)
        return ER_TOLD_FAILED;
    if (to == ERRAND_HELD)
        return ER_TOLD_HELD;
    if (from == ERRAND_RUNNING)
        return ER_TOLD_STALLED;
    if (from == ERRAND_HELD)
        return ER_TOLD_RELEASED;
    return er_state_is_final(from) ? ER_TOLD_RETRIED : ER_TOLD_RESCHEDULED;
}

struct errand_event er_told_pause(const char *queue, int64_t until_ms, int64_t now_ms)
{
    bool is_paused = until_ms > now_ms;

    return (struct errand_event){
        .type = er_told_name(is_paused ? ER_TOLD_QUEUE_PAUSED : ER_TOLD_QUEUE_RESUMED),
        .name = "",
        .queue = queue,
        .duration_ms = -1,
        .delay_ms = is_paused && until_ms != ERRAND_FOREVER ? until_ms - now_ms : -1};
}

struct errand_event er_told_worker(const char *worker, bool has_stopped)
{
    return (struct errand_event){
        .type =
            er_told_name(has_stopped ? ER_TOLD_WORKER_STOPPED : ER_TOLD_WORKER_STARTED),
        .name = worker,
        .queue = "",
        .duration_ms = -1,
        .delay_ms = -1};
}

struct errand_event er_told_batch(const struct errand_id *id, const char *name)
{
    return (struct errand_event){.type = er_told_name(ER_TOLD_BATCH_ENDED),
                                 .id = *id,
                                 .name = name,
                                 .queue = "",
                                 .duration_ms = -1,
                                 .delay_ms = -1};
}

/* Whole characters of it. */
static struct errand_slice error_of(struct errand_slice error)
{
    if (error.len <= ER_TOLD_ERROR_MAX)
        return error;
    error.len = ER_TOLD_ERROR_MAX;
    while (error.len && ((unsigned char)error.ptr[error.len] & 0xc0) == 0x80)
        error.len--;
    return error;
}

static int outcome_type(enum errand_outcome_kind kind)
{
    switch (kind) {
    case ERRAND_OUT_DONE:
        return ER_TOLD_COMPLETED;
    case ERRAND_OUT_RETRY:
        return ER_TOLD_RETRYING;
    case ERRAND_OUT_FAIL:
        return ER_TOLD_FAILED;
    case ERRAND_OUT_SNOOZE:
        return ER_TOLD_SNOOZED;
    case ERRAND_OUT_HAND_BACK:
        return ER_TOLD_RELEASED;
    case ERRAND_OUT_CANCELLED:
        return ER_TOLD_CANCELLED;
    case ERRAND_OUT_HOOK_DONE:
    case ERRAND_OUT_LIMIT: /* it has not begun; of a duplicate the driver tells DONE */
        return -1;
    }
    return -1;
}

bool er_told_outcome(const struct errand_outcome *o, struct errand_event *ret)
{
    int type = outcome_type(o->kind);
    int64_t delay_ms = o->run_at_ms > o->ended_ms ? o->run_at_ms - o->ended_ms : 0;

    if (type < 0 || !o->name)
        return false;
    *ret = (struct errand_event){
        .type = er_told_name((enum er_told)type),
        .id = o->id,
        .name = o->name,
        .queue = o->queue,
        .attempt = o->kind == ERRAND_OUT_RETRY ? o->attempt + 1 : o->attempt,
        .duration_ms = o->ended_ms > o->started_ms ? o->ended_ms - o->started_ms : 0,
        .delay_ms =
            o->kind == ERRAND_OUT_RETRY || o->kind == ERRAND_OUT_SNOOZE ? delay_ms : -1,
        .error = error_of(o->error),
    };
    return true;
}
