/* json_number.c: what a JSON number means to C. */
#include "core/json.h"

#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 512, RADIX_BYTES_MAX = 8 };

static bool is_number(struct errand_slice s)
{
    return s.len > 0 && s.len < NUMBER_BYTES_MAX &&
           (*s.ptr == '-' || (*s.ptr >= '0' && *s.ptr <= '9')) &&
           er_json_check("", s, NULL, NULL) == 0;
}

/* strtod wants the decimal point of the host's locale, which is not ours to set. */
int er_json_double(struct errand_slice number, double *ret)
{
    char text[NUMBER_BYTES_MAX + RADIX_BYTES_MAX];
    const char *radix = nl_langinfo(RADIXCHAR), *point;
    size_t radix_len = strlen(radix), before;

    if (!is_number(number) || radix_len >= RADIX_BYTES_MAX)
        return -1;
    point = memchr(number.ptr, '.', number.len);
    before = point ? (size_t)(point - number.ptr) : number.len;
    memcpy(text, number.ptr, before);
    if (point) {
        memcpy(text + before, radix, radix_len);
        memcpy(text + before + radix_len, point + 1, number.len - before - 1);
    }
    text[point ? number.len - 1 + radix_len : number.len] = '\0';
    *ret = strtod(text, NULL);
    return 0;
}

/* Digits alone are read exactly: a double holds only 53 bits of them. */
static int read_digits(struct errand_slice s, int64_t *ret)
{
    bool is_negative = *s.ptr == '-';
    int64_t value = 0;

    for (size_t i = is_negative; i < s.len; i++) {
        int64_t digit = s.ptr[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return -1;
    }
    /* It was counted downwards, because INT64_MIN has no positive twin. */
    if (!is_negative && __builtin_sub_overflow(0, value, &value))
        return -1;
    *ret = value;
    return 0;
}

int er_json_int(struct errand_slice number, int64_t *ret)
{
    double value;

    if (!is_number(number))
        return -1;
    if (!memchr(number.ptr, '.', number.len) && !memchr(number.ptr, 'e', number.len) &&
        !memchr(number.ptr, 'E', number.len))
        return read_digits(number, ret);
    if (er_json_double(number, &value) < 0 || value != floor(value) ||
        fabs(value) > 9007199254740992.0)
        return -1;
    *ret = (int64_t)value;
    return 0;
}
