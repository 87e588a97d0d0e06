/* shim.c: what the machine may answer, by LD_PRELOAD. ERRAND_SHIM_FS=0x6969: every file
 * system is of that kind. ERRAND_SHIM_MALLOC=N: the Nth call for memory fails, and with
 * ERRAND_SHIM_MALLOC_ALL all that follow. ERRAND_SHIM_READONLY=PATH: as long as PATH
 * exists, writing at a place of a file answers EROFS, as after `mount -o remount,ro`.
 * ERRAND_SHIM_CLOCK=SECONDS: the wall clock is so far ahead, and timers that follow it
 * ring by it. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int statfs(const char *path, struct statfs *ret);
EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at);
EXPORT int clock_gettime(clockid_t id, struct timespec *ret);
EXPORT time_t time(time_t *ret);
EXPORT int gettimeofday(struct timeval *ret, void *zone);
EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *at,
                           struct itimerspec *old);
EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *ptr, size_t size);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);

static atomic_long calls, fails_at;
static bool is_ready, fails_on;

/* After the loader is done: what it asks for is not counted. */
__attribute__((constructor)) static void init(void)
{
    const char *n = getenv("ERRAND_SHIM_MALLOC");

    atomic_store(&fails_at, n ? strtol(n, NULL, 10) : 0);
    fails_on = getenv("ERRAND_SHIM_MALLOC_ALL") != NULL;
    is_ready = true;
}

static bool fails(void)
{
    long at = atomic_load(&fails_at), n;

    if (!is_ready || !at)
        return false;
    n = atomic_fetch_add(&calls, 1) + 1;
    if (n != at && !(fails_on && n > at))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __libc_realloc(ptr, size);
}

int statfs(const char *path, struct statfs *ret)
{
    int (*real)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
    const char *kind = getenv("ERRAND_SHIM_FS");
    int rc = real ? real(path, ret) : -1;

    if (rc == 0 && kind)
        ret->f_type = strtol(kind, NULL, 0);
    return rc;
}

static bool is_read_only(void)
{
    const char *mark = getenv("ERRAND_SHIM_READONLY");

    if (!mark || access(mark, F_OK) < 0)
        return false;
    errno = EROFS;
    return true;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

    return is_read_only() ? -1 : real(fd, bytes, len, at);
}

static time_t clock_ahead(void)
{
    const char *seconds = getenv("ERRAND_SHIM_CLOCK");

    return seconds ? strtol(seconds, NULL, 10) : 0;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(id, ret);

    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        ret->tv_sec += clock_ahead();
    return rc;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *ret, void *zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at,
                    struct itimerspec *old)
{
    int (*real)(int, int, const struct itimerspec *, struct itimerspec *) =
        dlsym(RTLD_NEXT, "timerfd_settime");
    struct itimerspec there = *at;

    if (flags & TFD_TIMER_CANCEL_ON_SET && there.it_value.tv_sec > clock_ahead())
        there.it_value.tv_sec -= clock_ahead();
    return real(fd, flags, &there, old);
}
