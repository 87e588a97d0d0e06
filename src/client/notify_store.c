/* notify_store.c: records and guards in the store; notify.h tells how they go together.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "client/notify.h"
#include "core/id.h"
#include "core/json.h"
#include "store/store.h"

enum {
    DATA_MAX = 64 << 10,
    ERROR_MAX = 2048, /* of a failure's error: the rest is in queue:inspect */
    SWEEP_MAX = 1 << 20,
    TRIES = 20, /* with the default backoff: half a day */
};

/* ------------------------------------------------------------------ what is stored */

struct storing {
    struct errand_arena *arena;
    struct errand_push_job *jobs;
    const struct er_failure **told; /* of the job with the same index: its failure */
    int *channels;
    size_t jobs_n;
    struct errand_edge *edges;
    size_t edges_n;
};

static void text_add(struct er_buf *buf, const char *key, const char *text, size_t len)
{
    er_buf_printf(buf, ",\"%s\":", key);
    er_json_write_string(buf, text, len);
}

/* The data of a guard, or with `is_record` of a record. */
static int data_make(struct storing *s, const struct er_failure *f, int channel,
                     bool is_record, struct errand_slice *ret)
{
    size_t len = f->error.len < ERROR_MAX ? f->error.len : ERROR_MAX;
    struct er_buf buf;

    er_buf_init(&buf, DATA_MAX);
    er_buf_printf(&buf, "{\"channel\":\"%s\"", er_notify_channel_name(channel));
    text_add(&buf, "name", f->name, strlen(f->name));
    text_add(&buf, "queue", f->queue, strlen(f->queue));
    if (is_record) {
        er_buf_printf(&buf, ",\"failure\":{\"attempts\":%d,\"tries\":%d", f->attempts,
                      f->tries);
        er_buf_printf(&buf, ",\"failed_ms\":%" PRId64, f->failed_ms);
        text_add(&buf, "id", f->id, strlen(f->id));
        text_add(&buf, "error", f->error.len ? f->error.ptr : "", len);
        er_buf_str(&buf, "}");
    }
    er_buf_str(&buf, "}");
    *ret = buf.has_failed ? (struct errand_slice){0}
                          : er_arena_slice(s->arena, buf.ptr, buf.len);
    er_buf_done(&buf);
    return ret->ptr ? 0 : -1;
}

/* FNV-1a: equal for the same failure, whoever tells of it. */
static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h ^ h >> 29;
}

static int record_id(struct storing *s, const struct er_failure *f, int channel,
                     struct errand_id *ret)
{
    const char *text =
        er_arena_printf(s->arena, "%s %" PRId64 " %d", f->id, f->failed_ms, channel);
    uint64_t halves[2];
    uint8_t bytes[16];

    if (!text)
        return -1;
    halves[0] = hash(14695981039346656037u, text);
    halves[1] = hash(halves[0] ^ 0x9e3779b97f4a7c15u, text);
    memcpy(bytes, halves, sizeof bytes);
    bytes[6] = (uint8_t)(0x80 | (bytes[6] & 0x0f)); /* UUID version 8: our own way */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    er_uuid_format(bytes, ret);
    return 0;
}

static struct errand_push_job *job_add(struct storing *s, const struct er_failure *f,
                                       int channel, bool is_record)
{
    struct errand_push_job *job = &s->jobs[s->jobs_n];

    *job = (struct errand_push_job){
        .name = ER_NOTIFY_JOB, .queue = ER_NOTIFY_QUEUE, .tries = TRIES};
    if (data_make(s, f, channel, is_record, &job->data) < 0)
        return NULL;
    s->told[s->jobs_n] = is_record ? NULL : f;
    s->channels[s->jobs_n++] = channel;
    return job;
}

static bool is_group(const struct er_failure *a, const struct er_failure *b)
{
    return a && strcmp(a->name, b->name) == 0 && strcmp(a->queue, b->queue) == 0;
}

/* The index of the guard of this failure's group, made when it is the first here; -1. */
static ptrdiff_t guard_of(struct storing *s, const struct er_failure *f, int channel)
{
    struct errand_unique *unique;
    struct errand_push_job *job;
    char *key;

    for (size_t i = 0; i < s->jobs_n; i++)
        if (s->channels[i] == channel && is_group(s->told[i], f))
            return (ptrdiff_t)i;
    unique = errand_arena_alloc(s->arena, sizeof *unique);
    key = er_arena_printf(s->arena, ER_NOTIFY_JOB ":%s:%s:%s",
                          er_notify_channel_name(channel), f->queue, f->name);
    if (!unique || !key || !(job = job_add(s, f, channel, false)))
        return -1;
    *unique = (struct errand_unique){.key = {key, strlen(key)},
                                     .until = ERRAND_UNIQUE_DONE,
                                     .policy = ERRAND_UNIQUE_IGNORE};
    job->unique = unique;
    return job - s->jobs;
}

static int record_add(struct storing *s, const struct er_failure *f, int channel)
{
    ptrdiff_t guard = guard_of(s, f, channel);
    struct errand_push_job *job;

    if (guard < 0 || !(job = job_add(s, f, channel, true)) ||
        record_id(s, f, channel, &job->id) < 0)
        return -1;
    s->edges[s->edges_n++] = (struct errand_edge){.child = (size_t)(job - s->jobs),
                                                  .parent = (size_t)guard,
                                                  .on = ERRAND_ON_SUCCESS};
    return 0;
}

int er_notify_store(struct er_store *store, int channels,
                    const struct er_failure *failures, size_t n,
                    struct errand_arena *arena, struct errand_error *err)
{
    size_t most = 2 * ER_NOTIFY_CHANNELS_N * (n + 1);
    struct storing s = {.arena = arena,
                        .jobs = errand_arena_alloc(arena, most * sizeof *s.jobs),
                        .told = errand_arena_alloc(arena, most * sizeof *s.told),
                        .channels = errand_arena_alloc(arena, most * sizeof *s.channels),
                        .edges = errand_arena_alloc(arena, most * sizeof *s.edges)};
    struct errand_push_result got = {0};
    struct errand_push_params params;

    if (!s.jobs || !s.told || !s.channels || !s.edges)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < ER_NOTIFY_CHANNELS_N; c++)
            if (channels & 1 << c && record_add(&s, &failures[i], c) < 0)
                return er_error_nomem(err);
    if (!s.jobs_n)
        return 0;
    params = (struct errand_push_params){
        .jobs = s.jobs, .jobs_n = s.jobs_n, .edges = s.edges, .edges_n = s.edges_n};
    (void)er_failpoint("before-notify");
    if (er_store_push(store, &params, arena, &got, err) < 0)
        return err ? err->code : ERRAND_EIO;
    (void)er_failpoint("after-notify");
    return 0;
}

/* ------------------------------------------------------------------ what is gathered */

static const struct er_json_limits data_limits = {.max_bytes = SWEEP_MAX};

static int text_at(struct errand_slice json, const char *path, struct errand_arena *arena,
                   struct errand_slice *ret)
{
    struct errand_slice value;
    enum er_json_type type;

    if (er_json_find(json, path, &type, &value, NULL) < 0 || type != ER_JSON_STRING)
        return -1;
    return er_json_unescape(value, arena, ret, NULL);
}

static int64_t number_at(struct errand_slice json, const char *path)
{
    struct errand_slice value;
    enum er_json_type type;
    int64_t n;

    if (er_json_find(json, path, &type, &value, NULL) < 0 || type != ER_JSON_NUMBER ||
        er_json_int(value, &n) < 0)
        return 0;
    return n;
}

/* The failure in a record's data; -1: there is none. */
static int failure_read(struct errand_slice data, struct errand_arena *arena,
                        struct er_failure *ret)
{
    struct errand_slice id, name, queue, error;

    if (er_json_check("data", data, NULL, NULL) < 0 ||
        text_at(data, "failure.id", arena, &id) < 0 ||
        text_at(data, "failure.error", arena, &error) < 0 ||
        text_at(data, "name", arena, &name) < 0 ||
        text_at(data, "queue", arena, &queue) < 0)
        return -1;
    *ret = (struct er_failure){.id = id.ptr,
                               .name = name.ptr,
                               .queue = queue.ptr,
                               .attempts = (int)number_at(data, "failure.attempts"),
                               .tries = (int)number_at(data, "failure.tries"),
                               .error = error,
                               .failed_ms = number_at(data, "failure.failed_ms")};
    return 0;
}

static int notice_begin(const struct errand_id *id, struct errand_slice data,
                        struct errand_arena *arena, struct er_notice *ret,
                        struct errand_error *err)
{
    struct errand_slice channel, name, queue;

    if (er_json_check("data", data, NULL, err) < 0 ||
        text_at(data, "channel", arena, &channel) < 0 ||
        text_at(data, "name", arena, &name) < 0 ||
        text_at(data, "queue", arena, &queue) < 0 ||
        er_notify_channel_find(channel.ptr) < 0)
        return errand_error_set(err, ERRAND_EJSON,
                                "the data of '%s' is not a notification of this errand",
                                ER_NOTIFY_JOB);
    *ret = (struct er_notice){.channel = er_notify_channel_find(channel.ptr),
                              .id = errand_arena_copy(arena, id->text, strlen(id->text)),
                              .name = name.ptr,
                              .queue = queue.ptr};
    ret->failures =
        errand_arena_alloc(arena, (ER_NOTICE_FAILURES + 1) * sizeof *ret->failures);
    return ret->id && ret->failures ? 0 : er_error_nomem(err);
}

static void failure_count(struct er_notice *notice, const struct er_failure *f)
{
    if (!notice->since_ms || f->failed_ms < notice->since_ms)
        notice->since_ms = f->failed_ms;
    if (f->failed_ms > notice->until_ms)
        notice->until_ms = f->failed_ms;
}

/* The first records with their failures, and the last for its time. One that is gone by
 * now was the operator's wish. */
static int failures_read(struct er_store *store, struct errand_arena *arena,
                         struct er_notice *notice, struct errand_error *err)
{
    struct errand_job_detail detail;
    struct er_failure failure;
    int rc;

    for (size_t i = 0; i < notice->records_n; i++) {
        if (i >= ER_NOTICE_FAILURES && i + 1 < notice->records_n)
            i = notice->records_n - 1;
        rc = er_store_get(store, &notice->records[i], 0, arena, &detail, err);
        if (rc == ERRAND_ENOTFOUND)
            continue;
        if (rc < 0)
            return rc;
        if (failure_read(detail.job.data, arena, &failure) < 0)
            continue;
        failure_count(notice, &failure);
        if (notice->failures_n < ER_NOTICE_FAILURES)
            notice->failures[notice->failures_n++] = failure;
    }
    return 0;
}

static int records_take(const struct errand_job_detail *guard, size_t most,
                        struct errand_arena *arena, struct er_notice *notice)
{
    notice->records =
        errand_arena_alloc(arena, (guard->children_n + 1) * sizeof *notice->records);
    if (!notice->records)
        return -1;
    for (size_t i = 0; i < guard->children_n && notice->records_n < most; i++)
        if (guard->children[i].state == ERRAND_HELD && !guard->children[i].is_batch)
            notice->records[notice->records_n++] = guard->children[i].id;
    return 0;
}

/* 1: the data is a sweeper's, 0: it is not. */
static int sweep_take(struct errand_slice data, struct errand_arena *arena,
                      struct er_notice *ret, struct errand_error *err)
{
    struct er_notice notice = {0};
    struct errand_slice list, id;
    struct er_json_walk walk;
    enum er_json_type type;
    size_t n = 0;

    if (er_json_check("data", data, &data_limits, err) < 0)
        return ERRAND_EJSON;
    if (er_json_find(data, "sweep", &type, &list, NULL) < 0)
        return 0;
    for (er_json_walk(&walk, list); er_json_next(&walk);)
        n++;
    if (!(notice.swept = errand_arena_alloc(arena, (n + 1) * sizeof *notice.swept)))
        return er_error_nomem(err);
    for (er_json_walk(&walk, list); er_json_next(&walk); notice.swept_n++)
        if (walk.type != ER_JSON_STRING ||
            er_json_unescape(walk.value, arena, &id, NULL) < 0 ||
            er_id_parse(id.ptr, &notice.swept[notice.swept_n], NULL) < 0)
            return errand_error_set(err, ERRAND_EJSON,
                                    "what is to be swept is not a list of ids");
    *ret = notice;
    return 1;
}

int er_notify_gather(struct er_store *store, const struct er_gathering *gathering,
                     struct errand_arena *arena, struct er_notice *ret,
                     struct errand_error *err)
{
    struct errand_job_detail guard;
    struct er_notice notice;
    int rc;

    if ((rc = sweep_take(gathering->data, arena, ret, err)) != 0)
        return rc < 0 ? rc : 0;
    if ((rc = notice_begin(gathering->id, gathering->data, arena, &notice, err)) < 0 ||
        (rc = er_store_get(store, gathering->id, 0, arena, &guard, err)) < 0)
        return rc;
    if (failure_read(gathering->data, arena, &notice.failures[0]) == 0) {
        failure_count(&notice, &notice.failures[0]);
        notice.failures_n = 1;
    }
    if (records_take(&guard, gathering->most, arena, &notice) < 0)
        return er_error_nomem(err);
    notice.total = (int64_t)(notice.failures_n + notice.records_n);
    if (notice.records_n && !notice.failures_n)
        notice.id = notice.records[0].text;
    if ((rc = failures_read(store, arena, &notice, err)) < 0)
        return rc;
    *ret = notice;
    return 0;
}

/* ------------------------------------------------------------------ what was told */

static int change(struct er_store *store, enum errand_change_kind kind,
                  const struct errand_id *ids, size_t ids_n, struct errand_arena *arena,
                  struct errand_error *err)
{
    const struct errand_change_params params = {.kind = kind, .ids = ids, .ids_n = ids_n};
    struct errand_change_result got = {0};

    return ids_n ? er_store_change(store, &params, arena, &got, err) : 0;
}

static int sweeper_push(struct er_store *store, const struct er_notice *notice,
                        int64_t until_ms, struct errand_arena *arena,
                        struct errand_error *err)
{
    struct errand_push_job job = {.name = ER_NOTIFY_JOB,
                                  .queue = ER_NOTIFY_QUEUE,
                                  .tries = TRIES,
                                  .run_at_ms = until_ms};
    const struct errand_push_params params = {.jobs = &job, .jobs_n = 1};
    struct errand_push_result got = {0};
    struct er_buf buf;
    int rc;

    er_buf_init(&buf, SWEEP_MAX);
    er_buf_str(&buf, "{\"sweep\":[");
    for (size_t i = 0; i < notice->records_n; i++)
        er_buf_printf(&buf, "%s\"%s\"", i ? "," : "", notice->records[i].text);
    er_buf_str(&buf, "]}");
    job.data = (struct errand_slice){buf.ptr, buf.len};
    rc = buf.has_failed ? er_error_nomem(err)
                        : er_store_push(store, &params, arena, &got, err);
    er_buf_done(&buf);
    return rc;
}

/* The sweeper goes first: without it they would stay for ever. */
int er_notify_told(struct er_store *store, const struct er_notice *notice,
                   int64_t until_ms, struct errand_arena *arena, struct errand_error *err)
{
    int rc;

    if (!notice->records_n)
        return 0;
    if ((rc = sweeper_push(store, notice, until_ms, arena, err)) < 0)
        return rc;
    return change(store, ERRAND_CHANGE_CANCEL, notice->records, notice->records_n, arena,
                  err);
}

int er_notify_sweep(struct er_store *store, const struct er_notice *notice,
                    struct errand_arena *arena, struct errand_error *err)
{
    return change(store, ERRAND_CHANGE_DELETE, notice->swept, notice->swept_n, arena,
                  err);
}
