/* zone_inside.h: what the files of the zone reader share. */
#ifndef ER_CORE_ZONE_INSIDE_H
#define ER_CORE_ZONE_INSIDE_H

#include <stdbool.h>

#include "core/zone.h"

/* One of the two changes of a year in a POSIX TZ rule. */
struct er_zone_change {
    enum { ER_ZONE_WEEK, ER_ZONE_DAY, ER_ZONE_DAY_NO_LEAP } form;
    int month, week, weekday; /* Mm.w.d; week 5 is the last */
    int day;                  /* n, 0 to 365, and Jn, 1 to 365 */
    int32_t at;               /* seconds of local time after midnight, also negative */
};

/* What holds after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct er_zone_rule {
    int32_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct er_zone_change start, end; /* of summer */
};

struct er_zone {
    uint64_t generation;
    int64_t *times; /* when each span begins, ascending */
    int32_t *offsets;
    size_t times_n;
    int32_t first_offset; /* before the first of them */
    bool has_rule;
    struct er_zone_rule rule; /* from the last of them on */
};

/* `text` is the footer without its newlines. False: not a rule. */
bool er_zone_rule_parse(const char *text, struct er_zone_rule *ret);
struct er_zone_span er_zone_rule_span(const struct er_zone_rule *rule, int64_t utc_s);

#endif
