/* no_memory.c: memory runs out at every place of every operation in turn. Either the call
 * works, or it says so and nothing at all has changed. */
#include "store/differential/pair.h"
#include "store/support.h"
#include "support/failing_malloc.h"

/* So many more allocations work, then one fails; negative: all work. */
static volatile long left = -1;
static volatile bool has_failed;

static bool allocation_fails(void)
{
    if (left < 0 || left-- > 0)
        return false;
    has_failed = true;
    return true;
}

static bool can_run_out(void)
{
    void *volatile p;

    left = 0;
    has_failed = false;
    p = malloc(1);
    left = -1;
    free(p);
    return has_failed;
}

/* ------------------------------------------------------------------ the store */

static struct errand_exchange_result running; /* what is reserved in it */
static struct errand_lock_result held;

/* Something of everything, so that every operation has much to do. */
static void fill(void)
{
    static const char *const tags[] = {"red", "blue"};
    struct errand_unique unique = {.key = slice("key"), .until = ERRAND_UNIQUE_DONE};
    struct errand_limit_use use = {
        .name = "rate", .kind = ERRAND_LIMIT_RATE, .n = 10, .per_ms = MINUTE};
    struct errand_push_batch batch = {.id = id_of("batch"), .name = "import"};
    struct errand_push_job jobs[] = {
        {.id = id_of("1"), .batch = batch.id, .has_failed_hook = true, .tries = 1},
        {.id = id_of("2"), .batch = batch.id, .limits = &use, .limits_n = 1},
        {.id = id_of("3"), .unique = &unique, .tags = tags, .tags_n = 2},
        {.id = id_of("4"), .name = "child"},
        {.id = id_of("5"), .name = "after"}};
    struct errand_edge edges[] = {{.child = 3, .parent = 0},
                                  {.child = 4,
                                   .parent_id = batch.id,
                                   .parent_is_batch = true,
                                   .on = ERRAND_ON_END}};
    struct errand_limit limit = {.name = "cap",
                                 .kind = ERRAND_LIMIT_CONCURRENCY,
                                 .scope = ERRAND_SCOPE_QUEUE,
                                 .target = "q",
                                 .n = 5};
    struct errand_schedule schedule = {.name = "nightly", .spec = slice("{}")};
    struct errand_beat_params beat = {.now_ms = now, .worker = "worker", .ttl_ms = HOUR};
    struct errand_lock_params lock = {
        .now_ms = now, .key = slice("door"), .owner = "ann", .ttl_ms = HOUR};
    struct errand_event event = {.type = "x", .name = "a", .queue = "q"};
    struct errand_beat_result beaten;

    run_failed("old");
    run_done("older");
    push_all((struct errand_push_params){
        .jobs = jobs, .jobs_n = 5, .edges = edges, .edges_n = 2, .batch = &batch});
    running = reserve(2);
    push_job((struct errand_push_job){.id = id_of("6"), .run_at_ms = now + MINUTE});
    ok(er_store_limit_put(store, &limit, &err));
    ok(er_store_schedule_put(store, &schedule, &err));
    ok(er_store_beat(store, &beat, arena, &beaten, &err));
    ok(er_store_lock(store, &lock, arena, &held, &err));
    ok(er_store_events_add(store, &event, 1, now, &err));
}

/* ------------------------------------------------------------------ the operations */

static int do_push(struct errand_arena *memory)
{
    static const char *const tags[] = {"red"};
    struct errand_unique unique = {.key = slice("new"), .until = ERRAND_UNIQUE_DONE};
    struct errand_unique taken = {.key = slice("key"),
                                  .until = ERRAND_UNIQUE_DONE,
                                  .policy = ERRAND_UNIQUE_REPLACE};
    struct errand_limit_use use = {
        .name = "rate", .kind = ERRAND_LIMIT_RATE, .n = 1, .per_ms = MINUTE};
    struct errand_push_batch batch = {.id = id_of("another"), .name = "b"};
    struct errand_push_job jobs[] = {
        {.id = id_of("n1"),
         .name = "a",
         .queue = "new",
         .tries = 1,
         .unique = &unique,
         .tags = tags,
         .tags_n = 1,
         .limits = &use,
         .limits_n = 1,
         .batch = batch.id},
        {.id = id_of("n2"), .name = "b", .queue = "q", .tries = 1},
        {.name = "c", .queue = "q", .tries = 1, .unique = &taken, .data = slice("new")}};
    struct errand_edge edge = {.child = 1, .parent = 0};
    struct errand_push_params p = {.now_ms = now,
                                   .jobs = jobs,
                                   .jobs_n = 3,
                                   .edges = &edge,
                                   .edges_n = 1,
                                   .batch = &batch};
    struct errand_push_result ret;

    return er_store_push(store, &p, memory, &ret, &err);
}

static int do_settle(struct errand_arena *memory)
{
    struct errand_outcome outcomes[2] = {
        {.kind = ERRAND_OUT_FAIL,
         .error = slice("no"),
         .log = slice("l"),
         .hook_due = true},
        {.kind = ERRAND_OUT_DONE, .result = slice("[1]"), .log = slice("l")}};
    struct errand_exchange_params p = {
        .now_ms = now, .outcomes = outcomes, .outcomes_n = 2, .want_moves = true};
    struct errand_exchange_result ret;

    for (size_t i = 0; i < 2; i++) {
        outcomes[i].token = running.token;
        outcomes[i].key = running.jobs[i].key;
        outcomes[i].id = running.jobs[i].id;
    }
    return er_store_exchange(store, &p, memory, &ret, &err);
}

/* Fewer jobs, or none, is an answer too. */
static int do_reserve(struct errand_arena *memory)
{
    struct errand_exchange_params p = {
        .now_ms = now, .max = 5, .worker = "worker", .lease_ms = LEASE_MS};
    struct errand_exchange_result ret;

    return er_store_exchange(store, &p, memory, &ret, &err);
}

static int do_extend(struct errand_arena *memory)
{
    struct errand_progress g = {.token = running.token,
                                .id = running.jobs[0].id,
                                .percent = 5,
                                .note = slice("so far")};
    struct errand_extend_params p = {.now_ms = now,
                                     .tokens = &running.token,
                                     .tokens_n = 1,
                                     .lease_ms = LEASE_MS,
                                     .progress = &g,
                                     .progress_n = 1};
    struct errand_extend_result ret;

    return er_store_extend(store, &p, memory, &ret, &err);
}

static int do_reap(struct errand_arena *memory)
{
    struct errand_reap_params p = {
        .now_ms = now + LEASE_MS, .max = 1, .want_moves = true};
    struct errand_reap_result ret;

    return er_store_reap(store, &p, memory, &ret, &err);
}

static int do_edit(struct errand_arena *memory)
{
    struct errand_slice data = slice("edited");
    struct errand_edit edit = {.data = &data, .options = &data};
    struct errand_filter all = {0};
    struct errand_change_params p = {.now_ms = now,
                                     .kind = ERRAND_CHANGE_EDIT,
                                     .filter = &all,
                                     .edit = &edit,
                                     .want_moves = true};
    struct errand_change_result ret;

    return er_store_change(store, &p, memory, &ret, &err);
}

static int do_retry(struct errand_arena *memory)
{
    struct errand_filter all = {0};
    struct errand_change_params p = {
        .now_ms = now, .kind = ERRAND_CHANGE_RETRY, .filter = &all, .want_moves = true};
    struct errand_change_result ret;

    return er_store_change(store, &p, memory, &ret, &err);
}

static int do_cancel(struct errand_arena *memory)
{
    struct errand_id ids[] = {id_of("3"), id_of("4"), id_of("1")};
    struct errand_change_params p = {.now_ms = now,
                                     .kind = ERRAND_CHANGE_CANCEL,
                                     .ids = ids,
                                     .ids_n = 3,
                                     .want_moves = true};
    struct errand_change_result ret;

    return er_store_change(store, &p, memory, &ret, &err);
}

static int do_moved(struct errand_arena *memory)
{
    struct errand_id ids[] = {id_of("3"), id_of("4")};
    struct errand_change_params p = {
        .now_ms = now, .kind = ERRAND_CHANGE_MOVED, .ids = ids, .ids_n = 2};
    struct errand_change_result ret;

    return er_store_change(store, &p, memory, &ret, &err);
}

static int do_load(struct errand_arena *memory)
{
    static const char *const tags[] = {"red"};
    struct errand_unique unique = {.key = slice("new"), .until = ERRAND_UNIQUE_DONE};
    struct errand_limit_use use = {
        .name = "rate", .kind = ERRAND_LIMIT_RATE, .n = 1, .per_ms = MINUTE};
    struct errand_attempt attempt = {
        .n = 1, .worker = "w", .error = slice("e"), .log = slice("l")};
    struct errand_edge_info parent = {.id = id_of("l1")};
    struct errand_job_info info = {
        .name = "a", .queue = "new", .worker = "w", .state = ERRAND_HELD, .tries = 1};
    struct errand_job_detail jobs[] = {{.job = info}, {.job = info}};
    struct errand_batch_info batch = {
        .id = id_of("another"), .name = "b", .total = 1, .failed = 1, .ended_ms = now};
    struct errand_schedule schedule = {
        .name = "nightly", .spec = slice("[]"), .last_slot_ms = now};
    struct errand_load_params p = {.now_ms = now,
                                   .jobs = jobs,
                                   .jobs_n = 2,
                                   .batches = &batch,
                                   .batches_n = 1,
                                   .schedules = &schedule,
                                   .schedules_n = 1};
    struct errand_load_result ret;

    jobs[0].job.id = id_of("l1");
    jobs[0].job.state = ERRAND_FAILED;
    jobs[0].job.finished_ms = now;
    jobs[0].job.error = slice("e");
    jobs[0].job.batch = batch.id;
    jobs[0].job.tags = tags;
    jobs[0].job.tags_n = 1;
    jobs[0].attempts = &attempt;
    jobs[0].attempts_n = 1;
    jobs[0].unique = &unique;
    jobs[0].unique_until_ms = now + HOUR;
    jobs[0].limits = &use;
    jobs[0].limits_n = 1;
    jobs[1].job.id = id_of("l2");
    jobs[1].job.waits_n = 1;
    jobs[1].parents = &parent;
    jobs[1].parents_n = 1;
    return er_store_load(store, &p, memory, &ret, &err);
}

static int do_pause(struct errand_arena *memory)
{
    (void)memory;
    return er_store_queue_pause(store, "new", ERRAND_FOREVER, now, &err);
}

static int do_limit_put(struct errand_arena *memory)
{
    struct errand_limit limit = {.name = "new",
                                 .kind = ERRAND_LIMIT_CONCURRENCY,
                                 .scope = ERRAND_SCOPE_QUEUE,
                                 .target = "q",
                                 .n = 5};

    (void)memory;
    return er_store_limit_put(store, &limit, &err);
}

static int do_rate_take(struct errand_arena *memory)
{
    struct errand_rate_params p = {.now_ms = now,
                                   .name = "new",
                                   .key = slice("k"),
                                   .n = 1,
                                   .per_ms = MINUTE,
                                   .take = 1};
    struct errand_rate_result ret;

    (void)memory;
    return er_store_rate_take(store, &p, &ret, &err);
}

static int do_lock(struct errand_arena *memory)
{
    struct errand_lock_params p = {
        .now_ms = now, .key = slice("window"), .owner = "ann", .ttl_ms = HOUR};
    struct errand_lock_result ret;

    return er_store_lock(store, &p, memory, &ret, &err);
}

static int do_schedule_put(struct errand_arena *memory)
{
    struct errand_schedule schedule = {.name = "new", .spec = slice("{}")};

    (void)memory;
    return er_store_schedule_put(store, &schedule, &err);
}

static int do_fire(struct errand_arena *memory)
{
    struct errand_push_job job = {
        .id = id_of("f"), .name = "a", .queue = "q", .tries = 1};
    struct errand_fire_params p = {
        .now_ms = now, .name = "nightly", .slot_ms = now, .job = &job};
    struct errand_fire_result ret;

    return er_store_fire(store, &p, memory, &ret, &err);
}

static int do_beat(struct errand_arena *memory)
{
    struct errand_beat_params p = {
        .now_ms = now, .worker = "new", .ttl_ms = HOUR, .info = slice("{}")};
    struct errand_beat_result ret;

    return er_store_beat(store, &p, memory, &ret, &err);
}

static int do_define(struct errand_arena *memory)
{
    struct errand_definition d[] = {{.name = "a", .key = "a", .spec = slice("{}")},
                                    {.name = "b", .key = "b", .spec = slice("{}")}};

    (void)memory;
    return er_store_define(store, d, 2, now, &err);
}

static int do_events_add(struct errand_arena *memory)
{
    struct errand_event e = {.type = "x", .name = "a", .queue = "q", .error = slice("e")};
    struct errand_event events[] = {e, e};

    (void)memory;
    return er_store_events_add(store, events, 2, now, &err);
}

static int do_stats_add(struct errand_arena *memory)
{
    struct errand_stat stats[] = {
        {.minute_ms = now, .queue = "q", .name = "a", .done = 1},
        {.minute_ms = now, .queue = "q", .name = "b", .done = 1}};
    struct errand_stats_params p = {.now_ms = now, .add = stats, .add_n = 2};

    (void)memory;
    return er_store_stats_add(store, &p, &err);
}

static int read_jobs(struct errand_arena *memory)
{
    struct errand_list_params list = {.now_ms = now, .max = 10, .with_data = true};
    struct errand_id id = id_of("4"), old = {{0}};
    struct errand_job_detail detail;
    struct errand_list_result listed;
    int rc;

    if ((rc = er_store_list(store, &list, memory, &listed, &err)) < 0 ||
        (rc = er_store_get(store, &id, now, memory, &detail, &err)) < 0)
        return rc;
    old = listed.jobs[0].id;
    return er_store_get(store, &old, now, memory, &detail, &err);
}

static int read_lists(struct errand_arena *memory)
{
    struct errand_queues_result queues;
    struct errand_limits_result limits;
    struct errand_batch_info *batches;
    struct errand_schedules_result schedules;
    struct errand_workers_result workers;
    size_t n;
    int rc;

    if ((rc = er_store_queues(store, now, memory, &queues, &err)) < 0 ||
        (rc = er_store_limits(store, now, memory, &limits, &err)) < 0 ||
        (rc = er_store_batches(store, NULL, 5, memory, &batches, &n, &err)) < 0 ||
        (rc = er_store_schedules(store, memory, &schedules, &err)) < 0)
        return rc;
    return er_store_workers(store, now, memory, &workers, &err);
}

/* Everything that is read, one after the other. */
static int do_reads(struct errand_arena *memory)
{
    struct errand_events_params events = {.max = 10};
    struct errand_stats_params stats = {.now_ms = now};
    struct errand_definitions_result definitions;
    struct errand_events_result read;
    struct errand_stats_result numbers;
    struct errand_check_result check;
    int rc;

    if ((rc = read_jobs(memory)) < 0 || (rc = read_lists(memory)) < 0 ||
        (rc = er_store_definitions(store, NULL, memory, &definitions, &err)) < 0 ||
        (rc = er_store_events_read(store, &events, memory, &read, &err)) < 0 ||
        (rc = er_store_stats_read(store, &stats, memory, &numbers, &err)) < 0)
        return rc;
    return er_store_check(store, now, memory, &check, &err);
}

/* The arena asks for memory in blocks: filled more and more beforehand, it asks at every
 * place in turn. */
static int do_reads_tightly(struct errand_arena *memory, size_t fill_n)
{
    left = -1;
    if (!errand_arena_alloc(memory, fill_n))
        return ERRAND_ENOMEM;
    left = 0;
    return do_reads(memory);
}

/* ------------------------------------------------------------------ running out */

static char *dump_text(void)
{
    struct side side = {.store = store, .arena = arena};

    er_buf_init(&side.text, 1 << 20);
    dump_side(&side, now);
    assert_int_equal(side.err.code, 0);
    assert_false(side.text.has_failed);
    return er_buf_take(&side.text);
}

/* The call with its n-th allocation failing. */
static int attempt(int (*call)(struct errand_arena *), long n)
{
    struct errand_arena *memory = er_arena_new();
    int rc;

    assert_non_null(memory);
    err = (struct errand_error){0};
    has_failed = false;
    left = n;
    rc = call(memory);
    left = -1;
    er_arena_free(memory);
    return rc;
}

static void store_again(void)
{
    store_teardown(NULL);
    store_setup(NULL);
    fill();
}

static void run_out_everywhere(int (*call)(struct errand_arena *))
{
    long failures = 0;
    char *before;

    if (!can_run_out())
        skip();
    fill();
    before = dump_text();
    for (long n = 0;; n++) {
        char *after;
        int rc = attempt(call, n);
        if (!has_failed) {
            assert_int_equal(rc, 0);
            break;
        }
        failures++;
        assert_sound();
        if (rc >= 0) { /* it could do without */
            free(before);
            store_again();
            before = dump_text();
            continue;
        }
        assert_int_equal(rc, ERRAND_ENOMEM);
        assert_true(err.retryable);
        after = dump_text();
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
    assert_true(failures > 0);
}

#define RUNS_OUT(operation)                    \
    TEST(running_out_of_memory_in_##operation) \
    {                                          \
        run_out_everywhere(do_##operation);    \
    }

RUNS_OUT(push)
RUNS_OUT(settle)
RUNS_OUT(reserve)
RUNS_OUT(extend)
RUNS_OUT(reap)
RUNS_OUT(edit)
RUNS_OUT(retry)
RUNS_OUT(cancel)
RUNS_OUT(moved)
RUNS_OUT(load)
RUNS_OUT(pause)
RUNS_OUT(limit_put)
RUNS_OUT(rate_take)
RUNS_OUT(lock)
RUNS_OUT(schedule_put)
RUNS_OUT(fire)
RUNS_OUT(beat)
RUNS_OUT(define)
RUNS_OUT(events_add)
RUNS_OUT(stats_add)
RUNS_OUT(reads)

TEST(running_out_of_memory_at_every_place_of_a_read)
{
    size_t failures = 0;

    if (!can_run_out())
        skip();
    fill();
    do_stats_add(arena);
    do_define(arena);
    for (size_t n = 0; n <= 4096; n += 16) {
        struct errand_arena *memory = er_arena_new();
        int rc;
        assert_non_null(memory);
        rc = do_reads_tightly(memory, n);
        left = -1;
        er_arena_free(memory);
        failures += rc < 0;
        assert_true(rc == 0 || rc == ERRAND_ENOMEM);
    }
    assert_true(failures > 0);
}

TEST(running_out_of_memory_while_opening)
{
    struct er_store_options options = {.open = {.create = true}};

    if (!can_run_out())
        skip();
    for (long n = 0;; n++) {
        struct er_store *opened = NULL;
        int rc;
        has_failed = false;
        left = n;
        rc = er_store_open("memory:poor", &options, &opened, &err);
        left = -1;
        if (rc == 0)
            er_store_close(opened);
        else
            assert_int_equal(rc, ERRAND_ENOMEM);
        if (!has_failed)
            break;
    }
}

TEST_FIXTURE(store_setup, store_teardown)
TEST_MAIN()
