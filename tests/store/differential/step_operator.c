/* step_operator.c: random changes by operators, and all that is beside the jobs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/differential/pair.h"

static const char *const queues[] = {"a", "b", "c", "d"};
static const char *const names[] = {"mail", "sum", "tidy"};

static struct errand_slice text(const char *t)
{
    return (struct errand_slice){t, strlen(t)};
}

/* ------------------------------------------------------------------ change */

static struct errand_filter random_filter(struct pair *p)
{
    static const char *const searches[] = {"word", "luck", "own-1", "[1", "%"};
    struct errand_filter f = {0};

    if (chance(p, 60))
        f.states = (uint32_t)pick(p, 1 << ERRAND_STATES_N);
    if (chance(p, 40))
        f.queue = queues[pick(p, 4)];
    if (chance(p, 30))
        f.name = names[pick(p, 3)];
    if (chance(p, 15))
        f.tag = chance(p, 50) ? "red" : "blue";
    if (chance(p, 15) && p->batches_n)
        f.batch = p->batches[pick(p, (int64_t)p->batches_n)];
    if (chance(p, 15))
        f.search = searches[pick(p, 5)];
    if (chance(p, 15))
        f.since_ms = p->now - pick(p, 20000);
    if (chance(p, 15))
        f.until_ms = p->now - pick(p, 20000);
    return f;
}

/* Everything at once would leave nothing to do for the next steps. */
static struct errand_filter narrow_filter(struct pair *p)
{
    struct errand_filter f = random_filter(p);

    if (!f.queue)
        f.queue = queues[pick(p, 4)];
    return f;
}

static void say_change(struct side *side, const struct errand_change_params *q,
                       const struct errand_change_result *ret)
{
    say(side, "matched %zu changed %zu more %d\n", ret->matched_n, ret->changed_n,
        ret->more);
    for (size_t i = 0; i < q->ids_n; i++)
        say(side, "changed %d\n", (int)ret->changed[i]);
    say_moves(side, ret->moves, ret->moves_n);
}

static struct errand_edit random_edit(struct pair *p, struct errand_slice *data,
                                      int32_t *number, int64_t *at_ms)
{
    *data = text("[\"edited\"]");
    *number = (int32_t)pick(p, 4) + 1;
    *at_ms = chance(p, 30) ? 0 : p->now + pick(p, 3000) - 1000;
    return (struct errand_edit){.data = chance(p, 30) ? data : NULL,
                                .options = chance(p, 30) ? data : NULL,
                                .priority = chance(p, 30) ? number : NULL,
                                .tries = chance(p, 30) ? number : NULL,
                                .run_at_ms = chance(p, 30) ? at_ms : NULL};
}

void step_change(struct pair *p)
{
    static const enum errand_change_kind kinds[] = {
        ERRAND_CHANGE_CANCEL, ERRAND_CHANGE_RETRY,   ERRAND_CHANGE_RETRY,
        ERRAND_CHANGE_RETRY,  ERRAND_CHANGE_RUN_NOW, ERRAND_CHANGE_EDIT,
        ERRAND_CHANGE_EDIT,   ERRAND_CHANGE_DELETE,
    };
    size_t n = p->jobs_n && chance(p, 80) ? 1 + (size_t)pick(p, 4) : 0, chosen[4];
    struct errand_filter filter = narrow_filter(p);
    struct errand_slice data;
    int32_t number;
    int64_t at_ms;
    struct errand_edit edit = random_edit(p, &data, &number, &at_ms);
    struct errand_change_params q = {.now_ms = p->now,
                                     .kind = kinds[pick(p, 8)],
                                     .ids_n = n,
                                     .filter = n ? NULL : &filter,
                                     .want_moves = true};

    p->doing = "change";
    q.edit = q.kind == ERRAND_CHANGE_EDIT ? &edit : NULL;
    q.max = n || q.kind == ERRAND_CHANGE_EDIT ? 0 : (size_t)pick(p, 3);
    if (q.kind == ERRAND_CHANGE_DELETE && !n)
        q.max = 2;
    for (size_t i = 0; i < n; i++)
        chosen[i] = job_pick(p);
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        struct errand_change_result ret;
        struct errand_id ids[4];
        for (size_t i = 0; i < n; i++)
            ids[i] = p->jobs[chosen[i]][s];
        q.ids = ids;
        if (say_rc(side, er_store_change(side->store, &q, side->arena, &ret, &side->err)))
            say_change(side, &q, &ret);
    }
}

/* ------------------------------------------------------------------ queues, batches */

static void do_pause(struct pair *p)
{
    static const int64_t untils[] = {0, 0, 0, 3000, ERRAND_FOREVER};
    const char *queue = queues[pick(p, 4)];
    int64_t until = untils[pick(p, 5)];

    p->doing = "queue_pause";
    if (until && until != ERRAND_FOREVER)
        until += p->now;
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s], er_store_queue_pause(p->sides[s].store, queue, until, p->now,
                                                  &p->sides[s].err));
}

static void do_batch_cancel(struct pair *p)
{
    struct errand_id id = {"nobody"};

    p->doing = "batch_cancel";
    if (p->batches_n)
        id = p->batches[pick(p, (int64_t)p->batches_n)];
    for (size_t s = 0; s < SIDES; s++) {
        size_t n = 0;
        if (say_rc(&p->sides[s], er_store_batch_cancel(p->sides[s].store, &id, p->now, &n,
                                                       &p->sides[s].err)))
            say(&p->sides[s], "cancelled %zu\n", n);
    }
}

static void do_prune(struct pair *p)
{
    struct errand_prune_params q = {.now_ms = p->now, .max = 1000};

    p->doing = "prune";
    for (int i = 0; i < ERRAND_STATES_N; i++) {
        q.age_ms[i] = chance(p, 30) ? 20000 : -1;
        q.keep_n[i] = chance(p, 30) ? 30 : -1;
    }
    for (size_t s = 0; s < SIDES; s++) {
        size_t n = 0;
        if (say_rc(&p->sides[s],
                   er_store_prune(p->sides[s].store, &q, &n, &p->sides[s].err)))
            say(&p->sides[s], "pruned %zu\n", n);
    }
}

/* The rate of a name stays the same for the whole run, see random_limits. */
static void do_limit_put(struct pair *p)
{
    struct errand_limit all[] = {
        {.name = "slow", .kind = ERRAND_LIMIT_CONCURRENCY, .scope = ERRAND_SCOPE_KEY},
        {.name = "often",
         .kind = ERRAND_LIMIT_RATE,
         .scope = ERRAND_SCOPE_KEY,
         .per_ms = 2000},
        {.name = "queue-b",
         .kind = ERRAND_LIMIT_CONCURRENCY,
         .scope = ERRAND_SCOPE_QUEUE,
         .target = "b"},
        {.name = "mails",
         .kind = ERRAND_LIMIT_RATE,
         .scope = ERRAND_SCOPE_JOB,
         .target = "mail",
         .per_ms = 1000},
    };
    struct errand_limit *limit = &all[pick(p, 4)];

    p->doing = "limit_put";
    limit->n = 1 + pick(p, 4);
    if (!limit->target)
        limit->target = "{user}";
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s],
               er_store_limit_put(p->sides[s].store, limit, &p->sides[s].err));
}

static void do_limit_delete(struct pair *p)
{
    static const char *const all[] = {"slow", "often", "queue-b", "mails"};
    const char *name = all[pick(p, 4)];

    p->doing = "limit_delete";
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s],
               er_store_limit_delete(p->sides[s].store, name, &p->sides[s].err));
}

void step_operator(struct pair *p)
{
    switch (pick(p, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        do_pause(p);
        break;
    case 5:
    case 6:
        do_batch_cancel(p);
        break;
    case 7:
    case 8:
        do_prune(p);
        break;
    case 9:
    case 10:
        do_limit_put(p);
        break;
    default:
        do_limit_delete(p);
    }
}

/* ------------------------------------------------------------------ beside the jobs */

static void do_rate_take(struct pair *p)
{
    struct errand_rate_params q = {.now_ms = p->now,
                                   .name = "often",
                                   .key = text(chance(p, 50) ? "k1" : ""),
                                   .n = 3,
                                   .per_ms = 2000,
                                   .take = 1 + pick(p, 2)};
    struct errand_rate_result ret;

    p->doing = "rate_take";
    for (size_t s = 0; s < SIDES; s++)
        if (say_rc(&p->sides[s],
                   er_store_rate_take(p->sides[s].store, &q, &ret, &p->sides[s].err)))
            say(&p->sides[s], "allowed %d at %" PRId64 "\n", ret.allowed,
                ret.retry_at_ms);
}

static void do_lock(struct pair *p)
{
    static const char *const keys[LOCKS_N] = {"l0", "l1", "l2"};
    size_t which = (size_t)pick(p, LOCKS_N);
    struct errand_lock_params q = {.now_ms = p->now,
                                   .key = text(keys[which]),
                                   .owner = chance(p, 50) ? "ann" : "bob",
                                   .ttl_ms = 2000};
    bool is_unlock = chance(p, 40);

    p->doing = is_unlock ? "unlock" : "lock";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        struct errand_lock_result ret;
        q.token = p->lock_tokens[which][s];
        if (is_unlock) {
            say_rc(side, er_store_unlock(side->store, &q, &side->err));
        } else if (say_rc(side, er_store_lock(side->store, &q, side->arena, &ret,
                                              &side->err))) {
            say(side, "locked %d until %" PRId64 " by %s\n", ret.token != 0, ret.until_ms,
                ret.owner);
            if (ret.token)
                p->lock_tokens[which][s] = ret.token;
        }
    }
}

static void do_schedule(struct pair *p)
{
    static const char *const all[] = {"nightly", "hourly"};
    struct errand_schedule schedule = {.name = all[pick(p, 2)],
                                       .spec = text(chance(p, 50) ? "{}" : "{\"a\":1}"),
                                       .paused = chance(p, 20),
                                       .next_ms = p->now + 1000};
    int64_t what = pick(p, 10);
    bool paused = chance(p, 30);

    p->doing = what < 6   ? "schedule_put"
               : what < 7 ? "schedule_delete"
                          : "schedule_pause";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        if (what < 6)
            say_rc(side, er_store_schedule_put(side->store, &schedule, &side->err));
        else if (what < 7)
            say_rc(side,
                   er_store_schedule_delete(side->store, schedule.name, &side->err));
        else
            say_rc(side, er_store_schedule_pause(side->store, schedule.name, paused,
                                                 &side->err));
    }
}

static void do_beat(struct pair *p)
{
    static const char *const all[] = {"w1", "w2", "w3", "w4"};
    struct errand_beat_params q = {.now_ms = p->now,
                                   .worker = all[pick(p, 4)],
                                   .info = text("{\"pid\":1}"),
                                   .ttl_ms = 4000,
                                   .bye = chance(p, 10)};
    struct errand_beat_result ret;

    p->doing = "beat";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        if (!say_rc(side, er_store_beat(side->store, &q, side->arena, &ret, &side->err)))
            continue;
        for (size_t i = 0; i < ret.commands_n; i++)
            say(side, "command %d\n", (int)ret.commands[i]);
        say_control(side, ret.control);
    }
}

static void do_command(struct pair *p)
{
    enum errand_command what = (enum errand_command)(pick(p, 3) + 1);
    const char *worker = chance(p, 50) ? NULL : "w2";

    p->doing = "command";
    for (size_t s = 0; s < SIDES; s++) {
        size_t n = 0;
        if (say_rc(&p->sides[s], er_store_command(p->sides[s].store, worker, what, p->now,
                                                  &n, &p->sides[s].err)))
            say(&p->sides[s], "told %zu\n", n);
    }
}

static void do_define(struct pair *p)
{
    struct errand_definition d = {.name = chance(p, 50) ? "SendMail" : "send-mail",
                                  .key = chance(p, 50) ? "sendmail" : "sum",
                                  .spec = text(chance(p, 50) ? "{}" : "[]")};

    p->doing = "define";
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s],
               er_store_define(p->sides[s].store, &d, 1, p->now, &p->sides[s].err));
}

static void do_events(struct pair *p)
{
    struct errand_event e = {.type = "job:started",
                             .name = "mail",
                             .queue = "a",
                             .attempt = (int32_t)pick(p, 3),
                             .duration_ms = pick(p, 9),
                             .delay_ms = -1,
                             .error = text("e")};
    size_t n = 1 + (size_t)pick(p, 3);
    struct errand_event events[3] = {e, e, e};

    p->doing = "events_add";
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s], er_store_events_add(p->sides[s].store, events, n, p->now,
                                                 &p->sides[s].err));
}

static void do_stats(struct pair *p)
{
    struct errand_stat stat = {.minute_ms = p->now,
                               .queue = queues[pick(p, 4)],
                               .name = names[pick(p, 3)],
                               .done = pick(p, 3),
                               .failed = pick(p, 3),
                               .retried = pick(p, 3),
                               .run_ms = pick(p, 50),
                               .wait_ms = pick(p, 50)};
    struct errand_stats_params q = {.now_ms = p->now, .add = &stat, .add_n = 1};

    p->doing = "stats_add";
    stat.run_hist[pick(p, ERRAND_HISTOGRAM_N)] = 1;
    stat.wait_hist[pick(p, ERRAND_HISTOGRAM_N)] = 1;
    for (size_t s = 0; s < SIDES; s++)
        say_rc(&p->sides[s], er_store_stats_add(p->sides[s].store, &q, &p->sides[s].err));
}

void step_beside(struct pair *p)
{
    static void (*const all[])(struct pair *) = {
        do_rate_take, do_rate_take, do_lock,   do_lock,   do_schedule, do_beat,
        do_beat,      do_command,   do_define, do_events, do_stats};

    all[pick(p, sizeof all / sizeof *all)](p);
}

/* ------------------------------------------------------------------ look */

static void do_list(struct pair *p)
{
    struct errand_list_params q = {.now_ms = p->now,
                                   .filter = random_filter(p),
                                   .newest_first = chance(p, 50),
                                   .max = 1 + (size_t)pick(p, 20),
                                   .with_data = chance(p, 50)};
    size_t after = p->jobs_n && chance(p, 50) ? job_pick(p) : SIZE_MAX;

    p->doing = "list";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        struct errand_list_result ret;
        int64_t n = 0;
        if (after != SIZE_MAX)
            q.after = p->jobs[after][s];
        if (say_rc(side, er_store_list(side->store, &q, side->arena, &ret, &side->err))) {
            for (size_t i = 0; i < ret.jobs_n; i++)
                say_info(side, &ret.jobs[i]);
            say(side, "more %d\n", ret.more);
        }
        say_rc(side, er_store_count(side->store, &q.filter, p->now, &n, &side->err));
        say(side, "count %" PRId64 "\n", n);
    }
}

static void do_get(struct pair *p)
{
    size_t job = p->jobs_n ? job_pick(p) : SIZE_MAX;

    p->doing = "get";
    for (size_t s = 0; job != SIZE_MAX && s < SIDES; s++) {
        struct side *side = &p->sides[s];
        struct errand_job_detail ret;
        if (say_rc(side, er_store_get(side->store, &p->jobs[job][s], p->now, side->arena,
                                      &ret, &side->err)))
            say_detail(side, &ret);
    }
}

/* Events of one moment. */
struct moment {
    const struct errand_event *events;
    size_t n;
};

/* The i-th of a moment, after the job and which of its events in this moment it is: with
 * that said, sorted lines are the same where each job has the same events in the same
 * order. */
static void say_event(struct side *side, const void *moment_, size_t i)
{
    const struct moment *moment = moment_;
    const struct errand_event *e = &moment->events[i];
    size_t nth = 0;

    for (size_t k = 0; k < i; k++)
        nth += strcmp(moment->events[k].id.text, e->id.text) == 0;
    say(side, "event");
    say_id(side, &e->id);
    say(side, " (%zu) %s of %s on %s, %d, %" PRId64 " %" PRId64 " %.*s\n", nth, e->type,
        e->name, e->queue, (int)e->attempt, e->duration_ms, e->delay_ms,
        (int)e->error.len, e->error.ptr);
}

/* A cause comes before its effects, and each job's events are in order; which of several
 * effects comes first is the driver's affair. So the first and the last moment, of which
 * a page may have only a part, are counted and not compared. */
static void say_events(struct side *side, const struct errand_events_result *ret)
{
    size_t from = 0, to;

    for (; from < ret->events_n; from = to) {
        struct moment moment = {.events = ret->events + from};
        for (to = from + 1;
             to < ret->events_n && ret->events[to].at_ms == ret->events[from].at_ms; to++)
            ;
        moment.n = to - from;
        say(side, "%zu events from %" PRId64 " on at %" PRId64 "\n", moment.n,
            moment.events->seq, moment.events->at_ms);
        if (from > 0 && to < ret->events_n)
            say_sorted(side, moment.n, say_event, &moment);
    }
}

/* Drivers may renew as lazily as they like: who follows does so until the end. */
#define FOR_GOOD_MS (INT64_C(1) << 40)

/* Somewhere among the newest. */
static int64_t events_place(struct pair *p)
{
    struct errand_events_params q = {.now_ms = p->now, .after = -1, .max = 1};
    struct errand_events_result ret;
    struct side *side = &p->sides[0];

    if (er_store_events_read(side->store, &q, side->arena, &ret, &side->err) < 0)
        return 0;
    return ret.last < 40 ? pick(p, 40) : ret.last - pick(p, 40);
}

static void do_events_read(struct pair *p)
{
    struct errand_events_params q = {.now_ms = p->now,
                                     .after = chance(p, 10) ? -1 : events_place(p),
                                     .max = 1 + (size_t)pick(p, 80),
                                     .follow_ms = chance(p, 5) ? FOR_GOOD_MS : 0};
    struct errand_events_result ret;

    p->doing = "events_read";
    for (size_t s = 0; s < SIDES; s++) {
        struct side *side = &p->sides[s];
        if (!say_rc(side,
                    er_store_events_read(side->store, &q, side->arena, &ret, &side->err)))
            continue;
        say_events(side, &ret);
        say(side, "last %" PRId64 " behind %d\n", ret.last, ret.fell_behind);
    }
}

void step_look(struct pair *p)
{
    static void (*const all[])(struct pair *) = {do_list, do_list, do_get, do_get,
                                                 do_events_read};

    all[pick(p, sizeof all / sizeof *all)](p);
}
