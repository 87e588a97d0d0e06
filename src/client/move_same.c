/* move_same.c: is the job in the target the one of the source? Everything that get shows
 * is compared but what depends on other jobs: those may have left the source before. */
#include <string.h>

#include "client/move_inside.h"

static bool is_same(struct errand_slice a, struct errand_slice b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool are_tags_same(const struct errand_job_info *a,
                          const struct errand_job_info *b)
{
    if (a->tags_n != b->tags_n)
        return false;
    for (size_t i = 0; i < a->tags_n; i++)
        if (strcmp(a->tags[i], b->tags[i]) != 0)
            return false;
    return true;
}

static const char *info_differs(const struct errand_job_info *a,
                                const struct errand_job_info *b)
{
    const struct {
        const char *what;
        bool is_same;
    } parts[] = {
        {"name", strcmp(a->name, b->name) == 0},
        {"queue", strcmp(a->queue, b->queue) == 0},
        {"state", a->state == b->state},
        {"creation time", a->created_ms == b->created_ms},
        {"run-at", a->run_at_ms == b->run_at_ms},
        {"end", a->finished_ms == b->finished_ms},
        {"priority", a->priority == b->priority},
        {"number of tries", a->tries == b->tries},
        {"number of attempts", a->attempts == b->attempts},
        {"batch", strcmp(a->batch.text, b->batch.text) == 0},
        {"data", is_same(a->data, b->data)},
        {"options", is_same(a->options, b->options)},
        {"error", is_same(a->error, b->error)},
        {"result", is_same(a->result, b->result)},
        {"tags", are_tags_same(a, b)},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!parts[i].is_same)
            return parts[i].what;
    return NULL;
}

static bool are_attempts_same(const struct errand_job_detail *a,
                              const struct errand_job_detail *b)
{
    if (a->attempts_n != b->attempts_n)
        return false;
    for (size_t i = 0; i < a->attempts_n; i++) {
        const struct errand_attempt *x = &a->attempts[i], *y = &b->attempts[i];
        if (x->n != y->n || x->outcome != y->outcome || x->started_ms != y->started_ms ||
            !is_same(x->error, y->error) || !is_same(x->log, y->log))
            return false;
    }
    return true;
}

static bool are_limits_same(const struct errand_job_detail *a,
                            const struct errand_job_detail *b)
{
    if (a->job.state == ERRAND_COMPLETED) /* they concern nobody any more */
        return true;
    if (a->limits_n != b->limits_n)
        return false;
    for (size_t i = 0; i < a->limits_n; i++) {
        const struct errand_limit_use *x = &a->limits[i], *y = &b->limits[i];
        if (strcmp(x->name, y->name) != 0 || !is_same(x->key, y->key) || x->n != y->n ||
            x->kind != y->kind)
            return false;
    }
    return true;
}

/* Parents leave the source before or after their children: each that is left there has
 * its counterpart. */
static bool are_parents_there(const struct errand_job_detail *a,
                              const struct errand_job_detail *b)
{
    for (size_t i = 0, k = 0; i < a->parents_n; i++, k++) {
        const struct errand_edge_info *edge = &a->parents[i];
        while (k < b->parents_n && strcmp(b->parents[k].id.text, edge->id.text) != 0)
            k++;
        if (k == b->parents_n || b->parents[k].on != edge->on ||
            b->parents[k].is_satisfied != edge->is_satisfied)
            return false;
    }
    return true;
}

const char *er_move_differs(const struct errand_job_detail *a,
                            const struct errand_job_detail *b)
{
    const char *differs = info_differs(&a->job, &b->job);

    if (differs)
        return differs;
    if (!are_attempts_same(a, b))
        return "list of attempts";
    if (!a->unique != !b->unique ||
        (a->unique && (!is_same(a->unique->key, b->unique->key) ||
                       a->unique->until != b->unique->until)))
        return "unique key";
    if (!are_limits_same(a, b))
        return "limits";
    if (a->has_failed_hook != b->has_failed_hook || a->is_hook_due != b->is_hook_due)
        return "hook";
    return are_parents_there(a, b) ? NULL : "list of jobs it waits for";
}

const char *er_move_batch_differs(const struct errand_batch_info *a,
                                  const struct errand_batch_info *b)
{
    if (strcmp(a->name, b->name) != 0 || !is_same(a->options, b->options) ||
        a->allow_failures != b->allow_failures || a->created_ms != b->created_ms)
        return "description";
    if (a->total != b->total || a->pending != b->pending || a->failed != b->failed ||
        a->cancelled_n != b->cancelled_n || a->cancelled != b->cancelled)
        return "number of jobs";
    return a->ended_ms == b->ended_ms ? NULL : "end";
}
