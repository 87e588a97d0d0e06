/* filter.c: which jobs a filter means. */
#include "store/memory/memory.h"

#include <string.h>

static bool holds(struct errand_slice text, const char *search)
{
    return text.len && memmem(text.ptr, text.len, search, strlen(search)) != NULL;
}

static bool is_found(const struct mem_job *job, const char *search)
{
    return strstr(job->id.text, search) || holds(job->data, search) ||
           holds(job->error, search);
}

static bool has_tag(const struct mem_job *job, const char *tag)
{
    for (size_t i = 0; i < job->tags_n; i++)
        if (strcmp(job->tags[i], tag) == 0)
            return true;
    return false;
}

static bool is_in_time(const struct errand_filter *f, const struct mem_job *job)
{
    bool by_end = job->state == ERRAND_FAILED || job->state == ERRAND_CANCELLED;
    int64_t at_ms = by_end ? job->finished_ms : job->created_ms;

    return (!f->since_ms || at_ms >= f->since_ms) &&
           (!f->until_ms || at_ms < f->until_ms);
}

bool er_mem_filter_matches(const struct errand_filter *f, const struct mem_job *job)
{
    if (f->states && !(f->states & 1u << job->state))
        return false;
    if ((f->queue && strcmp(f->queue, job->queue->name) != 0) ||
        (f->name && strcmp(f->name, job->name) != 0) || (f->tag && !has_tag(job, f->tag)))
        return false;
    if (f->batch.text[0] &&
        (!job->batch || strcmp(job->batch->info.id.text, f->batch.text) != 0))
        return false;
    return is_in_time(f, job) && (!f->search || is_found(job, f->search));
}
