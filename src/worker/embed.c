/* embed.c: workers inside somebody's program.
 *
 * The thread takes no signals: they are the host's. SIGPIPE too is blocked there, so that
 * writing to a runner that has died is an error and not the end of the host. */
#include "worker/embed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"
#include "worker/runner.h"
#include "worker/supervisor.h"

enum { WARNING_MAX = 512 };

struct errand_worker {
    pthread_t thread;
    pid_t pid; /* of the process that has the thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_joined;
    /* under the lock */
    int rc;
    struct errand_error error;
    char warning[WARNING_MAX];

    struct er_work work; /* while it starts */
    int request_fd;
    atomic_uint requests; /* bits 1 << enum errand_worker_request */
    atomic_int state;     /* enum errand_worker_state */
    _Atomic int64_t started_ms, ended_n, running_n, runners_n;
};

/* ------------------------------------------------------------------ the supervisor's end
 */

static void state_set(struct errand_worker *w, enum errand_worker_state state)
{
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->state, (int)state);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void requests_obey(struct er_supervisor *s, unsigned bits)
{
    if (bits & 1u << ERRAND_WORKER_QUIET)
        s->is_quiet = true;
    if (bits & 1u << ERRAND_WORKER_RESUME) {
        s->is_quiet = false;
        er_settle_look(s);
    }
    if (bits & 1u << ERRAND_WORKER_RELOAD)
        er_supervisor_reload(s, "asked by the program");
    if (bits & (1u << ERRAND_WORKER_STOP | 1u << ERRAND_WORKER_STOP_NOW))
        er_supervisor_stop(s, "asked by the program");
    if (bits & 1u << ERRAND_WORKER_STOP_NOW)
        er_supervisor_stop_now(s);
}

static void on_request(uv_poll_t *handle, int status, int events)
{
    struct er_supervisor *s = handle->data;
    uint64_t n;

    (void)status;
    (void)events;
    (void)!read(s->host->request_fd, &n, sizeof n);
    requests_obey(s, atomic_exchange(&s->host->requests, 0));
}

int er_embed_watch(struct er_supervisor *s, struct errand_error *err)
{
    int rc;

    if (!s->host)
        return 0;
    if ((rc = uv_poll_init(&s->loop, &s->requests, s->host->request_fd)) < 0)
        return errand_error_set(err, ERRAND_EIO, "watching for requests: %s",
                                uv_strerror(rc));
    s->requests.data = s;
    s->has_requests = true;
    uv_poll_start(&s->requests, UV_READABLE, on_request);
    atomic_store(&s->host->started_ms, s->wall_ms);
    return 0;
}

void er_embed_unwatch(struct er_supervisor *s)
{
    if (s->has_requests)
        uv_close((uv_handle_t *)&s->requests, NULL);
    s->has_requests = false;
}

void er_embed_is_working(struct er_supervisor *s)
{
    s->is_heard = true; /* told at the end of the turn, when the numbers are right */
}

void er_embed_start_failed(struct er_supervisor *s, const char *why)
{
    struct errand_worker *w = s->host;

    if (!w || atomic_load(&w->state) != ERRAND_WORKER_STARTING)
        return;
    pthread_mutex_lock(&w->lock);
    if (!w->rc)
        w->rc =
            errand_error_set(&w->error, ERRAND_EIO, "a runner did not start: %s", why);
    pthread_mutex_unlock(&w->lock);
    er_supervisor_stop(s, "no runner starts");
}

void er_embed_warning(struct er_supervisor *s, const char *text)
{
    if (!s->host)
        return;
    pthread_mutex_lock(&s->host->lock);
    snprintf(s->host->warning, sizeof s->host->warning, "%s", text);
    pthread_mutex_unlock(&s->host->lock);
}

void er_embed_turn(struct er_supervisor *s)
{
    struct errand_worker *w = s->host;
    int64_t runners_n = 0;

    if (!w)
        return;
    for (const struct er_runner *r = s->slots.runners; r; r = r->next)
        runners_n += r->state == ER_RUNNER_READY;
    atomic_store_explicit(&w->ended_n, s->ended_n, memory_order_relaxed);
    atomic_store_explicit(&w->runners_n, runners_n, memory_order_relaxed);
    atomic_store_explicit(&w->running_n, (int64_t)er_slots_busy(&s->slots),
                          memory_order_relaxed);
    if (s->is_heard && atomic_load(&w->state) == ERRAND_WORKER_STARTING)
        state_set(w, ERRAND_WORKER_WORKING);
    if (s->mode != ER_WORKING && atomic_load(&w->state) == ERRAND_WORKER_WORKING)
        state_set(w, ERRAND_WORKER_STOPPING);
}

/* ------------------------------------------------------------------ the host's end */

static void *work(void *arg)
{
    struct errand_worker *w = arg;
    struct errand_error err = {0};
    int rc = er_supervisor_work(&w->work, &err);

    pthread_mutex_lock(&w->lock);
    if (rc < 0 && !w->rc) {
        w->rc = rc;
        w->error = err;
    }
    pthread_mutex_unlock(&w->lock);
    state_set(w, ERRAND_WORKER_ENDED);
    return NULL;
}

static int thread_start(struct errand_worker *w, struct errand_error *err)
{
    int why = er_thread_start(&w->thread, work, w);

    if (why)
        return er_error_errno(err, ERRAND_EIO, why, "starting a thread for the worker");
    return 0;
}

static struct errand_worker *worker_new(struct errand_error *err)
{
    struct errand_worker *w = calloc(1, sizeof *w);

    if (!w) {
        er_error_nomem(err);
        return NULL;
    }
    if ((w->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
        er_error_errno(err, ERRAND_EIO, errno, "making a descriptor for the worker");
        free(w);
        return NULL;
    }
    w->pid = getpid();
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    return w;
}

static void worker_delete(struct errand_worker *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    close(w->request_fd);
    free(w);
}

/* Its reason, when it has ended by itself while it started. */
static int start_wait(struct errand_worker *w, struct errand_error *err)
{
    int rc;

    pthread_mutex_lock(&w->lock);
    while (atomic_load(&w->state) == ERRAND_WORKER_STARTING)
        pthread_cond_wait(&w->changed, &w->lock);
    if ((rc = w->rc) < 0 && err)
        *err = w->error;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int errand_worker_start(const char *url, const struct errand_config *config,
                        const struct errand_worker_options *options, errand_worker **ret,
                        struct errand_error *err)
{
    struct errand_worker *w;
    int rc;

    if ((rc = er_runner_is_stray(err)) < 0)
        return rc;
    if (!(w = worker_new(err)))
        return ERRAND_EIO;
    w->work =
        (struct er_work){.url = url, .config = config, .options = options, .host = w};
    if ((rc = thread_start(w, err)) < 0) {
        worker_delete(w);
        return rc;
    }
    if ((rc = start_wait(w, err)) < 0) {
        pthread_join(w->thread, NULL);
        worker_delete(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void errand_worker_ask(errand_worker *w, enum errand_worker_request request)
{
    const uint64_t one = 1;
    int before = errno;

    atomic_fetch_or(&w->requests, 1u << request);
    (void)!write(w->request_fd, &one, sizeof one);
    errno = before;
}

static int is_ours(const struct errand_worker *w, struct errand_error *err)
{
    if (w->pid != getpid())
        return errand_error_set(err, ERRAND_EFORKED,
                                "the worker was started before this process was forked");
    if (!w->is_joined && pthread_equal(pthread_self(), w->thread))
        return errand_error_set(err, ERRAND_EINVAL,
                                "a worker cannot wait for itself: this is its thread");
    return 0;
}

/* Until it has ended; ETIMEOUT. The lock is held. */
static int end_wait(struct errand_worker *w, int64_t timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (atomic_load(&w->state) != ERRAND_WORKER_ENDED) {
        if (timeout_ms < 0)
            pthread_cond_wait(&w->changed, &w->lock);
        else if (pthread_cond_timedwait(&w->changed, &w->lock, &until) == ETIMEDOUT)
            return ERRAND_ETIMEOUT;
    }
    if (!w->is_joined)
        pthread_join(w->thread, NULL);
    w->is_joined = true;
    return 0;
}

int errand_worker_wait(errand_worker *w, int64_t timeout_ms, struct errand_error *err)
{
    int rc;

    if ((rc = is_ours(w, err)) < 0)
        return rc;
    pthread_mutex_lock(&w->lock);
    rc = end_wait(w, timeout_ms);
    if (rc < 0)
        errand_error_set(err, rc, "the worker still runs after %lld ms",
                         (long long)timeout_ms);
    else if ((rc = w->rc) < 0 && err)
        *err = w->error;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int errand_worker_stop(errand_worker *w, struct errand_error *err)
{
    int rc;

    if ((rc = is_ours(w, err)) < 0)
        return rc;
    errand_worker_ask(w, ERRAND_WORKER_STOP);
    return errand_worker_wait(w, -1, err);
}

void errand_worker_status(errand_worker *w, struct errand_worker_status *ret)
{
    *ret = (struct errand_worker_status){
        .state = (enum errand_worker_state)atomic_load(&w->state),
        .started_ms = atomic_load(&w->started_ms),
        .ended_n = atomic_load(&w->ended_n),
        .running_n = atomic_load(&w->running_n),
        .runners_n = atomic_load(&w->runners_n),
    };
    ret->is_running = ret->state == ERRAND_WORKER_WORKING;
    if (w->pid != getpid())
        return;
    pthread_mutex_lock(&w->lock);
    snprintf(ret->warning, sizeof ret->warning, "%s", w->warning);
    pthread_mutex_unlock(&w->lock);
}

void errand_worker_free(errand_worker *w)
{
    if (!w)
        return;
    if (w->pid != getpid()) { /* its lock may be held by a thread that is not here */
        close(w->request_fd);
        free(w);
        return;
    }
    if (errand_worker_stop(w, NULL) != ERRAND_EINVAL)
        worker_delete(w);
}
