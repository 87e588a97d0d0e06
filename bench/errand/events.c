/* events.c: what it costs that somebody may follow the events: nothing while nobody does,
 * also when somebody did; and what it costs while somebody does. */
#include "errand/bench.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <errand/events.h>

enum { ROUNDS = 5 };

static double rate(struct place *p, int64_t n)
{
    struct board *b = board_get();

    board_reset();
    wait_for(worker_start(
        p, &(struct worker_args){.concurrency = 2, .stops_when_empty = true}));
    if (atomic_load(&b->count) < n)
        die("%lld of %lld jobs ran", (long long)atomic_load(&b->count), (long long)n);
    return (double)(n - 1) /
           ((double)(atomic_load(&b->last_ns) - atomic_load(&b->first_ns)) / 1e9);
}

/* Reads until it is killed; answers when it follows. */
static pid_t follower_start(const struct place *p)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) < 0 || (pid = fork()) < 0)
        die("a follower does not start");
    if (pid == 0) {
        errand *e = store_open(p);
        errand_events *events = errand_events_open(e, NULL, NULL);
        const struct errand_event *event;
        if (!events || write(ready[1], "r", 1) != 1)
            _exit(1);
        while (errand_events_next(events, -1, &event, NULL) >= 0)
            ;
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        die("a follower does not follow");
    close(ready[0]);
    return pid;
}

static void follower_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* As if the minute were over for which it said that it follows. */
static void follower_forget(const struct place *p)
{
    sqlite3 *db;

    if (sqlite3_open(p->path, &db) ||
        sqlite3_exec(db, "UPDATE errand_queues SET follow_until = 0 WHERE id = 0", NULL,
                     NULL, NULL))
        die("%s: %s", p->path, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static double round_of(struct place *p, int64_t n, bool had_follower, bool has_follower)
{
    pid_t follower = 0;
    double ret;

    store_fill(p, "BenchCount", 1); /* makes the file */
    if (had_follower || has_follower)
        follower = follower_start(p);
    store_fill(p, "BenchCount", n - 1);
    if (follower && !has_follower) {
        follower_stop(follower);
        follower_forget(p);
    }
    ret = rate(p, n);
    if (has_follower)
        follower_stop(follower);
    place_renew(p);
    return ret;
}

void bench_events(struct place *p)
{
    double plain[ROUNDS], had[ROUNDS], has[ROUNDS];
    int64_t n = setting("BENCH_EVENTS", 100000);

    p->config.keep_completed_n = ERRAND_KEEP_NONE;
    for (int i = 0; i < ROUNDS; i++) {
        plain[i] = round_of(p, n, false, false);
        had[i] = round_of(p, n, true, false);
        has[i] = round_of(p, n, true, true);
    }
    figure(figure_name("drain-nobody", p), percentile(plain, ROUNDS, 0.5));
    figure(figure_name("drain-unfollowed", p), percentile(had, ROUNDS, 0.5));
    figure(figure_name("drain-followed", p), percentile(has, ROUNDS, 0.5));
}
