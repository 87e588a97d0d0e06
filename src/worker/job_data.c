/* job_data.c: values of a job's data by path, with an error that a person can act on. */
#include "worker/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "core/json.h"

/* Data was checked when it was dispatched, but rows can come from plain SQL: the first
 * value asked for pays for one look at all of it. */
static int data_check(errand_job *job, struct errand_error *err)
{
    const struct er_json_limits limits = {.max_bytes = SIZE_MAX, .max_keys = SIZE_MAX};
    char what[32 + 128];
    int rc;

    if (job->is_json)
        return 0;
    snprintf(what, sizeof what, "data of '%.128s'", job->name);
    if ((rc = er_json_check(what, job->data, &limits, err)) < 0)
        return rc;
    job->is_json = true;
    return 0;
}

static int mismatch(const errand_job *job, const char *path, const char *want,
                    const char *found, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL, "data of '%s': '%s' is %s, not %s",
                            job->name, path, found, want);
}

/* The bytes at `path`, which must be of that type. */
static int value_of(errand_job *job, const char *path, enum er_json_type type,
                    struct errand_slice *ret, struct errand_error *err)
{
    struct errand_slice value = {0};
    enum er_json_type found;
    int rc;

    if ((rc = data_check(job, err)) < 0)
        return rc;
    rc = er_json_find(job->data, path, &found, &value, err);
    if (rc == ERRAND_ENOTFOUND)
        return errand_error_set(err, rc, "data of '%s' has no '%s'", job->name, path);
    if (rc < 0)
        return er_error_wrap(err, rc, "data of '%s'", job->name);
    if (found != type)
        return mismatch(job, path, er_json_type_name(type), er_json_type_name(found),
                        err);
    *ret = value;
    return 0;
}

int errand_job_int(errand_job *job, const char *path, long long *ret,
                   struct errand_error *err)
{
    struct errand_slice value = {0};
    int64_t number;
    char shown[48];
    int rc;

    if ((rc = value_of(job, path, ER_JSON_NUMBER, &value, err)) < 0)
        return rc;
    if (er_json_int(value, &number) == 0) {
        *ret = number;
        return 0;
    }
    snprintf(shown, sizeof shown, "%.*s%s", (int)(value.len < 31 ? value.len : 31),
             value.ptr, value.len > 31 ? "…" : "");
    return mismatch(job, path, "a whole number of 64 bits", shown, err);
}

int errand_job_double(errand_job *job, const char *path, double *ret,
                      struct errand_error *err)
{
    struct errand_slice value = {0};
    double number;
    int rc;

    if ((rc = value_of(job, path, ER_JSON_NUMBER, &value, err)) < 0)
        return rc;
    if (er_json_double(value, &number) < 0 || !isfinite(number))
        return mismatch(job, path, "a number that a double can hold", "out of range",
                        err);
    *ret = number;
    return 0;
}

int errand_job_bool(errand_job *job, const char *path, bool *ret,
                    struct errand_error *err)
{
    struct errand_slice value = {0};
    int rc;

    if ((rc = value_of(job, path, ER_JSON_BOOL, &value, err)) < 0)
        return rc;
    *ret = value.len == 4; /* true */
    return 0;
}

int errand_job_string(errand_job *job, const char *path, const char **ret,
                      struct errand_error *err)
{
    struct errand_slice value = {0}, text = {0};
    int rc;

    if ((rc = value_of(job, path, ER_JSON_STRING, &value, err)) < 0)
        return rc;
    if ((rc = er_json_unescape(value, job->arena, &text, err)) < 0)
        return er_error_wrap(err, rc, "data of '%s': '%s'", job->name, path);
    if (text.len && memchr(text.ptr, '\0', text.len))
        return mismatch(job, path, "one without it (errand_job_data has the bytes)",
                        "a string with a NUL in it", err);
    *ret = text.ptr;
    return 0;
}

bool errand_job_has(errand_job *job, const char *path)
{
    struct errand_slice value = {0};
    enum er_json_type type;

    return data_check(job, NULL) == 0 &&
           er_json_find(job->data, path, &type, &value, NULL) == 0;
}
