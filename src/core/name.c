/* name.c: the alphabet of names, and names that mean the same. */
#include "core/name.h"

#include <string.h>

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_name_char(unsigned char c)
{
    return is_alnum(c) || (c && strchr("_.:/-", c));
}

/* The name for a message: cut, and with nothing in it that a terminal would obey. */
static const char *shown(const char *name, char buf[48])
{
    size_t i;

    for (i = 0; name[i] && i < 40; i++)
        buf[i] = is_name_char((unsigned char)name[i]) || name[i] == ' ' ? name[i] : '?';
    memcpy(buf + i, name[i] ? "..." : "", name[i] ? 4 : 1);
    return buf;
}

int er_name_check(const char *what, const char *name, struct errand_error *err)
{
    char buf[48];
    size_t i;

    if (!name || !*name)
        return errand_error_set(err, ERRAND_EINVAL, "%s is empty", what);
    for (i = 0; name[i] && i < ER_NAME_MAX; i++)
        if (!is_name_char((unsigned char)name[i]))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "%s '%s' has a wrong character at position %zu: "
                                    "letters, digits and _ . : / - are allowed",
                                    what, shown(name, buf), i + 1);
    if (name[i])
        return errand_error_set(err, ERRAND_EINVAL, "%s '%s' is longer than %d bytes",
                                what, shown(name, buf), ER_NAME_MAX);
    return 0;
}

char *er_name_key(const char *name, char *buf)
{
    size_t n = 0;

    for (size_t i = 0; name[i] && n < ER_NAME_MAX; i++)
        if (is_alnum((unsigned char)name[i]))
            buf[n++] =
                (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    /* A name of nothing but separators keeps them, else "--" and "::" would be one. */
    for (size_t i = 0; n == i && name[i] && n < ER_NAME_MAX; i++)
        buf[n++] = name[i];
    buf[n] = '\0';
    return buf;
}

bool er_name_is_same(const char *a, const char *b)
{
    char one[ER_NAME_MAX + 1], other[ER_NAME_MAX + 1];

    return strcmp(a, b) == 0 || strcmp(er_name_key(a, one), er_name_key(b, other)) == 0;
}
