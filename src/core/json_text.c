/* json_text.c: the text inside JSON strings, in both directions. */
#include "core/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/utf8.h"

enum { REPLACEMENT = 0xfffd };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits at p, or -1. */
static int32_t read_unit(const char *p, const char *end)
{
    int32_t unit = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* p behind "\u". A pair of surrogates is one character, half a pair is none. What is no
 * escape at all (nobody checked it) is the letter: no escape grows. */
static uint32_t read_unicode(const char **p, const char *end)
{
    int32_t high = read_unit(*p, end), low;

    if (high < 0)
        return 'u';
    *p += 4;
    if (high < 0xd800 || high > 0xdfff)
        return (uint32_t)high;
    if (high > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return REPLACEMENT;
    low = read_unit(*p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return REPLACEMENT;
    *p += 6;
    return 0x10000 + ((uint32_t)(high & 0x3ff) << 10) + (uint32_t)(low & 0x3ff);
}

/* The next bit of text: as many plain bytes as stand together, or one escape. Moves *p;
 * `buf` holds what an escape means. */
static struct errand_slice next_run(const char **p, const char *end, char buf[4])
{
    static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *begin = *p, *name;

    if (*begin != '\\') {
        const char *stop = memchr(begin, '\\', (size_t)(end - begin));
        *p = stop ? stop : end;
        return (struct errand_slice){.ptr = begin, .len = (size_t)(*p - begin)};
    }
    *p = begin + 1 < end ? begin + 2 : end;
    if (begin + 1 < end && begin[1] == 'u')
        return (struct errand_slice){.ptr = buf,
                                     .len = er_utf8_put(read_unicode(p, end), buf)};
    buf[0] = (*p)[-1];
    if ((name = memchr(names, buf[0], sizeof names - 1)))
        buf[0] = meant[name - names];
    return (struct errand_slice){.ptr = buf, .len = 1};
}

static bool is_quoted(struct errand_slice string)
{
    return string.len >= 2 && string.ptr[0] == '"' && string.ptr[string.len - 1] == '"';
}

bool er_json_equal(struct errand_slice string, const char *text, size_t len)
{
    const char *p, *end;
    char buf[4];

    if (!is_quoted(string))
        return false;
    p = string.ptr + 1;
    end = string.ptr + string.len - 1;
    while (p < end) {
        struct errand_slice run = next_run(&p, end, buf);
        if (run.len > len || memcmp(run.ptr, text, run.len) != 0)
            return false;
        text += run.len;
        len -= run.len;
    }
    return len == 0;
}

int er_json_unescape(struct errand_slice string, struct errand_arena *arena,
                     struct errand_slice *ret, struct errand_error *err)
{
    const char *p, *end;
    char buf[4], *text, *to;

    if (!is_quoted(string))
        return errand_error_set(err, ERRAND_EINVAL, "not a JSON string");
    p = string.ptr + 1;
    end = string.ptr + string.len - 1;
    /* No escape is shorter than what it means. */
    if (!(text = errand_arena_alloc(arena, string.len)))
        return er_error_nomem(err);
    for (to = text; p < end;) {
        struct errand_slice run = next_run(&p, end, buf);
        memcpy(to, run.ptr, run.len);
        to += run.len;
    }
    *ret = (struct errand_slice){.ptr = text, .len = (size_t)(to - text)};
    return 0;
}

/* How many bytes from p on may stand in a string as they are. */
static size_t plain_len(const char *p, const char *end)
{
    const char *begin = p;
    size_t n;

    while (p < end && (unsigned char)*p >= ' ' && *p != '"' && *p != '\\' &&
           (n = er_utf8_len(p, end)))
        p += n;
    return (size_t)(p - begin);
}

static int write_escape(struct er_buf *buf, unsigned char c)
{
    static const char names[] = "bfnrt\"\\", meant[] = "\b\f\n\r\t\"\\";
    const char *found = memchr(meant, c, sizeof meant - 1);

    if (found)
        return er_buf_add(buf, (char[]){'\\', names[found - meant]}, 2);
    if (c < ' ')
        return er_buf_printf(buf, "\\u%04x", c);
    return er_buf_str(buf, "\xef\xbf\xbd"); /* U+FFFD for a byte that is no character */
}

int er_json_write_string(struct er_buf *buf, const char *text, size_t len)
{
    const char *end = len ? text + len : text;
    size_t before = buf->len, n;

    er_buf_str(buf, "\"");
    for (const char *p = text; p < end && !buf->has_failed; p += n) {
        if ((n = plain_len(p, end)))
            er_buf_add(buf, p, n);
        else {
            write_escape(buf, (unsigned char)*p);
            n = 1;
        }
    }
    if (er_buf_str(buf, "\"") == 0 && !buf->has_failed)
        return 0;
    /* All or nothing: half a string would break what is around it. */
    buf->len = before;
    if (buf->ptr)
        buf->ptr[before] = '\0';
    return -1;
}
