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
void er_error_clear(struct errand_error *err);

#endif
