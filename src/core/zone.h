/* zone.h: time zones, from the zone files of the system.
 *
 * The one part of errand that knows local time: everything else is UTC. Rules are read
 * from TZif files in $TZDIR or /usr/share/zoneinfo, never from TZ or the host's own zone,
 * and only offsets count: whether one of them is called daylight saving is never looked
 * at. */
#ifndef ER_CORE_ZONE_H
#define ER_CORE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "errand/error.h"

struct er_zone;  /* the rules of one zone */
struct er_zones; /* those that were loaded, each once */

/* A stretch of time under one offset, UTC seconds: from ≤ t < to. INT64_MIN and INT64_MAX
 * where it has no beginning or no end. */
struct er_zone_span {
    int64_t from, to;
    int32_t offset; /* seconds east of UTC */
};

/* `dir` NULL: $TZDIR as it is now, else /usr/share/zoneinfo. NULL: out of memory. */
struct er_zones *er_zones_new(const char *dir);
void er_zones_free(struct er_zones *zones);

/* The zone of that name; NULL, "" and "UTC" are UTC, which needs no file. The answer
 * belongs to `zones` and stays valid as long as that. When the zone's file has changed
 * since, it is read again here, into the same er_zone; if that fails the rules known so
 * far stay in force, and the next call tries again. EINVAL: no such zone, or a name that
 * is none (absolute, "..", "localtime"); EIO; ECORRUPT: the file is broken or counts leap
 * seconds. */
int er_zones_get(struct er_zones *zones, const char *name, const struct er_zone **ret,
                 struct errand_error *err);
/* As er_zones_get, asked only whether it would work. */
int er_zone_check(const char *name, struct errand_error *err);

/* Grows whenever the rules were read anew: what was computed under another number has to
 * be computed again. */
uint64_t er_zone_generation(const struct er_zone *zone);
/* The span that `utc_s` lies in. The one before it is that of `from - 1`, the one after
 * it that of `to`; neighbours may have the same offset. */
struct er_zone_span er_zone_span(const struct er_zone *zone, int64_t utc_s);

/* Reads the bytes of a TZif file (version 1 to 4). `name` is for messages. */
int er_zone_parse(const char *name, const void *bytes, size_t len, struct er_zone **ret,
                  struct errand_error *err);
void er_zone_free(struct er_zone *zone);

#endif
