/* json.c: the check. One pass, no recursion, no allocation; a bit a level tells objects
 * from arrays. It stands in front of every dispatch, so the good path decides nothing
 * twice, and line and column are counted only when there is an error to place. */
#include "core/json.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { DEPTH_LIMIT = 4096 }; /* what the bits below have room for */
enum { BYTES_DEFAULT = 1 << 20, DEPTH_DEFAULT = 64, KEYS_DEFAULT = 10000 };

enum expect {
    VALUE,
    VALUE_OR_CLOSE, /* behind [ */
    KEY,
    KEY_OR_CLOSE, /* behind { */
    COMMA_OR_CLOSE,
    END,
    NOTHING,
};

struct scan {
    const unsigned char *p, *end; /* p: where it stands, and on failure the place */
    enum expect expect;
    int depth, max_depth;
    size_t keys, max_keys;
    const char *wanted;  /* on failure: "a value" … */
    const char *trouble; /* on failure, in place of `wanted`: the whole story */
    const char *over;    /* on failure: what there is more of than `limit` */
    size_t limit;
    /* a bit a level; a word is zeroed when its first level opens, not all of them for
     * nothing */
    uint64_t objects[DEPTH_LIMIT / 64];
};

/* Classes of bytes inside a string. */
enum { PLAIN, QUOTE, ESCAPE, CONTROL, HIGH };
static const unsigned char classes[256] = {
    [0x00 ... 0x1f] = CONTROL,
    ['"'] = QUOTE,
    ['\\'] = ESCAPE,
    [0x80 ... 0xff] = HIGH,
};

static bool fail(struct scan *s, const char *wanted)
{
    s->wanted = wanted;
    return false;
}

static bool trouble(struct scan *s, const char *what)
{
    s->trouble = what;
    return false;
}

static bool too_big(struct scan *s, size_t limit, const char *what)
{
    s->over = what;
    s->limit = limit;
    return false;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A surrogate may stand alone: JSON.stringify writes it so. */
static bool scan_escape(struct scan *s)
{
    if (++s->p == s->end)
        return true; /* the caller sees that the string is not closed */
    if (!*s->p || !strchr("\"\\/bfnrtu", *s->p))
        return trouble(s, "unknown escape in a string");
    if (*s->p++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, s->p++)
        if (s->p == s->end || !is_hex(*s->p))
            return trouble(s, "\\u needs four hexadecimal digits");
    return true;
}

/* What stops the run of plain characters in a string; true to go on. */
static bool scan_special(struct scan *s)
{
    size_t n;

    switch (classes[*s->p]) {
    case ESCAPE:
        return scan_escape(s);
    case CONTROL:
        return trouble(s, "a control character in a string must be escaped");
    default:
        if (!(n = er_utf8_len((const char *)s->p, (const char *)s->end)))
            return trouble(s, "not valid UTF-8");
        s->p += n;
        return true;
    }
}

static bool scan_string(struct scan *s)
{
    const unsigned char *begin = s->p++;

    for (;;) {
        while (s->p < s->end && classes[*s->p] == PLAIN)
            s->p++;
        if (s->p == s->end) {
            s->p = begin;
            return trouble(s, "the string is not closed");
        }
        if (*s->p == '"') {
            s->p++;
            return true;
        }
        if (!scan_special(s))
            return false;
    }
}

static bool scan_digits(struct scan *s)
{
    if (s->p == s->end || *s->p < '0' || *s->p > '9')
        return fail(s, "a digit");
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return true;
}

/* Any size and precision: what a number means is for whoever reads it. */
static bool scan_number(struct scan *s)
{
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (!scan_digits(s))
            return false;
    }
    return true;
}

static bool scan_word(struct scan *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return fail(s, "a value");
    s->p += len;
    return true;
}

static bool in_object(const struct scan *s)
{
    return s->objects[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1;
}

static bool open_level(struct scan *s, bool is_object)
{
    uint64_t bit = 1ULL << (s->depth % 64), *word = &s->objects[s->depth / 64];

    if (s->depth >= s->max_depth)
        return too_big(s, (size_t)s->max_depth, "levels of nesting");
    if (bit == 1)
        *word = 0;
    *word = is_object ? *word | bit : *word & ~bit;
    s->depth++;
    s->p++;
    s->expect = is_object ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
    return true;
}

static bool close_level(struct scan *s)
{
    s->depth--;
    s->p++;
    s->expect = s->depth ? COMMA_OR_CLOSE : END;
    return true;
}

static bool scan_value(struct scan *s)
{
    const char *wanted = s->expect == VALUE_OR_CLOSE ? "a value or ']'" : "a value";

    if (s->p == s->end)
        return fail(s, wanted);
    switch (*s->p) {
    case '{':
        return open_level(s, true);
    case '[':
        return open_level(s, false);
    case ']':
        return s->expect == VALUE_OR_CLOSE ? close_level(s) : fail(s, wanted);
    default:
        break;
    }
    s->expect = s->depth ? COMMA_OR_CLOSE : END;
    switch (*s->p) {
    case '"':
        return scan_string(s);
    case '-':
    case '0' ... '9':
        return scan_number(s);
    case 't':
        return scan_word(s, "true", 4);
    case 'f':
        return scan_word(s, "false", 5);
    case 'n':
        return scan_word(s, "null", 4);
    default:
        return fail(s, wanted);
    }
}

static bool scan_key(struct scan *s)
{
    if (s->p < s->end && *s->p == '}' && s->expect == KEY_OR_CLOSE)
        return close_level(s);
    if (s->p == s->end || *s->p != '"')
        return fail(s, s->expect == KEY ? "a name in quotes" : "a name in quotes or '}'");
    if (++s->keys > s->max_keys)
        return too_big(s, s->max_keys, "names");
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "':'");
    s->p++;
    s->expect = VALUE;
    return true;
}

static bool scan_comma(struct scan *s)
{
    bool is_object = in_object(s);

    if (s->p < s->end && *s->p == (is_object ? '}' : ']'))
        return close_level(s);
    if (s->p == s->end || *s->p != ',')
        return fail(s, is_object ? "',' or '}'" : "',' or ']'");
    s->p++;
    s->expect = is_object ? KEY : VALUE;
    return true;
}

static bool scan_next(struct scan *s)
{
    skip_space(s);
    switch (s->expect) {
    case VALUE:
    case VALUE_OR_CLOSE:
        return scan_value(s);
    case KEY:
    case KEY_OR_CLOSE:
        return scan_key(s);
    case COMMA_OR_CLOSE:
        return scan_comma(s);
    case END:
        if (s->p < s->end)
            return fail(s, "the end");
        s->expect = NOTHING;
        return true;
    case NOTHING:
        break;
    }
    return false;
}

static bool is_c1_control(const struct scan *s)
{
    return *s->p == 0xc2 && s->end - s->p > 1 && s->p[1] < 0xa0;
}

/* What stands at the place, fit for a message on a terminal. */
static void found(const struct scan *s, char *buf, size_t size)
{
    size_t n;

    if (s->p == s->end)
        snprintf(buf, size, "the end");
    else if (*s->p > ' ' && *s->p < 0x7f)
        snprintf(buf, size, "'%c'", *s->p);
    else if (*s->p == '\n' || *s->p == '\r')
        snprintf(buf, size, "the end of the line");
    else if (s->end - s->p >= 3 && memcmp(s->p, "\xef\xbb\xbf", 3) == 0)
        snprintf(buf, size, "a byte order mark");
    else if (*s->p >= 0x80 && !is_c1_control(s) &&
             (n = er_utf8_len((const char *)s->p, (const char *)s->end)))
        snprintf(buf, size, "'%.*s'", (int)n, (const char *)s->p);
    else
        snprintf(buf, size, "byte 0x%02x", *s->p);
}

static int explain(const struct scan *s, const char *what, const char *begin,
                   struct errand_error *err)
{
    const char *place = (const char *)s->p, *line_begin = begin;
    size_t line = 1, column = 1;
    char here[32];

    for (const char *p = begin; p < place; p++)
        if (*p == '\n') {
            line++;
            line_begin = p + 1;
        }
    for (const char *p = line_begin; p < place; p++)
        column += ((unsigned char)*p & 0xc0) != 0x80;
    if (s->over)
        return errand_error_set(err, ERRAND_ETOOBIG,
                                "%s has more than %zu %s, at line %zu, column %zu", what,
                                s->limit, s->over, line, column);
    found(s, here, sizeof here);
    if (s->trouble && s->p < s->end && *s->p == '"')
        return errand_error_set(err, ERRAND_EJSON,
                                "%s is not JSON: %s, it begins at line %zu, column %zu",
                                what, s->trouble, line, column);
    if (s->trouble)
        return errand_error_set(err, ERRAND_EJSON,
                                "%s is not JSON: %s at line %zu, column %zu, found %s",
                                what, s->trouble, line, column, here);
    return errand_error_set(
        err, ERRAND_EJSON,
        "%s is not JSON: expected %s at line %zu, column %zu, found %s", what, s->wanted,
        line, column, here);
}

int er_json_check(const char *what, struct errand_slice json,
                  const struct er_json_limits *limits, struct errand_error *err)
{
    size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : BYTES_DEFAULT;
    struct scan s;

    if (json.len > max_bytes)
        return errand_error_set(err, ERRAND_ETOOBIG,
                                "%s has %zu bytes, more than the %zu allowed", what,
                                json.len, max_bytes);
    if (!json.len)
        json.ptr = "";
    s.p = (const unsigned char *)json.ptr;
    s.end = s.p + json.len;
    s.expect = VALUE;
    s.depth = 0;
    s.max_depth = limits && limits->max_depth > 0 ? limits->max_depth : DEPTH_DEFAULT;
    if (s.max_depth > DEPTH_LIMIT)
        s.max_depth = DEPTH_LIMIT;
    s.keys = 0;
    s.max_keys = limits && limits->max_keys ? limits->max_keys : KEYS_DEFAULT;
    s.wanted = s.trouble = s.over = NULL;
    while (s.expect != NOTHING)
        if (!scan_next(&s))
            return explain(&s, what, json.ptr, err);
    return 0;
}
