/* runner_run.c: one attempt, from the mark in shared memory to the DONE frame. What runs
 * here for each of 400,000 jobs a second allocates nothing and makes two system
 * calls (the size of the log, is the socket open). */
#include "worker/runner_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/call.h"

enum {
    QUICK_US = 200,         /* a class that takes less may start while frames wait */
    UNSENT_US = 1000,       /* frames wait no longer than this while jobs end */
    UNSENT_MAX = 256 << 10, /* nor are there more bytes of them */
    CPU_WORTH_US = 1000,    /* CPU time is told of attempts that took this long */
    EXIT_FORKED = 70,
};

int64_t er_self_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Of all threads: a handler may start some. A system call, so not asked for each job. */
int64_t er_self_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The byte behind a string of the frame is the length of the next one, which has been
 * read: it may become the NUL that C programs want. Not so behind the last string. */
static const char *terminate(struct errand_slice text)
{
    char *end = (char *)(uintptr_t)text.ptr + text.len;

    *end = '\0';
    return text.ptr;
}

/* Exactly one of us and a supervisor that wants the job back can move the mark. */
static bool mark_take(struct er_self *r, uint32_t slot)
{
    uint32_t given = ER_MARK_GIVEN;

    if (!r->shared)
        return true;
    return atomic_compare_exchange_strong(&r->shared->marks[slot], &given,
                                          ER_MARK_RUNNING);
}

/* The time goes first: who sees `running` sees when it began. */
static void running_set(struct er_self *r, uint32_t slot)
{
    if (!r->shared)
        return;
    atomic_store_explicit(&r->shared->started_mono_ms, r->now_us / 1000,
                          memory_order_relaxed);
    atomic_store_explicit(&r->shared->running, slot + 1, memory_order_release);
}

/* The mark goes before the frame: once the frame is read, the slot may be given again. */
static void mark_end(struct er_self *r, uint32_t slot, enum er_mark mark)
{
    if (r->shared)
        atomic_store_explicit(&r->shared->marks[slot], mark, memory_order_release);
}

static void running_clear(struct er_self *r)
{
    if (r->shared)
        atomic_store_explicit(&r->shared->running, 0, memory_order_release);
}

static void job_fill(struct er_self *r, struct er_frame_job *frame)
{
    struct errand_job *job = &r->job;

    er_job_begin(job);
    job->id = terminate(frame->id);
    job->name = terminate(frame->name);
    job->queue = terminate(frame->queue);
    terminate(frame->data);
    job->data = frame->data;
    job->attempt = frame->attempt;
    job->tries = frame->tries;
    job->timeout_ms = frame->timeout_ms;
    job->started_mono_ms = r->now_us / 1000;
    r->slot = frame->slot;
    r->error.code = 0;
    r->error.message[0] = '\0';
}

/* Calls what the frame asks for; the verdict. */
static int call(struct er_self *r, const struct er_class *c,
                const struct er_frame_job *frame)
{
    const struct errand_job_class *job_class = c->job_class;
    struct errand_error cause = {0};

    if (frame->kind == ER_RUN_HANDLE)
        return er_call_handle(job_class, &r->job, &r->error);
    if (frame->kind == ER_RUN_KEYS)
        return er_call_keys(job_class, &r->job, &r->error);
    if (frame->kind == ER_RUN_FAILED_HOOK && job_class->failed) {
        errand_error_set(&cause, ERRAND_EJOB, "%.*s", (int)frame->error.len,
                         frame->error.ptr);
        job_class->failed(&r->job, &cause);
    }
    if (frame->kind == ER_RUN_TIMED_OUT_HOOK && job_class->timed_out)
        job_class->timed_out(&r->job);
    return ERRAND_DONE;
}

/* SNOOZE: when to come back. RETRY: the same, where the handler said so. */
static int64_t wait_of(const struct errand_job *job, int verdict)
{
    if (verdict == ERRAND_SNOOZE)
        return job->snooze_ms;
    if (verdict == ERRAND_RETRY && job->retry_ms >= 0)
        return job->retry_ms ? job->retry_ms : 1; /* 0 is "not said" */
    return 0;
}

/* Sampled when the runner has read, and after attempts that took long: quick ones in
 * between count as busy, which is off by a millisecond at most. */
static int64_t cpu_of_attempt(struct er_self *r, int64_t began_us)
{
    int64_t cpu, before = began_us - r->cpu_at_us;

    if (r->now_us - began_us < CPU_WORTH_US)
        return 0;
    cpu = er_self_cpu_us();
    before = cpu - r->cpu_us - (before > 0 ? before : 0);
    r->cpu_us = cpu;
    r->cpu_at_us = r->now_us;
    return before > 0 ? before : 0;
}

static void typical_learn(struct er_class *c, int64_t took_us)
{
    if (c->typical_us == INT64_MAX / 4)
        c->typical_us = took_us;
    else
        c->typical_us = (c->typical_us * 3 + took_us) / 4;
}

/* The frames of one attempt, behind what waits; -1: no memory. */
static int done_write(struct er_self *r, const struct er_frame_done *done,
                      size_t *ret_len)
{
    struct er_buf *buf = er_out_begin(&r->out);
    int rc;

    if (buf->len == 0)
        r->unsent_since_us = r->now_us;
    er_self_progress_rest(r, buf);
    rc = er_frame_write_done(buf, done);
    *ret_len = buf->len;
    er_out_end(&r->out);
    return rc;
}

/* A plain success is told by its mark, and its frame may wait for others. All else is
 * sent before anything else happens: who dies later must not take it along. Without
 * memory for the frame the runner ends: as a success if that is marked, else in the
 * middle of the attempt, as far as anybody can see. */
static int done_send(struct er_self *r, const struct er_frame_done *done, bool is_plain)
{
    size_t len;

    /* A handler that closed our socket: nobody could be told that its jobs are done, so
     * it is not done either, and its mark says so before the next one begins. */
    if (fcntl(ER_FD_SOCKET, F_GETFD) < 0)
        return -1;
    if (is_plain) {
        mark_end(r, done->slot, ER_MARK_DONE);
        running_clear(r);
    }
    if (done_write(r, done, &len) < 0)
        return -1;
    if (is_plain && r->shared && len <= UNSENT_MAX &&
        r->now_us - r->unsent_since_us < UNSENT_US)
        return 0;
    if (!is_plain)
        mark_end(r, done->slot, ER_MARK_TOLD);
    if (er_out_flush(&r->out) < 0)
        return -1;
    running_clear(r);
    return 0;
}

/* Outcomes must not wait behind a job that may take long. */
static int unsent_settle(struct er_self *r, const struct er_class *c)
{
    size_t len = er_out_begin(&r->out)->len;

    er_out_end(&r->out);
    if (len == 0)
        return 0;
    if (c->typical_us >= QUICK_US)
        return er_out_flush(&r->out);
    er_out_watch(&r->out);
    return 0;
}

static int started_send(struct er_self *r, uint32_t slot)
{
    if (r->shared)
        return 0;
    er_frame_write_slot(er_out_begin(&r->out), ER_FRAME_STARTED, slot,
                        (struct errand_slice){0});
    er_out_end(&r->out);
    return er_out_flush(&r->out);
}

/* A job that nobody here can run: the supervisor believed HELLO, so this is a file that
 * changed meanwhile, or a kind of run that a newer supervisor knows. */
static int refuse(struct er_self *r, const struct er_frame_job *frame, bool is_known)
{
    struct er_frame_done done = {.slot = frame->slot, .verdict = ERRAND_RETRY};
    int len = (int)(frame->name.len < ER_NAME_MAX ? frame->name.len : ER_NAME_MAX);

    if (is_known)
        errand_error_set(&r->error, ERRAND_EUNSUPPORTED,
                         "this program cannot run '%.*s' as kind %d", len,
                         frame->name.ptr, frame->kind);
    else
        errand_error_set(&r->error, ERRAND_ENOTFOUND, "this program has no job '%.*s'",
                         len, frame->name.ptr);
    done.error = (struct errand_slice){r->error.message, strlen(r->error.message)};
    return done_send(r, &done, false);
}

/* A child that a handler forked has come back from the handler. It must not go on as a
 * second runner on one socket. */
static void child_stop(void)
{
    static const char text[] =
        "errand: a child process returned from the handler; end it with _exit()\n";

    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(EXIT_FORKED);
}

int er_self_run(struct er_self *r, struct er_frame_job *frame)
{
    struct er_class *c = er_classes_find(&r->classes, frame->name);
    struct er_frame_done done = {.slot = frame->slot};
    int64_t began_us;
    bool is_plain;
    int verdict;

    if (!mark_take(r, frame->slot))
        return 0;
    if (!c || frame->kind > ER_RUN_KEYS)
        return refuse(r, frame, c != NULL);
    if (unsent_settle(r, c) < 0 || started_send(r, frame->slot) < 0)
        return -1;
    running_set(r, frame->slot);
    job_fill(r, frame);
    began_us = r->now_us;
    verdict = call(r, c, frame);
    if (!er_out_is_ours(&r->out))
        child_stop();
    r->now_us = er_self_now_us();
    done.cpu_us = cpu_of_attempt(r, began_us);
    typical_learn(c, r->now_us - began_us);
    verdict = er_call_verdict(&r->job, verdict, &r->error);
    done.verdict = (uint8_t)verdict;
    done.snooze_ms = wait_of(&r->job, verdict);
    done.error = (struct errand_slice){r->error.message, strlen(r->error.message)};
    done.result = (struct errand_slice){r->job.result.ptr, r->job.result.len};
    is_plain = !er_self_log(r, frame->slot) && done.verdict == ERRAND_DONE &&
               done.result.len == 0;
    return done_send(r, &done, is_plain);
}
