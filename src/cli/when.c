/* when.c: times as a person reads them. */
#include "cli/when.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

char *er_span_text(int64_t ms, char *buf)
{
    if (ms < 0)
        ms = 0;
    if (ms < SECOND)
        snprintf(buf, ER_WHEN_SIZE, "%d ms", (int)ms);
    else if (ms < 10 * SECOND && ms % SECOND >= 100)
        snprintf(buf, ER_WHEN_SIZE, "%d.%d s", (int)(ms / SECOND),
                 (int)(ms % SECOND / 100));
    else if (ms < MINUTE)
        snprintf(buf, ER_WHEN_SIZE, "%d s", (int)(ms / SECOND));
    else if (ms < HOUR && ms % MINUTE >= SECOND)
        snprintf(buf, ER_WHEN_SIZE, "%d min %d s", (int)(ms / MINUTE),
                 (int)(ms % MINUTE / SECOND));
    else if (ms < HOUR)
        snprintf(buf, ER_WHEN_SIZE, "%d min", (int)(ms / MINUTE));
    else if (ms < DAY && ms % HOUR >= MINUTE)
        snprintf(buf, ER_WHEN_SIZE, "%d h %d min", (int)(ms / HOUR),
                 (int)(ms % HOUR / MINUTE));
    else if (ms < DAY)
        snprintf(buf, ER_WHEN_SIZE, "%d h", (int)(ms / HOUR));
    else if (ms % DAY >= HOUR)
        snprintf(buf, ER_WHEN_SIZE, "%" PRId64 " d %d h", ms / DAY,
                 (int)(ms % DAY / HOUR));
    else
        snprintf(buf, ER_WHEN_SIZE, "%" PRId64 " d", ms / DAY);
    return buf;
}

/* One unit is enough to know how long ago something was. `half` rounds to the nearest:
 * what is ten minutes off is not "in 9 min" a moment later. */
static void coarse(int64_t ms, bool half, char *buf)
{
    int64_t unit = ms < MINUTE             ? SECOND
                   : ms < HOUR             ? MINUTE
                   : ms < 2 * (int64_t)DAY ? HOUR
                                           : DAY;
    const char *name = unit == SECOND   ? "s"
                       : unit == MINUTE ? "min"
                       : unit == HOUR   ? "h"
                                        : "d";

    snprintf(buf, ER_WHEN_SIZE, "%" PRId64 " %s", (ms + (half ? unit / 2 : 0)) / unit,
             name);
}

char *er_ago_text(int64_t ms, int64_t now_ms, char *buf)
{
    char span[ER_WHEN_SIZE];
    int64_t gap = now_ms - ms;

    if (ms == 0) {
        snprintf(buf, ER_WHEN_SIZE, "-");
    } else if (gap > -SECOND && gap < SECOND) {
        snprintf(buf, ER_WHEN_SIZE, "now");
    } else if (gap < 0) {
        coarse(-gap, true, span);
        snprintf(buf, ER_WHEN_SIZE, "in %.30s", span);
    } else {
        coarse(gap, false, span);
        snprintf(buf, ER_WHEN_SIZE, "%.30s ago", span);
    }
    return buf;
}

char *er_count_text(int64_t n, char *buf)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;

    for (int i = 0; i < len; i++) {
        int left = len - i;

        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-')
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = '\0';
    return buf;
}
