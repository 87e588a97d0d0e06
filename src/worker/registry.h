/* registry.h: the job classes of this process, and where each came from. */
#ifndef ER_WORKER_REGISTRY_H
#define ER_WORKER_REGISTRY_H

#include "client/class.h"
#include "core/name.h"
#include "core/options.h"
#include "errand/job.h"

struct er_class {
    const struct errand_job_class *job_class;
    const char *name;
    size_t name_len;
    char key[ER_NAME_MAX + 1];
    const char *file; /* "app/Jobs/mail.c"; "" when linked into the program */
    struct er_options options;
    int64_t typical_us; /* running mean of what an attempt takes; starts very large */
};

/* What kept a class or a file from being used. */
struct er_class_error {
    const char *file, *name, *message;
};

struct er_classes {
    struct errand_arena *arena; /* owns the strings */
    struct er_class *list;      /* in the order they were registered */
    size_t n, size;
    struct er_class_error *errors;
    size_t errors_n, errors_size;
    size_t last; /* found by the last look-up under … */
    char last_name[ER_NAME_MAX + 1];
    size_t last_name_len;
    /* NULL, or told of each file that has to be compiled before it is loaded. */
    void (*on_compile)(void *ctx, const char *file);
    void *on_compile_ctx;
};

int er_classes_init(struct er_classes *classes); /* 0 or -1 */
void er_classes_done(struct er_classes *classes);
/* Adds those registered after `older` (NULL: all) as coming from `file`. One that cannot
 * be used (name, options, a name that is taken) becomes an error. 0 or ENOMEM. */
int er_classes_add(struct er_classes *classes, const struct errand_job_class *older,
                   const char *file, struct errand_error *err);
/* Remembers an error; strings are copied. 0 or ENOMEM. */
int er_classes_error(struct er_classes *classes, const char *file, const char *name,
                     const char *message, struct errand_error *err);
/* Exact name first, then by key; NULL. The last answer is kept: jobs come in runs. */
struct er_class *er_classes_find(struct er_classes *classes, struct errand_slice name);

/* HELLO's JSON: protocol.h has the form. 0 or ENOMEM. */
int er_classes_about(const struct er_classes *classes, struct er_buf *buf,
                     struct errand_error *err);

#endif
