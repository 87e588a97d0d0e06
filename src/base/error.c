/* error.c: codes, names and messages. */
#define ER_BASE_ERROR_C
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct row {
    int code;
    bool retryable;
    const char *name, *text;
} rows[] = {
#define ROW(code_name, number, can_retry, code_text) \
    {.code = (number), .retryable = (can_retry), .name = #code_name, .text = (code_text)},
    ERRAND_ERRORS(ROW)
#undef ROW
};

static const struct row *row_of(int code)
{
    static const struct row none = {.name = "E?", .text = "unknown error"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &none;
}

const char *errand_code_name(int code)
{
    return row_of(code)->name;
}

const char *errand_code_text(int code)
{
    return row_of(code)->text;
}

/* A message that was cut must still be UTF-8: drop a character that lost its end. */
static void cut_at_character(char *text)
{
    size_t len = strlen(text), lead = len;

    while (lead > 0 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead > 0 && !er_utf8_len(text + lead - 1, text + len))
        text[lead - 1] = '\0';
}

__attribute__((format(printf, 2, 0))) static void message_set(struct errand_error *err,
                                                              const char *fmt, va_list ap)
{
    int n = vsnprintf(err->message, sizeof err->message, fmt, ap);

    if (n >= (int)sizeof err->message)
        cut_at_character(err->message);
}

int errand_error_set(struct errand_error *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    err->sys = 0;
    err->retryable = row_of(code)->retryable;
    va_start(ap, fmt);
    message_set(err, fmt, ap);
    va_end(ap);
    return code;
}

int er_error_wrap(struct errand_error *err, int code, const char *fmt, ...)
{
    char context[ERRAND_ERROR_MAX], inner[ERRAND_ERROR_MAX];
    va_list ap;
    int n;

    if (!err)
        return code;
    va_start(ap, fmt);
    n = vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    if (n < 0)
        return err->code;
    memcpy(inner, err->message, sizeof inner);
    n = snprintf(err->message, sizeof err->message, "%s: %s", context, inner);
    if (n >= (int)sizeof err->message)
        cut_at_character(err->message);
    return err->code;
}

int er_error_errno(struct errand_error *err, int code, int errnum, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    size_t used;
    int n;

    if (!err)
        return code;
    err->code = code;
    err->sys = errnum;
    err->retryable = row_of(code)->retryable;
    va_start(ap, fmt);
    message_set(err, fmt, ap);
    va_end(ap);
    used = strlen(err->message);
    n = snprintf(err->message + used, sizeof err->message - used, ": %s",
                 strerror_r(errnum, text, sizeof text));
    if (n >= (int)(sizeof err->message - used))
        cut_at_character(err->message);
    return code;
}

int er_error_nomem(struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
}
