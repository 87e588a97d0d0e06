/* runner_link.c: the supervisor's end of a runner.
 *
 * Nothing a runner sends is believed: a slot that was not given, a frame that cannot be
 * read or an answer out of order ends it as a breach of protocol, and costs the job that
 * was running one attempt. */
#include "worker/runner_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/ending.h"
#include "worker/reload.h"
#include "worker/supervisor.h"

enum {
    READ_SIZE = 64 << 10,
    READS_A_ROUND = 16, /* then others have their turn */
    LOG_TAIL = 64 << 10,
    BROKEN_CODE = 3, /* a runner that cannot talk to us ends with this */
};
#define WAIT_MOST_MS (INT64_C(366) * 86400 * 1000) /* what job.h allows */

/* ------------------------------------------------------------------ slots of the ring */

static struct er_attempt **slot_of(struct er_runner *r, uint32_t slot)
{
    return &r->slots[slot % ER_SLOTS];
}

static void slot_clear(struct er_runner *r, uint32_t slot)
{
    struct er_attempt *a = *slot_of(r, slot);

    *slot_of(r, slot) = NULL;
    r->given_n--;
    r->load_ms -= a->expected_ms;
    if (!r->given_n)
        r->load_ms = 0;
    a->runner = NULL;
    er_trail_begun(r->s->lots.trail, a->trail);
}

/* What was taken back at the old end of the ring is passed by now. */
static void head_advance(struct er_runner *r, uint32_t to)
{
    r->head = to;
    while (r->head != r->tail && !*slot_of(r, r->head) &&
           atomic_load(&r->shared->marks[r->head % ER_SLOTS]) != ER_MARK_RECALLED)
        r->head++;
}

int er_runner_give(struct er_runner *r, struct er_attempt *a)
{
    uint32_t slot = r->tail % ER_SLOTS;
    struct er_frame_job frame = {
        .slot = slot,
        .kind = (uint8_t)a->kind,
        .attempt = a->job->attempt,
        .tries = a->plan->tries ? a->plan->tries : a->job->tries,
        .timeout_ms = a->plan->timeout_ms,
        .id = {a->job->id.text, strlen(a->job->id.text)},
        .name = {a->job->name, strlen(a->job->name)},
        .queue = {a->job->queue, strlen(a->job->queue)},
        .data = a->data,
        .options = a->job->options,
        .error = a->kind == ER_RUN_FAILED_HOOK ? a->job->error : (struct errand_slice){0},
    };

    if (r->tail - r->head >= ER_SLOTS || er_frame_write_job(&r->out, &frame) < 0)
        return -1;
    atomic_store(&r->shared->marks[slot], ER_MARK_GIVEN);
    er_trail_given(r->s->lots.trail, a->trail, r->marks.no, slot);
    if (!r->given_n++) {
        r->pool = a->lot->pool;
        r->idle_ns = uv_hrtime();
        a->started_ms = r->s->wall_ms;
    }
    a->expected_ms = a->plan->run_ms > 0 ? a->plan->run_ms : 0;
    r->load_ms += a->expected_ms;
    r->slots[slot] = a;
    r->tail++;
    a->runner = r;
    a->slot = slot;
    a->state = ER_GIVEN;
    return 0;
}

bool er_runner_take_back(struct er_runner *r, struct er_attempt *a)
{
    uint32_t given = ER_MARK_GIVEN;

    if (!atomic_compare_exchange_strong(&r->shared->marks[a->slot], &given,
                                        ER_MARK_RECALLED))
        return false;
    slot_clear(r, a->slot);
    a->state = ER_PENDING;
    er_trail_waits(r->s->lots.trail, a->trail);
    return true;
}

struct er_attempt *er_runner_current(struct er_runner *r)
{
    uint32_t running = atomic_load(&r->shared->running);
    struct er_attempt *a;

    if (!running || running > ER_SLOTS || !(a = r->slots[running - 1]))
        return NULL;
    if (!a->started_mono_ms) {
        a->started_mono_ms = atomic_load(&r->shared->started_mono_ms);
        if (a->started_mono_ms <= 0 || a->started_mono_ms > r->s->now_ms)
            a->started_mono_ms = r->s->now_ms;
        a->started_ms = r->s->wall_ms - (r->s->now_ms - a->started_mono_ms);
        er_stats_started(r->s, a);
    }
    return a;
}

void er_runner_mark_stop(struct er_runner *r, bool is_cancel)
{
    if (is_cancel)
        atomic_store(&r->shared->cancel, atomic_load(&r->shared->running));
    else
        atomic_store(&r->shared->stopping, 1);
}

/* ------------------------------------------------------------------ writing */

static void io_event(uv_poll_t *handle, int status, int events);

void er_runner_flush(struct er_runner *r)
{
    size_t done = 0;
    bool is_full = false;

    while (done < r->out.len && r->state != ER_RUNNER_GONE) {
        ssize_t n = send(r->fd, r->out.ptr + done, r->out.len - done,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            is_full = errno == EAGAIN;
            break; /* anything else: its death is on its way to us */
        }
        done += (size_t)n;
    }
    if (done)
        er_buf_drop(&r->out, done);
    if (is_full != r->is_writable_watched && r->state != ER_RUNNER_GONE) {
        r->is_writable_watched = is_full;
        uv_poll_start(&r->io, is_full ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                      io_event);
    }
}

void er_runner_retire(struct er_runner *r)
{
    if (r->state != ER_RUNNER_READY && r->state != ER_RUNNER_STARTING)
        return;
    er_frame_write_bare(&r->out, ER_FRAME_STOP, (struct errand_slice){0});
    r->state = ER_RUNNER_RETIRED;
    r->retire_by_ms = r->s->now_ms + 5000;
    er_runner_flush(r);
}

int64_t er_runner_rss_kib(const struct er_runner *r)
{
    char path[64], text[128];
    long pages = 0;
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%ld/statm", (long)r->child.pid);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%*d %ld", &pages) != 1)
        return 0;
    return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ------------------------------------------------------------------ reading */

static void answered_add(struct er_runner *r, struct er_plan *plan)
{
    for (size_t i = 0; i < r->answered_n; i++)
        if (r->answered[i] == plan)
            return;
    if (r->answered_n < ER_ANSWERED_PLANS)
        r->answered[r->answered_n++] = plan;
}

/* It ended by itself before it was made to: the runner is as good as before. */
static void stopping_over(struct er_runner *r)
{
    r->stopping = NULL;
    atomic_store(&r->shared->cancel, 0);
    if (r->s->mode == ER_WORKING)
        atomic_store(&r->shared->stopping, 0);
}

/* Answers come in the order in which jobs were given; what was taken back is passed over.
 * Whoever answers for a later one would leave the earlier ones behind for ever. */
static bool is_next(const struct er_runner *r, uint32_t slot)
{
    uint32_t at = r->head;

    while (at != r->tail && !r->slots[at % ER_SLOTS])
        at++;
    return at != r->tail && at % ER_SLOTS == slot;
}

static int on_done(struct er_runner *r, const struct er_frame *frame)
{
    struct er_frame_done done;
    struct er_attempt *a;
    struct er_ending ending;

    if (er_frame_read_done(frame, &done) < 0 || done.slot >= ER_SLOTS ||
        !is_next(r, done.slot))
        return -1;
    a = r->slots[done.slot];
    if (!a->started_ms)
        a->started_ms = r->s->wall_ms;
    slot_clear(r, done.slot);
    head_advance(r, r->head + (done.slot - r->head % ER_SLOTS + ER_SLOTS) % ER_SLOTS + 1);
    r->answers_n++;
    r->jobs_n++;
    ending = (struct er_ending){
        .verdict = done.verdict,
        .snooze_ms = done.snooze_ms < WAIT_MOST_MS ? done.snooze_ms : WAIT_MOST_MS,
        .cpu_ms = done.cpu_us / 1000,
        .error = done.error,
        .result = done.result,
        .cause = done.verdict == ERRAND_DONE || done.verdict == ERRAND_SNOOZE
                     ? ERRAND_CAUSE_NONE
                     : ERRAND_CAUSE_ERROR};
    answered_add(r, a->plan);
    if (r->stopping == a)
        stopping_over(r);
    er_settle_ended(r->s, a, &ending);
    return 0;
}

static int on_progress(struct er_runner *r, const struct er_frame *frame)
{
    struct er_frame_progress progress;

    if (er_frame_read_progress(frame, &progress) < 0 || progress.slot >= ER_SLOTS)
        return -1;
    if (r->slots[progress.slot])
        er_attempt_progress(r->s, r->slots[progress.slot], progress.percent,
                            progress.note);
    return 0;
}

static int on_log(struct er_runner *r, const struct er_frame *frame)
{
    struct errand_slice text;
    uint32_t slot;

    if (er_frame_read_slot(frame, &slot, &text) < 0 || slot >= ER_SLOTS)
        return -1;
    if (r->slots[slot])
        er_attempt_log(r->slots[slot], text.ptr, text.len);
    return 0;
}

static int on_hello(struct er_runner *r, const struct er_frame *frame)
{
    struct er_frame_hello hello;

    if (er_frame_read_hello(frame, &hello) < 0 || hello.version != ER_PROTOCOL_VERSION)
        return -1;
    if (r->state != ER_RUNNER_STARTING)
        return r->state == ER_RUNNER_RETIRED ? 0 : -1;
    r->state = ER_RUNNER_READY;
    er_slots_hello(r->s, r);
    er_reload_hello(r->s, r, hello.about);
    return 0;
}

/* A compiler may take longer than a runner has to start; it has a limit of its own. */
static int on_loading(struct er_runner *r)
{
    if (r->state != ER_RUNNER_STARTING)
        return r->state == ER_RUNNER_RETIRED ? 0 : -1;
    if (r->hello_by_ms != INT64_MAX)
        r->hello_by_ms = r->s->now_ms + ER_LOADING_MS;
    return 0;
}

static int on_fatal(struct er_runner *r, const struct er_frame *frame)
{
    struct errand_slice text = frame->body;
    uint32_t len;

    /* The body is one string; its length says no more than the frame's. */
    if (text.len >= sizeof len) {
        text.ptr += sizeof len;
        text.len -= sizeof len;
    }
    snprintf(r->fatal, sizeof r->fatal, "%.*s", (int)text.len, text.ptr);
    return 0;
}

static int on_frame(struct er_runner *r, const struct er_frame *frame)
{
    switch (frame->type) {
    case ER_FRAME_HELLO:
        return on_hello(r, frame);
    case ER_FRAME_DONE:
        return on_done(r, frame);
    case ER_FRAME_PROGRESS:
        return on_progress(r, frame);
    case ER_FRAME_LOG:
        return on_log(r, frame);
    case ER_FRAME_FATAL:
        return on_fatal(r, frame);
    case ER_FRAME_LOADING:
        return on_loading(r);
    case ER_FRAME_ASK:
        return er_runner_asks(r, frame);
    case ER_FRAME_STARTED:
        return 0;
    default:
        return -1;
    }
}

/* How long such jobs take: answers come in groups, and each counts with its share of the
 * time since the group before. */
static void answers_measure(struct er_runner *r)
{
    uint64_t now_ns = uv_hrtime();
    double ms =
        (double)(now_ns - r->idle_ns) / 1e6 / (double)(r->answers_n + !r->answers_n);

    if (!r->answers_n)
        return;
    for (size_t i = 0; i < r->answered_n; i++)
        er_slots_measure(r->s, r->answered[i], ms);
    r->idle_ns = now_ns;
    r->answers_n = r->answered_n = 0;
}

static int frames_read(struct er_runner *r)
{
    size_t at = 0;
    struct er_frame frame;
    long n = 0;
    int rc = 0;

    while (rc == 0 && (n = er_frame_next(r->in.ptr + at, r->in.len - at, &frame)) > 0) {
        rc = on_frame(r, &frame);
        at += (size_t)n;
    }
    if (at)
        er_buf_drop(&r->in, at);
    return rc < 0 || n < 0 ? -1 : 0;
}

/* 1: more may be there, 0: nothing for now, -1: broken or closed. */
static int socket_read(struct er_runner *r)
{
    ssize_t n;

    if (er_buf_reserve(&r->in, READ_SIZE) < 0)
        return -1;
    do
        n = recv(r->fd, r->in.ptr + r->in.len, READ_SIZE, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n == 0)
        return -1;
    r->in.len += (size_t)n;
    r->in.ptr[r->in.len] = '\0';
    if (frames_read(r) < 0) {
        snprintf(r->fatal, sizeof r->fatal, "the runner broke the protocol");
        er_child_signal(&r->child, SIGKILL);
        return -1;
    }
    return n == READ_SIZE;
}

static void io_event(uv_poll_t *handle, int status, int events)
{
    struct er_runner *r = handle->data;
    int rc = 1;

    if (status < 0)
        return;
    er_supervisor_now(r->s);
    if (events & UV_WRITABLE)
        er_runner_flush(r);
    if (!(events & UV_READABLE))
        return;
    for (int i = 0; i < READS_A_ROUND && rc > 0; i++)
        rc = socket_read(r);
    answers_measure(r);
    if (rc < 0)
        /* closed or broken: what is left to learn is how it ended */
        uv_poll_stop(&r->io);
}

/* ------------------------------------------------------------------ the end */

static void log_read(struct er_runner *r, struct er_attempt *a)
{
    char bytes[4096];
    off_t at = 0, size = lseek(r->log_fd, 0, SEEK_END);
    ssize_t n;

    if (size > 1 << 20) { /* the start of it and the end of it */
        while (at < LOG_TAIL && (n = pread(r->log_fd, bytes, sizeof bytes, at)) > 0) {
            er_attempt_log(a, bytes, (size_t)n);
            at += n;
        }
        at = size - LOG_TAIL;
    }
    while ((n = pread(r->log_fd, bytes, sizeof bytes, at)) > 0) {
        er_attempt_log(a, bytes, (size_t)n);
        at += n;
    }
}

/* The last answer never came: who was it that ran, and what is true of the others. */
static void attempts_settle(struct er_runner *r, const struct er_ending *ending)
{
    uint32_t running = atomic_load(&r->shared->running);

    /* From the newest to the oldest: each goes to the front of those that wait. */
    for (uint32_t i = r->tail; i != r->head; i--) {
        uint32_t slot = (i - 1) % ER_SLOTS;
        uint32_t mark = atomic_load(&r->shared->marks[slot]);
        struct er_attempt *a = r->slots[slot];

        if (!a)
            continue;
        slot_clear(r, slot);
        if (mark == ER_MARK_DONE) {
            er_settle_ended(r->s, a, &(struct er_ending){.verdict = ERRAND_DONE});
        } else if (mark == ER_MARK_RUNNING || mark == ER_MARK_TOLD ||
                   running == slot + 1) {
            log_read(r, a);
            er_settle_ended(r->s, a, ending);
        } else {
            er_slots_pend_first(r->s, a);
        }
    }
    r->head = r->tail;
}

static void on_closed(uv_handle_t *handle)
{
    struct er_runner *r = handle->data;

    r->handles_n--;
}

static void runner_ended(struct er_runner *r)
{
    struct er_ending ending;
    struct rusage usage = {0};
    int status = 0;

    if (r->state == ER_RUNNER_GONE || !er_child_reap(&r->child, &status, &usage))
        return;
    while (socket_read(r) > 0)
        ;
    r->answers_n = r->answered_n = 0;
    er_ending_of_status(status, &usage, &ending);
    er_ending_look_for_oom(r->s, &ending);
    if (ending.cause == ERRAND_CAUSE_EXIT && ending.exit_code == BROKEN_CODE &&
        !r->fatal[0] && r->state == ER_RUNNER_READY)
        snprintf(r->fatal, sizeof r->fatal, "it broke the runner's socket");
    if (r->fatal[0]) {
        ending.cause = ERRAND_CAUSE_PROTOCOL;
        ending.error = (struct errand_slice){r->fatal, strlen(r->fatal)};
    }
    er_runner_current(r);
    attempts_settle(r, &ending);
    er_child_done(&r->child);
    er_slots_runner_gone(r->s, r, &ending);
    r->state = ER_RUNNER_GONE;
    uv_close((uv_handle_t *)&r->io, on_closed);
    if (r->handles_n == 2)
        uv_close((uv_handle_t *)&r->death, on_closed);
}

void er_runner_check(struct er_runner *r)
{
    runner_ended(r);
}

static void death_event(uv_poll_t *handle, int status, int events)
{
    struct er_runner *r = handle->data;

    (void)status;
    (void)events;
    er_supervisor_now(r->s);
    runner_ended(r);
}

int er_runner_watch(struct er_runner *r)
{
    uv_loop_t *loop = &r->s->loop;

    r->io.data = r->death.data = r;
    if (uv_poll_init(loop, &r->io, r->fd) < 0)
        return -1;
    r->handles_n = 1;
    uv_poll_start(&r->io, UV_READABLE, io_event);
    if (r->child.pidfd >= 0 && uv_poll_init(loop, &r->death, r->child.pidfd) == 0) {
        r->handles_n = 2;
        uv_poll_start(&r->death, UV_READABLE, death_event);
    }
    return 0;
}
