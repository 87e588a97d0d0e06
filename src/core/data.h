/* data.h: is the data of a job what the job says about it? Asked where it is dispatched,
 * as far as the dispatcher knows the job, and again before an attempt: the class may say
 * more by then, and rows can come from plain SQL. */
#ifndef ER_CORE_DATA_H
#define ER_CORE_DATA_H

#include "core/json.h"
#include "core/options.h"

enum {
    ER_DATA_MAX = 16 << 20, /* whatever anybody says */
    ER_OPT_DATA = ER_OPT_MAX_DATA | ER_OPT_MAX_DEPTH | ER_OPT_SCHEMA,
};

/* JSON within the limits (`base`, where the options say nothing), and as the schema wants
 * it. EJSON, ETOOBIG or EINVAL that begins with "data of 'NAME'" and names the place. */
int er_data_check(const char *name, struct errand_slice data,
                  const struct er_options *options, const struct er_json_limits *base,
                  struct errand_error *err);
/* Reads `options->schema` once for all data to come, into the arena. */
int er_data_prepare(struct er_options *options, struct errand_arena *arena,
                    struct errand_error *err);

#endif
