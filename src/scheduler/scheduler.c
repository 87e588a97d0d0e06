/* scheduler.c: the thread, or the program, around the ticker: sleeps until the next slot,
 * and wakes before it when a schedule changes, when the wall clock is set, and when it is
 * told to stop. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"
#include "client/class.h"
#include "core/clock.h"
#include "scheduler/handle.h"

enum { BUSY_MS = 500 }; /* a call that waits longer would make us deaf to a stop */

/* ------------------------------------------------------------------ what it begins with
 */

/* The store decides what time it is: schedulers on hosts that disagree fire as one. */
static int64_t now_ms(const struct errand_scheduler *s)
{
    return er_store_wall_ms(s->ticker.store);
}

/* Classes that are linked into this program. What is in job files is published by who
 * can read them. */
static int classes_bring(struct errand_scheduler *s, struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct er_schedule_classes said = {0};
    int rc;

    if (!arena)
        return er_error_nomem(err);
    if ((rc = er_schedules_linked(arena, &said, err)) == 0) {
        if (said.error)
            er_ticker_note(&s->ticker, true, "%s", said.error);
        rc = er_schedules_bring_classes(s->ticker.store, &said, now_ms(s), err);
    }
    er_arena_free(arena);
    return rc;
}

static int load(struct errand_scheduler *s, struct errand_error *err)
{
    int rc = classes_bring(s, err);

    if (rc == 0 && s->ticker.options.load)
        s->ticker.options.load(s->ticker.options.ctx, s->e);
    s->ticker.is_stale = true;
    return rc;
}

static int bring(void *ctx, struct errand_error *err)
{
    return load(ctx, err);
}

/* ------------------------------------------------------------------ the loop */

/* `at_ms` is the store's; the timer is on this host's wall clock, so that it rings on
 * time after a suspend, and is cancelled, which is also a wake-up, when the clock is set.
 */
static void timer_set(const struct errand_scheduler *s, int64_t at_ms)
{
    int64_t here_ms = at_ms - now_ms(s) + er_clock_wall_ms(NULL);
    struct itimerspec at = {
        .it_value = {.tv_sec = here_ms / 1000, .tv_nsec = here_ms % 1000 * 1000000}};

    if (at_ms <= 0)
        at.it_value = (struct timespec){.tv_nsec = 1};
    timerfd_settime(s->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static void timer_drain(const struct errand_scheduler *s)
{
    uint64_t passes;

    /* ECANCELED is the clock that was set. Either way it is time to look. */
    if (read(s->timer_fd, &passes, sizeof passes) < 0)
        return;
}

static void signals_read(struct errand_scheduler *s)
{
    struct signalfd_siginfo info;
    struct errand_error err = {0};

    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGHUP) {
            s->is_stopping = true;
            er_ticker_note(&s->ticker, false, "stopping");
            continue;
        }
        er_ticker_note(&s->ticker, false, "reading the schedules again");
        if (load(s, &err) < 0)
            er_ticker_note(&s->ticker, true, "%s", err.message);
    }
}

/* A store that has spoken stays readable until it is armed by the next reading; looking
 * at it before that would turn in circles. */
static void sleep_until(struct errand_scheduler *s, int64_t at_ms)
{
    struct pollfd fds[] = {
        {.fd = s->stop_fd, .events = POLLIN},
        {.fd = s->timer_fd, .events = POLLIN},
        {.fd = s->signal_fd, .events = POLLIN},
        {.fd = s->ticker.is_stale ? -1 : s->store_fd, .events = POLLIN},
    };

    timer_set(s, at_ms);
    if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
        return;
    if (fds[0].revents)
        s->is_stopping = true;
    if (fds[1].revents)
        timer_drain(s);
    if (fds[2].revents)
        signals_read(s);
    if (fds[3].revents)
        s->ticker.is_stale = true;
}

static void loop(struct errand_scheduler *s)
{
    while (!s->is_stopping)
        sleep_until(s, er_ticker_turn(&s->ticker, now_ms(s)));
    s->is_running = false;
}

static bool must_stop(void *ctx)
{
    struct errand_scheduler *s = ctx;
    struct pollfd fd = {.fd = s->stop_fd, .events = POLLIN};

    if (s->signal_fd >= 0 && poll(&(struct pollfd){s->signal_fd, POLLIN, 0}, 1, 0) > 0)
        return true; /* whatever it says: it is read first */
    return s->is_stopping || poll(&fd, 1, 0) > 0;
}

/* ------------------------------------------------------------------ begin and end */

static int fds_open(struct errand_scheduler *s, struct errand_error *err)
{
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (s->stop_fd < 0 || s->timer_fd < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "starting the scheduler");
    if (s->ticker.has_wait)
        s->store_fd = er_store_wait_fd(s->ticker.store, err);
    return s->ticker.has_wait && s->store_fd < 0 ? s->store_fd : 0;
}

static void begin_tell(const struct errand_scheduler *s)
{
    const struct er_agenda *agenda = s->ticker.agenda;
    int64_t first_ms = ER_TICKER_NEVER;
    size_t first = 0;
    char at[32];

    for (size_t i = 0; i < agenda->n; i++)
        if (agenda->wake_ms[i] < first_ms) {
            first_ms = agenda->wake_ms[i];
            first = i;
        }
    if (first_ms == ER_TICKER_NEVER)
        er_ticker_note(&s->ticker, false, "scheduling on %s: %zu schedules",
                       er_store_url(s->ticker.store), agenda->n);
    else
        er_ticker_note(&s->ticker, false,
                       "scheduling on %s: %zu schedule%s, next is '%s' at %s",
                       er_store_url(s->ticker.store), agenda->n,
                       agenda->n == 1 ? "" : "s", agenda->entries[first].row.stored.name,
                       er_time_format(first_ms, at, sizeof at));
}

static int begin(struct errand_scheduler *s,
                 const struct errand_scheduler_options *options, struct errand_error *err)
{
    int rc;

    rc = er_ticker_init(&s->ticker, s->e, options, err);
    s->has_ticker = true;
    s->ticker.must_stop = must_stop;
    s->ticker.bring = bring;
    s->ticker.ctx = s;
    if (rc < 0 || (rc = fds_open(s, err)) < 0 || (rc = load(s, err)) < 0)
        return rc;
    if ((rc = er_ticker_read(&s->ticker, now_ms(s), err)) < 0)
        return rc;
    begin_tell(s);
    s->is_running = true;
    return 0;
}

static struct errand_scheduler *scheduler_new(struct errand_error *err)
{
    struct errand_scheduler *s = calloc(1, sizeof *s);

    if (!s) {
        er_error_nomem(err);
        return NULL;
    }
    s->stop_fd = s->timer_fd = s->signal_fd = s->store_fd = -1;
    return s;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void errand_scheduler_free(struct errand_scheduler *s)
{
    if (!s)
        return;
    errand_scheduler_stop(s);
    if (s->has_ticker)
        er_ticker_done(&s->ticker);
    errand_close(s->e);
    close_fd(s->stop_fd);
    close_fd(s->timer_fd);
    close_fd(s->signal_fd);
    free(s);
}

/* What a scheduler is to open: a URL, or all that an errand.yml says. */
struct source {
    const char *url;
    const struct errand_config *config;
    const struct er_config *whole;
};

static void busy_bound(struct errand_config *config)
{
    if (!config->busy_ms || config->busy_ms > BUSY_MS)
        config->busy_ms = BUSY_MS;
}

static int store_open(struct errand_scheduler *s, const struct source *from,
                      struct errand_error *err)
{
    const char *url = from->whole ? from->whole->url : from->url;
    struct errand_config own = {0};

    if (url && strcmp(url, "memory:") == 0)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "a scheduler for \"memory:\" would have a store of its own that nobody sees; "
            "write \"memory:NAME\"");
    if (from->whole) {
        s->config = *from->whole;
        busy_bound(&s->config.client);
        return er_client_open(&s->config, &s->e, err);
    }
    if (from->config)
        own = *from->config;
    busy_bound(&own);
    s->e = errand_open(url, &own, err);
    return s->e ? 0 : err->code;
}

/* ------------------------------------------------------------------ on a thread */

static void *thread_main(void *arg)
{
    loop(arg);
    return NULL;
}

static int thread_start(struct errand_scheduler *s, struct errand_error *err)
{
    int rc = er_thread_start(&s->thread, thread_main, s);

    if (rc != 0)
        return er_error_errno(err, ERRAND_EIO, rc, "starting the scheduler's thread");
    s->has_thread = true;
    return 0;
}

static int start(const struct source *from,
                 const struct errand_scheduler_options *options, errand_scheduler **ret,
                 struct errand_error *err)
{
    struct errand_error own = {0};
    struct errand_scheduler *s;
    int rc;

    err = err ? err : &own;
    if (!(s = scheduler_new(err)))
        return err->code;
    if ((rc = store_open(s, from, err)) < 0 || (rc = begin(s, options, err)) < 0 ||
        (rc = thread_start(s, err)) < 0) {
        errand_scheduler_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

int errand_scheduler_start(const char *url, const struct errand_config *config,
                           const struct errand_scheduler_options *options,
                           errand_scheduler **ret, struct errand_error *err)
{
    return start(&(struct source){.url = url, .config = config}, options, ret, err);
}

int er_scheduler_start(const struct er_config *config,
                       const struct errand_scheduler_options *options,
                       errand_scheduler **ret, struct errand_error *err)
{
    return start(&(struct source){.whole = config}, options, ret, err);
}

void errand_scheduler_stop(errand_scheduler *s)
{
    uint64_t one = 1;

    if (!s->has_thread)
        return;
    s->is_stopping = true;
    if (write(s->stop_fd, &one, sizeof one) < 0)
        return; /* cannot happen: it has room for more than we ever write */
    pthread_join(s->thread, NULL);
    s->has_thread = false;
}

/* ------------------------------------------------------------------ as a program */

static int signals_and_loop(struct errand_scheduler *s,
                            const struct errand_scheduler_options *options,
                            struct errand_error *err)
{
    sigset_t ours, before;
    int rc;

    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    s->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signal_fd < 0)
        rc = er_error_errno(err, ERRAND_EIO, errno, "watching for signals");
    else if ((rc = begin(s, options, err)) == 0)
        loop(s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static int run(const struct source *from, const struct errand_scheduler_options *options,
               struct errand_error *err)
{
    struct errand_error own = {0};
    struct errand_scheduler *s;
    int rc;

    err = err ? err : &own;
    if (!(s = scheduler_new(err)))
        return err->code;
    if ((rc = store_open(s, from, err)) == 0)
        rc = signals_and_loop(s, options, err);
    errand_scheduler_free(s);
    return rc;
}

int errand_schedule_run(const char *url, const struct errand_config *config,
                        const struct errand_scheduler_options *options,
                        struct errand_error *err)
{
    return run(&(struct source){.url = url, .config = config}, options, err);
}

int er_scheduler_run(const struct er_config *config,
                     const struct errand_scheduler_options *options,
                     struct errand_error *err)
{
    return run(&(struct source){.whole = config}, options, err);
}
