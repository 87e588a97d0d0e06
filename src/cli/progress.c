/* progress.c: a bar on standard error. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/when.h"
#include "core/clock.h"

enum { EVERY_MS = 100, WIDTH = 30 };

void er_progress_begin(struct er_progress *progress, int64_t total, const char *noun)
{
    *progress = (struct er_progress){.total = total, .noun = noun};
    progress->is_shown = isatty(STDERR_FILENO) == 1;
    progress->began_ms = er_clock_mono_ms(NULL);
}

void er_progress_show(struct er_progress *progress, int64_t done, int64_t count)
{
    int64_t now_ms = er_clock_mono_ms(NULL), took_ms = now_ms - progress->began_ms;
    char n[ER_WHEN_SIZE], rate[ER_WHEN_SIZE], bar[WIDTH + 1];
    int filled;

    if (!progress->is_shown || now_ms - progress->last_ms < EVERY_MS)
        return;
    progress->last_ms = now_ms;
    er_count_text(count, n);
    er_count_text(took_ms > 0 ? count * 1000 / took_ms : 0, rate);
    if (progress->total <= 0) {
        fprintf(stderr, "\r\033[K%s %s, %s a second", n, progress->noun, rate);
        return;
    }
    if (done > progress->total)
        done = progress->total;
    filled = (int)(done * WIDTH / progress->total);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, ' ', (size_t)(WIDTH - filled));
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3d %%  %s %s, %s a second", bar,
            (int)(done * 100 / progress->total), n, progress->noun, rate);
}

void er_progress_end(struct er_progress *progress)
{
    if (progress->is_shown && progress->last_ms)
        fprintf(stderr, "\r\033[K");
}
