/* id.h: UUIDv7, strictly increasing inside a process (RFC 9562, method 1: the 12 bits
 * after the time count up). */
#ifndef ER_CORE_ID_H
#define ER_CORE_ID_H

#include "errand/types.h"

/* Starts zeroed. One thread at a time, and never on both sides of a fork: the child would
 * give the ids that the parent gives. */
struct er_id_source {
    int64_t last_ms;
    uint32_t count;
    /* getrandom costs 480 ns for 8 bytes and 1,200 for 256: asked for 32 ids at a time,
     * it costs 40 an id. */
    uint32_t random_left; /* unused bytes at the end of `random` */
    uint8_t random[256];
};

/* Fills `ret` with a new id for wall time now_ms; -1 when the system gives no random
 * bytes. */
int er_id_new(struct er_id_source *source, int64_t now_ms, struct errand_id *ret);
/* The id that always follows from another one and a number: a UUIDv8 with the first 48
 * bits (the time) of `from` where that is a UUID, the rest a hash. `salt` tells uses
 * apart that must never meet. */
void er_id_derive(const char *salt, const struct errand_id *from, uint64_t number,
                  struct errand_id *ret);
/* 0 when text is a legal id (1 to 63 bytes of [A-Za-z0-9_.:/-]), copied into ret; else
 * EINVAL with the reason. */
int er_id_parse(const char *text, struct errand_id *ret, struct errand_error *err);
/* 16 bytes and back to lower-case text; er_uuid_parse answers -1 when text is not a UUID
 * in lower case. */
void er_uuid_format(const uint8_t bytes[16], struct errand_id *ret);
int er_uuid_parse(const char *text, uint8_t ret_bytes[16]);

#endif
