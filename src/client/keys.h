/* keys.h: the key ring, a file with the keys that encrypt the data of jobs.
 *
 *     # id   key: 32 random bytes in base64
 *     2026b  3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
 *     2026a  yv66vgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
 *
 * The first key encrypts, all of them open what they have encrypted: to change keys, put
 * a new one first. The file is for its owner alone, and is refused when anybody else may
 * read it. Keys live in memory that is not swapped out, not dumped, and wiped when it is
 * freed; no child process is given them. */
#ifndef ER_CLIENT_KEYS_H
#define ER_CLIENT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "errand/error.h"

enum { ER_KEY_BYTES = 32, ER_KEY_ID_MAX = 32, ER_KEY_RING_MAX = 64 };

struct er_key {
    char id[ER_KEY_ID_MAX + 1];
    unsigned char bytes[ER_KEY_BYTES];
};

struct er_key_ring {
    size_t n;
    struct er_key *keys; /* the first one encrypts */
};

/* Is this errand built to encrypt? */
bool er_keys_are_built(void);
/* EINVAL with file and line; also when the file's mode lets others read it, with the
 * command that mends it. EUNSUPPORTED: built without encryption. */
int er_key_ring_load(const char *path, struct er_key_ring **ret,
                     struct errand_error *err);
void er_key_ring_free(struct er_key_ring *ring); /* NULL allowed */
const struct er_key *er_key_find(const struct er_key_ring *ring, const char *id,
                                 size_t len);
/* Makes a key and puts it first, in a file that is made when it is not there: 0600,
 * written beside and moved, so that a crash leaves the old ring. `id` NULL: today's date,
 * with a letter when that is taken. EINVAL: the id is in use or no name. */
int er_key_ring_add(const char *path, const char *id, char ret_id[ER_KEY_ID_MAX + 1],
                    struct errand_error *err);

#endif
