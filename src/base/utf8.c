/* utf8.c: UTF-8 as RFC 3629 has it. */
#include "base/utf8.h"

enum { TAIL_MAX = 3 };

static size_t lead_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The second byte is what tells overlong forms, surrogates and too big numbers. */
static bool is_second(unsigned char lead, unsigned char c)
{
    switch (lead) {
    case 0xe0:
        return c >= 0xa0 && c <= 0xbf;
    case 0xed:
        return c >= 0x80 && c <= 0x9f;
    case 0xf0:
        return c >= 0x90 && c <= 0xbf;
    case 0xf4:
        return c >= 0x80 && c <= 0x8f;
    default:
        return (c & 0xc0) == 0x80;
    }
}

size_t er_utf8_len(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = lead_len(*u);

    if (n < 2)
        return n;
    if ((size_t)(end - p) < n || !is_second(u[0], u[1]))
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

size_t er_utf8_get(const char *text, size_t len, uint32_t *ret)
{
    size_t n = er_utf8_len(text, text + len);
    uint32_t c = n == 1 ? (unsigned char)text[0] : (unsigned char)text[0] & (0x7fu >> n);

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)text[i] & 0x3fu);
    *ret = c;
    return n;
}

size_t er_utf8_put(uint32_t character, char *ret)
{
    if (character < 0x80) {
        ret[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        ret[0] = (char)(0xc0 | character >> 6);
        ret[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        ret[0] = (char)(0xe0 | character >> 12);
        ret[1] = (char)(0x80 | (character >> 6 & 0x3f));
        ret[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    ret[0] = (char)(0xf0 | character >> 18);
    ret[1] = (char)(0x80 | (character >> 12 & 0x3f));
    ret[2] = (char)(0x80 | (character >> 6 & 0x3f));
    ret[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

bool er_utf8_check(const char *text, size_t len)
{
    const char *end = len ? text + len : text;
    size_t n;

    for (const char *p = text; p < end; p += n)
        if (!(n = er_utf8_len(p, end)))
            return false;
    return true;
}

/* A byte that goes on with a character; there are at most three of them. */
static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t er_utf8_cut(const char *text, size_t len, size_t max)
{
    size_t n = max;

    if (len <= max)
        return len;
    for (int i = 0; i < TAIL_MAX && n > 0 && is_tail(text[n]); i++)
        n--;
    return is_tail(text[n]) ? max : n;
}
