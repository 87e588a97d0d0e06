/* drive.h: a scheduler of which the test owns the time, on a store of its own of every
 * kind. */
#ifndef ER_TESTS_SCHEDULER_DRIVE_H
#define ER_TESTS_SCHEDULER_DRIVE_H

#include "support/test.h"

#include <errand.h>

#include "base/arena.h"
#include "client/client.h"
#include "core/clock.h"
#include "scheduler/scheduler.h"
#include "support/folder.h"
#include "support/fresh.h"

static char url[256];
static errand *e;
static struct er_store *store;
static struct errand_arena *arena;
static struct errand_error err;
static struct er_clock the_clock;
static char notes[65536]; /* all that was told, a line each; warnings begin with "! " */

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define ok(call)                                             \
    do {                                                     \
        int rc_ = (call);                                    \
        if (rc_ < 0)                                         \
            fail_msg("%s: %d: %s", #call, rc_, err.message); \
    } while (0)

static inline int64_t at(const char *text)
{
    int64_t ms;

    assert_int_equal(er_time_parse(text, &ms), 0);
    return ms;
}

static inline void note(void *ctx, bool is_warning, const char *line)
{
    size_t len = strlen(notes);

    (void)ctx;
    snprintf(notes + len, sizeof notes - len, "%s%s\n", is_warning ? "! " : "", line);
}

static inline void ticker_begin(struct er_ticker *t)
{
    const struct errand_scheduler_options options = {.note = note};

    ok(er_ticker_init(t, e, &options, &err));
    t->owns_time = true;
}

static inline void put_with(const char *name, struct errand_schedule_spec spec)
{
    ok(errand_schedule_put(e, name, &spec, &err));
}

static inline struct errand_schedule stored(const char *name)
{
    struct errand_schedules_result rows;

    ok(er_store_schedules(store, arena, &rows, &err));
    for (size_t i = 0; i < rows.schedules_n; i++)
        if (strcmp(rows.schedules[i].name, name) == 0)
            return rows.schedules[i];
    fail_msg("no schedule '%s'", name);
    return (struct errand_schedule){0};
}

static inline int64_t jobs_n(const char *name)
{
    const struct errand_filter filter = {.name = name};
    int64_t n;

    ok(er_store_count(store, &filter, 0, &n, &err));
    return n;
}

/* How many events of a type there are; the text of the last in *ret_text. */
static inline int events_n(const char *type, const char **ret_text)
{
    const struct errand_events_params params = {.max = 10000};
    struct errand_events_result got;
    int n = 0;

    ok(er_store_events_read(store, &params, arena, &got, &err));
    for (size_t i = 0; i < got.events_n; i++) {
        if (strcmp(got.events[i].type, type) != 0)
            continue;
        n++;
        if (ret_text)
            *ret_text = errand_arena_copy(arena, got.events[i].error.ptr,
                                          got.events[i].error.len);
    }
    return n;
}

/* The one job that is ready is reserved and done. */
static inline void work_one(const char *queue, int64_t now_ms)
{
    const char *const queues[] = {queue, NULL};
    struct errand_exchange_params p = {.now_ms = now_ms,
                                       .worker = "w",
                                       .queues = queues,
                                       .queues_n = 1,
                                       .max = 1,
                                       .lease_ms = MINUTE};
    struct errand_exchange_result got;
    struct errand_outcome done = {.kind = ERRAND_OUT_DONE};

    ok(er_store_exchange(store, &p, arena, &got, &err));
    assert_int_equal(got.jobs_n, 1);
    done.token = got.jobs[0].token;
    done.key = got.jobs[0].key;
    done.id = got.jobs[0].id;
    p.max = 0;
    p.outcomes = &done;
    p.outcomes_n = 1;
    ok(er_store_exchange(store, &p, arena, &got, &err));
}

static inline void drive_run(const char *kind, void (*claim)(void))
{
    char folder[FOLDER_MAX];

    assert_int_equal(folder_make(folder, "sched"), 0);
    if (!fresh_url(kind, folder, url, sizeof url)) {
        folder_remove(folder);
        skip();
    }
    err = (struct errand_error){0};
    notes[0] = '\0';
    the_clock.fixed_ms = at("2026-03-01T10:00:00Z");
    if (!(e = errand_open(url, NULL, &err)))
        fail_msg("%s", err.message);
    er_client_clock(e, &the_clock);
    store = er_client_store(e);
    assert_non_null(arena = er_arena_new());
    claim();
    er_arena_free(arena);
    errand_close(e);
    assert_true(fresh_remove(url));
    folder_remove(folder);
}

#define CLAIM(name)             \
    static void name(void);     \
    FRESH_EACH(name, drive_run) \
    static void name(void)

#endif
