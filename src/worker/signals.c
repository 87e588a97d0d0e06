/* signals.c: TERM and INT stop, a second one at once; HUP reloads; TSTP quiets, CONT goes
 * on; USR1, USR2 and PIPE are heard and mean nothing, since their own meaning would be
 * our end. Delivered by the loop, so whatever a signal interrupts is none of our code. */
#include "worker/signals.h"

#include <signal.h>

#include "base/error.h"
#include "worker/supervisor.h"

static void on_signal(uv_signal_t *handle, int signal)
{
    struct er_supervisor *s = handle->data;

    switch (signal) {
    case SIGTERM:
    case SIGINT:
        if (s->mode == ER_WORKING)
            er_supervisor_stop(s, signal == SIGTERM ? "SIGTERM" : "SIGINT");
        else
            er_supervisor_stop_now(s);
        break;
    case SIGHUP:
        er_supervisor_reload(s, "SIGHUP; what else errand.yml says is read when a "
                                "worker starts");
        break;
    case SIGTSTP:
        s->is_quiet = true;
        er_report_note(s, "quiet: reserving nothing until SIGCONT");
        break;
    case SIGCONT:
        if (s->is_quiet)
            er_report_note(s, "working again");
        s->is_quiet = false;
        er_settle_look(s);
        break;
    default:
        break;
    }
}

int er_signals_start(struct er_supervisor *s, struct errand_error *err)
{
    static const int numbers[ER_SIGNALS_N] = {SIGTERM, SIGINT,  SIGHUP,  SIGTSTP,
                                              SIGCONT, SIGUSR1, SIGUSR2, SIGPIPE};
    struct er_signals *signals = &s->signals;
    int rc;

    for (int i = 0; i < ER_SIGNALS_N; i++) {
        uv_signal_t *handle = &signals->handles[i];
        handle->data = s;
        if ((rc = uv_signal_init(&s->loop, handle)) < 0)
            return errand_error_set(err, ERRAND_EIO, "watching signals: %s",
                                    uv_strerror(rc));
        signals->handles_n++;
        if ((rc = uv_signal_start(handle, on_signal, numbers[i])) < 0)
            return errand_error_set(err, ERRAND_EIO, "watching signal %d: %s", numbers[i],
                                    uv_strerror(rc));
    }
    return 0;
}

void er_signals_stop(struct er_supervisor *s)
{
    for (int i = 0; i < s->signals.handles_n; i++)
        uv_close((uv_handle_t *)&s->signals.handles[i], NULL);
    s->signals.handles_n = 0;
}
