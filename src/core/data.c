/* data.c: limits and schema of a job's data. */
#include "core/data.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "core/name.h"
#include "core/schema.h"

int er_data_prepare(struct er_options *options, struct errand_arena *arena,
                    struct errand_error *err)
{
    if (!(options->has & ER_OPT_SCHEMA))
        return 0;
    return er_schema_compile(
        (struct errand_slice){options->schema, strlen(options->schema)}, arena,
        &options->shape, err);
}

static int check_shape(const char *what, struct errand_slice data,
                       const struct er_options *options, struct errand_error *err)
{
    struct er_options own = *options;
    struct errand_arena *arena;
    int rc;

    if (options->shape)
        return er_schema_validate(options->shape, what, data, err);
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    if ((rc = er_data_prepare(&own, arena, err)) == 0)
        rc = er_schema_validate(own.shape, what, data, err);
    er_arena_free(arena);
    return rc;
}

/* The name of the data is for messages alone, and most data is right. */
int er_data_check(const char *name, struct errand_slice data,
                  const struct er_options *options, const struct er_json_limits *base,
                  struct errand_error *err)
{
    struct er_json_limits limits = *base;
    char what[ER_NAME_MAX + 16];
    bool is_json;

    if (options->has & ER_OPT_MAX_DATA)
        limits.max_bytes =
            options->max_data < ER_DATA_MAX ? options->max_data : ER_DATA_MAX;
    if (options->has & ER_OPT_MAX_DEPTH)
        limits.max_depth = options->max_depth;
    is_json = er_json_check("data", data, &limits, NULL) == 0;
    if (is_json && !(options->has & ER_OPT_SCHEMA))
        return 0;
    snprintf(what, sizeof what, "data of '%s'", name);
    if (!is_json)
        return er_json_check(what, data, &limits, err);
    return check_shape(what, data, options, err);
}
