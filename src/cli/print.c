/* print.c: standard output with colours and a reader that may go away. */
#include "cli/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

enum { SCRATCH_MAX = 1 << 20 };

static const char *const colours[] = {
    [ER_PLAIN] = "\033[0m", [ER_BOLD] = "\033[1m",     [ER_DIM] = "\033[2m",
    [ER_RED] = "\033[31m",  [ER_GREEN] = "\033[32m",   [ER_YELLOW] = "\033[33m",
    [ER_BLUE] = "\033[34m", [ER_MAGENTA] = "\033[35m", [ER_CYAN] = "\033[36m",
};

static int terminal_columns(int fd)
{
    struct winsize size = {0};

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

void er_print_init(struct er_print *out, FILE *file)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    *out = (struct er_print){.file = file};
    out->is_terminal = isatty(fileno(file)) == 1;
    out->has_colour = out->is_terminal && (!no_colour || !*no_colour) && term &&
                      strcmp(term, "dumb") != 0;
    if (out->is_terminal)
        out->columns = terminal_columns(fileno(file));
    out->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    er_buf_init(&out->scratch, SCRATCH_MAX);
}

int er_print_done(struct er_print *out, struct errand_error *err)
{
    int rc = 0;

    errno = 0;
    if ((fflush(out->file) != 0 || ferror(out->file)) && !out->is_closed &&
        errno != EPIPE)
        rc = er_error_errno(err, ERRAND_EIO, errno, "writing to standard output");
    else if (out->has_failed)
        rc = er_error_nomem(err);
    if (out->utf8)
        freelocale(out->utf8);
    out->utf8 = (locale_t)0;
    er_buf_done(&out->scratch);
    return rc;
}

void er_print_add(struct er_print *out, const char *ptr, size_t len)
{
    if (out->is_closed || len == 0)
        return;
    if (fwrite(ptr, 1, len, out->file) != len && errno == EPIPE)
        out->is_closed = true;
}

void er_printf(struct er_print *out, const char *fmt, ...)
{
    va_list ap;

    if (out->is_closed)
        return;
    va_start(ap, fmt);
    if (vfprintf(out->file, fmt, ap) < 0 && errno == EPIPE)
        out->is_closed = true;
    va_end(ap);
}

void er_print_colour(struct er_print *out, enum er_colour colour)
{
    if (out->has_colour)
        er_print_add(out, colours[colour], strlen(colours[colour]));
}

void er_print_text(struct er_print *out, enum er_colour colour, const char *text)
{
    if (colour != ER_PLAIN)
        er_print_colour(out, colour);
    er_print_add(out, text, strlen(text));
    if (colour != ER_PLAIN)
        er_print_colour(out, ER_PLAIN);
}

void er_print_safe(struct er_print *out, const char *text)
{
    er_buf_reset(&out->scratch);
    er_text_escape(&out->scratch, (struct errand_slice){text, strlen(text)}, false);
    er_print_add(out, out->scratch.ptr, out->scratch.len);
}

void er_print_flush(struct er_print *out)
{
    if (!out->is_closed && fflush(out->file) != 0 && errno == EPIPE)
        out->is_closed = true;
}

enum er_colour er_state_colour(enum errand_state state)
{
    switch (state) {
    case ERRAND_HELD:
        return ER_DIM;
    case ERRAND_SCHEDULED:
        return ER_MAGENTA;
    case ERRAND_READY:
        return ER_CYAN;
    case ERRAND_RUNNING:
        return ER_YELLOW;
    case ERRAND_COMPLETED:
        return ER_GREEN;
    case ERRAND_FAILED:
        return ER_RED;
    case ERRAND_CANCELLED:
        return ER_DIM;
    }
    return ER_PLAIN;
}
