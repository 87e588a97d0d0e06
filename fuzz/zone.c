/* zone.c: any bytes as a zone file. What is read gives spans that join, and every search
 * in them comes to an end. */
#include "fuzz.h"

#include "core/cron.h"
#include "core/zone.h"

static void walk(const struct er_zone *zone, int64_t at)
{
    struct er_zone_span span = er_zone_span(zone, at);

    for (int i = 0; i < 20; i++) {
        MUST(span.from <= at && at < span.to);
        MUST(span.offset > -94000 && span.offset < 94000);
        if (span.to == INT64_MAX)
            return;
        at = span.to;
        span = er_zone_span(zone, at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lines[] = {"30 2 * * *", "*/15 2 25-31 3 */7", "@yearly"};
    static const int64_t instants[] = {INT64_MIN, -2000000000, 0, 1700000000, 4000000000};
    struct er_zone *zone;
    struct er_cron cron;

    if (er_zone_parse("fuzz", data, size, &zone, NULL) < 0)
        return 0;
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++)
        walk(zone, instants[i]);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        MUST(er_cron_parse(lines[i], &cron, NULL) == 0);
        for (size_t j = 1; j < sizeof instants / sizeof *instants; j++)
            MUST(er_cron_next(&cron, zone, instants[j] * 1000) > instants[j] * 1000);
    }
    er_zone_free(zone);
    return 0;
}
