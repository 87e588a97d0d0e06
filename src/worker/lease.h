/* lease.h: what keeps our leases ours: extending them while we are on time, reaping those
 * of others that are over, and the heartbeat. */
#ifndef ER_WORKER_LEASE_H
#define ER_WORKER_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_supervisor;

struct er_leases {
    int64_t extend_at_ms, extended_ms, reap_at_ms, beat_at_ms;
    bool has_progress; /* some attempt has news */
    bool has_beaten;
    int64_t identity;       /* of the store, as the last heartbeat said; 0: not known */
    int64_t other_since_ms; /* wall clock: when it was found to be another; 0: never */
    int64_t sweep_at_ms;    /* for runaway processes */
};

void er_leases_init(struct er_supervisor *s);
/* Before settling: after a gap of our own we may have lost leases without knowing. */
void er_leases_turn(struct er_supervisor *s);
/* Ends and buries what ran away from its group; how many there were. */
size_t er_leases_sweep(struct er_supervisor *s);
void er_leases_bye(struct er_supervisor *s);

#endif
