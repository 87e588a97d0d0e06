/* zone.c: a zone as a row of spans: the transitions of its file, then its rule. */
#include "core/zone.h"

#include "core/zone_inside.h"

uint64_t er_zone_generation(const struct er_zone *zone)
{
    return zone->generation;
}

/* How many transitions are at or before that instant. */
static size_t passed(const struct er_zone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->times_n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (zone->times[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct er_zone_span er_zone_span(const struct er_zone *zone, int64_t utc_s)
{
    size_t n = passed(zone, utc_s);
    struct er_zone_span span;

    if (n == zone->times_n && zone->has_rule) {
        span = er_zone_rule_span(&zone->rule, utc_s);
        if (n && span.from < zone->times[n - 1])
            span.from = zone->times[n - 1];
        return span;
    }
    span.from = n ? zone->times[n - 1] : INT64_MIN;
    span.to = n < zone->times_n ? zone->times[n] : INT64_MAX;
    span.offset = n ? zone->offsets[n - 1] : zone->first_offset;
    return span;
}
