/* about.c: the jobs that a program and a project have, as one list by key. */
#include "worker/about.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/json.h"
#include "core/name.h"

enum { JOBS_MAX = 10000 };

/* ------------------------------------------------------------------ adding */

static int list_grow(struct er_about_list *list, struct errand_error *err)
{
    size_t size = list->size ? list->size * 2 : 32;
    struct er_job_about *jobs;

    if (list->n < list->size)
        return 0;
    if (!(jobs = errand_arena_alloc(list->arena, size * sizeof *jobs)))
        return er_error_nomem(err);
    if (list->n)
        memcpy(jobs, list->jobs, list->n * sizeof *jobs);
    list->jobs = jobs;
    list->size = size;
    return 0;
}

int er_about_add(struct er_about_list *list, const char *name, const char *path,
                 enum er_job_source source, const struct er_options *options,
                 const char *error, struct errand_error *err)
{
    struct er_job_about job = {.source = source};
    struct errand_error why = {0};
    char key[ER_NAME_MAX + 1] = "";

    if (list_grow(list, err) < 0)
        return ERRAND_ENOMEM;
    if (er_name_check("job name", name, &why) == 0)
        er_name_key(name, key);
    else if (!error) {
        er_error_wrap(&why, ERRAND_EINVAL, "%s", path);
        error = why.message;
    }
    job.name = errand_arena_copy(list->arena, name, strlen(name));
    job.path = errand_arena_copy(list->arena, path, strlen(path));
    job.key = errand_arena_copy(list->arena, key, strlen(key));
    if (error)
        job.error = errand_arena_copy(list->arena, error, strlen(error));
    if (options)
        job.options = *options;
    if (!job.name || !job.path || !job.key || (error && !job.error))
        return er_error_nomem(err);
    list->jobs[list->n++] = job;
    return 0;
}

/* ------------------------------------------------------------------ HELLO's JSON */

/* The text at jobs[3].name and the like; 1, or 0: not there. */
static int text_at(struct errand_slice json, const char *array, size_t i,
                   const char *field, struct errand_arena *arena, const char **ret)
{
    struct errand_slice value, text;
    enum er_json_type type;
    char path[64];

    snprintf(path, sizeof path, "%s[%zu].%s", array, i, field);
    if (er_json_find(json, path, &type, &value, NULL) < 0 || type != ER_JSON_STRING ||
        er_json_unescape(value, arena, &text, NULL) < 0)
        return 0;
    *ret = text.ptr;
    return 1;
}

static int job_add(struct er_about_list *list, struct errand_slice json, size_t i,
                   const char *name, const char *path, struct errand_error *err)
{
    struct er_options options = {0};
    struct errand_slice value;
    enum er_json_type type;
    char at[64];
    int rc;

    snprintf(at, sizeof at, "jobs[%zu].options", i);
    if ((rc = er_json_find(json, at, &type, &value, err)) < 0 ||
        (rc = er_options_decode(value, list->arena, &options, err)) < 0)
        return rc;
    return er_about_add(list, name, path, ER_JOB_C_FILE, &options, NULL, err);
}

int er_about_add_json(struct er_about_list *list, struct errand_slice json,
                      const char *file, const char *path, size_t *ret_n,
                      struct errand_error *err)
{
    struct er_json_limits limits = {.max_bytes = SIZE_MAX, .max_keys = SIZE_MAX};
    const char *name, *of, *message;
    size_t n = 0;
    int rc = er_json_check(file, json, &limits, err);

    for (size_t i = 0; rc == 0 && i < JOBS_MAX; i++) {
        if (!text_at(json, "jobs", i, "name", list->arena, &name) ||
            !text_at(json, "jobs", i, "file", list->arena, &of))
            break;
        if (strcmp(of, file) == 0 && ++n)
            rc = job_add(list, json, i, name, path, err);
    }
    for (size_t i = 0; rc == 0 && i < JOBS_MAX; i++) {
        if (!text_at(json, "errors", i, "name", list->arena, &name) ||
            !text_at(json, "errors", i, "file", list->arena, &of) ||
            !text_at(json, "errors", i, "message", list->arena, &message))
            break;
        if (strcmp(of, file) == 0 && ++n)
            rc = er_about_add(list, name, path, ER_JOB_C_FILE, NULL, message, err);
    }
    *ret_n = n;
    return rc;
}

/* ------------------------------------------------------------------ the list */

/* By key; what can run before what cannot; then as they came. */
static int by_key(const void *a, const void *b)
{
    const struct er_job_about *x = *(const struct er_job_about *const *)a;
    const struct er_job_about *y = *(const struct er_job_about *const *)b;
    int order = strcmp(x->key, y->key);

    if (order != 0)
        return order;
    if (!x->error != !y->error)
        return x->error ? 1 : -1;
    return x < y ? -1 : x > y;
}

static const char *place(const struct er_job_about *job)
{
    return job->path[0] ? job->path : "the program itself";
}

int er_about_finish(struct er_about_list *list, struct er_jobs_about *ret,
                    struct errand_error *err)
{
    const struct er_job_about **order =
        errand_arena_alloc(list->arena, (list->n + 1) * sizeof *order);
    struct er_job_about *jobs =
        errand_arena_alloc(list->arena, (list->n + 1) * sizeof *jobs);

    if (!order || !jobs)
        return er_error_nomem(err);
    for (size_t i = 0; i < list->n; i++)
        order[i] = &list->jobs[i];
    if (list->n)
        qsort(order, list->n, sizeof *order, by_key);
    for (size_t i = 0; i < list->n; i++) {
        jobs[i] = *order[i];
        if (i == 0 || jobs[i].error || !jobs[i].key[0] ||
            strcmp(jobs[i].key, jobs[i - 1].key) != 0)
            continue;
        jobs[i].error = er_arena_printf(
            list->arena, "%s: job '%s' is also '%s' of %s; rename or remove one of them",
            place(&jobs[i]), jobs[i].name, jobs[i - 1].name, place(&jobs[i - 1]));
        if (!jobs[i].error)
            return er_error_nomem(err);
    }
    *ret = (struct er_jobs_about){.jobs = jobs, .jobs_n = list->n};
    return 0;
}

/* What can run is found before what cannot, so that a second file of one name does not
 * stop the first. */
const struct er_job_about *er_jobs_about_find(const struct er_jobs_about *jobs,
                                              const char *name)
{
    const struct er_job_about *broken = NULL;
    char key[ER_NAME_MAX + 1];

    if (er_name_check("job name", name, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < jobs->jobs_n; i++)
        if (!jobs->jobs[i].error && strcmp(jobs->jobs[i].name, name) == 0)
            return &jobs->jobs[i];
    er_name_key(name, key);
    for (size_t i = 0; i < jobs->jobs_n; i++) {
        const struct er_job_about *job = &jobs->jobs[i];

        if (strcmp(job->key, key) != 0)
            continue;
        if (!job->error)
            return job;
        if (!broken || strcmp(job->name, name) == 0)
            broken = job;
    }
    return broken;
}
