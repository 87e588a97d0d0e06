/* seal.h: data that the store sees in no other form than encrypted.
 *
 * XChaCha20-Poly1305 with a random nonce, bound to the job's name, queue and id: what was
 * sealed for one job opens for no other, so that who can write to the store cannot move
 * it. Sealed data is JSON, {"errand.sealed":"1:KEY:…"}, for a store and its tools expect
 * that.
 *
 * Not hidden: that there is a job, its name, queue, tags, times, how long its data is
 * about, and what the handler itself prints, answers or says in an error. */
#ifndef ER_CLIENT_SEAL_H
#define ER_CLIENT_SEAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "errand/types.h"

struct er_key_ring;

/* All that data is bound to. */
struct er_sealed_for {
    const char *name, *queue, *id;
};

bool er_sealed_is(struct errand_slice data);
/* What lists and pages show: the data, or <encrypted>; as a JSON string for those that
 * write JSON. */
struct errand_slice er_sealed_shown(struct errand_slice data);
struct errand_slice er_sealed_json(struct errand_slice data);

/* Into the arena. ETOOBIG when the sealed form is over what a store takes; EINVAL without
 * a ring; EUNSUPPORTED. */
int er_seal(const struct er_key_ring *ring, const struct er_sealed_for *job,
            struct errand_slice data, struct errand_arena *arena,
            struct errand_slice *ret, struct errand_error *err);
/* ENOTFOUND: not without a ring (NULL), or with a key that is not in it: may work later.
 * ECORRUPT: it was changed, or is another job's. EUNSUPPORTED. */
int er_unseal(const struct er_key_ring *ring, const struct er_sealed_for *job,
              struct errand_slice sealed, struct errand_arena *arena,
              struct errand_slice *ret, struct errand_error *err);
/* Which key sealed it: 0 and a borrowed name, or -1. */
int er_sealed_key(struct errand_slice sealed, struct errand_slice *ret);

/* What stands in a store for a key made from data: its HMAC-SHA-256 under the oldest key
 * of the ring, which stays when a new one is put first. Equal keys give equal ones. */
int er_seal_key(const struct er_key_ring *ring, struct errand_slice key,
                struct errand_arena *arena, struct errand_slice *ret,
                struct errand_error *err);

#endif
