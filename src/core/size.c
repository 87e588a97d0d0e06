/* size.c: reading a number of bytes. Whole numbers only, so the locale has no say. */
#include "core/size.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

enum { SCALE_MAX = 1000000 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What one of the unit is worth, or 0. */
static int64_t unit_bytes(const char *name, int64_t bare)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {{"B", 1},         {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
                 {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}};

    if (!*name)
        return bare;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(units[i].name, name) == 0)
            return units[i].bytes;
    return 0;
}

int er_size_parse(const char *text, int64_t bare, int64_t *ret)
{
    const char *p = text;
    int64_t whole = 0, part = 0, scale = 1, unit, bytes;

    if (!is_digit(*p))
        return -1;
    for (; is_digit(*p); p++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *p - '0', &whole))
            return -1;
    if (*p == '.') {
        if (!is_digit(*++p))
            return -1;
        for (; is_digit(*p); p++)
            if (scale < SCALE_MAX) { /* finer than that, a digit only has to be one */
                part = part * 10 + (*p - '0');
                scale *= 10;
            }
    }
    while (*p == ' ')
        p++;
    unit = unit_bytes(p, bare);
    if (!unit || __builtin_mul_overflow(whole, unit, &bytes) ||
        __builtin_add_overflow(bytes, part * unit / scale, &bytes))
        return -1;
    *ret = bytes;
    return 0;
}
