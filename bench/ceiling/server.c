/* server.c: bench-ceiling-postgres and bench-ceiling-redis WHAT TABLE NAME URL: one
 * figure of the server itself, TABLE.WHAT.NAME, in jobs a second.
 *
 *   one     insert, a trip each
 *   bulk    insert, 1,000 a trip
 *   cycle   end the last jobs and reserve the next in one trip
 *   pickup  insert in one process, reserve in a second, have it in a third
 *   hold    keeps a snapshot until it is ended
 *   clear   removes what these and bench-errand have left
 *   bytes   the same, and prints how much that was a job of BENCH_BULK */
#include "ceiling/server.h"

#include "ceiling/pickup.h"
#include "measure.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BULK = 1000 };

/* Jobs a turn; the store alone in bench-errand has the same. */
static int turn(void)
{
    return engine.turn((int)setting("BENCH_BATCH", 100));
}

static void push_all(int64_t n, int batch, const char *name)
{
    int64_t from = now_ns();

    for (int64_t i = 0; i < n; i += batch)
        engine.push(i, batch);
    figure_rate(name, (double)n, from);
}

static void cycle_all(int64_t n, const char *name)
{
    int64_t done = 0, from;
    int reserved;

    for (int64_t i = 0; i < n; i += BULK)
        engine.insert(i, BULK);
    engine.filled();
    from = now_ns();
    while ((reserved = turn()) > 0)
        done += reserved;
    figure_rate(name, (double)done, from);
    if (done != n)
        die("%lld of %lld jobs came", (long long)done, (long long)n);
}

static void pickup_dispatch(int64_t number)
{
    engine.insert(number, 1);
}

static const char *pickup_reserve(void)
{
    return turn() ? engine.payload() : NULL;
}

static void pickup(const char *url, const char *name)
{
    const struct pickup p = {.path = url,
                             .open = engine.open,
                             .dispatch = pickup_dispatch,
                             .reserve = pickup_reserve};

    pickup_measure(&p, setting("BENCH_PICKUP", 200), name);
}

static void measure(const char *what, const char *name, const char *url)
{
    if (strcmp(what, "one") == 0)
        push_all(setting("BENCH_ONE", 40000), 1, name);
    else if (strcmp(what, "bulk") == 0)
        push_all(setting("BENCH_BULK", 200000), BULK, name);
    else if (strcmp(what, "cycle") == 0)
        cycle_all(setting("BENCH_DRAIN", 200000), name);
    else if (strcmp(what, "pickup") == 0)
        pickup(url, name);
    else
        die("no figure '%s'", what);
}

int main(int argc, char **argv)
{
    char name[128];

    if (argc != 5)
        die("usage: %s one|bulk|cycle|pickup|hold|clear|bytes TABLE NAME URL", argv[0]);
    snprintf(name, sizeof name, "%s.%s.%s", argv[2], argv[1], argv[3]);
    engine.open(argv[4]);
    if (strcmp(argv[1], "hold") == 0) {
        if (!engine.hold)
            die("this server has no snapshots");
        engine.hold();
        for (;;)
            pause();
    }
    if (strcmp(argv[1], "bytes") == 0) {
        figure(name, (double)engine.clear() / (double)setting("BENCH_BULK", 200000));
        return 0;
    }
    if (strcmp(argv[1], "clear") != 0) {
        engine.make(argv[2]);
        measure(argv[1], name, argv[4]);
    }
    engine.clear();
    return 0;
}
