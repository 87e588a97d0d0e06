/* move_jobs.c: the three passes over the jobs of the source. What is in memory is a page
 * of it: so many jobs, or fewer big ones. */
#include <string.h>

#include "base/error.h"
#include "client/move_inside.h"

enum { PAGE = 200, PAGE_BYTES = 4 << 20 };

/* What is done with the jobs of a page. */
typedef int page_fn(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                    struct errand_error *err);

/* Paused queues give nothing to workers: one that runs was reserved before, or in a queue
 * that is new. */
static int read_job(struct er_moving *m, const struct errand_id *id,
                    struct errand_job_detail *ret, struct errand_error *err)
{
    int rc = er_store_get(m->from, id, m->move->now_ms, m->page, ret, err);

    if (rc < 0 || ret->job.state != ERRAND_RUNNING)
        return rc;
    return errand_error_set(err, ERRAND_EBUSY,
                            "job '%s' runs in %s: stop its workers and repeat the move",
                            id->text, er_store_url(m->from));
}

static bool is_full(const struct er_moving *m, size_t n)
{
    return n == PAGE || er_arena_used(m->page) >= PAGE_BYTES;
}

static int page_end(struct er_moving *m, page_fn *each,
                    const struct errand_job_detail *jobs, size_t n,
                    struct errand_error *err)
{
    int rc = n ? each(m, jobs, n, err) : 0;

    if (rc < 0 || !n)
        return rc;
    m->done += (int64_t)n;
    if (m->move->progress)
        m->move->progress(m->move->ctx, m->pass, m->done, m->total);
    er_arena_reset(m->page);
    return er_move_lock_keep(m, err);
}

/* All of them in order of insertion. */
static int walk(struct er_moving *m, page_fn *each, struct errand_error *err)
{
    struct errand_list_params q = {.now_ms = m->move->now_ms, .max = PAGE};
    struct errand_job_detail jobs[PAGE];
    struct errand_list_result list;
    size_t n = 0;
    int rc;

    er_arena_reset(m->page);
    do {
        struct errand_id last = {{0}};
        er_arena_reset(m->list);
        if ((rc = er_store_list(m->from, &q, m->list, &list, err)) < 0)
            return rc;
        if (list.jobs_n)
            last = list.jobs[list.jobs_n - 1].id;
        for (size_t i = 0; i < list.jobs_n; i++) {
            if ((rc = read_job(m, &list.jobs[i].id, &jobs[n], err)) < 0)
                return rc;
            if (!is_full(m, ++n))
                continue;
            if ((rc = page_end(m, each, jobs, n, err)) < 0)
                return rc;
            n = 0;
        }
        q.after = last;
    } while (list.more);
    return page_end(m, each, jobs, n, err);
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
                     struct errand_error *err)
{
    struct errand_job_detail there;
    const char *differs;
    int rc;

    if ((rc = er_store_get(m->to, &job->job.id, m->move->now_ms, m->page, &there, err)) <
        0)
        return rc;
    if ((differs = er_move_differs(job, &there)))
        return errand_error_set(
            err, ERRAND_ECONFLICT,
            "job '%s' is in both stores and its %s is not the same: %s in %s, %s in %s; "
            "keep one of the two (queue:forget) and repeat the move",
            job->job.id.text, differs, errand_state_name(job->job.state),
            er_store_url(m->from), errand_state_name(there.job.state),
            er_store_url(m->to));
    return count(m, &there.job, err);
}

/* Loaded once more: whoever waits for a job that came after it gets that edge now. */
static int check(struct er_moving *m, const struct errand_job_detail *jobs, size_t n,
                 struct errand_error *err)
{
    struct errand_load_params p = {.now_ms = m->move->now_ms, .jobs = jobs, .jobs_n = n};
    struct errand_load_result ret;
    int rc;

    if ((rc = er_store_load(m->to, &p, m->page, &ret, err)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = check_one(m, &jobs[i], err);
    return rc;
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
    struct errand_job_detail jobs[PAGE];
    struct errand_list_result list;
    int rc;

    do {
        size_t n = 0;
        er_arena_reset(m->list);
        if ((rc = er_store_list(m->from, &q, m->list, &list, err)) < 0)
            return rc;
        while (n < list.jobs_n && !is_full(m, n)) {
            if ((rc = read_job(m, &list.jobs[n].id, &jobs[n], err)) < 0)
                return rc;
            n++;
        }
        if ((rc = page_end(m, take_out, jobs, n, err)) < 0)
            return rc;
    } while (list.jobs_n);
    return rc;
}
