/* line.h: one JSON object on one line, for --json. Fields come in the order they are
 * written; bytes that are no UTF-8 still give valid JSON. */
#ifndef ER_CLI_LINE_H
#define ER_CLI_LINE_H

#include "cli/print.h"

struct er_line {
    struct er_buf buf;
    bool needs_comma;
};

void er_line_init(struct er_line *line);
void er_line_done(struct er_line *line);

void er_line_begin(struct er_line *line);
void er_line_end(struct er_line *line, struct er_print *out); /* prints it */

/* `key` NULL inside an array. */
void er_line_text(struct er_line *line, const char *key, struct errand_slice text);
/* NULL: null */
void er_line_str(struct er_line *line, const char *key, const char *text);
void er_line_int(struct er_line *line, const char *key, int64_t number);
void er_line_bool(struct er_line *line, const char *key, bool value);
void er_line_null(struct er_line *line, const char *key);
void er_line_time(struct er_line *line, const char *key, int64_t ms); /* 0: null */
/* JSON as stored, byte for byte but for line ends between its tokens; what is no JSON is
 * written as a string, nothing as null. */
void er_line_raw(struct er_line *line, const char *key, struct errand_slice json);
void er_line_open(struct er_line *line, const char *key, char bracket); /* '{' or '[' */
void er_line_close(struct er_line *line, char bracket);                 /* '}' or ']' */

#endif
