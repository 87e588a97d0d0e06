/* schema_same.c: when two JSON values mean the same, and how long a string is. */
#include <math.h>
#include <string.h>

#include "core/schema_inside.h"

int er_json_compare(struct errand_slice a, struct errand_slice b)
{
    int64_t i, j;
    double x = 0, y = 0;

    if (er_json_int(a, &i) == 0 && er_json_int(b, &j) == 0)
        return (i > j) - (i < j);
    er_json_double(a, &x);
    er_json_double(b, &y);
    return (x > y) - (x < y);
}

bool er_json_is_whole(struct errand_slice number)
{
    int64_t i;
    double x;

    if (er_json_int(number, &i) == 0)
        return true;
    return er_json_double(number, &x) == 0 && isfinite(x) && floor(x) == x;
}

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The character at *p, escaped or not; moves *p behind it. Half a surrogate pair is a
 * character of its own. */
static uint32_t next_unit(const char **p, const char *end)
{
    uint32_t unit = (unsigned char)*(*p)++;

    if (unit == '\\' && *p < end) {
        unit = (unsigned char)*(*p)++;
        if (unit != 'u' || end - *p < 4) {
            static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
            const char *known = unit ? strchr(from, (int)unit) : NULL;

            return known ? (unsigned char)to[known - from] : unit;
        }
        unit = 0;
        for (int i = 0; i < 4; i++)
            unit = unit << 4 | (uint32_t)hex(*(*p)++);
        return unit;
    }
    if (unit >= 0xc0) {
        unit &= unit >= 0xf0 ? 0x07 : unit >= 0xe0 ? 0x0f : 0x1f;
        while (*p < end && ((unsigned char)**p & 0xc0) == 0x80)
            unit = unit << 6 | ((unsigned char)*(*p)++ & 0x3f);
    }
    return unit;
}

static uint32_t next_character(const char **p, const char *end)
{
    uint32_t first = next_unit(p, end), second;
    const char *behind = *p;

    if (first < 0xd800 || first > 0xdbff || *p == end)
        return first;
    second = next_unit(&behind, end);
    if (second < 0xdc00 || second > 0xdfff)
        return first;
    *p = behind;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static struct errand_slice inside(struct errand_slice string)
{
    return (struct errand_slice){string.ptr + 1, string.len < 2 ? 0 : string.len - 2};
}

int64_t er_json_length(struct errand_slice string)
{
    struct errand_slice text = inside(string);
    const char *end = text.ptr + text.len;
    int64_t n = 0;

    for (const char *p = text.ptr; p < end; n++)
        next_character(&p, end);
    return n;
}

static bool same_string(struct errand_slice a, struct errand_slice b)
{
    struct errand_slice x = inside(a), y = inside(b);
    const char *p = x.ptr, *p_end = p + x.len, *q = y.ptr, *q_end = q + y.len;

    while (p < p_end && q < q_end)
        if (next_character(&p, p_end) != next_character(&q, q_end))
            return false;
    return p == p_end && q == q_end;
}

bool er_json_member(struct errand_slice object, struct errand_slice key,
                    struct errand_slice *ret)
{
    struct er_json_walk w;
    bool is_found = false;

    for (er_json_walk(&w, object); er_json_next(&w);)
        if (same_string(w.key, key)) {
            *ret = w.value;
            is_found = true;
        }
    return is_found;
}

static size_t count(struct errand_slice container, size_t max)
{
    struct er_json_walk w;
    size_t n = 0;

    for (er_json_walk(&w, container); n < max && er_json_next(&w);)
        n++;
    return n;
}

/* Each member of a has the same value in b. */
static bool is_within(struct errand_slice a, struct errand_slice b)
{
    struct errand_slice x, y;
    struct er_json_walk w;

    for (er_json_walk(&w, a); er_json_next(&w);)
        if (!er_json_member(a, w.key, &x) || !er_json_member(b, w.key, &y) ||
            !er_json_same(x, y))
            return false;
    return true;
}

static bool has_keys(struct errand_slice a, struct errand_slice of)
{
    struct er_json_walk w;
    struct errand_slice x;

    for (er_json_walk(&w, of); er_json_next(&w);)
        if (!er_json_member(a, w.key, &x))
            return false;
    return true;
}

static bool same_array(struct errand_slice a, struct errand_slice b)
{
    struct er_json_walk v, w;
    bool has_left, has_right;

    er_json_walk(&v, a);
    er_json_walk(&w, b);
    for (;;) {
        has_left = er_json_next(&v);
        has_right = er_json_next(&w);
        if (!has_left || !has_right)
            return has_left == has_right;
        if (!er_json_same(v.value, w.value))
            return false;
    }
}

/* The data may be large where the schema is small: objects of another size are not looked
 * into. Keys that are written twice make sizes differ which may mean the same; data of
 * that kind is not what anybody wrote into an enum. */
static bool same_object(struct errand_slice a, struct errand_slice b)
{
    size_t n = count(a, SIZE_MAX);

    return count(b, n + 1) == n && is_within(a, b) && has_keys(a, b);
}

bool er_json_same(struct errand_slice a, struct errand_slice b)
{
    enum er_json_type type = er_json_whole(a, &a);

    if (er_json_whole(b, &b) != type)
        return false;
    switch (type) {
    case ER_JSON_NULL:
        return true;
    case ER_JSON_BOOL:
        return a.len == b.len;
    case ER_JSON_NUMBER:
        return er_json_compare(a, b) == 0;
    case ER_JSON_STRING:
        return same_string(a, b);
    case ER_JSON_ARRAY:
        return same_array(a, b);
    case ER_JSON_OBJECT:
        return same_object(a, b);
    }
    return false;
}
