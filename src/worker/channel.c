/* channel.c: what an executable means by a line of its descriptor 3, or by its end. */
#include "worker/channel.h"

#include "base/error.h"
#include "core/json.h"
#include "errand/job.h"
#include "worker/job.h"

/* {"progress":40,"note":"half"}; an object whose progress is no number is a result. */
static bool progress_read(struct errand_slice line, struct er_channel_value *ret)
{
    struct errand_slice value;
    enum er_json_type type;
    double percent;

    if (er_json_find(line, "progress", &type, &value, NULL) < 0 ||
        type != ER_JSON_NUMBER || er_json_double(value, &percent) < 0)
        return false;
    /* Before it becomes an int32_t: a job may write 1e300. */
    ret->percent = percent < 0 ? 0 : percent > 100 ? 100 : (int32_t)percent;
    if (er_json_find(line, "note", &type, &value, NULL) == 0 && type == ER_JSON_STRING)
        ret->json = value;
    return true;
}

/* {"dispatch":{"job":"send-email"}} */
static bool dispatch_read(struct errand_slice line, struct errand_slice *ret_value)
{
    enum er_json_type type;

    return er_json_find(line, "dispatch", &type, ret_value, NULL) == 0 &&
           (type == ER_JSON_OBJECT || type == ER_JSON_ARRAY);
}

/* {"snooze":600}: 1; 0: it is no such line; EINVAL. */
static int snooze_read(struct errand_slice line, int64_t *ret_ms,
                       struct errand_error *err)
{
    struct errand_slice value;
    enum er_json_type type;
    double seconds;
    int rc;

    if (er_json_find(line, "snooze", &type, &value, NULL) < 0 || type != ER_JSON_NUMBER ||
        er_json_double(value, &seconds) < 0)
        return 0;
    rc = er_job_wait_ms("snooze", seconds, ret_ms, err);
    return rc < 0 ? rc : 1;
}

int er_channel_verdict(int exit_code, bool snoozes)
{
    switch (exit_code) {
    case 0:
        return snoozes ? ERRAND_SNOOZE : ERRAND_DONE;
    case ER_CODE_FOR_GOOD:
        return ERRAND_FAIL;
    default:
        return ERRAND_RETRY;
    }
}

enum er_said er_channel_line(struct errand_slice line, struct er_channel_value *ret,
                             struct errand_error *err)
{
    static const struct er_json_limits limits = {.max_bytes = ER_CHANNEL_LINE_MAX,
                                                 .max_keys = SIZE_MAX};
    struct errand_slice whole;
    int snoozes;

    *ret = (struct er_channel_value){0};
    if (!line.len || er_json_check("a line on descriptor 3", line, &limits, err) < 0)
        return ER_SAID_NOTHING;
    if (er_json_whole(line, &whole) == ER_JSON_OBJECT) {
        if (progress_read(line, ret))
            return ER_SAID_PROGRESS;
        if (dispatch_read(line, &ret->json))
            return ER_SAID_DISPATCH;
        if ((snoozes = snooze_read(line, &ret->wait_ms, err)) != 0)
            return snoozes < 0 ? ER_SAID_NOTHING : ER_SAID_SNOOZE;
    }
    if (line.len <= ER_RESULT_MAX)
        return ER_SAID_RESULT;
    errand_error_set(err, ERRAND_EINVAL,
                     "the result has %zu bytes, more than the %d kept", line.len,
                     ER_RESULT_MAX);
    return ER_SAID_NOTHING;
}
