/* channel.c: reading one line of an executable's descriptor 3. */
#include "worker/channel.h"

#include "base/error.h"
#include "core/json.h"
#include "worker/job.h"

/* {"progress":40,"note":"half"}; an object whose progress is no number is a result. */
static bool progress_read(struct errand_slice line, int32_t *ret_percent,
                          struct errand_slice *ret_note)
{
    struct errand_slice value;
    enum er_json_type type;
    double percent;

    if (er_json_find(line, "progress", &type, &value, NULL) < 0 ||
        type != ER_JSON_NUMBER || er_json_double(value, &percent) < 0)
        return false;
    /* Before it becomes an int32_t: a job may write 1e300. */
    *ret_percent = percent < 0 ? 0 : percent > 100 ? 100 : (int32_t)percent;
    *ret_note = (struct errand_slice){0};
    if (er_json_find(line, "note", &type, &value, NULL) == 0 && type == ER_JSON_STRING)
        *ret_note = value;
    return true;
}

/* {"dispatch":{"job":"send-email"}} */
static bool dispatch_read(struct errand_slice line, struct errand_slice *ret_value)
{
    enum er_json_type type;

    return er_json_find(line, "dispatch", &type, ret_value, NULL) == 0 &&
           (type == ER_JSON_OBJECT || type == ER_JSON_ARRAY);
}

enum er_said er_channel_line(struct errand_slice line, int32_t *ret_percent,
                             struct errand_slice *ret_value, struct errand_error *err)
{
    static const struct er_json_limits limits = {.max_bytes = ER_CHANNEL_LINE_MAX,
                                                 .max_keys = SIZE_MAX};
    struct errand_slice whole;

    if (!line.len || er_json_check("a line on descriptor 3", line, &limits, err) < 0)
        return ER_SAID_NOTHING;
    if (er_json_whole(line, &whole) == ER_JSON_OBJECT) {
        if (progress_read(line, ret_percent, ret_value))
            return ER_SAID_PROGRESS;
        if (dispatch_read(line, ret_value))
            return ER_SAID_DISPATCH;
    }
    if (line.len <= ER_RESULT_MAX)
        return ER_SAID_RESULT;
    errand_error_set(err, ERRAND_EINVAL,
                     "the result has %zu bytes, more than the %d kept", line.len,
                     ER_RESULT_MAX);
    return ER_SAID_NOTHING;
}
