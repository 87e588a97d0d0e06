/* line.c: one JSON object on one line. */
#include "cli/line.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"

/* A job's data, result and log at their largest, escaped. */
enum { LINE_MAX_BYTES = 512 << 20 };

void er_line_init(struct er_line *line)
{
    *line = (struct er_line){0};
    er_buf_init(&line->buf, LINE_MAX_BYTES);
}

void er_line_done(struct er_line *line)
{
    er_buf_done(&line->buf);
}

void er_line_begin(struct er_line *line)
{
    er_buf_reset(&line->buf);
    er_buf_str(&line->buf, "{");
    line->needs_comma = false;
}

void er_line_end(struct er_line *line, struct er_print *out)
{
    struct er_buf fit;

    er_buf_init(&fit, LINE_MAX_BYTES);
    er_buf_str(&line->buf, "}\n");
    er_json_escape(&fit, (struct errand_slice){line->buf.ptr, line->buf.len});
    if (line->buf.has_failed || fit.has_failed)
        out->has_failed = true;
    else
        er_print_add(out, fit.ptr, fit.len);
    er_buf_done(&fit);
}

static void key_add(struct er_line *line, const char *key)
{
    if (line->needs_comma)
        er_buf_str(&line->buf, ",");
    if (key)
        er_buf_printf(&line->buf, "\"%s\":", key);
    line->needs_comma = true;
}

void er_line_text(struct er_line *line, const char *key, struct errand_slice text)
{
    key_add(line, key);
    er_json_write_string(&line->buf, text.ptr, text.len);
}

void er_line_str(struct er_line *line, const char *key, const char *text)
{
    if (!text)
        er_line_null(line, key);
    else
        er_line_text(line, key, (struct errand_slice){.ptr = text, .len = strlen(text)});
}

void er_line_int(struct er_line *line, const char *key, int64_t number)
{
    key_add(line, key);
    er_buf_printf(&line->buf, "%" PRId64, number);
}

void er_line_bool(struct er_line *line, const char *key, bool value)
{
    key_add(line, key);
    er_buf_str(&line->buf, value ? "true" : "false");
}

void er_line_null(struct er_line *line, const char *key)
{
    key_add(line, key);
    er_buf_str(&line->buf, "null");
}

void er_line_time(struct er_line *line, const char *key, int64_t ms)
{
    char text[32];

    if (ms == 0)
        er_line_null(line, key);
    else
        er_line_str(line, key, er_time_format(ms, text, sizeof text));
}

void er_line_raw(struct er_line *line, const char *key, struct errand_slice json)
{
    /* Whatever was accepted once is shown, also when the limits were lowered since. */
    static const struct er_json_limits wide = {
        .max_bytes = 64 << 20, .max_depth = 100000, .max_keys = 64 << 20};

    if (json.len == 0) {
        er_line_null(line, key);
    } else if (er_json_check("stored value", json, &wide, NULL) < 0) {
        er_line_text(line, key, json);
    } else {
        size_t from;

        key_add(line, key);
        from = line->buf.len;
        if (er_buf_add(&line->buf, json.ptr, json.len) < 0)
            return;
        /* In JSON a bare line end stands between tokens only. */
        for (size_t i = from; i < line->buf.len; i++)
            if (line->buf.ptr[i] == '\n' || line->buf.ptr[i] == '\r')
                line->buf.ptr[i] = ' ';
    }
}

void er_line_open(struct er_line *line, const char *key, char bracket)
{
    key_add(line, key);
    er_buf_add(&line->buf, &bracket, 1);
    line->needs_comma = false;
}

void er_line_close(struct er_line *line, char bracket)
{
    er_buf_add(&line->buf, &bracket, 1);
    line->needs_comma = true;
}
