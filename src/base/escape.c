/* escape.c: text that is safe on a terminal. */
#include "base/escape.h"

#include "base/utf8.h"

/* C0, DEL, C1, and what turns or hides the direction of writing. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e ||
           c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

static int escape_one(struct er_buf *buf, uint32_t c)
{
    switch (c) {
    case '\n':
        return er_buf_str(buf, "\\n");
    case '\r':
        return er_buf_str(buf, "\\r");
    case '\t':
        return er_buf_str(buf, "\\t");
    default:
        if (c < 0x100)
            return er_buf_printf(buf, "\\x%02x", (unsigned)c);
        return er_buf_printf(buf, c > 0xffff ? "\\u{%x}" : "\\u%04x", (unsigned)c);
    }
}

int er_text_escape(struct er_buf *buf, struct errand_slice text, bool keep_lines)
{
    const char *p = text.ptr;
    int rc = 0;

    for (size_t i = 0, n; i < text.len && rc == 0; i += n) {
        uint32_t c = 0;

        if ((n = er_utf8_get(p + i, text.len - i, &c)) == 0) {
            rc = er_buf_printf(buf, "\\x%02x", (unsigned char)p[i]);
            n = 1;
        } else if (!is_unsafe(c) || (keep_lines && (c == '\n' || c == '\t'))) {
            rc = er_buf_add(buf, p + i, n);
        } else if (keep_lines && c == '\r' && i + 1 < text.len && p[i + 1] == '\n') {
            continue; /* a line end of another system */
        } else {
            rc = escape_one(buf, c);
        }
    }
    return rc;
}

int er_json_escape(struct er_buf *buf, struct errand_slice json)
{
    size_t from = 0, n;
    uint32_t c;

    for (size_t i = 0; i < json.len; i += n) {
        c = (unsigned char)json.ptr[i];
        if (c < 0x7f || (n = er_utf8_get(json.ptr + i, json.len - i, &c)) == 0)
            n = 1;
        if (c < 0x7f || !is_unsafe(c))
            continue;
        er_buf_add(buf, json.ptr + from, i - from);
        if (c > 0xffff)
            er_buf_printf(buf, "\\u%04x", 0xd800 + (unsigned)((c - 0x10000) >> 10));
        er_buf_printf(buf, "\\u%04x",
                      c > 0xffff ? 0xdc00 + (unsigned)(c & 0x3ff) : (unsigned)c);
        from = i + n;
    }
    return er_buf_add(buf, json.ptr + from, json.len - from);
}
