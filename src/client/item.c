/* item.c: jobs to be stored, to and from JSON. */
#include "client/item.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "client/handle.h"
#include "core/clock.h"
#include "core/id.h"

enum { OPTIONS_MAX = 512 << 10, ITEMS_MAX = 256 << 20 };

/* ------------------------------------------------------------------ members */

enum member {
    JOB,
    DATA,
    ID,
    DELAY,
    RUN_AT,
    BATCH,
    NODE,
    AFTER,
    AFTER_FAILURE,
    AFTER_END,
    RETRY_UNTIL,
    OPTION, /* as core/options.h reads it */
};

static const struct {
    const char *name;
    enum member member;
    unsigned forms; /* bits 1 << form; 0: all */
} members[] = {
    {"job", JOB, 0},
    {"data", DATA, 0},
    {"id", ID, 1u << ER_ITEM_JOB | 1u << ER_ITEM_DISPATCH},
    {"delay", DELAY, 0},
    {"run_at", RUN_AT, 0},
    {"batch", BATCH, 1u << ER_ITEM_DISPATCH},
    {"node", NODE, 1u << ER_ITEM_NODE},
    {"after", AFTER, 1u << ER_ITEM_NODE},
    {"after_failure", AFTER_FAILURE, 1u << ER_ITEM_NODE},
    {"after_end", AFTER_END, 1u << ER_ITEM_NODE},
    {"queue", OPTION, 0},
    {"tries", OPTION, 0},
    {"timeout", OPTION, 0},
    {"backoff", OPTION, 0},
    {"backoff_strategy", OPTION, 0},
    {"backoff_cap", OPTION, 0},
    {"backoff_jitter", OPTION, 0},
    {"priority", OPTION, 0},
    {"unique", OPTION, 0},
    {"unique_for", OPTION, 0},
    {"unique_until", OPTION, 0},
    {"unique_policy", OPTION, 0},
    {"tags", OPTION, 0},
    {"command", OPTION, 0},
    {"encrypted", OPTION, 0},
    {"retry_until", RETRY_UNTIL, 0},
    {"rate", OPTION, 0},
    {"rate_name", OPTION, 0},
    {"rate_key", OPTION, 0},
    {"concurrency", OPTION, 0},
    {"concurrency_name", OPTION, 0},
    {"concurrency_key", OPTION, 0},
    {"throttle", OPTION, 0},
    {"throttle_name", OPTION, 0},
    {"throttle_key", OPTION, 0},
};
enum { MEMBERS_N = sizeof members / sizeof *members };

struct reading {
    enum er_item_form form;
    struct errand_arena *arena;
    struct er_item *item;
    struct er_buf options; /* the members that are options, as an object */
    struct errand_error *err;
};

static bool is_of_form(size_t i, enum er_item_form form)
{
    return !members[i].forms || members[i].forms & 1u << form;
}

static int unknown(const struct reading *r, struct errand_slice key)
{
    const char *near = NULL;
    struct errand_slice name;
    size_t least;

    if (er_json_unescape(key, r->arena, &name, NULL) < 0)
        return er_error_nomem(r->err);
    least = er_word_reach(name.ptr) + 1;
    if (strcmp(name.ptr, "name") == 0) /* as in struct errand_dispatch_item */
        near = r->form == ER_ITEM_NODE ? "node" : "job";
    for (size_t i = 0; i < MEMBERS_N; i++) {
        size_t distance = er_word_distance(name.ptr, members[i].name);
        if (!is_of_form(i, r->form) || distance >= least)
            continue;
        least = distance;
        near = members[i].name;
    }
    return errand_error_set(r->err, ERRAND_EINVAL, "there is no '%.64s' here%s%s%s",
                            name.ptr, near ? "; did you mean '" : "", near ? near : "",
                            near ? "'?" : "");
}

static int wrong(const struct reading *r, const char *name, const char *wanted,
                 const struct er_json_walk *w)
{
    int len = (int)(w->value.len < 40 ? w->value.len : 40);

    return errand_error_set(r->err, ERRAND_EINVAL, "%s is %s, not %.*s%s", name, wanted,
                            len, w->value.ptr, w->value.len > 40 ? "…" : "");
}

static int read_text(const struct reading *r, const char *name,
                     const struct er_json_walk *w, const char **ret)
{
    struct errand_slice text;
    int rc;

    if (w->type != ER_JSON_STRING)
        return wrong(r, name, "a string", w);
    if ((rc = er_json_unescape(w->value, r->arena, &text, r->err)) < 0)
        return rc;
    if (memchr(text.ptr, '\0', text.len))
        return wrong(r, name, "a string without NUL", w);
    *ret = text.ptr;
    return 0;
}

/* One name or an array of them. */
static int read_names(const struct reading *r, const char *name,
                      const struct er_json_walk *w, const char *const **ret)
{
    struct er_json_walk element;
    const char **names;
    size_t n = 0;
    int rc = 0;

    if (w->type != ER_JSON_STRING && w->type != ER_JSON_ARRAY)
        return wrong(r, name, "the name of a node or an array of them", w);
    for (er_json_walk(&element, w->value); er_json_next(&element);)
        n++;
    if (!(names = errand_arena_alloc(r->arena, (n + 2) * sizeof *names)))
        return er_error_nomem(r->err);
    *ret = names;
    if (w->type == ER_JSON_STRING)
        return read_text(r, name, w, &names[0]);
    for (er_json_walk(&element, w->value); rc == 0 && er_json_next(&element);)
        rc = read_text(r, name, &element, names++);
    return rc;
}

/* Seconds, or a time as the command takes it: "10m". */
static int read_delay(const struct reading *r, const struct er_json_walk *w)
{
    static const char wanted[] = "seconds (90) or a time (\"10m\")";
    struct errand_options *o = &r->item->options;
    const char *text;
    double seconds;
    int rc;

    if (w->type == ER_JSON_NUMBER && er_json_double(w->value, &seconds) == 0)
        return er_seconds_to_ms("delay", seconds, &o->delay_ms, r->err);
    if (w->type != ER_JSON_STRING)
        return wrong(r, "delay", wanted, w);
    if ((rc = read_text(r, "delay", w, &text)) < 0)
        return rc;
    return er_duration_parse(text, &o->delay_ms) < 0 ? wrong(r, "delay", wanted, w) : 0;
}

static int read_instant(const struct reading *r, const char *name,
                        const struct er_json_walk *w, int64_t *ret)
{
    const char *text;
    int rc;

    if ((rc = read_text(r, name, w, &text)) < 0)
        return rc;
    if (er_time_parse(text, ret) < 0)
        return wrong(r, name, "an instant (\"2026-12-24T18:00:00Z\")", w);
    return 0;
}

static int read_id(const struct reading *r, const struct er_json_walk *w)
{
    const char *text;
    int rc = read_text(r, "id", w, &text);

    return rc < 0 ? rc : er_id_parse(text, &r->item->options.id, r->err);
}

static int option_keep(struct reading *r, const struct er_json_walk *w)
{
    er_buf_add(&r->options, r->options.len ? "," : "{", 1);
    er_buf_add(&r->options, w->key.ptr, w->key.len);
    er_buf_add(&r->options, ":", 1);
    er_buf_add(&r->options, w->value.ptr, w->value.len);
    return 0;
}

static int read_member(struct reading *r, size_t i, const struct er_json_walk *w)
{
    const char *name = members[i].name;
    struct er_item *item = r->item;

    switch (members[i].member) {
    case JOB:
        return read_text(r, name, w, &item->item.name);
    case DATA:
        item->item.data = w->value;
        return 0;
    case ID:
        return read_id(r, w);
    case DELAY:
        return read_delay(r, w);
    case RUN_AT:
        return read_instant(r, name, w, &item->options.run_at_ms);
    case BATCH:
        if (w->type != ER_JSON_BOOL)
            return wrong(r, name, "true or false", w);
        item->is_batch = w->value.len == 4;
        return 0;
    case NODE:
        return read_text(r, name, w, &item->node);
    case AFTER:
        return read_names(r, name, w, &item->after);
    case AFTER_FAILURE:
        return read_names(r, name, w, &item->after_failure);
    case AFTER_END:
        return read_names(r, name, w, &item->after_end);
    case RETRY_UNTIL:
        if (w->type == ER_JSON_STRING)
            return read_instant(r, name, w, &item->options.retry_until_ms);
        return option_keep(r, w); /* seconds since 1970, as options are stored */
    case OPTION:
        return option_keep(r, w);
    }
    return 0;
}

static int read_members(struct reading *r, struct errand_slice object)
{
    struct er_json_walk w;
    int rc;

    for (er_json_walk(&w, object); er_json_next(&w);) {
        size_t i = 0;
        while (i < MEMBERS_N &&
               !(is_of_form(i, r->form) &&
                 er_json_equal(w.key, members[i].name, strlen(members[i].name))))
            i++;
        if (i == MEMBERS_N)
            return unknown(r, w.key);
        if (w.type == ER_JSON_NULL && members[i].member != DATA)
            continue; /* not said */
        if ((rc = read_member(r, i, &w)) < 0)
            return rc;
    }
    return 0;
}

/* ------------------------------------------------------------------ options */

static int read_options(struct reading *r)
{
    struct er_options options;
    int rc;

    if (!r->options.len)
        return 0;
    if (er_buf_add(&r->options, "}", 1) < 0)
        return errand_error_set(r->err, ERRAND_ETOOBIG, "options of more than %d KiB",
                                OPTIONS_MAX >> 10);
    if ((rc = er_options_decode((struct errand_slice){r->options.ptr, r->options.len},
                                r->arena, &options, r->err)) < 0)
        return rc;
    er_call_from(&options, &r->item->options);
    return 0;
}

static int name_settle(const struct reading *r)
{
    struct er_item *item = r->item;

    if (r->form == ER_ITEM_NODE && !item->node)
        return errand_error_set(r->err, ERRAND_EINVAL, "it has no \"node\"");
    if (!item->item.name && r->form == ER_ITEM_NODE)
        item->item.name = item->node;
    if (!item->item.name)
        return errand_error_set(r->err, ERRAND_EINVAL, "it has no \"job\"");
    return 0;
}

int er_item_read(struct errand_slice object, enum er_item_form form,
                 struct errand_arena *arena, struct er_item *ret,
                 struct errand_error *err)
{
    struct reading r = {.form = form, .arena = arena, .item = ret, .err = err};
    int rc;

    *ret = (struct er_item){0};
    if (er_json_whole(object, &object) != ER_JSON_OBJECT)
        return errand_error_set(err, ERRAND_EINVAL,
                                "it is not an object such as {\"job\":\"send-email\"}");
    er_buf_init(&r.options, OPTIONS_MAX);
    if ((rc = read_members(&r, object)) == 0 && (rc = read_options(&r)) == 0)
        rc = name_settle(&r);
    er_buf_done(&r.options);
    ret->item.options = &ret->options;
    return rc;
}

/* ------------------------------------------------------------------ many */

int er_items_read(const char *what, struct errand_slice text, enum er_item_form form,
                  struct errand_arena *arena, struct er_item **ret, size_t *ret_n,
                  struct errand_error *err)
{
    static const struct er_json_limits limits = {.max_bytes = ITEMS_MAX,
                                                 .max_keys = SIZE_MAX};
    struct er_json_walk w;
    struct er_item *items;
    size_t n = 0;
    int rc;

    if ((rc = er_json_check(what, text, &limits, err)) < 0)
        return rc;
    if (er_json_whole(text, &text) != ER_JSON_ARRAY)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s: it is not an array such as "
                                "[{\"job\":\"send-email\",\"data\":{}}]",
                                what);
    for (er_json_walk(&w, text); er_json_next(&w);)
        n++;
    if (!(items = errand_arena_alloc(arena, (n + 1) * sizeof *items)))
        return er_error_nomem(err);
    *ret = items;
    *ret_n = n;
    n = 0;
    for (er_json_walk(&w, text); er_json_next(&w); n++)
        if ((rc = er_item_read(w.value, form, arena, &items[n], err)) < 0)
            return er_error_wrap(err, rc, "%s, element %zu", what, n + 1);
    return 0;
}

/* ------------------------------------------------------------------ writing */

static void write_string(struct er_buf *buf, const char *key, const char *text)
{
    er_buf_printf(buf, ",\"%s\":", key);
    er_json_write_string(buf, text, strlen(text));
}

static int write_options(struct er_buf *buf, const struct errand_options *o,
                         struct errand_error *err)
{
    struct er_options options = {0};
    char at[32];
    size_t before;
    int rc;

    if (o->delay_ms < 0)
        return errand_error_set(err, ERRAND_EINVAL, "delay_ms: %lld is negative",
                                (long long)o->delay_ms);
    if ((rc = er_call_options(o, &options, err)) < 0)
        return rc;
    if (o->id.text[0])
        write_string(buf, "id", o->id.text);
    if (o->delay_ms)
        er_buf_printf(buf, ",\"delay\":%lld.%03lld", (long long)o->delay_ms / 1000,
                      (long long)o->delay_ms % 1000);
    if (o->run_at_ms)
        write_string(buf, "run_at", er_time_format(o->run_at_ms, at, sizeof at));
    if (!options.has)
        return 0;
    before = buf->len;
    if (er_options_encode(&options, buf) < 0)
        return er_error_nomem(err);
    /* Its members go on where ours end. */
    buf->ptr[before] = ',';
    buf->ptr[--buf->len] = '\0';
    return 0;
}

int er_item_write(struct er_buf *buf, const struct errand_dispatch_item *item,
                  bool is_batch, struct errand_error *err)
{
    int rc;

    er_buf_str(buf, "{\"job\":");
    er_json_write_string(buf, item->name, strlen(item->name));
    if (item->data.len) {
        er_buf_str(buf, ",\"data\":");
        er_buf_add(buf, item->data.ptr, item->data.len);
    }
    if (is_batch)
        er_buf_str(buf, ",\"batch\":true");
    if (item->options && (rc = write_options(buf, item->options, err)) < 0)
        return rc;
    return er_buf_str(buf, "}") < 0 ? er_error_nomem(err) : 0;
}
