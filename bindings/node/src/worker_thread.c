/* worker_thread.c: the thread of a worker: reserves, keeps leases, settles. See worker.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

enum {
    GIVEN_MS = 500,   /* so long JavaScript has to begin what it was given */
    CANCEL_MS = 1000, /* and to end what was cancelled */
    TICK_MS = 100,
    PAUSE_MS = 50,     /* before the next try when the store does not answer */
    GIVE_UP_MS = 1500, /* after it, who is to end now tries no more */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void en_worker_wake(struct en_worker *w)
{
    uint64_t one = 1;

    while (write(w->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* ------------------------------------------------------------------ telling */

static struct en_told *told_new(const char *kind, const char *text)
{
    struct en_bag *bag = en_bag_new();
    struct en_told *told = bag ? en_bag_alloc(bag, sizeof *told) : NULL;
    char *copy = told && text ? en_bag_alloc(bag, strlen(text) + 1) : NULL;

    if (!told || (text && !copy)) {
        en_bag_free(bag);
        return NULL;
    }
    if (text)
        memcpy(copy, text, strlen(text));
    told->bag = bag;
    told->kind = kind;
    told->text = copy;
    return told;
}

/* Takes it. */
static bool tell(struct en_worker *w, struct en_told *told)
{
    if (!told)
        return false;
    if (napi_call_threadsafe_function(w->tell, told, napi_tsfn_nonblocking) == napi_ok)
        return true;
    en_bag_free(told->bag);
    return false;
}

static void warn(struct en_worker *w, const char *message)
{
    if (strcmp(w->warning, message) == 0)
        return; /* said already */
    snprintf(w->warning, sizeof w->warning, "%s", message);
    tell(w, told_new("warning", message));
}

static bool slice_copy(struct en_bag *bag, const char *ptr, size_t len,
                       struct errand_slice *ret)
{
    char *copy = en_bag_alloc(bag, len + 1);

    if (!copy)
        return false;
    if (len)
        memcpy(copy, ptr, len);
    *ret = (struct errand_slice){copy, len};
    return true;
}

static bool job_tell(struct en_worker *w, size_t i)
{
    const struct errand_engine_job *job = w->places[i].job;
    struct en_told *told = told_new("job", NULL);
    struct errand_slice name, queue;

    if (!told)
        return false;
    if (!slice_copy(told->bag, job->name, strlen(job->name), &name) ||
        !slice_copy(told->bag, job->queue, strlen(job->queue), &queue) ||
        !slice_copy(told->bag, job->data.ptr, job->data.len, &told->data) ||
        !slice_copy(told->bag, job->error.ptr, job->error.len, &told->error)) {
        en_bag_free(told->bag);
        return false;
    }
    told->name = name.ptr;
    told->queue = queue.ptr;
    told->id = job->id;
    told->place = (int)i;
    told->serial = w->places[i].serial;
    told->attempt = job->attempt;
    told->tries = job->tries;
    told->timeout_ms = job->timeout_ms;
    told->is_failed_hook = job->is_failed_hook;
    return tell(w, told);
}

static void stop_tell(struct en_worker *w, size_t i, const char *why)
{
    struct en_told *told = told_new("stop", why);

    if (told) {
        told->place = (int)i;
        told->serial = w->places[i].serial;
    }
    tell(w, told);
}

/* ------------------------------------------------------------------ settling */

/* True when the engine has let go of the job. */
static bool settle(struct en_worker *w, struct errand_engine_job *job,
                   const struct errand_engine_outcome *outcome)
{
    struct errand_error err = {0}, wrong = {0};
    const struct errand_engine_outcome failed = {.verdict = ERRAND_RETRY,
                                                 .error = wrong.message};

    /* What was said cannot be settled (a wait without sense): then it failed. */
    if (errand_engine_outcome_check(job, outcome, &wrong) < 0) {
        warn(w, wrong.message);
        outcome = &failed;
    }
    if (errand_engine_finish(w->engine, job, outcome, &err) >= 0)
        return true;
    warn(w, err.message);
    return !err.retryable;
}

static bool hand_back(struct en_worker *w, struct errand_engine_job *job)
{
    struct errand_error err = {0};

    if (errand_engine_hand_back(w->engine, job, &err) >= 0 || !err.retryable)
        return true;
    warn(w, err.message);
    return false;
}

static void place_set(struct en_worker *w, struct en_place *p, enum en_place_state state)
{
    struct en_bag *bag = NULL;

    pthread_mutex_lock(&w->lock);
    p->state = state;
    if (state == EN_FREE) {
        bag = p->bag;
        *p = (struct en_place){.serial = p->serial + 1};
    }
    pthread_mutex_unlock(&w->lock);
    en_bag_free(bag);
}

/* 1: it was GIVEN and is nobody's now. */
static bool take_back(struct en_worker *w, struct en_place *p)
{
    bool is_ours;

    pthread_mutex_lock(&w->lock);
    is_ours = p->state == EN_GIVEN;
    if (is_ours) {
        p->serial++; /* a begin that comes now finds another */
        p->state = EN_ENDED;
    }
    pthread_mutex_unlock(&w->lock);
    return is_ours;
}

static void given_look(struct en_worker *w, struct en_place *p)
{
    if (now_ms() - p->given_ms < GIVEN_MS && p->job->stop == ERRAND_ENGINE_RUNS &&
        !w->stop_at_ms)
        return;
    if (!take_back(w, p))
        return;
    w->begun_n -= !p->job->is_failed_hook;
    p->is_handed_back = true;
}

/* Ends an attempt that JavaScript runs without it. */
static void fence(struct en_worker *w, size_t i, const char *why, bool is_handed_back)
{
    struct en_place *p = &w->places[i];
    const struct errand_engine_outcome outcome = {
        .verdict = ERRAND_RETRY, .error = why, .has_failed_hook = p->has_failed_hook};

    pthread_mutex_lock(&w->lock);
    if (p->state == EN_BEGUN)
        p->state = EN_FENCED;
    else
        why = NULL; /* it has ended in the meantime: that counts */
    pthread_mutex_unlock(&w->lock);
    if (!why)
        return;
    if (is_handed_back ? !hand_back(w, p->job) : !settle(w, p->job, &outcome)) {
        pthread_mutex_lock(&w->lock); /* once more with the next look */
        if (p->state == EN_FENCED)
            p->state = EN_BEGUN;
        pthread_mutex_unlock(&w->lock);
        return;
    }
    p->job = NULL;
    stop_tell(w, i, why);
}

static void begun_look(struct en_worker *w, size_t i)
{
    struct en_place *p = &w->places[i];

    if (p->job->stop == ERRAND_ENGINE_LATE) {
        fence(w, i, "late", false);
    } else if (p->job->stop == ERRAND_ENGINE_LOST) {
        fence(w, i, "lost", false);
    } else if (p->job->stop == ERRAND_ENGINE_CANCELLED) {
        if (!p->cancelled_ms) {
            p->cancelled_ms = now_ms();
            stop_tell(w, i, "cancelled");
        } else if (now_ms() - p->cancelled_ms >= CANCEL_MS) {
            fence(w, i, "cancelled", false);
        }
    }
}

static void progress_pass(struct en_worker *w, struct en_place *p)
{
    char note[sizeof p->note];
    int percent = -1;

    pthread_mutex_lock(&w->lock);
    if (p->has_progress && p->state == EN_BEGUN) {
        percent = p->percent;
        memcpy(note, p->note, sizeof note);
    }
    p->has_progress = false;
    pthread_mutex_unlock(&w->lock);
    if (percent >= 0)
        errand_engine_progress(w->engine, p->job, percent, note, NULL);
}

/* One that JavaScript ended after it was fenced has no job any more. */
static void ended_look(struct en_worker *w, struct en_place *p)
{
    if (!p->job ||
        (p->is_handed_back ? hand_back(w, p->job) : settle(w, p->job, &p->outcome)))
        place_set(w, p, EN_FREE);
}

static enum en_place_state state_of(struct en_worker *w, const struct en_place *p)
{
    enum en_place_state state;

    pthread_mutex_lock(&w->lock);
    state = p->state;
    pthread_mutex_unlock(&w->lock);
    return state;
}

static void places_look(struct en_worker *w)
{
    for (size_t i = 0; i < w->places_n; i++) {
        struct en_place *p = &w->places[i];

        progress_pass(w, p);
        if (state_of(w, p) == EN_GIVEN)
            given_look(w, p);
        if (state_of(w, p) == EN_BEGUN)
            begun_look(w, i);
        if (state_of(w, p) == EN_ENDED)
            ended_look(w, p);
    }
}

/* ------------------------------------------------------------------ reserving */

static size_t count(struct en_worker *w, enum en_place_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < w->places_n; i++)
        n += state_of(w, &w->places[i]) == state;
    return n;
}

static void give(struct en_worker *w, struct errand_engine_job *job)
{
    size_t i = 0;

    while (state_of(w, &w->places[i]) != EN_FREE)
        i++;
    w->places[i].job = job;
    w->places[i].given_ms = now_ms();
    place_set(w, &w->places[i], EN_GIVEN);
    w->begun_n += !job->is_failed_hook;
    (void)job_tell(w, i); /* untold it is handed back in half a second */
}

/* How many may be reserved now. */
static size_t room(struct en_worker *w)
{
    size_t free_n = count(w, EN_FREE);
    int64_t left = w->options.max_jobs - w->begun_n;

    if (w->stop_at_ms)
        return 0;
    if (w->options.max_jobs && left < (int64_t)free_n)
        return left > 0 ? (size_t)left : 0;
    return free_n;
}

static void reserve(struct en_worker *w)
{
    size_t n, free_n = room(w);
    struct errand_engine_job **jobs;
    struct errand_error err = {0};

    w->is_empty = false;
    if (free_n == 0)
        return;
    if (errand_engine_reserve(w->engine, free_n, &jobs, &n, &err) < 0) {
        warn(w, err.message);
        return;
    }
    w->warning[0] = '\0';
    w->is_empty = n == 0;
    for (size_t i = 0; i < n; i++)
        give(w, jobs[i]);
}

/* ------------------------------------------------------------------ the loop */

static bool is_over(struct en_worker *w)
{
    bool is_idle = !count(w, EN_GIVEN) && !count(w, EN_BEGUN) && !count(w, EN_ENDED);

    /* The store does not answer: what is left is handed back when its lease is over. */
    if (w->give_up_at_ms && now_ms() >= w->give_up_at_ms)
        return true;
    if (!is_idle)
        return false;
    return w->stop_at_ms || (w->options.stop_when_empty && w->is_empty) ||
           (w->options.max_jobs && w->begun_n >= w->options.max_jobs);
}

static void wishes_look(struct en_worker *w)
{
    int wish;

    pthread_mutex_lock(&w->lock);
    wish = w->stop_wish;
    pthread_mutex_unlock(&w->lock);
    if (wish && !w->stop_at_ms)
        w->stop_at_ms = now_ms() + (int64_t)(w->options.grace * 1000) + 1;
    if (!wish || (wish < 2 && now_ms() < w->stop_at_ms))
        return;
    if (!w->give_up_at_ms)
        w->give_up_at_ms = now_ms() + GIVE_UP_MS;
    for (size_t i = 0; i < w->places_n; i++)
        if (state_of(w, &w->places[i]) == EN_BEGUN)
            fence(w, i, "stopping", true);
}

static void doze(struct en_worker *w)
{
    struct pollfd fds[2] = {{.fd = w->wake_fd, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    int64_t ms = errand_engine_timeout_ms(w->engine);
    bool is_busy = count(w, EN_GIVEN) || count(w, EN_ENDED) || w->stop_at_ms;
    uint64_t woken;

    /* What is armed by a reserve only, and read by nobody while there is none. */
    if (room(w))
        fds[1].fd = errand_engine_fd(w->engine);
    else
        ms = ms < TICK_MS ? TICK_MS : ms;
    for (size_t i = 0; i < w->places_n; i++)
        is_busy = is_busy || w->places[i].cancelled_ms;
    if (w->warning[0])
        ms = ms < PAUSE_MS ? PAUSE_MS : ms;
    if (is_busy && ms > TICK_MS)
        ms = TICK_MS;
    if (poll(fds, 2, (int)(ms > 60000 ? 60000 : ms)) > 0 && fds[0].revents &&
        read(w->wake_fd, &woken, sizeof woken) < 0)
        return; /* somebody else's wake was read: the look comes anyway */
}

static bool engine_open(struct en_worker *w, struct errand_error *err)
{
    struct en_worker_options *o = &w->options;

    if (!o->url) {
        if (!(w->project = errand_project_read(o->folder, err)))
            return false;
        o->engine.project = w->project;
    }
    w->engine = errand_engine_open(o->url, o->url ? &o->config : NULL, &o->engine, err);
    return w->engine != NULL;
}

void *en_worker_main(void *arg)
{
    struct en_worker *w = arg;
    struct errand_error err = {0};

    if (!engine_open(w, &err)) {
        tell(w, told_new("ended", err.message));
        errand_project_free(w->project);
        return NULL;
    }
    tell(w, told_new("working", NULL));
    for (;;) {
        if (errand_engine_turn(w->engine, &err) < 0)
            warn(w, err.message);
        wishes_look(w);
        places_look(w);
        reserve(w);
        if (is_over(w))
            break;
        doze(w);
    }
    errand_engine_close(w->engine);
    errand_project_free(w->project);
    tell(w, told_new("ended", NULL));
    return NULL;
}
