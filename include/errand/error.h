/* error.h: what can go wrong, and how a caller hears of it.
 *
 * Every call that can fail returns 0 (or a positive answer) when it worked and one of the
 * negative codes below when it did not, and fills the `struct errand_error` it was given
 * (NULL is allowed). The message is complete: what was attempted, with which value, and
 * what to try. The library never prints. */
#ifndef ERRAND_ERROR_H
#define ERRAND_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ERRAND_API __attribute__((visibility("default")))
#define ERRAND_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ERRAND_API
#define ERRAND_PRINTF(fmt, args)
#endif

/* X(name, number, retryable, text). Numbers never change; new ones go at the end. */
#define ERRAND_ERRORS(X)                                           \
    X(EINVAL, -1, false, "invalid argument")                       \
    X(ENOMEM, -2, true, "out of memory")                           \
    X(ENOTFOUND, -3, false, "not found")                           \
    X(EJSON, -4, false, "not JSON")                                \
    X(ETOOBIG, -5, false, "too big")                               \
    X(EBUSY, -6, true, "store is busy")                            \
    X(EUNAVAILABLE, -7, true, "store is unavailable")              \
    X(EFULL, -8, true, "store is full")                            \
    X(ECORRUPT, -9, false, "store is corrupt")                     \
    X(ESCHEMA, -10, false, "store has another schema version")     \
    X(EREADONLY, -11, false, "store is read-only")                 \
    X(EFORKED, -12, false, "handle was opened before fork")        \
    X(EUNSUPPORTED, -13, false, "store cannot do this")            \
    X(ECONFLICT, -14, false, "in conflict with the present state") \
    X(EIO, -15, false, "input or output failed")                   \
    X(EJOB, -16, false, "job failed")                              \
    X(ETIMEOUT, -17, true, "timed out")                            \
    X(EINTERNAL, -18, false, "internal error, please report it")

enum errand_code {
    ERRAND_OK = 0,
#define ERRAND_ERROR_ENUM_(name, number, retryable, text) ERRAND_##name = (number),
    ERRAND_ERRORS(ERRAND_ERROR_ENUM_)
#undef ERRAND_ERROR_ENUM_
};

enum { ERRAND_ERROR_MAX = 1024 };

struct errand_error {
    /* one of enum errand_code, or what a job handler sets: any number it likes */
    int code;
    int sys;        /* errno, or the driver's own code; 0 when there is none */
    bool retryable; /* the same call may work later */
    /* UTF-8, one line unless the cause has several; never empty on error */
    char message[ERRAND_ERROR_MAX];
};

/* "EFULL" and "store is full"; "E?" for a number that is no code. Borrowed for ever. */
ERRAND_API const char *errand_code_name(int code);
ERRAND_API const char *errand_code_text(int code);

/* Sets `err` (NULL allowed) and returns `code`, so that a function can say what went
 * wrong and end in one line:
 *
 *     return errand_error_set(err, ERRAND_EINVAL, "no user %lld", user);
 *
 * A message longer than ERRAND_ERROR_MAX is cut at a character boundary. */
ERRAND_API int errand_error_set(struct errand_error *err, int code, const char *fmt, ...)
    ERRAND_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
