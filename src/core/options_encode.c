/* options_encode.c: writing the form in which options travel with a job in the store. */
#include "core/options.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "core/backoff.h"
#include "core/json.h"
#include "core/options_table.h"

/* "1.5" for 1500 thousandths: no floating point, so no locale and no 1.4999. */
static void write_decimal(struct er_buf *buf, int64_t value, int places)
{
    char text[32], *p = text + sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    bool is_written = false;

    for (int i = 0; i < places; i++, rest /= 10) {
        is_written = is_written || rest % 10;
        if (is_written)
            *--p = (char)('0' + rest % 10);
    }
    if (is_written)
        *--p = '.';
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    er_buf_add(buf, p, (size_t)(text + sizeof text - p));
}

/* Microseconds: finer than any wait, and a year of them fits. */
static void write_double(struct er_buf *buf, double value)
{
    write_decimal(buf, fabs(value) < 9e12 ? llround(value * 1e6) : 0, 6);
}

static void write_text(struct er_buf *buf, const char *text)
{
    er_json_write_string(buf, text, strlen(text));
}

static void write_backoff(struct er_buf *buf, const struct errand_backoff *b)
{
    bool is_array = b->list_n > 1 || (b->list_n == 1 && b->strategy);

    if (b->list_n == 0) {
        write_double(buf, b->base);
        return;
    }
    if (is_array)
        er_buf_str(buf, "[");
    for (size_t i = 0; i < b->list_n; i++) {
        if (i)
            er_buf_str(buf, ",");
        write_double(buf, b->list[i]);
    }
    if (is_array)
        er_buf_str(buf, "]");
}

static void write_tags(struct er_buf *buf, const struct er_options *o)
{
    er_buf_str(buf, "[");
    for (size_t i = 0; i < o->tags_n; i++) {
        if (i)
            er_buf_str(buf, ",");
        write_text(buf, o->tags[i]);
    }
    er_buf_str(buf, "]");
}

static void write_set(struct er_buf *buf, const struct er_option_field *f, uint32_t set)
{
    const char *const *words = er_option_words(f);
    const char *comma = "";

    er_buf_str(buf, "[");
    for (int i = 0; words[i]; i++) {
        if (!(set >> i & 1))
            continue;
        er_buf_str(buf, comma);
        write_text(buf, words[i]);
        comma = ",";
    }
    er_buf_str(buf, "]");
}

static void write_rate(struct er_buf *buf, const struct er_rate *rate)
{
    er_buf_str(buf, "\"");
    write_decimal(buf, rate->n, 0);
    er_buf_str(buf, "/");
    write_decimal(buf, rate->per_ms, 3);
    er_buf_str(buf, "s\"");
}

/* A base without a strategy is written with the strategy it means, because a number
 * alone means a fixed wait. And what says only "the default" must still say something. */
static enum errand_backoff_strategy strategy_of(const struct errand_backoff *b)
{
    return !b->strategy && !b->list_n && b->base > 0 ? ERRAND_BACKOFF_EXPONENTIAL
                                                     : b->strategy;
}

/* Fields that share a bit are written when they differ from zero. */
static bool is_written(const struct er_option_field *f, const struct er_options *o)
{
    const void *at = er_option_of(f, o);

    if (!(o->has & f->bit))
        return false;
    switch (f->kind) {
    case ER_KIND_NAME:
    case ER_KIND_TEXT:
    case ER_KIND_COMMAND:
    case ER_KIND_SCHEMA:
        return *(const char *const *)at != NULL;
    case ER_KIND_SECONDS:
        return f->bit != ER_OPT_UNIQUE || *(const int64_t *)at;
    case ER_KIND_WORD:
        return f->bit == ER_OPT_BACKOFF
                   ? strategy_of(&o->backoff) || !er_backoff_is_said(&o->backoff)
                   : *(const int *)at != 0;
    case ER_KIND_BACKOFF:
        return o->backoff.list_n > 0 || o->backoff.base > 0;
    case ER_KIND_CAP:
        return o->backoff.cap > 0;
    case ER_KIND_JITTER:
        return o->backoff.jitter != 0;
    case ER_KIND_INT32:
    case ER_KIND_INT64:
    case ER_KIND_SIZE:
    case ER_KIND_INSTANT:
    case ER_KIND_TAGS:
    case ER_KIND_SET:
    case ER_KIND_RATE:
    case ER_KIND_BOOL:
        return true;
    }
    return false;
}

static void write_value(struct er_buf *buf, const struct er_option_field *f,
                        const struct er_options *o)
{
    const void *at = er_option_of(f, o);

    switch (f->kind) {
    case ER_KIND_NAME:
    case ER_KIND_TEXT:
        write_text(buf, *(const char *const *)at);
        break;
    case ER_KIND_INT32:
        write_decimal(buf, *(const int32_t *)at, 0);
        break;
    case ER_KIND_INT64:
        write_decimal(buf, *(const int64_t *)at, 0);
        break;
    case ER_KIND_SIZE:
        write_decimal(buf, (int64_t) * (const size_t *)at, 0);
        break;
    case ER_KIND_SECONDS:
    case ER_KIND_INSTANT:
        write_decimal(buf, *(const int64_t *)at, 3);
        break;
    case ER_KIND_WORD:
        write_text(buf, er_option_words(
                            f)[f->bit == ER_OPT_BACKOFF ? (int)strategy_of(&o->backoff)
                                                        : *(const int *)at]);
        break;
    case ER_KIND_BACKOFF:
        write_backoff(buf, &o->backoff);
        break;
    case ER_KIND_CAP:
        write_double(buf, *(const double *)at);
        break;
    case ER_KIND_JITTER:
        write_double(buf, *(const double *)at > 0 ? *(const double *)at : 0);
        break;
    case ER_KIND_TAGS:
        write_tags(buf, o);
        break;
    case ER_KIND_SET:
        write_set(buf, f, *(const uint32_t *)at);
        break;
    case ER_KIND_RATE:
        write_rate(buf, at);
        break;
    case ER_KIND_COMMAND:
    case ER_KIND_SCHEMA:
        er_buf_str(buf, *(const char *const *)at);
        break;
    case ER_KIND_BOOL:
        er_buf_str(buf, *(const bool *)at ? "true" : "false");
        break;
    }
}

int er_options_encode(const struct er_options *options, struct er_buf *buf)
{
    size_t before = buf->len;

    if (options->has == 0)
        return er_buf_add(buf, "{}", 2);
    for (size_t i = 0; i < er_option_fields_n; i++) {
        const struct er_option_field *f = &er_option_fields[i];
        if (!is_written(f, options))
            continue;
        er_buf_add(buf, buf->len == before ? "{\"" : ",\"", 2);
        er_buf_str(buf, f->name);
        er_buf_add(buf, "\":", 2);
        write_value(buf, f, options);
    }
    if (buf->len == before)
        er_buf_add(buf, "{", 1);
    er_buf_add(buf, "}", 1);
    return buf->has_failed ? -1 : 0;
}
