/* same.c: two jobs compared as get shows them. */
#include "store/same.h"

#include "store/support.h"

void assert_bytes(struct errand_slice a, struct errand_slice b)
{
    assert_int_equal(a.len, b.len);
    if (a.len)
        assert_memory_equal(a.ptr, b.ptr, a.len);
}

static void assert_same_info(const struct errand_job_info *a,
                             const struct errand_job_info *b)
{
    assert_id(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->queue, b->queue);
    assert_string_equal(a->worker, b->worker);
    assert_string_equal(errand_state_name(a->state), errand_state_name(b->state));
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->tries, b->tries);
    assert_int_equal(a->run_at_ms, b->run_at_ms);
    assert_int_equal(a->created_ms, b->created_ms);
    assert_int_equal(a->started_ms, b->started_ms);
    assert_int_equal(a->finished_ms, b->finished_ms);
    assert_bytes(a->data, b->data);
    assert_bytes(a->options, b->options);
    assert_bytes(a->error, b->error);
    assert_bytes(a->result, b->result);
    assert_int_equal(a->tags_n, b->tags_n);
    for (size_t i = 0; i < a->tags_n; i++)
        assert_string_equal(a->tags[i], b->tags[i]);
    assert_id(a->batch, b->batch);
    assert_int_equal(a->progress, b->progress);
    assert_int_equal(a->waits_n, b->waits_n);
}

static void assert_same_attempt(const struct errand_attempt *a,
                                const struct errand_attempt *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->started_ms, b->started_ms);
    assert_int_equal(a->ended_ms, b->ended_ms);
    assert_string_equal(a->worker, b->worker);
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->exit_code, b->exit_code);
    assert_int_equal(a->signal, b->signal);
    assert_int_equal(a->max_rss_kib, b->max_rss_kib);
    assert_int_equal(a->cpu_ms, b->cpu_ms);
    assert_bytes(a->error, b->error);
    assert_bytes(a->log, b->log);
}

static void assert_same_edges(const struct errand_edge_info *a, size_t n,
                              const struct errand_edge_info *b, size_t b_n)
{
    assert_int_equal(n, b_n);
    for (size_t i = 0; i < n; i++) {
        assert_id(a[i].id, b[i].id);
        assert_int_equal(a[i].is_batch, b[i].is_batch);
        assert_int_equal(a[i].is_satisfied, b[i].is_satisfied);
        assert_int_equal(a[i].has_cancelled, b[i].has_cancelled);
        assert_int_equal(a[i].on, b[i].on);
        assert_int_equal(a[i].state, b[i].state);
        assert_bytes(a[i].result, b[i].result);
        assert_string_equal(a[i].name, b[i].name);
    }
}

static void assert_same_asks(const struct errand_job_detail *a,
                             const struct errand_job_detail *b)
{
    assert_int_equal(a->unique != NULL, b->unique != NULL);
    if (a->unique) {
        assert_bytes(a->unique->key, b->unique->key);
        assert_int_equal(a->unique->ttl_ms, b->unique->ttl_ms);
        assert_int_equal(a->unique->until, b->unique->until);
    }
    assert_int_equal(a->unique_until_ms, b->unique_until_ms);
    assert_int_equal(a->limits_n, b->limits_n);
    for (size_t i = 0; i < a->limits_n; i++) {
        assert_string_equal(a->limits[i].name, b->limits[i].name);
        assert_bytes(a->limits[i].key, b->limits[i].key);
        assert_int_equal(a->limits[i].kind, b->limits[i].kind);
        assert_int_equal(a->limits[i].n, b->limits[i].n);
        assert_int_equal(a->limits[i].per_ms, b->limits[i].per_ms);
    }
}

void assert_same_job(const struct errand_job_detail *a, const struct errand_job_detail *b)
{
    assert_same_info(&a->job, &b->job);
    assert_int_equal(a->attempts_n, b->attempts_n);
    for (size_t i = 0; i < a->attempts_n; i++)
        assert_same_attempt(&a->attempts[i], &b->attempts[i]);
    assert_same_edges(a->parents, a->parents_n, b->parents, b->parents_n);
    assert_same_edges(a->children, a->children_n, b->children, b->children_n);
    assert_same_asks(a, b);
    assert_int_equal(a->has_failed_hook, b->has_failed_hook);
    assert_int_equal(a->is_hook_due, b->is_hook_due);
}
