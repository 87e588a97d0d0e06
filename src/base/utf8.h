/* utf8.h: is this a character? */
#ifndef ER_BASE_UTF8_H
#define ER_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the UTF-8 character that begins at p, 0 when none does: no overlong
 * forms, no surrogates, nothing over U+10FFFF. p < end. */
size_t er_utf8_len(const char *p, const char *end);
/* The character at `text`: its code and length, or length 0 when none begins there.
 * len > 0. */
size_t er_utf8_get(const char *text, size_t len, uint32_t *ret);
/* Writes a character (not checked) as UTF-8; returns its length, 1 to 4. */
size_t er_utf8_put(uint32_t character, char *ret);
bool er_utf8_check(const char *text, size_t len);
/* How many of the first `max` bytes of the text to keep so that no character is cut.
 * Bytes that are not UTF-8 are cut anywhere. */
size_t er_utf8_cut(const char *text, size_t len, size_t max);

#endif
