/* cron.c: a cron line, and an instant. A line that is read fires where its sets say so,
 * its slots rise, and what is next after one is what is latest before it. */
#include "fuzz.h"

#include "core/civil.h"
#include "core/cron.h"
#include "core/zone.h"

/* In UTC, where there are no leaps. */
static bool is_slot(const struct er_cron *cron, int64_t ms)
{
    int64_t days = (ms - (ms < 0 ? 86399999 : 0)) / 86400000, second, year;
    int month, day;
    bool in_month, in_week;

    er_civil_from_days(days, &year, &month, &day);
    second = (ms - days * 86400000) / 1000;
    in_month = cron->days >> day & 1;
    in_week = cron->weekdays >> er_weekday(days) & 1;
    return ms % 1000 == 0 && cron->seconds >> (second % 60) & 1 &&
           cron->minutes >> (second / 60 % 60) & 1 &&
           cron->hours >> (second / 3600) & 1 && cron->months >> month & 1 &&
           (cron->is_either_day ? in_month || in_week : in_month && in_week);
}

static void fire(const struct er_cron *cron, int64_t after)
{
    struct er_zones *zones = er_zones_new(NULL);
    const struct er_zone *utc;
    int64_t last;

    MUST(zones && er_zones_get(zones, NULL, &utc, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        int64_t slot = er_cron_next(cron, utc, after);

        if (slot == ER_CRON_NEVER)
            break;
        MUST(slot > after && is_slot(cron, slot));
        MUST(er_cron_latest(cron, utc, slot - 1, slot, &last, 1) == 1 && last == slot);
        after = slot;
    }
    er_zones_free(zones);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice rest = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    const char *text = first_line(arena, &rest);
    struct errand_error err = {0};
    struct er_cron cron;
    int64_t after = 0;

    memcpy(&after, rest.ptr, rest.len < sizeof after ? rest.len : sizeof after);
    if (er_cron_parse(text, &cron, &err) == 0)
        fire(&cron, after);
    else
        MUST(err.code == ERRAND_EINVAL && err.message[0]);
    er_arena_free(arena);
    return 0;
}
