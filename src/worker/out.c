/* out.c: gathered writes, and the thread that keeps them from waiting too long. */
#include "worker/out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "worker/protocol.h"

enum {
    WATCH_NS = 1000000, /* how long a frame may wait */
    SLEEPY_ROUNDS = 16, /* rounds with nothing to do before the thread sleeps for good */
    WATCH_STACK = 64 << 10,
    EXIT_BROKEN = 3
};

/* One page that is zero in every child of fork (MADV_WIPEONFORK): asking costs a load,
 * where getpid() after each job would be a system call. */
static const volatile int *owner_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (madvise(p, page, MADV_WIPEONFORK) < 0) {
        munmap(p, page);
        return NULL;
    }
    *p = 1;
    return p;
}

int er_out_init(struct er_out *out, int fd)
{
    *out = (struct er_out){.fd = fd, .is_asleep = true};
    er_buf_init(&out->buf, 2 * (size_t)ER_FRAME_MAX);
    if (!(out->owner = owner_new()))
        return -1;
    if (pthread_mutex_init(&out->lock, NULL) != 0 ||
        pthread_cond_init(&out->wake, NULL) != 0)
        return -1;
    return 0;
}

bool er_out_is_ours(const struct er_out *out)
{
    return *out->owner != 0;
}

struct er_buf *er_out_begin(struct er_out *out)
{
    if (out->has_thread)
        pthread_mutex_lock(&out->lock);
    return &out->buf;
}

void er_out_end(struct er_out *out)
{
    if (out->has_thread)
        pthread_mutex_unlock(&out->lock);
}

static int send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int flush_locked(struct er_out *out)
{
    int rc = out->buf.len ? send_all(out->fd, out->buf.ptr, out->buf.len) : 0;

    er_buf_reset(&out->buf);
    out->flushes++;
    return rc;
}

int er_out_flush(struct er_out *out)
{
    int rc;

    er_out_begin(out);
    rc = flush_locked(out);
    er_out_end(out);
    return rc;
}

/* Sends what was there a round ago and is there still. It sleeps by the clock while jobs
 * run, because waking it for each batch would cost more than a thousand naps a second. */
static void *watch(void *arg)
{
    struct er_out *out = arg;
    int idle = 0;

    pthread_mutex_lock(&out->lock);
    for (;;) {
        uint64_t flushes = out->flushes;
        bool has_frames = out->buf.len > 0;

        if (idle > SLEEPY_ROUNDS) {
            out->is_asleep = true;
            while (out->is_asleep)
                pthread_cond_wait(&out->wake, &out->lock);
            idle = 0;
            continue;
        }
        pthread_mutex_unlock(&out->lock);
        nanosleep(&(struct timespec){.tv_nsec = WATCH_NS}, NULL);
        pthread_mutex_lock(&out->lock);
        if (out->flushes == flushes && !has_frames)
            idle++;
        else
            idle = 0;
        if (out->flushes == flushes && has_frames && flush_locked(out) < 0)
            _exit(EXIT_BROKEN);
    }
    return NULL;
}

/* Signals belong to the handler's thread: this one blocks them all. */
static void watch_start(struct er_out *out)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    if (pthread_attr_init(&attr) != 0)
        return;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, WATCH_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    out->is_asleep = false;
    out->has_thread = pthread_create(&thread, &attr, watch, out) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

void er_out_watch(struct er_out *out)
{
    if (!out->has_thread) {
        watch_start(out);
        if (!out->has_thread && er_out_flush(out) < 0)
            _exit(EXIT_BROKEN); /* no thread to be had: pay for the write */
        return;
    }
    pthread_mutex_lock(&out->lock);
    if (out->is_asleep) {
        out->is_asleep = false;
        pthread_cond_signal(&out->wake);
    }
    pthread_mutex_unlock(&out->lock);
}
