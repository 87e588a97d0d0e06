/* move_jobs.c: the three passes over the jobs of the source. What is in memory is a page
 * of it: so many jobs, or fewer big ones. */
#include <string.h>

#include "base/error.h"
#include "client/move_inside.h"

enum { PAGE = 500, PAGE_BYTES = 4 << 20 };

/* What is done with the jobs of a page. */
typedef int page_fn(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                    struct errand_error *err);

/* Paused queues give nothing to workers: one that runs was reserved before, or in a queue
 * that is new. */
static int waits_check(const struct er_moving *m, const struct errand_job_detail *jobs,
                       size_t n, struct errand_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (jobs[i].job.state == ERRAND_RUNNING)
            return errand_error_set(
                err, ERRAND_EBUSY,
                "job '%s' runs in %s: stop its workers and repeat the move",
                jobs[i].job.id.text, er_store_url(m->from));
    return 0;
}

/* Whole, in m->page; as many of them as memory is for. One that has gone meanwhile is
 * left out. */
static int details_read(struct er_moving *m, struct er_store *store,
                        const struct errand_id *ids, size_t n,
                        struct errand_details_result *ret, struct errand_error *err)
{
    const struct errand_details_params p = {
        .now_ms = m->move->now_ms, .ids = ids, .ids_n = n, .max_bytes = PAGE_BYTES};

    return er_store_details(store, &p, m->page, ret, err);
}

/* Some of the ids from the beginning; *ret_n: how many. */
static int some_do(struct er_moving *m, page_fn *each, const struct errand_id *ids,
                   size_t n, size_t *ret_n, struct errand_error *err)
{
    struct errand_details_result got;
    size_t there_n = 0;
    int rc;

    er_arena_reset(m->page);
    if ((rc = details_read(m, m->from, ids, n, &got, err)) < 0)
        return rc;
    for (size_t i = 0; i < got.details_n; i++)
        if (got.details[i].job.id.text[0])
            got.details[there_n++] = got.details[i];
    if ((rc = waits_check(m, got.details, there_n, err)) < 0 ||
        (there_n && (rc = each(m, got.details, there_n, err)) < 0))
        return rc;
    m->done += (int64_t)there_n;
    if (m->move->progress)
        m->move->progress(m->move->ctx, m->pass, m->done, m->total);
    *ret_n = got.details_n;
    return er_move_lock_keep(m, err);
}

static int page_do(struct er_moving *m, page_fn *each,
                   const struct errand_list_result *list, struct errand_error *err)
{
    struct errand_id ids[PAGE];
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; i < list->jobs_n; i++)
        ids[i] = list->jobs[i].id;
    for (size_t from = 0; rc == 0 && from < list->jobs_n; from += n)
        rc = some_do(m, each, ids + from, list->jobs_n - from, &n, err);
    return rc;
}

static int page_read(struct er_moving *m, const struct errand_list_params *q,
                     struct errand_list_result *ret, struct errand_error *err)
{
    er_arena_reset(m->list);
    return er_store_list(m->from, q, m->list, ret, err);
}

/* All of them in order of insertion. */
static int walk(struct er_moving *m, page_fn *each, struct errand_error *err)
{
    struct errand_list_params q = {.now_ms = m->move->now_ms, .max = PAGE};
    struct errand_list_result list;
    int rc;

    do {
        if ((rc = page_read(m, &q, &list, err)) < 0)
            return rc;
        if (list.jobs_n)
            q.after = list.jobs[list.jobs_n - 1].id;
        rc = page_do(m, each, &list, err);
    } while (rc == 0 && list.more);
    return rc;
}

/* ------------------------------------------------------------------ load */

static int load(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                struct errand_error *err)
{
    struct errand_load_params p = {.now_ms = m->move->now_ms, .jobs = jobs, .jobs_n = n};
    struct errand_load_result ret;

    return er_store_load(m->to, &p, m->page, &ret, err);
}

int er_move_jobs_load(struct er_moving *m, struct errand_error *err)
{
    return walk(m, load, err);
}

/* ------------------------------------------------------------------ check */

static int count(struct er_moving *m, const struct errand_job_info *job,
                 struct errand_error *err)
{
    for (size_t i = 0; i < m->queues_n; i++)
        if (strcmp(m->queues[i].name, job->queue) == 0) {
            m->queues[i].counts[job->state]++;
            return 0;
        }
    return errand_error_set(err, ERRAND_EBUSY,
                            "queue '%s' came into being during the move: repeat it",
                            job->queue);
}

static int check_one(struct er_moving *m, const struct errand_job_detail *job,
                     const struct errand_job_detail *there, struct errand_error *err)
{
    const char *differs;

    if (!there->job.id.text[0])
        return errand_error_set(err, ERRAND_EBUSY,
                                "job '%s' is not in %s any more: somebody deleted it "
                                "there during the move, repeat it",
                                job->job.id.text, er_store_url(m->to));
    if ((differs = er_move_differs(job, there)))
        return errand_error_set(
            err, ERRAND_ECONFLICT,
            "job '%s' is in both stores and its %s is not the same: %s in %s, %s in %s; "
            "keep one of the two (queue:forget) and repeat the move",
            job->job.id.text, differs, errand_state_name(job->job.state),
            er_store_url(m->from), errand_state_name(there->job.state),
            er_store_url(m->to));
    return count(m, &there->job, err);
}

static int differ_check(struct er_moving *m, const struct errand_job_detail *jobs,
                        size_t n, bool must_be_there, struct errand_error *err)
{
    struct errand_details_result there;
    struct errand_id ids[PAGE];
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        ids[i] = jobs[i].job.id;
    for (size_t from = 0; from < n; from += there.details_n) {
        if ((rc = details_read(m, m->to, ids + from, n - from, &there, err)) < 0)
            return rc;
        for (size_t i = 0; rc == 0 && i < there.details_n; i++)
            if (must_be_there || there.details[i].job.id.text[0])
                rc = check_one(m, &jobs[from + i], &there.details[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Loaded once more: whoever waits for a job that came after it gets that edge now. */
static int check(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                 struct errand_error *err)
{
    int rc = load(m, jobs, n, err);

    return rc < 0 ? rc : differ_check(m, jobs, n, true, err);
}

static int compare(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                   struct errand_error *err)
{
    return differ_check(m, jobs, n, false, err);
}

int er_move_jobs_compare(struct er_moving *m, struct errand_error *err)
{
    return walk(m, compare, err);
}

int er_move_jobs_check(struct er_moving *m, struct errand_error *err)
{
    return walk(m, check, err);
}

/* ------------------------------------------------------------------ take out */

static int remove(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                  struct errand_error *err)
{
    struct errand_id ids[PAGE];
    struct errand_change_params p = {
        .now_ms = m->move->now_ms, .kind = ERRAND_CHANGE_MOVED, .ids = ids, .ids_n = n};
    struct errand_change_result ret;
    int rc;

    for (size_t i = 0; i < n; i++)
        ids[i] = jobs[i].job.id;
    if ((rc = er_store_change(m->from, &p, m->page, &ret, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        if (ret.changed[i] == ERRAND_WRONG_STATE)
            return errand_error_set(err, ERRAND_ECONFLICT,
                                    "job '%s' began to run in %s during the move, and is "
                                    "in %s as well",
                                    ids[i].text, er_store_url(m->from),
                                    er_store_url(m->to));
    return 0;
}

/* Loaded a last time: what came after the check is in the target before it leaves, too.
 */
static int take_out(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                    struct errand_error *err)
{
    int rc = load(m, jobs, n, err);

    return rc < 0 ? rc : remove(m, jobs, n, err);
}

/* The newest first, children before their parents, until none is left. */
int er_move_jobs_take_out(struct er_moving *m, struct errand_error *err)
{
    struct errand_list_params q = {
        .now_ms = m->move->now_ms, .max = PAGE, .newest_first = true};
    struct errand_list_result list;
    int rc;

    do {
        if ((rc = page_read(m, &q, &list, err)) < 0 ||
            (rc = page_do(m, take_out, &list, err)) < 0)
            return rc;
    } while (list.jobs_n);
    return rc;
}
