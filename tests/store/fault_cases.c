/* fault_cases.c: for each writing operation, what must hold when one of its uses failed
 * and was repeated. */
#include "store/fault.h"

#include "store/support.h"

int faults;
bool is_after;

/* The call, and once more when the store was unavailable. */
#define again(call)                                \
    do {                                           \
        int rc_ = (call);                          \
        if (rc_ == ERRAND_EUNAVAILABLE) {          \
            assert_true(err.retryable);            \
            faults++;                              \
            rc_ = (call);                          \
        }                                          \
        assert_ok(rc_, #call, __FILE__, __LINE__); \
    } while (0)

/* The same for what is done twice when the first one had been committed: an answer that
 * says so is as good. */
#define again_or(code, call)                       \
    do {                                           \
        int rc_ = (call);                          \
        if (rc_ == ERRAND_EUNAVAILABLE) {          \
            faults++;                              \
            rc_ = (call);                          \
            if (is_after && rc_ == (code))         \
                rc_ = 0;                           \
        }                                          \
        assert_ok(rc_, #call, __FILE__, __LINE__); \
    } while (0)

static struct errand_push_result push_again(struct errand_push_params p)
{
    struct errand_push_result ret;

    p.now_ms = now;
    again(er_store_push(store, &p, arena, &ret, &err));
    return ret;
}

static struct errand_id push_named(const char *id)
{
    struct errand_push_job job = {
        .id = id_of(id), .name = "a", .queue = DEFAULT_QUEUE, .tries = 3};

    return push_again((struct errand_push_params){.jobs = &job, .jobs_n = 1}).jobs[0].id;
}

static struct errand_exchange_result exchange_again(struct errand_exchange_params p,
                                                    bool *ret_was_repeated)
{
    struct errand_exchange_result ret;
    int before = faults;

    p.now_ms = now;
    p.lease_ms = LEASE_MS;
    p.worker = "worker";
    again(er_store_exchange(store, &p, arena, &ret, &err));
    *ret_was_repeated = faults > before;
    return ret;
}

/* ------------------------------------------------------------------ the cases */

static void case_push(void)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};
    struct errand_push_job jobs[] = {
        {.id = id_of("1"), .name = "a", .queue = "q", .tries = 1, .batch = batch.id},
        {.id = id_of("2"), .name = "a", .queue = "q", .tries = 1, .unique = &unique},
        {.id = id_of("3"), .name = "a", .queue = "q", .tries = 1}};
    struct errand_edge edge = {.child = 2, .parent = 0};
    struct errand_push_params p = {
        .jobs = jobs, .jobs_n = 3, .edges = &edge, .edges_n = 1, .batch = &batch};

    for (int i = 0; i < 3; i++)
        push_again(p);
    assert_int_equal(count_of("q", ERRAND_READY), 2);
    assert_int_equal(count_of("q", ERRAND_HELD), 1);
    assert_int_equal(look(id_of("3")).job.waits_n, 1);
    assert_int_equal(batch_info(batch.id).total, 1);
}

static void done_again(struct errand_reserved job)
{
    struct errand_outcome o = {.kind = ERRAND_OUT_DONE, .token = job.token, .id = job.id};
    struct errand_exchange_result ret;
    bool was_repeated;

    ret = exchange_again((struct errand_exchange_params){.outcomes = &o, .outcomes_n = 1},
                         &was_repeated);
    assert_int_equal(ret.settled[0],
                     was_repeated && is_after ? ERRAND_LOST : ERRAND_SETTLED);
}

/* What was reserved by a call whose answer was lost comes back with the end of its lease,
 * and costs the attempt. */
static void case_reserve(void)
{
    size_t seen = 0;
    bool was_repeated;

    for (int i = 0; i < 9; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", i);
        push_named(id);
    }
    for (int round = 0; round < 10 && seen < 9; round++) {
        struct errand_exchange_result ret =
            exchange_again((struct errand_exchange_params){.max = 3}, &was_repeated);
        for (size_t i = 0; i < ret.jobs_n; i++, seen++)
            done_again(ret.jobs[i]);
        if (!ret.jobs_n) {
            now += LEASE_MS;
            reap();
        }
    }
    assert_int_equal(seen, 9);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 9);
}

/* A settle that is repeated after its commit answers LOST, and counts once. */
static void case_settle(void)
{
    struct errand_exchange_result r, ret;
    struct errand_outcome outcomes[3];
    struct errand_edge edge = {.parent_id = id_of("0")};
    struct errand_push_job child = {
        .id = id_of("child"), .name = "b", .queue = "later", .tries = 1};
    bool was_repeated;

    push_named("0");
    push_named("1");
    push_named("2");
    push_again((struct errand_push_params){
        .jobs = &child, .jobs_n = 1, .edges = &edge, .edges_n = 1});
    r = reserve(3); /* the first exchange: may fail as well, see below */
    for (int i = 0; i < 3; i++)
        outcomes[i] = (struct errand_outcome){.kind = ERRAND_OUT_DONE,
                                              .token = r.token,
                                              .key = r.jobs[i].key,
                                              .id = r.jobs[i].id};
    ret = exchange_again(
        (struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 3},
        &was_repeated);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ret.settled[i],
                         was_repeated && is_after ? ERRAND_LOST : ERRAND_SETTLED);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 3);
    assert_int_equal(look(id_of("0")).attempts_n, 1);
    assert_state(id_of("child"), ERRAND_READY);
    exchange_again((struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 3},
                   &was_repeated);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 3);
}

static void case_extend(void)
{
    struct errand_extend_result ret;
    struct errand_reserved r;
    int64_t token;

    push_named("1");
    r = reserve_one();
    token = r.token;
    for (int i = 0; i < 3; i++) {
        struct errand_progress g = {
            .token = token, .key = r.key, .id = r.id, .percent = i};
        struct errand_extend_params p = {.now_ms = now += SECOND,
                                         .tokens = &token,
                                         .tokens_n = 1,
                                         .lease_ms = LEASE_MS,
                                         .progress = &g,
                                         .progress_n = 1};
        again(er_store_extend(store, &p, arena, &ret, &err));
        assert_int_equal(ret.leases[0], ERRAND_SETTLED);
        assert_int_equal(look(r.id).job.progress, i);
    }
    now += LEASE_MS - 1;
    assert_int_equal(reap().ready_n, 0);
}

static void case_reap(void)
{
    struct errand_reap_result ret;

    push_named("1");
    for (int i = 1; i <= 3; i++) {
        struct errand_reap_params p = {.max = 10};
        assert_int_equal(reserve_one().attempt, i);
        p.now_ms = now += LEASE_MS;
        again(er_store_reap(store, &p, arena, &ret, &err));
        assert_int_equal(look(id_of("1")).attempts_n, i);
    }
    assert_state(id_of("1"), ERRAND_FAILED);
}

static void case_change(void)
{
    struct errand_id id = push_named("1");
    struct errand_change_params p = {.ids = &id, .ids_n = 1};
    struct errand_change_result ret;

    p.now_ms = now;
    p.kind = ERRAND_CHANGE_CANCEL;
    again(er_store_change(store, &p, arena, &ret, &err));
    assert_state(id, ERRAND_CANCELLED);
    p.kind = ERRAND_CHANGE_RETRY;
    again(er_store_change(store, &p, arena, &ret, &err));
    assert_state(id, ERRAND_READY);
    p.kind = ERRAND_CHANGE_DELETE;
    again(er_store_change(store, &p, arena, &ret, &err));
    assert_true(is_gone(id));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_CANCELLED), 0);
}

static void case_prune(void)
{
    struct errand_prune_params p = {.now_ms = now, .max = 2};
    size_t n, rounds = 0;

    for (int i = 0; i < ERRAND_STATES_N; i++)
        p.age_ms[i] = p.keep_n[i] = -1;
    p.age_ms[ERRAND_COMPLETED] = 0;
    for (int i = 0; i < 7; i++)
        run_done("a");
    do {
        again(er_store_prune(store, &p, &n, &err));
        rounds++;
    } while (n == 2);
    while (rounds++ < 4)
        again(er_store_prune(store, &p, &n, &err));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_COMPLETED), 0);
}

static void case_queue_pause(void)
{
    push_named("1");
    again(er_store_queue_pause(store, DEFAULT_QUEUE, ERRAND_FOREVER, now, &err));
    reserve_none();
    again(er_store_queue_pause(store, DEFAULT_QUEUE, 0, now, &err));
    reserve_one();
    again(er_store_queue_pause(store, DEFAULT_QUEUE, ERRAND_FOREVER, now, &err));
    assert_int_equal(queue_info(DEFAULT_QUEUE).paused_until_ms, ERRAND_FOREVER);
}

static void case_limit_put(void)
{
    struct errand_limits_result ret;

    for (int i = 1; i <= 3; i++) {
        struct errand_limit limit = {.name = "narrow",
                                     .kind = ERRAND_LIMIT_CONCURRENCY,
                                     .scope = ERRAND_SCOPE_QUEUE,
                                     .target = "q",
                                     .n = i};
        again(er_store_limit_put(store, &limit, &err));
        ok(er_store_limits(store, now, arena, &ret, &err));
        assert_int_equal(ret.limits_n, 1);
        assert_int_equal(ret.limits[0].limit.n, i);
    }
}

static void case_limit_delete(void)
{
    struct errand_limit limit = {.name = "narrow",
                                 .kind = ERRAND_LIMIT_CONCURRENCY,
                                 .scope = ERRAND_SCOPE_QUEUE,
                                 .target = "q",
                                 .n = 1};
    struct errand_limits_result ret;

    for (int i = 0; i < 3; i++) {
        ok(er_store_limit_put(store, &limit, &err));
        again_or(ERRAND_ENOTFOUND, er_store_limit_delete(store, "narrow", &err));
        ok(er_store_limits(store, now, arena, &ret, &err));
        assert_int_equal(ret.limits_n, 0);
    }
}

/* Taking has no id: one that was committed and repeated counts twice. Never is more
 * allowed than there is. */
static void case_rate_take(void)
{
    struct errand_rate_params p = {.now_ms = now,
                                   .name = "mail",
                                   .key = slice(""),
                                   .n = 3,
                                   .per_ms = MINUTE,
                                   .take = 1};
    struct errand_rate_result ret;
    int allowed = 0;

    for (int i = 0; i < 6; i++) {
        again(er_store_rate_take(store, &p, &ret, &err));
        allowed += ret.allowed;
    }
    assert_int_equal(faults, 1);
    assert_int_equal(allowed, is_after ? 2 : 3);
}

static void case_lock(void)
{
    struct errand_lock_params p = {
        .key = slice("door"), .owner = "ann", .ttl_ms = MINUTE};
    struct errand_lock_result first = {0}, ret;

    for (int i = 0; i < 3; i++) {
        p.now_ms = now += SECOND;
        again(er_store_lock(store, &p, arena, &ret, &err));
        assert_int_equal(ret.until_ms, now + MINUTE);
        assert_true(ret.token > 0);
        if (i == 0)
            first = ret;
        assert_int_equal(ret.token, first.token);
    }
}

static void case_unlock(void)
{
    struct errand_lock_params p = {
        .now_ms = now, .key = slice("door"), .owner = "ann", .ttl_ms = MINUTE};
    struct errand_lock_result ret;

    for (int i = 0; i < 3; i++) {
        ok(er_store_lock(store, &p, arena, &ret, &err));
        p.token = ret.token;
        again_or(ERRAND_ECONFLICT, er_store_unlock(store, &p, &err));
        p.owner = i % 2 ? "ann" : "bob";
    }
}

static void case_batch_cancel(void)
{
    for (int i = 0; i < 3; i++) {
        struct errand_push_batch batch = {.name = ""};
        struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
        size_t n;
        snprintf(batch.id.text, sizeof batch.id.text, "batch-%d", i);
        job.batch = batch.id;
        push_all((struct errand_push_params){.jobs = &job, .jobs_n = 1, .batch = &batch});
        again(er_store_batch_cancel(store, &batch.id, now, &n, &err));
        assert_int_equal(batch_info(batch.id).cancelled_n, 1);
    }
    assert_int_equal(count_of("q", ERRAND_CANCELLED), 3);
}

static struct errand_schedule the_schedule(void)
{
    struct errand_schedules_result ret;

    ok(er_store_schedules(store, arena, &ret, &err));
    assert_true(ret.schedules_n <= 1);
    return ret.schedules_n ? ret.schedules[0] : (struct errand_schedule){0};
}

static const struct errand_schedule nightly = {
    .name = "nightly", .spec = {"{}", 2}, .next_ms = 1};

static void case_schedule_put(void)
{
    for (int i = 1; i <= 3; i++) {
        struct errand_schedule s = nightly;
        s.next_ms = i;
        again(er_store_schedule_put(store, &s, &err));
        assert_int_equal(the_schedule().next_ms, i);
    }
}

static void case_schedule_delete(void)
{
    for (int i = 0; i < 3; i++) {
        ok(er_store_schedule_put(store, &nightly, &err));
        again_or(ERRAND_ENOTFOUND, er_store_schedule_delete(store, "nightly", &err));
        assert_null(the_schedule().name);
    }
}

static void case_schedule_pause(void)
{
    ok(er_store_schedule_put(store, &nightly, &err));
    for (int i = 0; i < 3; i++) {
        again(er_store_schedule_pause(store, "nightly", i % 2 == 0, &err));
        assert_int_equal(the_schedule().paused, i % 2 == 0);
    }
}

/* One job a slot, also when the answer of the first firing was lost. */
static void case_fire(void)
{
    struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
    struct errand_fire_result ret;

    ok(er_store_schedule_put(store, &nightly, &err));
    for (int i = 1; i <= 3; i++) {
        struct errand_fire_params p = {.now_ms = now,
                                       .name = "nightly",
                                       .slot_ms = START + i,
                                       .overlap = ERRAND_OVERLAP_ALLOW,
                                       .job = &job};
        int before = faults;
        again(er_store_fire(store, &p, arena, &ret, &err));
        assert_int_equal(ret.fired, faults > before && is_after ? ERRAND_FIRED_ALREADY
                                                                : ERRAND_FIRED);
        assert_int_equal(count_of("q", ERRAND_READY), i);
    }
}

static void case_beat(void)
{
    struct errand_beat_params p = {.worker = "w", .info = slice("{}"), .ttl_ms = MINUTE};
    struct errand_workers_result workers;
    struct errand_beat_result ret;

    for (int i = 0; i < 3; i++) {
        p.now_ms = now += SECOND;
        again(er_store_beat(store, &p, arena, &ret, &err));
        ok(er_store_workers(store, now, arena, &workers, &err));
        assert_int_equal(workers.workers_n, 1);
        assert_int_equal(workers.workers[0].seen_ms, now);
    }
}

/* A command that was committed and repeated arrives twice: it says what to be, not what
 * to do once. */
static void case_command(void)
{
    struct errand_beat_params p = {.now_ms = now, .worker = "w", .ttl_ms = MINUTE};
    struct errand_beat_result ret;
    size_t n, told = 0;

    ok(er_store_beat(store, &p, arena, &ret, &err));
    for (int i = 0; i < 3; i++) {
        again(er_store_command(store, "w", ERRAND_COMMAND_QUIET, now, &n, &err));
        assert_int_equal(n, 1);
        ok(er_store_beat(store, &p, arena, &ret, &err));
        assert_true(ret.commands_n >= 1);
        told += ret.commands_n;
    }
    assert_int_equal(told, is_after ? 4 : 3);
}

static void case_define(void)
{
    struct errand_definitions_result ret;

    for (int i = 0; i < 3; i++) {
        struct errand_definition d = {.name = "Mail", .key = "mail", .spec = slice("{}")};
        again(er_store_define(store, &d, 1, now += 1, &err));
        ok(er_store_definitions(store, NULL, arena, &ret, &err));
        assert_int_equal(ret.definitions_n, 1);
        assert_int_equal(ret.definitions[0].updated_ms, now);
    }
}

/* Events and numbers have no id: what was committed and repeated is there twice. What was
 * not committed has left no trace. */
static void case_events_add(void)
{
    struct errand_event e = {.type = "x", .name = "a", .queue = "q"};
    struct errand_events_params p = {.now_ms = now, .max = 100};
    struct errand_events_result ret;

    for (int i = 0; i < 3; i++)
        again(er_store_events_add(store, &e, 1, now, &err));
    ok(er_store_events_read(store, &p, arena, &ret, &err));
    assert_int_equal(ret.events_n, is_after ? 4 : 3);
    assert_int_equal(ret.last, ret.events[0].seq + (int64_t)ret.events_n - 1);
}

static void case_stats_add(void)
{
    struct errand_stat stat = {.minute_ms = START, .queue = "q", .name = "a", .done = 1};
    struct errand_stats_params p = {.now_ms = now, .add = &stat, .add_n = 1};
    struct errand_stats_result ret;

    for (int i = 0; i < 3; i++)
        again(er_store_stats_add(store, &p, &err));
    ok(er_store_stats_read(store, &p, arena, &ret, &err));
    assert_int_equal(ret.stats[0].done, is_after ? 4 : 3);
}

static void case_load(void)
{
    struct errand_job_detail detail = {.job = {.id = id_of("l1"),
                                               .name = "a",
                                               .queue = "q",
                                               .worker = "",
                                               .state = ERRAND_FAILED,
                                               .attempts = 1,
                                               .tries = 1,
                                               .finished_ms = now,
                                               .error = slice("no")}};
    struct errand_load_params p = {.now_ms = now, .jobs = &detail, .jobs_n = 1};
    struct errand_load_result ret;

    for (int i = 0; i < 3; i++)
        again(er_store_load(store, &p, arena, &ret, &err));
    assert_int_equal(ret.jobs[0].pushed, ERRAND_DUPLICATE);
    assert_int_equal(count_of("q", ERRAND_FAILED), 1);
    assert_slice(look(id_of("l1")).job.error, "no");
}

static void case_moved(void)
{
    struct errand_change_result ret;

    for (int i = 0; i < 3; i++) {
        struct errand_id id = push_named("1");
        struct errand_change_params p = {
            .now_ms = now, .kind = ERRAND_CHANGE_MOVED, .ids = &id, .ids_n = 1};
        again(er_store_change(store, &p, arena, &ret, &err));
        assert_true(is_gone(id));
    }
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
}

const struct fault_case fault_cases[] = {
    {"push", case_push, 0},
    {"exchange", case_reserve, 0},
    {"exchange", case_settle, 1},
    {"extend", case_extend, 0},
    {"reap", case_reap, 0},
    {"change", case_change, 0},
    {"prune", case_prune, 0},
    {"queue_pause", case_queue_pause, 0},
    {"limit_put", case_limit_put, 0},
    {"limit_delete", case_limit_delete, 0},
    {"rate_take", case_rate_take, 0},
    {"lock", case_lock, 0},
    {"unlock", case_unlock, 0},
    {"batch_cancel", case_batch_cancel, 0},
    {"schedule_put", case_schedule_put, 0},
    {"schedule_delete", case_schedule_delete, 0},
    {"schedule_pause", case_schedule_pause, 0},
    {"fire", case_fire, 0},
    {"beat", case_beat, 0},
    {"command", case_command, 0},
    {"define", case_define, 0},
    {"events_add", case_events_add, 0},
    {"stats_add", case_stats_add, 0},
    {"load", case_load, 0},
    {"change", case_moved, 0},
};
const size_t fault_cases_n = sizeof fault_cases / sizeof *fault_cases;
