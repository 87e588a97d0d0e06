/* step_jobs.c: random pushes, work and settling. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/differential/pair.h"

enum { PUSH_MAX = 4, EDGES_MAX = 6, OUTCOMES_MAX = 6, LEASE_MS = 10000 };

static const char *const queues[] = {"a", "b", "c", "d"};
static const char *const names[] = {"mail", "sum", "tidy"};
static const char *const workers[] = {"w1", "w2", "w3"};
static const char *const tags[] = {"red", "blue"};

static struct errand_slice text(const char *t)
{
    return (struct errand_slice){t, strlen(t)};
}

/* A few words that come up again, so that a search finds something. */
static struct errand_slice words(struct pair *p)
{
    static const char *const all[] = {"null", "{\"n\":1}", "[1,2]", "\"word\"", ""};

    return text(all[pick(p, 5)]);
}

/* ------------------------------------------------------------------ push */

/* What a random push needs to hold. */
struct push_parts {
    struct errand_push_job jobs[PUSH_MAX];
    struct errand_unique uniques[PUSH_MAX];
    struct errand_limit_use uses[PUSH_MAX][2];
    struct errand_edge edges[EDGES_MAX];
    size_t edge_jobs[EDGES_MAX]; /* the parent's number, for parents that are there */
    struct errand_push_batch batch;
    struct errand_push_params params;
    char keys[PUSH_MAX][16];
};

static int64_t random_run_at(struct pair *p)
{
    static const int64_t waits[] = {0, 0, 0, 0, 1, 40, 700, 5000, 60000, -500};

    return p->now + waits[pick(p, 10)];
}

static void random_unique(struct pair *p, struct push_parts *parts, size_t i)
{
    static const int64_t ttls[] = {0, 0, 300, 5000};
    struct errand_unique *u = &parts->uniques[i];

    snprintf(parts->keys[i], sizeof parts->keys[i], "key%d", (int)pick(p, 6));
    *u = (struct errand_unique){.key = text(parts->keys[i]),
                                .ttl_ms = ttls[pick(p, 4)],
                                .until = (enum errand_unique_until)pick(p, 3),
                                .policy = (enum errand_unique_policy)pick(p, 3)};
    if (u->until == ERRAND_UNIQUE_TTL && !u->ttl_ms)
        u->ttl_ms = 2000;
    parts->jobs[i].unique = u;
}

/* One name, one set of numbers: what jobs that differ do to each other is not said. */
static void random_limits(struct pair *p, struct push_parts *parts, size_t i)
{
    static const struct errand_limit_use all[] = {
        {.name = "slow", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 2},
        {.name = "often", .kind = ERRAND_LIMIT_RATE, .n = 3, .per_ms = 2000},
        {.name = "rare", .kind = ERRAND_LIMIT_RATE, .n = 1, .per_ms = 9000},
    };
    static const char *const keys[] = {"", "k1", "k2"};
    size_t n = 1 + (size_t)chance(p, 30), first = (size_t)pick(p, 3);

    for (size_t j = 0; j < n; j++) {
        parts->uses[i][j] = all[(first + j) % 3];
        parts->uses[i][j].key = text(keys[pick(p, 3)]);
    }
    parts->jobs[i].limits = parts->uses[i];
    parts->jobs[i].limits_n = n;
}

static void random_job(struct pair *p, struct push_parts *parts, size_t i)
{
    struct errand_push_job *job = &parts->jobs[i];

    *job = (struct errand_push_job){.name = names[pick(p, 3)],
                                    .queue = queues[pick(p, 4)],
                                    .data = words(p),
                                    .options = words(p),
                                    .tags = tags,
                                    .tags_n = (size_t)pick(p, 3),
                                    .priority = (int32_t)pick(p, 5) - 2,
                                    .tries = (int32_t)pick(p, 3) + 1,
                                    .run_at_ms = chance(p, 50) ? 0 : random_run_at(p),
                                    .has_failed_hook = chance(p, 30)};
    if (chance(p, 12))
        snprintf(job->id.text, sizeof job->id.text, "own-%d", (int)pick(p, 30));
    if (chance(p, 25))
        random_unique(p, parts, i);
    if (chance(p, 25))
        random_limits(p, parts, i);
    if (p->batches_n && chance(p, 12))
        job->batch = p->batches[pick(p, (int64_t)p->batches_n)];
}

static void batch_remember(struct pair *p, const struct errand_id *id)
{
    if (p->batches_n < BATCHES_MAX)
        p->batches[p->batches_n++] = *id;
    else
        p->batches[pick(p, BATCHES_MAX)] = *id;
}

static void random_batch(struct pair *p, struct push_parts *parts)
{
    struct errand_push_batch *batch = &parts->batch;

    *batch = (struct errand_push_batch){
        .name = chance(p, 50) ? "import" : "",
        .allow_failures = chance(p, 50),
        .options = words(p),
    };
    if (p->batches_n && chance(p, 10))
        batch->id = p->batches[pick(p, (int64_t)p->batches_n)];
    else
        snprintf(batch->id.text, sizeof batch->id.text, "batch-%zu", p->batches_made++);
    for (size_t i = 0; i < parts->params.jobs_n; i++)
        if (chance(p, 80))
            parts->jobs[i].batch = batch->id;
    parts->params.batch = batch;
    batch_remember(p, &batch->id);
}

/* Parents come before their children in the push, so that no cycle can be made; a batch
 * that the child is a member of is left out for the same reason. */
static void random_edge(struct pair *p, struct push_parts *parts)
{
    size_t n = parts->params.jobs_n, i = parts->params.edges_n;
    struct errand_edge *e = &parts->edges[i];

    *e = (struct errand_edge){.child = (size_t)pick(p, (int64_t)n),
                              .on = (enum errand_edge_on)pick(p, 3)};
    parts->edge_jobs[i] = SIZE_MAX;
    if (e->child > 0 && chance(p, 55)) {
        e->parent = (size_t)pick(p, (int64_t)e->child);
    } else if (p->jobs_n && chance(p, 60)) {
        parts->edge_jobs[i] = job_pick(p);
    } else if (p->batches_n && !parts->jobs[e->child].batch.text[0]) {
        e->parent_id = p->batches[pick(p, (int64_t)p->batches_n)];
        e->parent_is_batch = true;
    } else {
        return;
    }
    parts->params.edges_n++;
}

static void random_push(struct pair *p, struct push_parts *parts)
{
    *parts = (struct push_parts){
        .params = {.now_ms = p->now,
                   .jobs = parts->jobs,
                   .jobs_n = 1 + (size_t)(chance(p, 50) ? pick(p, PUSH_MAX) : 0),
                   .edges = parts->edges}};
    for (size_t i = 0; i < parts->params.jobs_n; i++)
        random_job(p, parts, i);
    if (chance(p, 12))
        random_batch(p, parts);
    for (int i = 0; i < EDGES_MAX && chance(p, 40); i++)
        random_edge(p, parts);
}

static void parents_of_side(const struct pair *p, struct push_parts *parts, size_t side)
{
    for (size_t i = 0; i < parts->params.edges_n; i++)
        if (parts->edge_jobs[i] != SIZE_MAX)
            parts->edges[i].parent_id = p->jobs[parts->edge_jobs[i]][side];
}

/* What was asked, for who reads the answers of a failure. */
static void say_edges(struct side *side, const struct push_parts *parts)
{
    for (size_t i = 0; i < parts->params.edges_n; i++) {
        const struct errand_edge *e = &parts->edges[i];
        say(side, "edge %zu on %d of", e->child, (int)e->on);
        if (e->parent_id.text[0])
            say_id(side, &e->parent_id);
        else
            say(side, " %zu", e->parent);
        say(side, "\n");
    }
    for (size_t i = 0; i < parts->params.jobs_n; i++)
        if (parts->jobs[i].batch.text[0])
            say(side, "member %zu of %s\n", i, parts->jobs[i].batch.text);
}

void step_push(struct pair *p)
{
    struct errand_push_result rets[SIDES];
    struct push_parts parts;
    int rcs[SIDES];

    p->doing = "push";
    random_push(p, &parts);
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        parents_of_side(p, &parts, s);
        say_edges(side, &parts);
        rcs[s] =
            er_store_push(side->store, &parts.params, side->arena, &rets[s], &side->err);
    }
    for (size_t i = 0; rcs[0] == 0 && rcs[1] == 0 && i < parts.params.jobs_n; i++)
        if (rets[0].jobs[i].pushed == ERRAND_INSERTED &&
            rets[1].jobs[i].pushed == ERRAND_INSERTED)
            job_add(p, rets[0].jobs[i].id, rets[1].jobs[i].id);
    for (size_t s = 0; s < SIDES; s++) {
        if (!say_rc(&p->sides[s], rcs[s]))
            continue;
        for (size_t i = 0; i < parts.params.jobs_n; i++)
            say_pushed(&p->sides[s], &rets[s].jobs[i]);
    }
}

void step_fire(struct pair *p)
{
    static const char *const schedules[] = {"nightly", "hourly", "never"};
    struct errand_fire_result rets[SIDES];
    struct push_parts parts = {.params = {.jobs_n = 1}};
    struct errand_fire_params q;
    int rcs[SIDES];

    p->doing = "fire";
    random_job(p, &parts, 0);
    q = (struct errand_fire_params){.now_ms = p->now,
                                    .name = schedules[pick(p, 3)],
                                    .slot_ms = p->now - pick(p, 3) * 500,
                                    .next_ms = p->now + 1000,
                                    .overlap = (enum errand_overlap)pick(p, 3),
                                    .job = chance(p, 85) ? &parts.jobs[0] : NULL,
                                    .slots_n = pick(p, 2)};
    if (!q.job)
        q.slots_n = pick(p, 100);
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        rcs[s] = er_store_fire(side->store, &q, side->arena, &rets[s], &side->err);
    }
    if (rcs[0] == 0 && rcs[1] == 0 && rets[0].fired == ERRAND_FIRED &&
        rets[1].fired == ERRAND_FIRED && rets[0].pushed.pushed == ERRAND_INSERTED &&
        rets[1].pushed.pushed == ERRAND_INSERTED)
        job_add(p, rets[0].pushed.id, rets[1].pushed.id);
    for (size_t s = 0; s < SIDES; s++) {
        if (!say_rc(&p->sides[s], rcs[s]))
            continue;
        say(&p->sides[s], "fired %d ", (int)rets[s].fired);
        say_pushed(&p->sides[s], &rets[s].pushed);
    }
}

/* ------------------------------------------------------------------ exchange */

struct exchange_parts {
    struct errand_outcome outcomes[OUTCOMES_MAX];
    size_t work[OUTCOMES_MAX]; /* which was handed out */
    struct errand_unique uniques[OUTCOMES_MAX];
    struct errand_limit_use uses[OUTCOMES_MAX];
    const char *queues[4];
    struct errand_exchange_params params;
};

static enum errand_outcome_kind random_kind(struct pair *p, const struct work *work)
{
    static const enum errand_outcome_kind kinds[] = {
        ERRAND_OUT_DONE,  ERRAND_OUT_DONE,   ERRAND_OUT_DONE,      ERRAND_OUT_DONE,
        ERRAND_OUT_DONE,  ERRAND_OUT_FAIL,   ERRAND_OUT_FAIL,      ERRAND_OUT_RETRY,
        ERRAND_OUT_RETRY, ERRAND_OUT_SNOOZE, ERRAND_OUT_HAND_BACK, ERRAND_OUT_CANCELLED,
        ERRAND_OUT_LIMIT,
    };

    if (work->kind == ERRAND_WORK_FAILED_HOOK && chance(p, 90))
        return ERRAND_OUT_HOOK_DONE;
    return kinds[pick(p, sizeof kinds / sizeof *kinds)];
}

/* What a job learns late; the numbers are those of random_limits. */
static void random_late(struct pair *p, struct exchange_parts *parts, size_t i)
{
    struct errand_outcome *o = &parts->outcomes[i];

    parts->uniques[i] = (struct errand_unique){
        .key = text(chance(p, 50) ? "key1" : "key2"), .until = ERRAND_UNIQUE_DONE};
    parts->uses[i] = (struct errand_limit_use){.name = "slow",
                                               .key = text(chance(p, 50) ? "k1" : "k2"),
                                               .kind = ERRAND_LIMIT_CONCURRENCY,
                                               .n = 2};
    if (chance(p, 60))
        o->unique = &parts->uniques[i];
    if (chance(p, 60)) {
        o->limits = &parts->uses[i];
        o->limits_n = 1;
    }
}

static void random_outcome(struct pair *p, struct exchange_parts *parts)
{
    size_t i = parts->params.outcomes_n++, w = (size_t)pick(p, (int64_t)p->work_n);

    if (chance(p, 70)) /* the newest are the ones that are not settled yet */
        w = p->work_n - 1 - (size_t)pick(p, p->work_n < 8 ? (int64_t)p->work_n : 8);
    parts->work[i] = w;
    parts->outcomes[i] = (struct errand_outcome){
        .kind = random_kind(p, &p->work[w]),
        .run_at_ms = chance(p, 20) ? 0 : random_run_at(p),
        .started_ms = chance(p, 50) ? 0 : p->now - 5,
        .ended_ms = chance(p, 50) ? 0 : p->now - 1,
        .error = chance(p, 80) ? text("no luck") : text(""),
        .log = chance(p, 30) ? text("line\n") : text(""),
        .result = chance(p, 30) ? text("[42]") : text(""),
        .cause = (enum errand_cause)pick(p, 10),
        .exit_code = (int32_t)pick(p, 3),
        .signal = (int32_t)pick(p, 3),
        .max_rss_kib = pick(p, 100),
        .cpu_ms = pick(p, 100),
        .hook_due = chance(p, 40),
        .name = chance(p, 80) ? p->work[w].name : NULL,
        .queue = p->work[w].queue,
        .attempt = p->work[w].attempt,
    };
    if (parts->outcomes[i].kind == ERRAND_OUT_LIMIT)
        random_late(p, parts, i);
}

static void random_exchange(struct pair *p, struct exchange_parts *parts)
{
    static const size_t maxima[] = {0, 1, 1, 2, 3, 6};

    *parts = (struct exchange_parts){.params = {.now_ms = p->now,
                                                .outcomes = parts->outcomes,
                                                .max = maxima[pick(p, 6)],
                                                .lease_ms = LEASE_MS,
                                                .worker = workers[pick(p, 3)],
                                                .queues = parts->queues,
                                                .want_moves = true}};
    for (size_t n = (size_t)pick(p, OUTCOMES_MAX); n && p->work_n; n--)
        random_outcome(p, parts);
    if (chance(p, 40))
        return; /* all queues, as one line */
    for (size_t n = (size_t)pick(p, 4), first = (size_t)pick(p, 4); n; n--)
        parts->queues[parts->params.queues_n++] = queues[(first + n) % 4];
}

static void outcomes_of_side(const struct pair *p, struct exchange_parts *parts, size_t s)
{
    for (size_t i = 0; i < parts->params.outcomes_n; i++) {
        const struct work *w = &p->work[parts->work[i]];
        parts->outcomes[i].token = w->token[s];
        parts->outcomes[i].key = w->key[s];
        parts->outcomes[i].id = p->jobs[w->job][s];
    }
}

static void say_reserved(struct side *side, const struct errand_reserved *r)
{
    say(side, "reserved %d", (int)r->kind);
    say_id(side, &r->id);
    say(side, " %s/%s attempt %d/%d priority %d run %" PRId64 " created %" PRId64,
        r->queue, r->name, r->attempt, r->tries, r->priority, r->run_at_ms,
        r->created_ms);
    say_slice(side, "data", r->data);
    say_slice(side, "options", r->options);
    say_slice(side, "error", r->error);
    say_id(side, &r->batch);
    say(side, " failed %" PRId64 " parents %d\n", r->failed_ms, r->has_parents);
}

static void say_exchange(struct side *side, const struct exchange_parts *parts,
                         const struct errand_exchange_result *ret)
{
    say(side, "from");
    for (size_t i = 0; i < parts->params.queues_n; i++)
        say(side, " %s", parts->queues[i]);
    say(side, " up to %zu\n", parts->params.max);
    for (size_t i = 0; i < parts->params.outcomes_n; i++)
        say(side, "settled %d as %d\n", (int)parts->outcomes[i].kind,
            (int)ret->settled[i]);
    for (size_t i = 0; i < ret->jobs_n; i++)
        say_reserved(side, &ret->jobs[i]);
    if (ret->token && ret->token <= side->last_token)
        say(side, "token did not grow\n");
    if (ret->token)
        side->last_token = ret->token;
    say(side, "lease %d until %" PRId64 "%s\n", ret->token != 0, ret->lease_until_ms,
        ret->next_at_ms == parts->params.now_ms ? " look again" : "");
    side->next_at_ms = ret->next_at_ms;
    say_control(side, ret->control);
    say_moves(side, ret->moves, ret->moves_n);
}

static size_t number_of(const struct pair *p, const struct errand_id *id)
{
    size_t n = p->jobs_n;

    while (n-- > 0)
        if (strcmp(p->jobs[n][0].text, id->text) == 0)
            return n;
    return 0;
}

static void work_remember(struct pair *p, const struct errand_reserved *a,
                          const struct errand_reserved *b)
{
    struct work w = {.job = number_of(p, &a->id),
                     .kind = a->kind,
                     .token = {a->token, b->token},
                     .key = {a->key, b->key},
                     .attempt = a->attempt};

    snprintf(w.name, sizeof w.name, "%s", a->name);
    snprintf(w.queue, sizeof w.queue, "%s", a->queue);
    if (p->work_n == WORK_MAX) {
        memmove(p->work, p->work + WORK_MAX / 2, WORK_MAX / 2 * sizeof w);
        p->work_n = WORK_MAX / 2;
    }
    p->work[p->work_n++] = w;
}

void step_exchange(struct pair *p)
{
    struct errand_exchange_result rets[SIDES];
    struct exchange_parts parts;
    int rcs[SIDES];

    p->doing = "exchange";
    random_exchange(p, &parts);
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        outcomes_of_side(p, &parts, s);
        rcs[s] = er_store_exchange(side->store, &parts.params, side->arena, &rets[s],
                                   &side->err);
        if (say_rc(side, rcs[s]))
            say_exchange(side, &parts, &rets[s]);
    }
    for (size_t i = 0;
         rcs[0] == 0 && rcs[1] == 0 && i < rets[0].jobs_n && i < rets[1].jobs_n; i++)
        work_remember(p, &rets[0].jobs[i], &rets[1].jobs[i]);
}

/* ------------------------------------------------------------------ leases */

void step_extend(struct pair *p)
{
    size_t n = p->work_n ? 1 + (size_t)pick(p, 3) : 0, chosen[3];
    struct errand_extend_result ret;
    int32_t percent = (int32_t)pick(p, 101);
    bool with_progress = chance(p, 50);

    p->doing = "extend";
    for (size_t i = 0; i < n; i++)
        chosen[i] = (size_t)pick(p, (int64_t)p->work_n);
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        struct errand_progress progress[3];
        int64_t tokens[3];
        for (size_t i = 0; i < n; i++) {
            const struct work *w = &p->work[chosen[i]];
            tokens[i] = w->token[s];
            progress[i] = (struct errand_progress){.token = w->token[s],
                                                   .key = w->key[s],
                                                   .id = p->jobs[w->job][s],
                                                   .percent = percent,
                                                   .note = text("so far")};
        }
        struct errand_extend_params q = {.now_ms = p->now,
                                         .tokens = tokens,
                                         .tokens_n = n,
                                         .lease_ms = LEASE_MS,
                                         .progress = progress,
                                         .progress_n = with_progress ? n : 0};
        if (!say_rc(side,
                    er_store_extend(side->store, &q, side->arena, &ret, &side->err)))
            continue;
        say(side, "until %" PRId64 "\n", ret.until_ms);
        for (size_t i = 0; i < n; i++)
            say(side, "lease %d progress %d\n", (int)ret.leases[i],
                with_progress ? (int)ret.progress[i] : -1);
        for (size_t i = 0; i < ret.cancelled_n; i++) {
            say(side, "cancelled");
            say_id(side, &ret.cancelled[i].id);
            say(side, "\n");
        }
    }
}

void step_reap(struct pair *p)
{
    static const size_t maxima[] = {1, 2, 1000};
    struct errand_reap_params q = {.now_ms = p->now,
                                   .max = maxima[pick(p, 3)],
                                   .want_moves = true,
                                   .all_hooks = chance(p, 30)};
    struct errand_reap_result ret;

    p->doing = "reap";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        if (!say_rc(side, er_store_reap(side->store, &q, side->arena, &ret, &side->err)))
            continue;
        say(side, "ready %zu failed %zu cancelled %zu hooks %zu more %d\n", ret.ready_n,
            ret.failed_n, ret.cancelled_n, ret.hooks_n, ret.more);
        say_moves(side, ret.moves, ret.moves_n);
    }
}
