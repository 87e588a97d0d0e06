/* zone_tzif.c: reading TZif, RFC 8536. Only times and offsets are taken; names of zones
 * and what is called daylight saving are passed over, and so is the first block with its
 * 32 bit when there is a second one. */
#include "core/zone_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { HEADER = 44, TYPE = 6, FOOTER_MAX = 128 };

struct reader {
    const char *name;
    const unsigned char *at, *end;
};

struct block {
    size_t isut_n, isstd_n, leap_n, time_n, type_n, char_n;
    size_t time_size; /* 4 or 8 bytes */
    const unsigned char *times, *indices, *types;
};

static int broken(const struct reader *r, const char *how, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ECORRUPT,
                            "the file of time zone '%s' is broken: %s", r->name, how);
}

static int64_t big_endian(const unsigned char *p, size_t size)
{
    uint64_t value = p[0] & 0x80 ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

/* Reads one header, checks that its block fits, and moves behind it. */
static int read_block(struct reader *r, size_t time_size, struct block *ret,
                      struct errand_error *err)
{
    const unsigned char *p = r->at;
    size_t *counts[] = {&ret->isut_n, &ret->isstd_n, &ret->leap_n,
                        &ret->time_n, &ret->type_n,  &ret->char_n};
    uint64_t size;

    if (r->end - p < HEADER || memcmp(p, "TZif", 4) != 0)
        return broken(r, "it has no header", err);
    for (size_t i = 0; i < 6; i++)
        *counts[i] = (size_t)(big_endian(p + 20 + 4 * i, 4) & 0xffffffff);
    p += HEADER;
    size = (uint64_t)ret->time_n * (time_size + 1) + (uint64_t)ret->type_n * TYPE +
           ret->char_n + (uint64_t)ret->leap_n * (time_size + 4) + ret->isstd_n +
           ret->isut_n;
    if ((uint64_t)(r->end - p) < size)
        return broken(r, "it ends early", err);
    ret->time_size = time_size;
    ret->times = p;
    ret->indices = ret->times + ret->time_n * time_size;
    ret->types = ret->indices + ret->time_n;
    r->at = p + size;
    return 0;
}

static int type_offset(const struct reader *r, const struct block *b, size_t type,
                       int32_t *ret, struct errand_error *err)
{
    int64_t offset;

    if (type >= b->type_n)
        return broken(r, "a transition names a type that is not there", err);
    offset = big_endian(b->types + type * TYPE, 4);
    if (offset < -93599 || offset > 93599)
        return broken(r, "an offset is over a day", err);
    *ret = (int32_t)offset;
    return 0;
}

static int read_times(const struct reader *r, const struct block *b, struct er_zone *zone,
                      struct errand_error *err)
{
    int rc;

    if ((rc = type_offset(r, b, 0, &zone->first_offset, err)) < 0 || !b->time_n)
        return rc;
    zone->times = calloc(b->time_n, sizeof *zone->times);
    zone->offsets = calloc(b->time_n, sizeof *zone->offsets);
    if (!zone->times || !zone->offsets)
        return er_error_nomem(err);
    for (size_t i = 0; i < b->time_n; i++) {
        zone->times[i] = big_endian(b->times + i * b->time_size, b->time_size);
        if (i && zone->times[i] <= zone->times[i - 1])
            return broken(r, "its transitions are not in order", err);
        if ((rc = type_offset(r, b, b->indices[i], &zone->offsets[i], err)) < 0)
            return rc;
    }
    zone->times_n = b->time_n;
    return 0;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n"; an empty one says nothing. */
static int read_footer(const struct reader *r, struct er_zone *zone,
                       struct errand_error *err)
{
    const unsigned char *end;
    char text[FOOTER_MAX];
    size_t len;

    if (r->at == r->end || *r->at != '\n' ||
        !(end = memchr(r->at + 1, '\n', (size_t)(r->end - r->at - 1))))
        return broken(r, "it has no rule at its end", err);
    len = (size_t)(end - r->at - 1);
    if (!len)
        return 0;
    if (len >= sizeof text || memchr(r->at + 1, '\0', len))
        return broken(r, "the rule at its end is none", err);
    memcpy(text, r->at + 1, len);
    text[len] = '\0';
    if (!er_zone_rule_parse(text, &zone->rule))
        return broken(r, "the rule at its end is none", err);
    zone->has_rule = true;
    return 0;
}

static int read_all(struct reader *r, struct er_zone *zone, struct errand_error *err)
{
    struct block block;
    char version;
    int rc;

    if ((rc = read_block(r, 4, &block, err)) < 0)
        return rc;
    version = (char)(block.times - HEADER)[4];
    if (version && (rc = read_block(r, 8, &block, err)) < 0)
        return rc;
    /* Where they are counted, its seconds are not those of the clock that we read. */
    if (block.leap_n)
        return errand_error_set(err, ERRAND_ECORRUPT,
                                "time zone '%s' counts leap seconds, and the clock does "
                                "not: take the zone without 'right/'",
                                r->name);
    if ((rc = read_times(r, &block, zone, err)) < 0)
        return rc;
    return version ? read_footer(r, zone, err) : 0;
}

int er_zone_parse(const char *name, const void *bytes, size_t len, struct er_zone **ret,
                  struct errand_error *err)
{
    struct reader r = {name, bytes, (const unsigned char *)bytes + len};
    struct er_zone *zone = calloc(1, sizeof *zone);
    int rc;

    if (!zone)
        return er_error_nomem(err);
    if ((rc = read_all(&r, zone, err)) < 0)
        er_zone_free(zone);
    else
        *ret = zone;
    return rc;
}

void er_zone_free(struct er_zone *zone)
{
    if (!zone)
        return;
    free(zone->times);
    free(zone->offsets);
    free(zone);
}
