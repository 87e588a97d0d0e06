/* job_ask.c: what a handler asks of the store, by way of whoever holds it: other jobs to
 * be stored, and what its parents left. */
#include "worker/job.h"

#include <string.h>

#include "base/error.h"
#include "client/item.h"
#include "core/id.h"
#include "core/json.h"
#include "worker/protocol.h"

enum { TEXT_MAX = 16 << 20 };

static int ask(errand_job *job, enum er_ask_kind kind, struct errand_slice text,
               struct errand_slice *ret, struct errand_error *err)
{
    if (!job->host->ask)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "'%s' runs without a store here: there is nobody to ask",
                                job->name);
    return job->host->ask(job->host->ctx, (int)kind, text, ret, err);
}

/* ------------------------------------------------------------------ dispatching */

/* The answer is an array of {"id":"…","pushed":0}, one for each item. */
static int pushed_read(struct errand_slice answer, size_t n, struct errand_id *ret_ids,
                       int *ret_first, struct errand_error *err)
{
    struct er_json_walk w;
    int64_t pushed = 0;
    int inserted_n = 0;
    size_t i = 0;

    for (er_json_walk(&w, answer); i < n && er_json_next(&w); i++) {
        struct errand_slice value;
        enum er_json_type type;
        if (er_json_find(w.value, "pushed", &type, &value, NULL) < 0 ||
            er_json_int(value, &pushed) < 0 ||
            er_json_find(w.value, "id", &type, &value, NULL) < 0 || value.len < 2 ||
            value.len - 2 > ERRAND_ID_MAX)
            break;
        if (i == 0)
            *ret_first = (int)pushed;
        inserted_n += pushed == ERRAND_INSERTED;
        if (!ret_ids)
            continue;
        ret_ids[i] = (struct errand_id){{0}};
        memcpy(ret_ids[i].text, value.ptr + 1, value.len - 2);
    }
    if (i == n)
        return inserted_n;
    return errand_error_set(err, ERRAND_EINTERNAL,
                            "the worker did not say what became of the jobs");
}

static int items_write(struct er_buf *buf, const struct errand_dispatch_item *items,
                       size_t n, bool in_batch, struct errand_error *err)
{
    const struct er_json_limits limits = {.max_bytes = TEXT_MAX, .max_keys = SIZE_MAX};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        er_buf_str(buf, i ? "," : "[");
        if (!items[i].name)
            rc = errand_error_set(err, ERRAND_EINVAL, "it has no name of a job");
        else if (items[i].data.len)
            rc = er_json_check("the data", items[i].data, &limits, err);
        if (rc == 0)
            rc = er_item_write(buf, &items[i], in_batch, err);
        if (rc < 0 && n > 1)
            er_error_wrap(err, rc, "job %zu of %zu", i + 1, n);
    }
    if (rc < 0)
        return rc;
    if (er_buf_str(buf, "]") < 0)
        return errand_error_set(err, ERRAND_ETOOBIG, "jobs of more than %d MiB at once",
                                TEXT_MAX >> 20);
    return 0;
}

static int dispatch(errand_job *job, const struct errand_dispatch_item *items, size_t n,
                    bool in_batch, struct errand_id *ret_ids, int *ret_first,
                    struct errand_error *err)
{
    struct errand_slice answer;
    struct er_buf buf;
    int rc;

    er_buf_init(&buf, TEXT_MAX);
    if ((rc = items_write(&buf, items, n, in_batch, err)) == 0 &&
        (rc = ask(job, ER_ASK_DISPATCH, (struct errand_slice){buf.ptr, buf.len}, &answer,
                  err)) == 0)
        rc = pushed_read(answer, n, ret_ids, ret_first, err);
    er_buf_done(&buf);
    return rc;
}

static int dispatch_one(errand_job *job, const struct errand_dispatch_item *item,
                        bool in_batch, struct errand_id *ret_id, struct errand_error *err)
{
    int pushed = 0;
    int rc = dispatch(job, item, 1, in_batch, ret_id, &pushed, err);

    return rc < 0
               ? er_error_wrap(err, rc, "dispatching '%s'", item->name ? item->name : "")
               : pushed;
}

int errand_job_dispatch(errand_job *job, const char *name, const char *data,
                        const struct errand_options *options, struct errand_id *ret_id,
                        struct errand_error *err)
{
    const struct errand_dispatch_item item = {name, errand_text(data), options};

    return dispatch_one(job, &item, false, ret_id, err);
}

int errand_job_batch_add(errand_job *job, const char *name, const char *data,
                         const struct errand_options *options, struct errand_id *ret_id,
                         struct errand_error *err)
{
    const struct errand_dispatch_item item = {name, errand_text(data), options};

    return dispatch_one(job, &item, true, ret_id, err);
}

int errand_job_dispatch_bulk(errand_job *job, const struct errand_dispatch_item *items,
                             size_t n, bool in_batch, struct errand_id *ret_ids,
                             struct errand_error *err)
{
    int first;

    return n == 0 ? 0 : dispatch(job, items, n, in_batch, ret_ids, &first, err);
}

/* ------------------------------------------------------------------ parents */

static int text_at(errand_job *job, struct errand_slice object, const char *key,
                   struct errand_slice *ret)
{
    struct errand_slice value;
    enum er_json_type type;

    *ret = (struct errand_slice){.ptr = ""};
    if (er_json_find(object, key, &type, &value, NULL) < 0 || type != ER_JSON_STRING)
        return 0;
    return er_json_unescape(value, job->arena, ret, NULL);
}

static int64_t number_at(struct errand_slice object, const char *key)
{
    struct errand_slice value;
    enum er_json_type type;
    int64_t number;

    return er_json_find(object, key, &type, &value, NULL) == 0 &&
                   er_json_int(value, &number) == 0
               ? number
               : 0;
}

/* JSON as it stands, with a NUL behind it. */
static int json_at(errand_job *job, struct errand_slice object, const char *key,
                   struct errand_slice *ret)
{
    struct errand_slice value;
    enum er_json_type type;

    *ret = (struct errand_slice){.ptr = ""};
    if (er_json_find(object, key, &type, &value, NULL) < 0)
        return 0;
    *ret = er_arena_slice(job->arena, value.ptr, value.len);
    return ret->ptr ? 0 : ERRAND_ENOMEM;
}

static void id_take(struct errand_slice text, struct errand_id *ret)
{
    *ret = (struct errand_id){{0}};
    memcpy(ret->text, text.ptr, text.len <= ERRAND_ID_MAX ? text.len : ERRAND_ID_MAX);
}

static int failures_read(errand_job *job, struct errand_slice object,
                         struct errand_parent *ret)
{
    struct errand_slice list, id, name;
    struct errand_failure *failures;
    enum er_json_type type;
    struct er_json_walk w;
    size_t n = 0;

    if (er_json_find(object, "failures", &type, &list, NULL) < 0)
        return 0;
    for (er_json_walk(&w, list); er_json_next(&w);)
        n++;
    if (!(failures = errand_arena_alloc(job->arena, (n + 1) * sizeof *failures)))
        return ERRAND_ENOMEM;
    ret->failures = failures;
    for (er_json_walk(&w, list); er_json_next(&w); ret->failures_n++) {
        struct errand_failure *f = &failures[ret->failures_n];
        if (text_at(job, w.value, "id", &id) < 0 ||
            text_at(job, w.value, "name", &name) < 0 ||
            text_at(job, w.value, "error", &f->error) < 0 ||
            json_at(job, w.value, "data", &f->data) < 0)
            return ERRAND_ENOMEM;
        id_take(id, &f->id);
        f->name = name.ptr;
    }
    return 0;
}

static int parent_read(errand_job *job, struct errand_slice object,
                       struct errand_parent *ret)
{
    struct errand_slice id, batch, name, node, state;

    if (text_at(job, object, "id", &id) < 0 ||
        text_at(job, object, "batch", &batch) < 0 ||
        text_at(job, object, "name", &name) < 0 ||
        text_at(job, object, "node", &node) < 0 ||
        text_at(job, object, "state", &state) < 0 ||
        text_at(job, object, "error", &ret->error) < 0 ||
        json_at(job, object, "result", &ret->result) < 0)
        return ERRAND_ENOMEM;
    ret->is_batch = batch.len > 0;
    id_take(ret->is_batch ? batch : id, &ret->id);
    ret->name = name.ptr;
    ret->node = node.ptr;
    ret->state = (enum errand_state)errand_state_parse(state.ptr);
    ret->total = number_at(object, "total");
    ret->successful = number_at(object, "successful");
    ret->failed = number_at(object, "failed");
    ret->cancelled = number_at(object, "cancelled");
    return failures_read(job, object, ret);
}

static int parents_read(errand_job *job, struct errand_error *err)
{
    struct errand_slice answer;
    struct er_json_walk w;
    size_t n = 0;
    int rc;

    if ((rc = ask(job, ER_ASK_PARENTS, (struct errand_slice){0}, &answer, err)) < 0)
        return er_error_wrap(err, rc, "the parents of '%s'", job->name);
    for (er_json_walk(&w, answer); er_json_next(&w);)
        n++;
    if (!(job->parents = errand_arena_alloc(job->arena, (n + 1) * sizeof *job->parents)))
        return er_error_nomem(err);
    job->parents_n = 0;
    for (er_json_walk(&w, answer); er_json_next(&w); job->parents_n++)
        if (parent_read(job, w.value, &job->parents[job->parents_n]) < 0)
            return er_error_nomem(err);
    job->has_parents = true;
    return 0;
}

int errand_job_parents(errand_job *job, const struct errand_parent **ret, size_t *ret_n,
                       struct errand_error *err)
{
    int rc;

    if (!job->has_parents && (rc = parents_read(job, err)) < 0)
        return rc;
    *ret = job->parents;
    *ret_n = job->parents_n;
    return 0;
}

static bool is_called(const struct errand_parent *p, const char *which)
{
    return !which || strcmp(p->node, which) == 0 || strcmp(p->name, which) == 0 ||
           strcmp(p->id.text, which) == 0;
}

int errand_job_parent_result(errand_job *job, const char *which, const char **ret_json,
                             struct errand_error *err)
{
    const struct errand_parent *parents;
    size_t n = 0, i = 0;
    int rc;

    if ((rc = errand_job_parents(job, &parents, &n, err)) < 0)
        return rc;
    while (i < n && !is_called(&parents[i], which))
        i++;
    if (i == n)
        return errand_error_set(err, ERRAND_ENOTFOUND, "'%s' did not wait for %s%s%s",
                                job->name, which ? "'" : "anything", which ? which : "",
                                which ? "'" : "");
    if (!parents[i].result.len)
        return errand_error_set(err, ERRAND_ENOTFOUND, "'%s' %s left no result",
                                parents[i].name, parents[i].id.text);
    *ret_json = parents[i].result.ptr;
    return 0;
}
