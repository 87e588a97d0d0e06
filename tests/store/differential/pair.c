/* pair.c: random numbers, ids with numbers, answers as text. */
#include "store/differential/pair.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
uint64_t pair_random(struct pair *p)
{
    uint64_t z = (p->random += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t pick(struct pair *p, int64_t n)
{
    return n > 0 ? (int64_t)(pair_random(p) % (uint64_t)n) : 0;
}

bool chance(struct pair *p, int64_t percent)
{
    return pick(p, 100) < percent;
}

/* ------------------------------------------------------------------ ids */

static size_t place_of(const struct id_map *map, const char *text)
{
    uint64_t hash = 14695981039346656037u;

    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    for (size_t i = (size_t)hash & (map->size - 1);; i = (i + 1) & (map->size - 1))
        if (!map->ids[i].text[0] || strcmp(map->ids[i].text, text) == 0)
            return i;
}

static void map_add(struct id_map *map, const struct errand_id *id, size_t number);

static void map_grow(struct id_map *map)
{
    struct id_map old = *map;

    map->size = old.size ? old.size * 2 : 1024;
    map->ids = calloc(map->size, sizeof *map->ids);
    map->numbers = calloc(map->size, sizeof *map->numbers);
    map->n = 0;
    if (!map->ids || !map->numbers)
        abort();
    for (size_t i = 0; i < old.size; i++)
        if (old.ids[i].text[0])
            map_add(map, &old.ids[i], old.numbers[i]);
    free(old.ids);
    free(old.numbers);
}

/* A deleted id may be used again: it gets the newer number. */
static void map_add(struct id_map *map, const struct errand_id *id, size_t number)
{
    size_t i;

    if (map->n * 2 >= map->size)
        map_grow(map);
    i = place_of(map, id->text);
    map->n += !map->ids[i].text[0];
    map->ids[i] = *id;
    map->numbers[i] = number;
}

size_t job_add(struct pair *p, struct errand_id a, struct errand_id b)
{
    if (p->jobs_n == p->jobs_size) {
        p->jobs_size = p->jobs_size ? p->jobs_size * 2 : 1024;
        p->jobs = realloc(p->jobs, p->jobs_size * sizeof *p->jobs);
        if (!p->jobs)
            abort();
    }
    p->jobs[p->jobs_n][0] = a;
    p->jobs[p->jobs_n][1] = b;
    map_add(&p->sides[0].map, &a, p->jobs_n);
    map_add(&p->sides[1].map, &b, p->jobs_n);
    return p->jobs_n++;
}

size_t job_pick(struct pair *p)
{
    size_t recent = p->jobs_n < 40 ? p->jobs_n : 40;

    if (chance(p, 15))
        return (size_t)pick(p, (int64_t)p->jobs_n);
    return p->jobs_n - 1 - (size_t)pick(p, (int64_t)recent);
}

/* ------------------------------------------------------------------ answers */

bool say_rc(struct side *side, int rc)
{
    if (rc < 0)
        say(side, "%s\n", errand_code_name(rc));
    return rc >= 0;
}

void say_id(struct side *side, const struct errand_id *id)
{
    size_t i = side->map.size ? place_of(&side->map, id->text) : 0;

    if (!id->text[0])
        say(side, " -");
    else if (side->map.size && side->map.ids[i].text[0])
        say(side, " #%zu", side->map.numbers[i]);
    else
        say(side, " %s", id->text);
}

void say_slice(struct side *side, const char *what, struct errand_slice slice)
{
    say(side, " %s=%.*s", what, (int)slice.len, slice.len ? slice.ptr : "");
}

/* Its number is the store's own; that it grew is not. */
void say_control(struct side *side, int64_t control)
{
    say(side, "control %s\n",
        control > side->last_control    ? "grew"
        : control == side->last_control ? "stayed"
                                        : "shrank");
    side->last_control = control;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void say_sorted(struct side *side, size_t n,
                void (*write)(struct side *, const void *, size_t), const void *things)
{
    char **lines = calloc(n ? n : 1, sizeof *lines);
    struct er_buf text = side->text;

    if (!lines)
        abort();
    for (size_t i = 0; i < n; i++) {
        er_buf_init(&side->text, 1 << 20);
        write(side, things, i);
        lines[i] = er_buf_take(&side->text);
    }
    side->text = text;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        say(side, "%s", lines[i]);
        free(lines[i]);
    }
    free(lines);
}

static void say_move(struct side *side, const void *moves_, size_t i)
{
    const struct errand_move *m = &((const struct errand_move *)moves_)[i];

    say(side, "  move");
    say_id(side, &m->id);
    say(side, " %s/%s %s->%s attempt %d\n", m->queue, m->name, errand_state_name(m->from),
        errand_state_name(m->to), m->attempt);
}

void say_moves(struct side *side, const struct errand_move *moves, size_t n)
{
    say_sorted(side, n, say_move, moves);
}

void say_pushed(struct side *side, const struct errand_pushed_job *job)
{
    say(side, "pushed %d", (int)job->pushed);
    say_id(side, &job->id);
    say(side, " %s\n", errand_state_name(job->state));
}

void say_info(struct side *side, const struct errand_job_info *job)
{
    say(side, "job");
    say_id(side, &job->id);
    say(side, " %s/%s %s priority %d attempts %d/%d", job->queue, job->name,
        errand_state_name(job->state), job->priority, job->attempts, job->tries);
    say(side,
        " run %" PRId64 " created %" PRId64 " started %" PRId64 " finished %" PRId64,
        job->run_at_ms, job->created_ms, job->started_ms, job->finished_ms);
    if (job->state == ERRAND_RUNNING)
        say(side, " worker %s", job->worker);
    say_slice(side, "data", job->data);
    say_slice(side, "options", job->options);
    say_slice(side, "error", job->error);
    say_slice(side, "result", job->result);
    for (size_t i = 0; i < job->tags_n; i++)
        say(side, " tag %s", job->tags[i]);
    say(side, " batch");
    say_id(side, &job->batch);
    say(side, " progress %d", job->progress);
    say_slice(side, "note", job->progress_note);
    say(side, " cancel %d waits %zu\n", job->cancel_requested, job->waits_n);
}

static void say_attempt(struct side *side, const struct errand_attempt *a)
{
    say(side,
        "  attempt %d %" PRId64 "-%" PRId64 " outcome %d cause %d exit %d signal %d",
        a->n, a->started_ms, a->ended_ms, (int)a->outcome, (int)a->cause, a->exit_code,
        a->signal);
    if (a->outcome != ERRAND_OUT_DONE)
        say(side, " worker %s rss %" PRId64 " cpu %" PRId64, a->worker, a->max_rss_kib,
            a->cpu_ms);
    say_slice(side, "error", a->error);
    say_slice(side, "log", a->log);
    say(side, "\n");
}

static void say_edge(struct side *side, const void *edges, size_t i)
{
    const struct errand_edge_info *e = &((const struct errand_edge_info *)edges)[i];

    say(side, "  edge");
    say_id(side, &e->id);
    say(side, " %s on %d satisfied %d %s", e->is_batch ? "batch" : "job", (int)e->on,
        e->is_satisfied, e->is_batch ? "" : errand_state_name(e->state));
    say_slice(side, "result", e->result);
    say(side, "\n");
}

void say_detail(struct side *side, const struct errand_job_detail *d)
{
    say_info(side, &d->job);
    for (size_t i = 0; i < d->attempts_n; i++)
        say_attempt(side, &d->attempts[i]);
    say(side, " parents\n");
    say_sorted(side, d->parents_n, say_edge, d->parents);
    say(side, " children\n");
    say_sorted(side, d->children_n, say_edge, d->children);
}

void say_batch(struct side *side, const struct errand_batch_info *b)
{
    say(side, "batch %s %s allow %d cancelled %d", b->id.text, b->name, b->allow_failures,
        b->cancelled);
    say(side,
        " total %" PRId64 " pending %" PRId64 " failed %" PRId64 " stopped %" PRId64,
        b->total, b->pending, b->failed, b->cancelled_n);
    say(side, " %" PRId64 "-%" PRId64, b->created_ms, b->ended_ms);
    say_slice(side, "options", b->options);
    say(side, "\n");
}
