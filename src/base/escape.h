/* escape.h: text of others, made fit for a terminal and a log. */
#ifndef ER_BASE_ESCAPE_H
#define ER_BASE_ESCAPE_H

#include "base/buf.h"
#include "errand/types.h"

/* Appends text fit for a terminal: control characters, bytes that are not UTF-8 and signs
 * that turn the direction of writing become \n, \x1b, \u202e. With `keep_lines` a line
 * feed and a tab stay. */
int er_text_escape(struct er_buf *buf, struct errand_slice text, bool keep_lines);
/* The same for JSON, which means the same afterwards: they stand in its strings alone and
 * become \u009b; a pair of surrogates where one is not enough. Line ends and tabs stay.
 */
int er_json_escape(struct er_buf *buf, struct errand_slice json);

#endif
