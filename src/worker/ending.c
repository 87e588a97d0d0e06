/* ending.c: causes and their words. */
#include "worker/ending.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utf8.h"
#include "worker/supervisor.h"

void er_ending_of_status(int status, const struct rusage *usage, struct er_ending *ret)
{
    *ret = (struct er_ending){
        .max_rss_kib = usage->ru_maxrss,
        .cpu_ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
                  (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000,
    };
    if (WIFSIGNALED(status)) {
        ret->cause = ERRAND_CAUSE_SIGNAL;
        ret->signal = WTERMSIG(status);
    } else {
        ret->cause = ERRAND_CAUSE_EXIT;
        ret->exit_code = WEXITSTATUS(status);
    }
}

int64_t er_oom_kills(void)
{
    char line[128];
    long long n = 0;
    FILE *f = fopen("/proc/vmstat", "re");

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "oom_kill %lld", &n) == 1)
            break;
    if (f)
        fclose(f);
    return n;
}

void er_ending_look_for_oom(struct er_supervisor *s, struct er_ending *ending)
{
    int64_t kills;

    if (ending->cause != ERRAND_CAUSE_SIGNAL || ending->signal != SIGKILL)
        return;
    kills = er_oom_kills();
    if (kills > s->oom_kills)
        ending->cause = ERRAND_CAUSE_MEMORY;
    s->oom_kills = kills;
}

const char *er_ending_text(const struct er_ending *ending, struct errand_arena *arena)
{
    const char *name;

    switch (ending->cause) {
    case ERRAND_CAUSE_EXIT:
        if (!ending->exit_code)
            return "exited without an answer";
        return er_arena_printf(arena, "exited with code %d", ending->exit_code);
    case ERRAND_CAUSE_SIGNAL:
        if (ending->signal == SIGKILL)
            return "killed by signal 9 (SIGKILL), perhaps out of memory";
        name = sigabbrev_np(ending->signal);
        return er_arena_printf(arena, "killed by signal %d (SIG%s)", ending->signal,
                               name ? name : "?");
    case ERRAND_CAUSE_MEMORY:
        return "killed by signal 9 (SIGKILL): out of memory";
    case ERRAND_CAUSE_PROTOCOL:
        return "the runner broke the protocol";
    case ERRAND_CAUSE_NONE:
    case ERRAND_CAUSE_ERROR:
    case ERRAND_CAUSE_TIMEOUT:
    case ERRAND_CAUSE_CANCEL:
    case ERRAND_CAUSE_LEASE:
    case ERRAND_CAUSE_START:
        break;
    }
    return "failed";
}

void er_attempt_progress(struct er_supervisor *s, struct er_attempt *a, int32_t percent,
                         struct errand_slice note)
{
    size_t len = er_utf8_cut(note.ptr, note.len, sizeof a->note - 1);

    a->percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    if (len)
        memcpy(a->note, note.ptr, len);
    a->note[len] = '\0';
    a->has_progress_news = true;
    s->leases.has_progress = true;
}
