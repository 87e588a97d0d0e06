/* print.h: everything a command prints on standard output goes through here.
 *
 * Colours only on a terminal, and not with --no-color or NO_COLOR. Text that came from a
 * job is escaped before it is printed, so that no payload can speak to the terminal. A
 * reader that went away (`| head`) ends the output, not the command. */
#ifndef ER_CLI_PRINT_H
#define ER_CLI_PRINT_H

#include <locale.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/escape.h"
#include "errand/types.h"

enum er_colour {
    ER_PLAIN = 0,
    ER_BOLD,
    ER_DIM,
    ER_RED,
    ER_GREEN,
    ER_YELLOW,
    ER_BLUE,
    ER_MAGENTA,
    ER_CYAN,
};

struct er_print {
    FILE *file;
    bool has_colour, is_terminal, is_json;
    bool is_closed; /* nobody reads any more; what follows is dropped */
    int columns;    /* width of the terminal; 0: as wide as it takes */
    locale_t utf8;  /* for the width of characters, whatever the user's locale */
    struct er_buf scratch;
    bool has_failed; /* out of memory */
};

void er_print_init(struct er_print *out, FILE *file);
/* Flushes. 0, or EIO when something could not be written; a closed pipe is no error. */
int er_print_done(struct er_print *out, struct errand_error *err);

void er_print_add(struct er_print *out, const char *ptr, size_t len);
void er_printf(struct er_print *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void er_print_colour(struct er_print *out, enum er_colour colour); /* ER_PLAIN: back */
void er_print_text(struct er_print *out, enum er_colour colour, const char *text);
/* Escaped: for text that is not our own. */
void er_print_safe(struct er_print *out, const char *text);
/* Now, for what should be seen while the command goes on. */
void er_print_flush(struct er_print *out);
enum er_colour er_state_colour(enum errand_state state);

/* Columns that escaped text takes. */
int er_text_width(const struct er_print *out, const char *text, size_t len);
/* How many bytes of it fit into so many columns. */
size_t er_text_fit(const struct er_print *out, const char *text, size_t len, int columns);

#endif
