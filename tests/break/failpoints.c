/* failpoints.c: the supervisor or a runner ends at each named point, as kill -9 would end
 * it, and is started again: nothing is lost, nothing is settled by a stale attempt. Needs
 * a build with -Dfailpoints=true. */
#include <signal.h>
#include <unistd.h>

#include "break.h"

struct failpoint {
    const char *name;
    /* how often one job may be done at most, for one kill at this point */
    long runs_most;
};

static const struct failpoint points[] = {
    {"exchange-before-commit", 2}, /* inside the acknowledge */
    {"exchange-after-commit", 2},  /* claimed, nobody knows */
    {"after-reserve", 1},          /* reserved, before any runner has it */
    {"after-result", 2},           /* the handler is done, not yet settled */
    {"after-settle", 2},           /* settled and reserved, nobody told */
    {"before-start", 1},           /* an executable or runner about to start */
    {"extend-before-commit", 2},   {"reap-before-commit", 2}, {"reap-after-commit", 2},
};

static long done_most(const struct world *w)
{
    char *text, *line, *end;
    long most = 0;
    struct {
        char id[64];
        long n;
    } *seen = calloc(4096, sizeof *seen);
    size_t seen_n = 0;

    file_read(w->ledger, &text);
    for (line = text; (end = strchr(line, '\n')); line = end + 1) {
        size_t i;
        if (strncmp(line, "done ", 5) != 0)
            continue;
        line[5 + strcspn(line + 5, " ")] = '\0';
        for (i = 0; i < seen_n && strcmp(seen[i].id, line + 5) != 0; i++)
            ;
        if (i == seen_n && seen_n < 4096)
            snprintf(seen[seen_n++].id, sizeof seen->id, "%s", line + 5);
        if (++seen[i].n > most)
            most = seen[i].n;
    }
    free(seen);
    free(text);
    return most;
}

static void killed_at(const struct failpoint *point, long pass)
{
    const char *const args[] = {"queue:work", "--concurrency=2", "--lease=1", NULL};
    const long jobs = 40;
    struct verdict v;
    char spec[128];
    pid_t worker, producer;
    struct world w;
    int code;

    world_make(&w, point->name);
    producer = world_produce(&w, jobs, 1, "Work");
    assert_int_equal(process_wait(producer, PATIENCE_MS), 0);
    snprintf(spec, sizeof spec, "%s=exit@%ld", point->name, pass);
    setenv("ERRAND_FAILPOINTS", spec, 1);
    worker = world_start(&w, args);
    unsetenv("ERRAND_FAILPOINTS");
    code = process_wait(worker, 4000);
    if (code == -1) {
        /* A point that needs a lease to be over first. */
        kill(worker, SIGKILL);
        process_wait(worker, 2000);
    } else {
        assert_int_equal(code, 137);
    }
    worker = world_start(&w, args);
    sleep_ms(300); /* until it hears signals, also when nothing is left to do */
    assert_true(world_drained(&w, PATIENCE_MS));
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    v = world_judge(&w);
    assert_int_equal(v.accepted, jobs);
    assert_int_equal(v.completed, jobs);
    /* From the second pass on, other jobs may be done and not yet settled when it ends.
     */
    assert_true(done_most(&w) <= point->runs_most + (pass > 1));
    world_free(&w);
}

/* T03. */
TEST(t03_an_end_at_any_point_loses_nothing)
{
#ifdef ERRAND_FAILPOINTS
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const long passes = scaled(2, 50);
        for (long pass = 1; pass <= passes; pass++)
            killed_at(&points[i], pass);
    }
#else
    (void)killed_at;
    (void)points;
    skip();
#endif
}

static void init_set(const struct world *w, const char *how)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof path, "%s.init", w->ledger);
    if (!how) {
        unlink(path);
        return;
    }
    assert_non_null(file = fopen(path, "we"));
    fputs(how, file);
    fclose(file);
}

static void cannot_start(const char *how, int64_t watch_ms)
{
    const char *const args[] = {"queue:work", "--concurrency=2", NULL};
    char path[200], *forks;
    struct world w;
    pid_t worker;

    world_make(&w, how);
    init_set(&w, how);
    push_jobs(&w, "work", "{\"ms\":1}", 20);
    worker = world_start(&w, args);
    sleep_ms(watch_ms);
    assert_int_equal(process_wait(worker, 1), -1);
    assert_int_equal(world_count(&w, ERRAND_READY), 20); /* no job was claimed */
    snprintf(path, sizeof path, "%s.forks", w.ledger);
    assert_true(file_read(path, &forks) / 2 <= 20);
    assert_true(strlen(forks) > 0);
    free(forks);
    init_set(&w, NULL);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 20);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    world_free(&w);
}

/* T08. */
TEST(t08_a_runner_that_exits_at_start_claims_no_job)
{
    cannot_start("exit", scaled(4000, 60000));
}

TEST(t08_a_runner_that_hangs_at_start_claims_no_job)
{
    cannot_start("hang", scaled(12000, 60000));
}

/* T08, later: all went well until the runners died and no new one starts. */
TEST(t08_runners_that_stop_starting_while_working_come_back)
{
    const char *const args[] = {"queue:work", "--concurrency=2", NULL};
    char path[200], *forks;
    pid_t worker, all[16];
    struct world w;
    int64_t until;
    size_t n;

    world_make(&w, "later");
    push_jobs(&w, "work", "{\"ms\":1}", 5);
    worker = world_start(&w, args);
    assert_true(world_drained(&w, PATIENCE_MS));
    init_set(&w, "exit");
    n = world_processes(&w, all, 16);
    for (size_t i = 0; i < n; i++)
        if (all[i] != worker)
            kill(all[i], SIGKILL);
    push_jobs(&w, "work", "{\"ms\":1}", 20);
    snprintf(path, sizeof path, "%s.forks", w.ledger);
    for (until = mono_ms() + PATIENCE_MS; mono_ms() < until; sleep_ms(50)) {
        size_t len = file_read(path, &forks);
        free(forks);
        if (len)
            break;
    }
    init_set(&w, NULL);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 25);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    world_free(&w);
}

TEST_MAIN()
