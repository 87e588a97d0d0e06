/* text.c: how wide text is on a terminal. */
#include "cli/print.h"

#include <wchar.h>

#include "base/utf8.h"

static int character_width(uint32_t c)
{
    int w = c < 0x80 ? 1 : wcwidth((wchar_t)c);

    return w < 0 ? 1 : w;
}

size_t er_text_fit(const struct er_print *out, const char *text, size_t len, int columns)
{
    locale_t old = out->utf8 ? uselocale(out->utf8) : (locale_t)0;
    size_t i = 0, n;

    for (int used = 0; i < len; i += n) {
        uint32_t c = 0;

        if ((n = er_utf8_get(text + i, len - i, &c)) == 0)
            n = 1;
        if ((used += character_width(c)) > columns)
            break;
    }
    if (old)
        uselocale(old);
    return i;
}

int er_text_width(const struct er_print *out, const char *text, size_t len)
{
    locale_t old = out->utf8 ? uselocale(out->utf8) : (locale_t)0;
    int used = 0;

    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c = 0;

        if ((n = er_utf8_get(text + i, len - i, &c)) == 0)
            n = 1;
        used += character_width(c);
    }
    if (old)
        uselocale(old);
    return used;
}
