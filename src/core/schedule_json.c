/* schedule_json.c: the form in which a schedule lies in the store:
 *
 *     {"cron":"0 8 * * *","zone":"Europe/Berlin","job":"daily-report","data":{…},
 *      "missed":"skip","options":{"queue":"reports"},"from":"job","owner":"/srv/shop",
 *      "since":1764547200000}
 *
 * What is not said is left out. */
#include "core/schedule.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/json.h"

/* ------------------------------------------------------------------ writing */

static void write_key(struct er_buf *buf, size_t start, const char *key)
{
    er_buf_str(buf, buf->len == start ? "{\"" : ",\"");
    er_buf_str(buf, key);
    er_buf_str(buf, "\":");
}

static void write_text(struct er_buf *buf, size_t start, const char *key,
                       const char *text)
{
    if (!text)
        return;
    write_key(buf, start, key);
    er_json_write_string(buf, text, strlen(text));
}

static void write_int(struct er_buf *buf, size_t start, const char *key, int64_t n)
{
    if (!n)
        return;
    write_key(buf, start, key);
    er_buf_printf(buf, "%lld", (long long)n);
}

int er_schedule_encode(const struct er_schedule *s, struct er_buf *buf)
{
    size_t start = buf->len;
    int rc = 0;

    write_text(buf, start, "cron", s->cron ? s->cron : "");
    write_text(buf, start, "zone", s->zone);
    write_text(buf, start, "job", s->job);
    if (s->data.len) {
        write_key(buf, start, "data");
        er_buf_add(buf, s->data.ptr, s->data.len);
    }
    if (s->overlap)
        write_text(buf, start, "overlap", er_overlap_name(s->overlap));
    if (s->missed)
        write_text(buf, start, "missed", er_missed_name(s->missed));
    write_int(buf, start, "missed_max", s->missed_max);
    write_int(buf, start, "jitter_ms", s->jitter_ms);
    if (s->options.has) {
        write_key(buf, start, "options");
        rc = er_options_encode(&s->options, buf);
    }
    write_text(buf, start, "from", er_schedule_from_name(s->from));
    write_text(buf, start, "owner", s->owner);
    write_int(buf, start, "since", s->since_ms);
    er_buf_str(buf, "}");
    return rc < 0 || buf->has_failed ? -1 : 0;
}

/* ------------------------------------------------------------------ reading */

struct reading {
    struct er_schedule *into;
    struct errand_arena *arena;
    struct errand_error *err;
    const struct er_json_walk *at;
};

static int wrong(const struct reading *r, const char *wanted)
{
    return errand_error_set(r->err, ERRAND_EINVAL, "%.*s of a schedule is not %s",
                            (int)r->at->key.len, r->at->key.ptr, wanted);
}

static int read_text(struct reading *r, const char **ret)
{
    struct errand_slice text;
    int rc;

    if (r->at->type != ER_JSON_STRING)
        return wrong(r, "a string");
    if ((rc = er_json_unescape(r->at->value, r->arena, &text, r->err)) < 0)
        return rc;
    if (strlen(text.ptr) != text.len)
        return wrong(r, "a string without NUL");
    *ret = text.ptr;
    return 0;
}

static int read_int(struct reading *r, int64_t *ret)
{
    if (r->at->type != ER_JSON_NUMBER || er_json_int(r->at->value, ret) < 0 || *ret < 0)
        return wrong(r, "a whole number");
    return 0;
}

/* One of the words for 0 to 2. */
static int read_word(struct reading *r, const char *const words[3], int *ret)
{
    const char *text;
    int rc = read_text(r, &text);

    for (int i = 0; rc == 0 && i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret = i;
            return 0;
        }
    return rc < 0 ? rc : wrong(r, "a word it knows");
}

static int read_data(struct reading *r)
{
    r->into->data = er_arena_slice(r->arena, r->at->value.ptr, r->at->value.len);
    return r->into->data.ptr ? 0 : er_error_nomem(r->err);
}

static bool is_key(const struct reading *r, const char *key)
{
    return er_json_equal(r->at->key, key, strlen(key));
}

static int read_words(struct reading *r)
{
    static const char *const overlap[3] = {"skip", "allow", "one-waiting"},
                             *const missed[3] = {"once", "skip", "all"},
                             *const from[3] = {"job", "config", "hand"};
    int word = 0, rc = 0;

    if (is_key(r, "overlap") && (rc = read_word(r, overlap, &word)) == 0)
        r->into->overlap = (enum errand_overlap)word;
    else if (is_key(r, "missed") && (rc = read_word(r, missed, &word)) == 0)
        r->into->missed = (enum errand_missed)word;
    else if (is_key(r, "from") && (rc = read_word(r, from, &word)) == 0)
        r->into->from = (enum er_schedule_from)word;
    return rc;
}

static int read_member(struct reading *r)
{
    int64_t n = 0;
    int rc;

    if (is_key(r, "cron"))
        return read_text(r, &r->into->cron);
    if (is_key(r, "zone"))
        return read_text(r, &r->into->zone);
    if (is_key(r, "job"))
        return read_text(r, &r->into->job);
    if (is_key(r, "owner"))
        return read_text(r, &r->into->owner);
    if (is_key(r, "data"))
        return read_data(r);
    if (is_key(r, "options"))
        return er_options_decode(r->at->value, r->arena, &r->into->options, r->err);
    if (is_key(r, "since"))
        return read_int(r, &r->into->since_ms);
    if (is_key(r, "jitter_ms"))
        return read_int(r, &r->into->jitter_ms);
    if (!is_key(r, "missed_max"))
        return read_words(r);
    if ((rc = read_int(r, &n)) < 0)
        return rc;
    r->into->missed_max = n < ER_MISSED_MAX_MOST ? (int32_t)n : ER_MISSED_MAX_MOST;
    return 0;
}

int er_schedule_decode(struct errand_slice json, struct errand_arena *arena,
                       struct er_schedule *ret, struct errand_error *err)
{
    struct er_schedule schedule = {.from = ER_FROM_HAND};
    struct er_json_walk walk;
    struct reading r = {.into = &schedule, .arena = arena, .err = err, .at = &walk};
    struct errand_slice whole;
    int rc;

    if ((rc = er_json_check("what is stored of a schedule", json, NULL, err)) < 0)
        return rc;
    if (er_json_whole(json, &whole) != ER_JSON_OBJECT)
        return errand_error_set(err, ERRAND_EINVAL,
                                "what is stored of a schedule is not a JSON object");
    for (er_json_walk(&walk, whole); er_json_next(&walk);)
        if ((rc = read_member(&r)) < 0)
            return rc;
    *ret = schedule;
    return 0;
}

bool er_schedule_same(const struct er_schedule *a, const struct er_schedule *b)
{
    struct er_schedule x = *a, y = *b;
    struct er_buf one, other;
    bool is_same;

    x.since_ms = y.since_ms = 0;
    er_buf_init(&one, 1 << 20);
    er_buf_init(&other, 1 << 20);
    is_same = er_schedule_encode(&x, &one) == 0 && er_schedule_encode(&y, &other) == 0 &&
              one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
    er_buf_done(&one);
    er_buf_done(&other);
    return is_same;
}
