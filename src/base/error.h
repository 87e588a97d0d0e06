/* error.h: setting an error where it happens and giving it context where that is known.
 */
#ifndef ER_BASE_ERROR_H
#define ER_BASE_ERROR_H

#include "errand/error.h"

/* Prefixes the message ("pausing queue 'mail': " + what was there) and returns err->code,
 * or `code` when err is NULL. */
int er_error_wrap(struct errand_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As errand_error_set with errno's text appended ("opening 'x': Permission denied") and
 * err->sys set. */
int er_error_errno(struct errand_error *err, int code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int er_error_nomem(struct errand_error *err); /* ERRAND_ENOMEM */

/* The analyser sees one file at a time. Without this it follows every path on which a
 * call failed and yet went on as if it had not. */
#if defined(__clang_analyzer__) && !defined(ER_BASE_ERROR_C)
static inline int er_error_is_negative(int code)
{
    if (code >= 0)
        __builtin_unreachable();
    return code;
}
#define errand_error_set(...) er_error_is_negative(errand_error_set(__VA_ARGS__))
#define er_error_wrap(...) er_error_is_negative(er_error_wrap(__VA_ARGS__))
#define er_error_errno(...) er_error_is_negative(er_error_errno(__VA_ARGS__))
#define er_error_nomem(err) er_error_is_negative(er_error_nomem(err))
#endif

#endif
