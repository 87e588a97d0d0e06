/* cron_test.h: a row of a cron table: where, what, from when to when, and all that fires.
 */
#ifndef ER_TESTS_CORE_CRON_TEST_H
#define ER_TESTS_CORE_CRON_TEST_H

#include "claims.h"
#include "core/fires.h"

#include "base/buf.h"
#include "core/clock.h"
#include "core/cron.h"
#include "core/zone.h"

static inline int64_t instant(const char *text)
{
    int64_t ms;

    if (er_time_parse(text, &ms) < 0)
        fail_msg("'%s' is no instant", text);
    return ms;
}

static inline struct er_cron cron_of(const char *text)
{
    struct errand_error err = {0};
    struct er_cron cron;

    if (er_cron_parse(text, &cron, &err) < 0)
        fail_msg("%s", err.message);
    return cron;
}

static inline const struct er_zone *zone_of(struct er_zones *zones, const char *name)
{
    struct errand_error err = {0};
    const struct er_zone *zone;

    if (er_zones_get(zones, name, &zone, &err) < 0)
        fail_msg("%s", err.message);
    return zone;
}

/* "2026-03-29T01:00" of every slot of the row, a space between. */
static inline void list_fires(struct er_zones *zones, const struct fires *row,
                              struct er_buf *ret)
{
    struct er_cron cron = cron_of(row->cron);
    const struct er_zone *zone = zone_of(zones, row->zone);
    int64_t until = instant(row->until);
    int64_t slot = er_cron_next(&cron, zone, instant(row->from) - 1);
    char text[32];

    er_buf_str(ret, "");
    for (; slot <= until; slot = er_cron_next(&cron, zone, slot)) {
        er_time_format(slot, text, sizeof text);
        assert_string_equal(text + 16, ":00.000Z");
        er_buf_printf(ret, "%s%.16s", ret->len ? " " : "", text);
    }
}

static inline void assert_fires(struct er_zones *zones, const struct fires *row)
{
    struct er_buf got;

    er_buf_init(&got, 1 << 20);
    list_fires(zones, row, &got);
    if (strcmp(got.ptr, row->expected) != 0)
        fail_msg("'%s' in %s fires\n  %s\nand not\n  %s", row->cron, row->zone, got.ptr,
                 row->expected);
    er_buf_done(&got);
}

#endif
