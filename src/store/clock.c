/* clock.c: what time it is where the store is.
 *
 * Whoever turns "in ten minutes" into an instant, or sleeps until one, has to mean the
 * clock by which the store finds jobs due: hosts disagree. A server is asked once a
 * minute, and between its answers this host's monotonic clock goes on, which nobody sets.
 * When it does not answer its last answer goes on, and before the first one the wall
 * clock of this host. */
#include "core/clock.h"

#include "store/internal.h"

enum { ASK_MS = 60000 };

static void clock_ask(struct er_store *store, int64_t asked_ms)
{
    struct errand_error ignored = {0};
    int64_t wall_ms, answered_ms;

    if (er_store_enter(store, &ignored) < 0)
        return;
    if (store->driver->clock(store->conn, &wall_ms, &ignored) == 0) {
        answered_ms = er_clock_mono_ms(NULL);
        store->wall_ahead_ms = wall_ms - (asked_ms + (answered_ms - asked_ms) / 2);
        store->has_clock = true;
    }
    store->clock_asked_ms = er_clock_mono_ms(NULL);
}

int64_t er_store_wall_ms(struct er_store *store)
{
    int64_t mono_ms;

    if (!store || !store->driver->clock)
        return er_clock_wall_ms(NULL);
    mono_ms = er_clock_mono_ms(NULL);
    if (!store->clock_asked_ms || mono_ms - store->clock_asked_ms >= ASK_MS)
        clock_ask(store, mono_ms);
    return store->has_clock ? er_clock_mono_ms(NULL) + store->wall_ahead_ms
                            : er_clock_wall_ms(NULL);
}
