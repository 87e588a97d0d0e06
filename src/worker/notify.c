/* notify.c: failures on their way to whoever is told.
 *
 * A failure is durable before anything here happens: the settle that failed the job made
 * its hook due. Whoever is handed that hook stores the records, and only then ends it, so
 * a crash anywhere leaves the hook due again, and storing the same records again changes
 * nothing. A delivery marks its records when it has been delivered and before it is
 * settled; a crash between may tell twice, never not at all. */
#include "worker/notify.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/json.h"
#include "worker/supervisor.h"

enum {
    INPUT_MAX = 4 << 20,
    STORE_WAIT_MS = 1000,
    /* How long the record of a failure that was told is kept, at least, so that the same
     * failure is known when it is told again: by then the lease of a worker that died
     * over it is long over, and somebody has been handed its hook. */
    KEPT_MS = 300000,
    KEPT_LEASES = 3,
};

/* ------------------------------------------------------------------ begin */

/* 1: our queue is among them, or they are all; 0: it was put in front of them. */
static int list_add(struct er_supervisor *s, const char *const **queues, size_t *ret_n)
{
    const char **list;
    size_t n = 0;

    if (!*queues)
        return 1;
    for (; (*queues)[n]; n++)
        if (strcmp((*queues)[n], ER_NOTIFY_QUEUE) == 0)
            return 1;
    if (!(list = errand_arena_alloc(s->arena, (n + 2) * sizeof *list)))
        return -1;
    list[0] = ER_NOTIFY_QUEUE;
    memcpy(list + 1, *queues, n * sizeof *list);
    *queues = list;
    *ret_n = n + 1;
    return 0;
}

/* First of all: an alarm must not wait for what it is about. */
static int queue_add(struct er_supervisor *s)
{
    size_t n;
    int rc = list_add(s, &s->options.queues, &n);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return list_add(s, &s->pools[0].queues, &s->pools[0].queues_n) < 0 ? -1 : 0;
}

int er_telling_init(struct er_supervisor *s, struct errand_error *err)
{
    struct er_telling *t = &s->telling;
    const struct errand_notify *given = s->options.notify;
    char *host;
    int rc;

    if (!given || !given->channels || !given->channels[0])
        return 0;
    if ((rc = errand_notify_configure(&s->options, given, err)) < 0)
        return rc;
    if (!(host = errand_arena_alloc(s->arena, 256)))
        return er_error_nomem(err);
    gethostname(host, 255);
    t->host = host;
    t->settings = *given;
    t->channels = er_notify_ready(&t->settings, s->arena, &t->lack);
    if (t->channels < 0 || (t->channels && queue_add(s) < 0))
        return er_error_nomem(err);
    return 0;
}

void er_telling_warn(struct er_supervisor *s)
{
    if (s->telling.lack)
        er_report_warn(s, "notifications: %s", s->telling.lack);
    s->telling.lack = NULL;
}

/* ------------------------------------------------------------------ failures */

static bool is_ours(const struct er_attempt *a)
{
    return a->plan->is_notify;
}

bool er_telling_wants(const struct er_supervisor *s, const struct er_attempt *a)
{
    return s->telling.channels && a->kind == ER_RUN_HANDLE && !is_ours(a);
}

static void wait_add(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_telling *t = &s->telling;

    a->state = ER_AT_STORE;
    a->next = NULL;
    a->prev = t->last;
    if (t->last)
        t->last->next = a;
    else
        t->first = a;
    t->last = a;
}

static void wait_remove(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_telling *t = &s->telling;

    if (a->prev)
        a->prev->next = a->next;
    else
        t->first = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        t->last = a->prev;
    a->prev = a->next = NULL;
}

bool er_telling_take(struct er_supervisor *s, struct er_attempt *a)
{
    if (!s->telling.channels || a->kind != ER_RUN_FAILED_HOOK)
        return false;
    wait_add(s, a);
    return true;
}

void er_telling_forget(struct er_supervisor *s, struct er_attempt *a)
{
    wait_remove(s, a);
    er_settle_ended(s, a, &(struct er_ending){.cause = ERRAND_CAUSE_CANCEL});
}

static struct er_failure failure_of(const struct er_attempt *a)
{
    const struct errand_reserved *job = a->job;

    return (struct er_failure){.id = job->id.text,
                               .name = job->name,
                               .queue = job->queue,
                               .attempts = job->attempt,
                               .tries = a->plan->tries ? a->plan->tries : job->tries,
                               .error = job->error,
                               .failed_ms = job->failed_ms};
}

/* The failure is on record: what the class itself has for it may run. */
static void hook_go_on(struct er_supervisor *s, struct er_attempt *a)
{
    wait_remove(s, a);
    if (a->plan->hooks & ER_HOOK_FAILED)
        er_slots_pend_first(s, a);
    else
        er_settle_ended(s, a, &(struct er_ending){.verdict = ERRAND_DONE});
}

static int hooks_tell(struct er_supervisor *s, struct errand_arena *arena,
                      struct errand_error *err)
{
    struct er_failure *failures;
    struct er_attempt *a, *next;
    size_t n = 0, waiting = 0;
    int rc;

    for (a = s->telling.first; a; a = a->next)
        waiting += a->kind == ER_RUN_FAILED_HOOK;
    if (!waiting)
        return 0;
    if (!(failures = errand_arena_alloc(arena, waiting * sizeof *failures)))
        return er_error_nomem(err);
    for (a = s->telling.first; a; a = a->next)
        if (a->kind == ER_RUN_FAILED_HOOK && !is_ours(a))
            failures[n++] = failure_of(a);
    rc = er_notify_store(s->store, s->telling.channels, failures, n, arena, err);
    for (a = s->telling.first; rc == 0 && a; a = next) {
        next = a->next;
        if (a->kind == ER_RUN_FAILED_HOOK)
            hook_go_on(s, a);
    }
    for (size_t i = 0; n && i < s->pools_n; i++)
        s->pools[i].is_look_due = true;
    return rc;
}

/* ------------------------------------------------------------------ deliveries */

static bool end_with(struct er_supervisor *s, struct er_attempt *a, int verdict,
                     const char *why)
{
    struct er_ending ending = {
        .cause = ERRAND_CAUSE_ERROR, .verdict = verdict, .error = {why, strlen(why)}};

    er_settle_ended(s, a, &ending);
    return false;
}

/* The store did not answer: that is no attempt of ours. */
static bool end_later(struct er_supervisor *s, struct er_attempt *a,
                      const struct errand_error *err)
{
    er_settle_store_failed(s, err);
    er_settle_ended(
        s, a, &(struct er_ending){.verdict = ERRAND_SNOOZE, .snooze_ms = STORE_WAIT_MS});
    return false;
}

/* Nothing to tell: all that may be left is to sweep. */
static void idle_end(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_notice *notice = a->notice;
    struct errand_error err = {0};

    a->notice = NULL;
    if (er_notify_sweep(s->store, notice, a->lot->arena, &err) < 0)
        end_later(s, a, &err);
    else
        er_settle_ended(s, a, &(struct er_ending){.verdict = ERRAND_DONE});
}

bool er_telling_begin(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_telling *t = &s->telling;
    struct errand_arena *arena = a->lot->arena;
    struct er_gathering what = {.id = &a->job->id, .data = a->job->data};
    struct errand_error err = {0};
    int rc;

    what.most = er_notify_every_ms(&t->settings) ? ER_NOTICE_RECORDS : 1;
    if (!(a->notice = errand_arena_alloc(arena, sizeof *a->notice)))
        return end_with(s, a, ERRAND_RETRY, "out of memory");
    rc = er_notify_gather(s->store, &what, arena, a->notice, &err);
    if (rc == ERRAND_EJSON || rc == ERRAND_ENOTFOUND)
        return end_with(s, a, ERRAND_FAIL, err.message);
    if (rc < 0)
        return end_later(s, a, &err);
    if (!a->notice->total) {
        idle_end(s, a);
        return false;
    }
    if (!(t->channels & 1 << a->notice->channel))
        return end_with(s, a, ERRAND_RETRY,
                        "this worker has no settings for the channel; see notifications "
                        "in errand.yml");
    a->notice->host = t->host;
    return true;
}

int er_telling_input(struct er_supervisor *s, const struct er_attempt *a)
{
    struct er_buf buf;
    int fd = -1;

    er_buf_init(&buf, INPUT_MAX);
    if (er_notify_pass(&s->telling.settings, a->notice, &buf) == 0)
        fd = er_memory_file("errand-notice", (struct errand_slice){buf.ptr, buf.len});
    /* Not to lie about in memory that is used again. */
    if (buf.ptr)
        explicit_bzero(buf.ptr, buf.len);
    er_buf_done(&buf);
    return fd;
}

static int64_t wait_read(struct errand_slice said)
{
    struct errand_slice value;
    enum er_json_type type;
    int64_t ms = 0;

    if (er_json_check("result", said, NULL, NULL) < 0 ||
        er_json_find(said, "retry_after_ms", &type, &value, NULL) < 0 ||
        type != ER_JSON_NUMBER || er_json_int(value, &ms) < 0)
        return 0;
    return ms;
}

void er_telling_ended(struct er_supervisor *s, struct er_attempt *a,
                      struct er_ending *ending)
{
    if (ending->cause == ERRAND_CAUSE_NONE && ending->verdict == ERRAND_DONE) {
        (void)er_failpoint("after-delivery");
        wait_add(s, a);
        return;
    }
    if (ending->verdict == ERRAND_RETRY && ending->result.len)
        ending->snooze_ms = wait_read(ending->result);
    ending->result = (struct errand_slice){0};
    er_settle_ended(s, a, ending);
}

/* It comes back when the next message about this group may be sent. A record that
 * delivered itself has nothing to come back for. */
static void delivery_go_on(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_ending ending = {.verdict = ERRAND_DONE};

    if (a->notice->records_n) {
        ending.verdict = ERRAND_SNOOZE;
        ending.snooze_ms = er_notify_every_ms(&s->telling.settings);
    }
    wait_remove(s, a);
    er_settle_ended(s, a, &ending);
}

static int64_t kept_ms(const struct er_supervisor *s)
{
    int64_t leases = KEPT_LEASES * s->lease_ms;

    return leases > KEPT_MS ? leases : KEPT_MS;
}

static int deliveries_end(struct er_supervisor *s, struct errand_arena *arena,
                          struct errand_error *err)
{
    struct er_attempt *a, *next;
    int rc;

    for (a = s->telling.first; a; a = next) {
        next = a->next;
        if (!a->notice)
            continue;
        if ((rc = er_notify_told(s->store, a->notice, s->wall_ms + kept_ms(s), arena,
                                 err)) < 0)
            return rc;
        (void)er_failpoint("after-notify-told");
        delivery_go_on(s, a);
    }
    return 0;
}

/* ------------------------------------------------------------------ the turn */

void er_telling_turn(struct er_supervisor *s)
{
    struct errand_error err = {0};
    struct errand_arena *arena;

    if (!s->telling.first || !er_settle_may_ask(s) || !(arena = er_lots_arena(&s->lots)))
        return;
    if (hooks_tell(s, arena, &err) < 0 || deliveries_end(s, arena, &err) < 0)
        er_settle_store_failed(s, &err);
    else
        er_settle_store_answered(s);
    er_lots_arena_back(&s->lots, arena);
    er_supervisor_wake_at(s, s->now_ms);
}
