/* warn.c: warnings, each kind with a budget of its own. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "worker/embed.h"
#include "worker/report.h"
#include "worker/supervisor.h"

enum { KIND_A_MINUTE = 10, MINUTE_MS = 60000, TEXT_MAX = 1280 };

static void say(struct er_supervisor *s, const char *text)
{
    if (s->host)
        er_embed_warning(s, text);
    else
        er_report_line(s, s->report.has_colour ? ER_REPORT_YELLOW : "", text);
}

/* Once there are too many kinds, the last stands for all that came later. */
static struct er_report_kind *kind_of(struct er_report *r, const char *words, int code)
{
    for (size_t i = 0; i < r->kinds_n; i++)
        if (r->kinds[i].code == code && strcmp(r->kinds[i].words, words) == 0)
            return &r->kinds[i];
    if (r->kinds_n < ER_REPORT_KINDS)
        r->kinds[r->kinds_n++] = (struct er_report_kind){.words = words, .code = code};
    return &r->kinds[r->kinds_n - 1];
}

static void muted_tell(struct er_supervisor *s, struct er_report_kind *kind)
{
    char text[TEXT_MAX];

    if (!kind->muted_n)
        return;
    snprintf(text, sizeof text, "and %d more like it, the last: %s", kind->muted_n,
             kind->last);
    kind->muted_n = 0;
    say(s, text);
}

static bool may_say(struct er_supervisor *s, struct er_report_kind *kind,
                    const char *text)
{
    if (kind->said_n == 0 || s->now_ms - kind->minute_ms >= MINUTE_MS) {
        muted_tell(s, kind);
        kind->minute_ms = s->now_ms;
        kind->said_n = 0;
    }
    if (kind->said_n < KIND_A_MINUTE) {
        kind->said_n++;
        return true;
    }
    kind->muted_n++;
    snprintf(kind->last, sizeof kind->last, "%.*s", (int)sizeof kind->last - 1, text);
    er_supervisor_wake_at(s, kind->minute_ms + MINUTE_MS);
    return false;
}

__attribute__((format(printf, 3, 0))) static bool warn(struct er_supervisor *s, int code,
                                                       const char *fmt, va_list ap)
{
    char text[TEXT_MAX];

    vsnprintf(text, sizeof text, fmt, ap);
    /* Somebody's program reads the last of them, and reads as often as it likes. */
    if (!s->host && !may_say(s, kind_of(&s->report, fmt, code), text))
        return false;
    say(s, text);
    return true;
}

void er_report_warn(struct er_supervisor *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    warn(s, 0, fmt, ap);
    va_end(ap);
}

bool er_report_warn_of(struct er_supervisor *s, int code, const char *fmt, ...)
{
    bool is_said;
    va_list ap;

    va_start(ap, fmt);
    is_said = warn(s, code, fmt, ap);
    va_end(ap);
    return is_said;
}

void er_report_over(struct er_supervisor *s, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say(s, text);
}

void er_report_warn_flush(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->report.kinds_n; i++)
        muted_tell(s, &s->report.kinds[i]);
}

void er_report_warn_turn(struct er_supervisor *s)
{
    for (size_t i = 0; i < s->report.kinds_n; i++) {
        struct er_report_kind *kind = &s->report.kinds[i];
        if (!kind->muted_n)
            continue;
        if (s->now_ms - kind->minute_ms >= MINUTE_MS)
            muted_tell(s, kind);
        else
            er_supervisor_wake_at(s, kind->minute_ms + MINUTE_MS);
    }
}
