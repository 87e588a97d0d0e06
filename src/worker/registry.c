/* registry.c: the job classes of this process as a runner wants them: checked, each under
 * one key, with the file it came from. They announce themselves in client/class.c. */
#include "worker/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/json.h"

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
    if ((rc = er_class_options(c->job_class, &c->options, err)) < 0)
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
    for (const struct errand_job_class *stop = older;
         rc == 0 && stop != er_registry_newest();) {
        const struct errand_job_class *c = er_registry_newest();

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
