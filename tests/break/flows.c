/* flows.c: chains and batches when processes die: nothing is skipped, nothing runs twice
 * but what was running, callbacks are let go exactly once. The ends at named points need
 * a build with -Dfailpoints=true. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "break.h"

enum { LINKS = 5, BROKEN = 3 };

static const char *const work_args[] = {"queue:work", "--concurrency=2", "--lease=1",
                                        NULL};

/* ------------------------------------------------------------------ looking */

static errand *handle_open(const struct world *w)
{
    struct errand_error err = {0};
    errand *e = errand_open(w->url, NULL, &err);

    if (!e)
        fail_msg("%s", err.message);
    return e;
}

/* How many lines of the ledger are of this kind and job. */
static long ledger_n(const struct world *w, const char *what, const char *id)
{
    char begin[128], *text;
    long n = 0;
    int len = snprintf(begin, sizeof begin, "%s %s ", what, id);

    file_read(w->ledger, &text);
    for (const char *line = text; line && *line; line = strchr(line, '\n') + 1)
        n += strncmp(line, begin, (size_t)len) == 0;
    free(text);
    return n;
}

static void fail_at(const struct world *w, const char *id)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof path, "%s.fail", w->ledger);
    unlink(path);
    if (!id)
        return;
    assert_non_null(file = fopen(path, "we"));
    fputs(id, file);
    fclose(file);
}

static void assert_job(errand *e, const char *name, enum errand_state state)
{
    struct errand_job_detail *job;
    struct errand_error err = {0};
    struct errand_id id = {{0}};
    size_t done_n = 0;

    snprintf(id.text, sizeof id.text, "%s", name);
    if (errand_get(e, &id, &job, &err) < 0)
        fail_msg("%s", err.message);
    if (job->job.state != state)
        fail_msg("%s is %s, not %s", name, errand_state_name(job->job.state),
                 errand_state_name(state));
    for (size_t i = 0; i < job->attempts_n; i++)
        done_n += job->attempts[i].outcome == ERRAND_OUT_DONE;
    assert_int_equal(done_n, state == ERRAND_COMPLETED);
    errand_detail_free(job);
}

static void assert_sound(const struct world *w)
{
    struct errand_check_result found = {0};
    struct er_store *store = world_store(w);
    struct errand_arena *arena = er_arena_new();
    struct errand_error err = {0};

    assert_int_equal(er_store_check(store, 0, arena, &found, &err), 0);
    for (size_t i = 0; i < found.findings_n; i++)
        printf("  %s\n", found.findings[i]);
    assert_int_equal(found.findings_n, 0);
    er_arena_free(arena);
    er_store_close(store);
}

static void stop(pid_t worker)
{
    sleep_ms(300); /* until it hears signals */
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
}

/* ------------------------------------------------------------------ T42 */

static void chain_store(errand *e, const struct errand_dispatch_item *finally)
{
    const struct errand_batch_options o = {.id = {"c"}, .finally = finally};
    struct errand_dispatch_item links[LINKS] = {{0}};
    struct errand_error err = {0};

    for (int i = 0; i < LINKS; i++)
        links[i].name = "link";
    assert_int_equal(errand_chain(e, links, LINKS, &o, NULL, &err), LINKS);
}

/* Kills until the chain has ended; answers how many there were. A worker gets a little
 * longer each time, so that this has an end. */
static long killed_until_ended(struct world *w, errand *e, pid_t *ret_worker)
{
    const struct errand_batch_waiter look = {.timeout_ms = -1};
    const struct errand_id id = {"c"};
    struct errand_error err = {0};
    pid_t worker = world_start(w, work_args);
    long kills = 0;

    for (;;) {
        sleep_ms(60 + (int64_t)world_random(w, (uint64_t)(60 + 40 * kills)));
        if (errand_batch_wait(e, &id, &look, NULL, &err) == 0)
            break;
        assert_int_equal(err.code, ERRAND_ETIMEOUT);
        assert_true(kills < 100);
        kill(worker, SIGKILL);
        process_wait(worker, 5000);
        worker = world_start(w, work_args);
        kills++;
    }
    *ret_worker = worker;
    return kills;
}

static void retry(struct world *w, const char *name)
{
    const char *const args[] = {"queue:retry", name, NULL};
    char out[500];

    assert_int_equal(world_run(w, args, out, sizeof out), 0);
}

static void chain_broken_and_resumed(void)
{
    const struct errand_dispatch_item finally = {
        "link", {0}, &(struct errand_options){.id = {"finally"}}};
    pid_t worker;
    struct world w;
    char id[16];
    long kills;
    errand *e;

    world_make(&w, "t42");
    e = handle_open(&w);
    chain_store(e, &finally);
    fail_at(&w, "c/3");
    kills = killed_until_ended(&w, e, &worker);
    for (int i = 1; i <= LINKS; i++) {
        snprintf(id, sizeof id, "c/%d", i);
        assert_job(e, id,
                   i < BROKEN    ? ERRAND_COMPLETED
                   : i == BROKEN ? ERRAND_FAILED
                                 : ERRAND_CANCELLED);
        if (i > BROKEN)
            assert_int_equal(ledger_n(&w, "start", id), 0);
    }
    fail_at(&w, NULL);
    kill(worker, SIGKILL);
    process_wait(worker, 5000);
    retry(&w, "c/3");
    kills += 1 + killed_until_ended(&w, e, &worker);
    assert_true(world_drained(&w, PATIENCE_MS));
    for (int i = 1; i <= LINKS; i++) {
        snprintf(id, sizeof id, "c/%d", i);
        assert_job(e, id, ERRAND_COMPLETED);
        /* at most the kill that met it */
        assert_in_range(ledger_n(&w, "done", id), 1, 1 + kills);
    }
    assert_job(e, "finally", ERRAND_COMPLETED);
    stop(worker);
    assert_sound(&w);
    errand_close(e);
    world_free(&w);
}

TEST(t42_a_chain_is_resumed_where_it_failed_whoever_is_killed)
{
    for (long i = 0, n = scaled(3, 100); i < n; i++)
        chain_broken_and_resumed();
}

/* ------------------------------------------------------------------ every point */

#ifdef ERRAND_FAILPOINTS

static void wait_ended(errand *e, const char *name)
{
    const struct errand_batch_waiter waiter = {.timeout_ms = 30000};
    struct errand_error err = {0};
    struct errand_id id = {{0}};

    snprintf(id.text, sizeof id.text, "%s", name);
    if (errand_batch_wait(e, &id, &waiter, NULL, &err) < 0)
        fail_msg("%s", err.message);
}

static const char *const points[] = {
    "exchange-before-commit",
    "exchange-after-commit",
    "after-reserve",
    "after-result",
    "after-settle",
    "before-start",
    "reap-before-commit",
    "reap-after-commit",
    "before-ask",
    "after-ask",
    "push-before-commit",
    "push-after-commit",
};

static struct errand_id batch_store(errand *e)
{
    const struct errand_options success = {.id = {"success"}},
                                failure = {.id = {"failure"}},
                                finally = {.id = {"finally"}}, two = {.id = {"two"}};
    const struct errand_dispatch_item yes = {"link", {0}, &success},
                                      no = {"link", {0}, &failure},
                                      ever = {"link", {0}, &finally};
    const struct errand_batch_options o = {.id = {"b"},
                                           .allow_failures = true,
                                           .on_success = &yes,
                                           .on_failure = &no,
                                           .finally = &ever};
    const struct errand_dispatch_item members[] = {
        {"link", {0}, NULL}, {"grow", {0}, NULL}, {"link", {0}, &two}};
    struct errand_error err = {0};
    struct errand_id id;

    assert_int_equal(errand_batch(e, members, 3, &o, &id, &err), 3);
    return id;
}

static void assert_batch(errand *e, const struct errand_id *id)
{
    struct errand_batch_result *r;
    struct errand_error err = {0};

    assert_int_equal(errand_batch_get(e, id, &r, &err), 0);
    assert_int_equal(r->total, 5); /* three, and two that one of them added */
    assert_int_equal(r->successful, 4);
    assert_int_equal(r->failed, 1);
    errand_batch_result_free(r);
    assert_job(e, "success", ERRAND_CANCELLED);
    assert_job(e, "failure", ERRAND_COMPLETED);
    assert_job(e, "finally", ERRAND_COMPLETED);
}

static void ended_at(const char *point, long pass)
{
    const struct errand_dispatch_item after = {
        "link", {0}, &(struct errand_options){.id = {"after"}}};
    struct errand_id batch;
    struct world w;
    char spec[128], id[16];
    pid_t worker;
    errand *e;
    int code;

    world_make(&w, point);
    e = handle_open(&w);
    chain_store(e, &after);
    batch = batch_store(e);
    fail_at(&w, "two");
    snprintf(spec, sizeof spec, "%s=exit@%ld", point, pass);
    setenv("ERRAND_FAILPOINTS", spec, 1);
    worker = world_start(&w, work_args);
    unsetenv("ERRAND_FAILPOINTS");
    if ((code = process_wait(worker, 3000)) == -1) {
        kill(worker, SIGKILL); /* it never came to this point */
        process_wait(worker, 2000);
    } else {
        assert_int_equal(code, 137);
    }
    worker = world_start(&w, work_args);
    wait_ended(e, "c");
    wait_ended(e, "b");
    assert_true(world_drained(&w, PATIENCE_MS));
    for (int i = 1; i <= LINKS; i++) {
        snprintf(id, sizeof id, "c/%d", i);
        assert_job(e, id, ERRAND_COMPLETED);
        assert_in_range(ledger_n(&w, "done", id), 1, 2);
    }
    assert_job(e, "after", ERRAND_COMPLETED);
    assert_batch(e, &batch);
    /* 5 links, 4 members, 2 + 1 callbacks, and the one that is in no batch */
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 5 + 4 + 2 + 1 + 1);
    stop(worker);
    assert_sound(&w);
    errand_close(e);
    world_free(&w);
}

/* The one who stores a chain dies, and does it again: all of it is there, once. */
static void stored_again(const char *point)
{
    const char *const args[] = {"queue:chain", "chain.json", "--id=c", "--finally=link",
                                NULL};
    char path[200], out[500];
    struct world w;
    FILE *file;

    world_make(&w, point);
    snprintf(path, sizeof path, "%s/chain.json", w.dir);
    assert_non_null(file = fopen(path, "we"));
    fputs("[{\"job\":\"link\"},{\"job\":\"link\"},{\"job\":\"link\"}]", file);
    fclose(file);
    setenv("ERRAND_FAILPOINTS", point, 1);
    assert_int_equal(world_run(&w, args, out, sizeof out), 137);
    unsetenv("ERRAND_FAILPOINTS");
    assert_int_equal(world_run(&w, args, out, sizeof out), 0);
    assert_int_equal(world_count(&w, ERRAND_READY), 1);
    assert_int_equal(world_count(&w, ERRAND_HELD), 3);
    assert_sound(&w);
    world_free(&w);
}

#endif

TEST(chains_and_batches_survive_an_end_at_any_point)
{
#ifdef ERRAND_FAILPOINTS
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (long pass = 1, passes = scaled(2, 20); pass <= passes; pass++)
            ended_at(points[i], pass);
#else
    skip();
#endif
}

TEST(a_chain_that_was_being_stored_is_there_once)
{
#ifdef ERRAND_FAILPOINTS
    stored_again("push-before-commit=exit");
    stored_again("push-after-commit=exit");
#else
    skip();
#endif
}

TEST_MAIN()
