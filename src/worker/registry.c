/* registry.c: classes announce themselves here when a program or a job file is loaded.
 *
 * The list head below is a mutable global, as few are (tests/house/globals.sh lists
 * them). A constructor runs before any handle exists, so there is nothing else it could
 * hang a class on; the list is intrusive (the links are in the classes), so that
 * registering needs no memory and cannot fail. It is only touched while one thread loads:
 * before main, and in a runner's dlopen. */
#include "worker/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/backoff.h"
#include "core/json.h"
#include "worker/call.h"

static struct errand_job_class *registered;

void errand_job_register(struct errand_job_class *job_class)
{
    for (const struct errand_job_class *c = registered; c; c = c->next)
        if (c == job_class)
            return; /* twice would tie the list to itself */
    job_class->next = registered;
    registered = job_class;
}

const struct errand_job_class *er_registry_newest(void)
{
    return registered;
}

/* ------------------------------------------------------------------ one class */

static void say_text(const char *text, uint32_t bit, const char **into,
                     struct er_options *o)
{
    if (!text)
        return;
    *into = text;
    o->has |= bit;
}

static void say_tags(const struct errand_job_class *c, struct er_options *o)
{
    if (!c->tags || !c->tags[0])
        return;
    o->tags = c->tags;
    while (c->tags[o->tags_n])
        o->tags_n++;
    o->has |= ER_OPT_TAGS;
}

static void say_numbers(const struct errand_job_class *c, struct er_options *o)
{
    if (c->tries != 0) {
        o->tries = c->tries == ERRAND_NO_RETRY ? 1 : c->tries;
        o->has |= ER_OPT_TRIES;
    }
    if (er_backoff_is_said(&c->backoff)) {
        o->backoff = c->backoff;
        o->has |= ER_OPT_BACKOFF;
    }
    if (c->priority != 0) {
        o->priority = c->priority;
        o->has |= ER_OPT_PRIORITY;
    }
    if (c->max_data != 0) {
        o->max_data = c->max_data;
        o->has |= ER_OPT_MAX_DATA;
    }
    o->hooks = (c->failed ? ER_HOOK_FAILED : 0) | (c->timed_out ? ER_HOOK_TIMED_OUT : 0);
    if (o->hooks)
        o->has |= ER_OPT_HOOKS;
}

int er_class_options(const struct errand_job_class *job_class, struct er_options *ret,
                     struct errand_error *err)
{
    const struct errand_job_class *c = job_class;
    struct er_options o = {0};
    int rc;

    say_text(c->queue, ER_OPT_QUEUE, &o.queue, &o);
    say_text(c->unique, ER_OPT_UNIQUE, &o.unique, &o);
    say_text(c->schedule, ER_OPT_SCHEDULE, &o.schedule, &o);
    if (c->schedule)
        o.zone = c->zone;
    say_tags(c, &o);
    say_numbers(c, &o);
    if ((rc = er_seconds_to_ms("timeout", c->timeout, &o.timeout_ms, err)) < 0 ||
        (rc = er_seconds_to_ms("unique_for", c->unique_for, &o.unique_ttl_ms, err)) < 0)
        return rc;
    if (o.timeout_ms > 0)
        o.has |= ER_OPT_TIMEOUT;
    /* Without a time to hold it, the key is held as long as the job lives. */
    if (c->unique && o.unique_ttl_ms == 0)
        o.unique_until = ERRAND_UNIQUE_DONE;
    if (c->unique && (rc = er_template_check(c->unique, err)) < 0)
        return rc;
    if ((rc = er_options_check(&o, err)) < 0)
        return rc;
    *ret = o;
    return 0;
}

/* ------------------------------------------------------------------ all of them */

int er_classes_init(struct er_classes *classes)
{
    *classes = (struct er_classes){.arena = er_arena_new()};
    return classes->arena ? 0 : -1;
}

void er_classes_done(struct er_classes *classes)
{
    er_arena_free(classes->arena);
    free(classes->list);
    free(classes->errors);
}

/* Room for one more of `item` bytes in an array that doubles; the array, or NULL. */
static void *grow(void *array, size_t n, size_t *size, size_t item)
{
    size_t more = *size ? *size * 2 : 16;
    void *p;

    if (n < *size)
        return array;
    if ((p = realloc(array, more * item)))
        *size = more;
    return p;
}

int er_classes_error(struct er_classes *classes, const char *file, const char *name,
                     const char *message, struct errand_error *err)
{
    struct er_class_error *errors =
        grow(classes->errors, classes->errors_n, &classes->errors_size, sizeof *errors);
    struct er_class_error e;

    if (!errors)
        return er_error_nomem(err);
    classes->errors = errors;
    e.file = errand_arena_copy(classes->arena, file, strlen(file));
    e.name = errand_arena_copy(classes->arena, name, strlen(name));
    e.message = errand_arena_copy(classes->arena, message, strlen(message));
    if (!e.file || !e.name || !e.message)
        return er_error_nomem(err);
    errors[classes->errors_n++] = e;
    return 0;
}

static const char *place(const char *file)
{
    return file[0] ? file : "the program itself";
}

static int class_check(struct er_classes *classes, struct er_class *c,
                       struct errand_error *err)
{
    int rc;

    if ((rc = er_name_check("job name", c->name, err)) < 0)
        return er_error_wrap(err, rc, "%s", place(c->file));
    er_name_key(c->name, c->key);
    for (size_t i = 0; i < classes->n; i++)
        if (strcmp(classes->list[i].key, c->key) == 0)
            return errand_error_set(
                err, ERRAND_ECONFLICT,
                "%s: job '%s' is also '%s' of %s; rename or remove one of them",
                place(c->file), c->name, classes->list[i].name,
                place(classes->list[i].file));
    if (!c->job_class->handle)
        return errand_error_set(err, ERRAND_EINVAL, "%s: job '%s' has no .handle",
                                place(c->file), c->name);
    if ((rc = er_middleware_check(c->job_class->middleware, err)) < 0 ||
        (rc = er_class_options(c->job_class, &c->options, err)) < 0)
        return er_error_wrap(err, rc, "%s: job '%s'", place(c->file), c->name);
    return 0;
}

static int class_add(struct er_classes *classes, const struct errand_job_class *job_class,
                     const char *file, struct errand_error *err)
{
    struct er_class c = {.job_class = job_class,
                         .name = job_class->name ? job_class->name : "",
                         .file = file,
                         .typical_us = INT64_MAX / 4};
    struct errand_error why = {0};
    struct er_class *list;

    if (class_check(classes, &c, &why) < 0)
        return er_classes_error(classes, file, c.name, why.message, err);
    if (!(list = grow(classes->list, classes->n, &classes->size, sizeof *list)))
        return er_error_nomem(err);
    classes->list = list;
    c.name_len = strlen(c.name);
    list[classes->n++] = c;
    classes->last_name_len = 0;
    return 0;
}

int er_classes_add(struct er_classes *classes, const struct errand_job_class *older,
                   const char *file, struct errand_error *err)
{
    int rc = 0;

    if (!(file = errand_arena_copy(classes->arena, file, strlen(file))))
        return er_error_nomem(err);
    /* The list has the newest first; walking it once per class gives the order in which
     * they were written, and the first of two with one name stays. */
    for (const struct errand_job_class *stop = older; rc == 0 && stop != registered;) {
        const struct errand_job_class *c = registered;

        while (c->next != stop)
            c = c->next;
        rc = class_add(classes, c, file, err);
        stop = c;
    }
    return rc;
}

static ptrdiff_t class_index(const struct er_classes *classes, struct errand_slice name)
{
    char text[ER_NAME_MAX + 1], key[ER_NAME_MAX + 1];

    for (size_t i = 0; i < classes->n; i++)
        if (classes->list[i].name_len == name.len &&
            memcmp(classes->list[i].name, name.ptr, name.len) == 0)
            return (ptrdiff_t)i;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    er_name_key(text, key);
    for (size_t i = 0; i < classes->n; i++)
        if (strcmp(classes->list[i].key, key) == 0)
            return (ptrdiff_t)i;
    return -1;
}

struct er_class *er_classes_find(struct er_classes *classes, struct errand_slice name)
{
    ptrdiff_t i;

    if (name.len == 0 || name.len > ER_NAME_MAX)
        return NULL;
    if (name.len == classes->last_name_len &&
        memcmp(name.ptr, classes->last_name, name.len) == 0)
        return &classes->list[classes->last];
    if ((i = class_index(classes, name)) < 0)
        return NULL;
    memcpy(classes->last_name, name.ptr, name.len);
    classes->last_name_len = name.len;
    classes->last = (size_t)i;
    return &classes->list[i];
}

/* ------------------------------------------------------------------ HELLO */

static void put_text(struct er_buf *buf, const char *before, const char *text)
{
    er_buf_str(buf, before);
    er_json_write_string(buf, text, strlen(text));
}

int er_classes_about(const struct er_classes *classes, struct er_buf *buf,
                     struct errand_error *err)
{
    er_buf_str(buf, "{\"language\":\"c\",\"jobs\":[");
    for (size_t i = 0; i < classes->n; i++) {
        put_text(buf, i ? ",{\"name\":" : "{\"name\":", classes->list[i].name);
        put_text(buf, ",\"file\":", classes->list[i].file);
        er_buf_str(buf, ",\"options\":");
        if (er_options_encode(&classes->list[i].options, buf) < 0)
            return er_error_nomem(err);
        er_buf_str(buf, "}");
    }
    er_buf_str(buf, "],\"errors\":[");
    for (size_t i = 0; i < classes->errors_n; i++) {
        put_text(buf, i ? ",{\"file\":" : "{\"file\":", classes->errors[i].file);
        put_text(buf, ",\"name\":", classes->errors[i].name);
        put_text(buf, ",\"message\":", classes->errors[i].message);
        er_buf_str(buf, "}");
    }
    er_buf_str(buf, "]}");
    return buf->has_failed ? er_error_nomem(err) : 0;
}
