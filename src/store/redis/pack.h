/* pack.h: MessagePack, as far as the scripts' cmsgpack speaks it: integers, bytes (always
 * "str"), arrays, maps, false, true and nil.
 *
 * Lua has doubles: what is beyond 2^53 becomes 2^53 on the way in and ERRAND_FOREVER on
 * the way out. Writing goes into a buffer that remembers a failure; reading remembers
 * one as well (`is_bad`) and answers zero from then on. */
#ifndef ER_STORE_REDIS_PACK_H
#define ER_STORE_REDIS_PACK_H

#include "base/buf.h"
#include "errand/driver.h"

#define ER_PACK_MOST (INT64_C(1) << 53)

void er_pack_int(struct er_buf *buf, int64_t number);
void er_pack_bool(struct er_buf *buf, bool value);
void er_pack_bytes(struct er_buf *buf, const void *ptr, size_t len);
void er_pack_slice(struct er_buf *buf, struct errand_slice slice);
void er_pack_text(struct er_buf *buf, const char *text); /* NULL: "" */
/* A UUID as its 16 bytes, any other id as its text. The two cannot meet: byte 8 of a UUID
 * that is packed so is none that a text may have. */
void er_pack_id(struct er_buf *buf, const struct errand_id *id);
void er_pack_array(struct er_buf *buf, size_t n); /* n values follow */
void er_pack_map(struct er_buf *buf, size_t n);   /* n pairs follow, fewer than 16 */

/* The id in that form, not packed. Answers its length; `ret` has room for ERRAND_ID_MAX.
 */
size_t er_id_to_key(const struct errand_id *id, char *ret);
void er_id_of_key(struct errand_slice key, struct errand_id *ret);

struct er_unpack {
    const unsigned char *at, *end;
    bool is_bad;
};

struct er_unpack er_unpack_init(const void *ptr, size_t len);
int64_t er_unpack_int(struct er_unpack *u); /* of nil, false, true: 0, 0, 1 */
struct errand_slice er_unpack_slice(struct er_unpack *u); /* borrowed; of nil: empty */
void er_unpack_id(struct er_unpack *u, struct errand_id *ret);
/* How many values follow, or pairs; an empty one of either kind is one of both. */
size_t er_unpack_array(struct er_unpack *u);
size_t er_unpack_map(struct er_unpack *u);
void er_unpack_skip(struct er_unpack *u);
/* Copies into the arena; no memory makes it bad. */
struct errand_slice er_unpack_copy(struct er_unpack *u, struct errand_arena *arena);
const char *er_unpack_text(struct er_unpack *u, struct errand_arena *arena);

#endif
