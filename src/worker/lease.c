/* lease.c: what has to be done for leases, and the heartbeat.
 *
 * A supervisor that was held up itself (a suspended machine, a store that blocked) must
 * not judge others: after a gap it first learns which leases it still has, and reaps
 * nothing in that turn. */
#include "worker/lease.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "core/clock.h"
#include "core/json.h"
#include "worker/ending.h"
#include "worker/exec_job.h"
#include "worker/reload.h"
#include "worker/supervisor.h"

enum {
    REAP_MS = 2000,
    REAP_MOST = 500,
    BEAT_MS = 10000,
    PROGRESS_MS = 500,
    SWEEP_MS = 2000,
    KNOWN_MOST = 512,
    OTHER_TOLD_MS = 3600000, /* so long it is told that the store is another one */
};

void er_leases_init(struct er_supervisor *s)
{
    s->leases = (struct er_leases){.extend_at_ms = s->now_ms + s->lease_ms / 3,
                                   .reap_at_ms = s->now_ms,
                                   .beat_at_ms = s->now_ms,
                                   .sweep_at_ms = s->now_ms + SWEEP_MS};
    s->oom_kills = er_oom_kills();
}

/* ------------------------------------------------------------------ extend */

static void lot_lost(struct er_supervisor *s, struct er_lot *lot)
{
    lot->is_lost = true;
    er_report_warn(s,
                   "lost the lease on %zu %s: somebody else may run what it covers now",
                   lot->open_n, lot->open_n == 1 ? "job" : "jobs");
    er_lot_hold(&s->lots, lot); /* it must outlive the loop */
    for (size_t i = 0; i < lot->attempts_n; i++)
        er_slots_stop(s, &lot->attempts[i], ER_STOP_LOST);
    er_lot_release(&s->lots, lot);
}

static void cancels_take(struct er_supervisor *s, const struct errand_extend_result *got)
{
    for (size_t i = 0; i < got->cancelled_n; i++) {
        struct er_attempt *a =
            er_lots_find(&s->lots, got->cancelled[i].token, &got->cancelled[i].id);
        if (a)
            er_slots_stop(s, a, ER_STOP_CANCEL);
    }
}

static size_t progress_collect(struct er_supervisor *s, struct errand_progress *ret,
                               size_t most)
{
    size_t n = 0;

    for (struct er_lot *lot = s->lots.first; lot; lot = lot->next)
        for (size_t i = 0; i < lot->attempts_n && n < most; i++) {
            struct er_attempt *a = &lot->attempts[i];
            if (!a->has_progress_news)
                continue;
            a->has_progress_news = false;
            if (a->state == ER_ENDED)
                continue;
            ret[n++] = (struct errand_progress){.token = lot->token,
                                                .key = a->job->key,
                                                .id = a->job->id,
                                                .percent = a->percent,
                                                .note = {a->note, strlen(a->note)}};
        }
    return n;
}

static int extend_call(struct er_supervisor *s, struct errand_arena *arena,
                       struct errand_error *err)
{
    struct errand_extend_params params = {.lease_ms = s->lease_ms};
    struct errand_extend_result got = {0};
    struct errand_progress *progress;
    struct er_lot **lots;
    int64_t *tokens;
    size_t n = 0;
    int rc;

    for (struct er_lot *lot = s->lots.first; lot; lot = lot->next)
        n++;
    tokens = errand_arena_alloc(arena, (n + 1) * sizeof *tokens);
    lots = errand_arena_alloc(arena, (n + 1) * sizeof(struct er_lot *));
    progress = errand_arena_alloc(arena, (s->lots.open_n + 1) * sizeof *progress);
    if (!tokens || !lots || !progress)
        return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    for (struct er_lot *lot = s->lots.first; lot; lot = lot->next) {
        if (lot->is_lost || !lot->leased_n)
            continue;
        lots[params.tokens_n] = lot;
        tokens[params.tokens_n++] = lot->token;
    }
    params.tokens = tokens;
    params.progress = progress;
    if (s->leases.has_progress)
        params.progress_n = progress_collect(s, progress, s->lots.open_n);
    s->leases.has_progress = false;
    if (!params.tokens_n)
        return 0;
    if ((rc = er_store_extend(s->store, &params, arena, &got, err)) < 0)
        return rc;
    cancels_take(s, &got);
    for (size_t i = 0; i < params.tokens_n; i++)
        if (got.leases[i] == ERRAND_LOST)
            lot_lost(s, lots[i]);
    return 0;
}

/* ------------------------------------------------------------------ heartbeat */

static void text_add(struct er_buf *buf, const char *key, const char *text)
{
    er_buf_printf(buf, "\"%s\":", key);
    er_json_write_string(buf, text, strlen(text));
    er_buf_str(buf, ",");
}

static void list_end(struct er_buf *buf, const char *end)
{
    if (buf->len && buf->ptr[buf->len - 1] == ',')
        buf->len--;
    er_buf_str(buf, end);
}

static void job_add(struct er_buf *buf, const struct er_attempt *a, pid_t pid,
                    const char *kind)
{
    char since[32];

    er_buf_printf(buf, "{\"pid\":%ld,\"kind\":\"%s\"", (long)pid, kind);
    if (a) {
        er_buf_str(buf, ",\"job\":{");
        text_add(buf, "id", a->job->id.text);
        text_add(buf, "name", a->job->name);
        text_add(buf, "queue", a->job->queue);
        er_buf_printf(
            buf, "\"attempt\":%d,\"since\":\"%s\"}", (int)a->job->attempt,
            er_time_format(a->started_ms ? a->started_ms : 0, since, sizeof since));
    }
    er_buf_str(buf, "},");
}

static void runners_add(struct er_supervisor *s, struct er_buf *buf)
{
    er_buf_str(buf, "\"runners\":[");
    for (struct er_runner *r = s->slots.runners; r; r = r->next)
        if (r->state != ER_RUNNER_GONE)
            job_add(buf, er_runner_current(r), r->child.pid, "runner");
    for (struct er_exec *e = s->slots.execs; e; e = e->next)
        if (!e->is_over)
            job_add(buf, e->attempt, e->child.pid, "executable");
    list_end(buf, "],");
}

static void info_make(struct er_supervisor *s, struct er_buf *buf)
{
    char host[256] = "", started[32];

    gethostname(host, sizeof host - 1);
    er_buf_str(buf, "{");
    text_add(buf, "version", ERRAND_VERSION);
    text_add(buf, "host", host);
    er_buf_printf(buf, "\"pid\":%ld,\"concurrency\":%d,\"started\":\"%s\",",
                  (long)getpid(), s->options.concurrency,
                  er_time_format(s->started_ms, started, sizeof started));
    text_add(buf, "state",
             s->mode != ER_WORKING ? "stopping"
             : s->is_quiet         ? "quiet"
                                   : "working");
    if (s->options.project)
        text_add(buf, "project", s->options.project);
    er_buf_printf(buf, "\"pid_space\":%" PRIu64 ",", er_pid_space());
    if (s->leases.other_since_ms && s->wall_ms - s->leases.other_since_ms < OTHER_TOLD_MS)
        text_add(buf, "other_store_since",
                 er_time_format(s->leases.other_since_ms, started, sizeof started));
    if (s->slots.start_failures)
        text_add(buf, "start_error", s->slots.start_error);
    if (s->slots.key_error[0])
        text_add(buf, "key_error", s->slots.key_error);
    for (size_t i = 0; s->book && i < s->book->jobs.jobs_n; i++)
        if (s->book->jobs.jobs[i].error) { /* the first; doctor tells them all */
            text_add(buf, "job_error", s->book->jobs.jobs[i].error);
            break;
        }
    er_buf_str(buf, "\"queues\":[");
    for (const char *const *q = s->options.queues; q && *q; q++) {
        er_json_write_string(buf, *q, strlen(*q));
        er_buf_str(buf, ",");
    }
    list_end(buf, "],");
    runners_add(s, buf);
    list_end(buf, "}");
}

static void command_obey(struct er_supervisor *s, enum errand_command command)
{
    switch (command) {
    case ERRAND_COMMAND_QUIET:
        s->is_quiet = true;
        break;
    case ERRAND_COMMAND_RESUME:
        s->is_quiet = false;
        er_settle_look(s);
        break;
    case ERRAND_COMMAND_STOP:
        er_supervisor_stop(s, "a command");
        break;
    }
}

/* What this worker has told the store is not in the one that has taken its place: it
 * registers there as at its start. Attempts that run were reserved in the other, and
 * extending their leases says that those are lost. */
static void identity_look(struct er_supervisor *s, int64_t identity)
{
    struct er_leases *l = &s->leases;
    int64_t before = l->identity;

    l->identity = identity;
    if (!before || !identity || identity == before)
        return;
    l->other_since_ms = s->wall_ms;
    er_report_warn(s,
                   "the store is another one now: it was emptied or replaced, and what "
                   "it held is not here; working on with this one");
    er_reload_publish(s);
    l->extend_at_ms = l->beat_at_ms = s->now_ms;
    er_settle_look(s);
}

static int beat_call(struct er_supervisor *s, bool bye, struct errand_arena *arena,
                     struct errand_error *err)
{
    struct errand_beat_params params = {
        .worker = s->name, .ttl_ms = 3 * BEAT_MS, .bye = bye};
    struct errand_beat_result got = {0};
    struct er_buf buf;
    int rc;

    if (!bye && !s->leases.has_beaten)
        er_report_namesake(s, arena);
    if (!bye)
        er_report_surroundings(s, arena);
    er_buf_init(&buf, 1 << 20);
    info_make(s, &buf);
    if (!buf.has_failed)
        params.info = (struct errand_slice){buf.ptr, buf.len};
    rc = er_store_beat(s->store, &params, arena, &got, err);
    er_buf_done(&buf);
    if (rc < 0)
        return rc;
    s->leases.has_beaten = true;
    if (!bye)
        identity_look(s, got.identity);
    er_trail_touch(s->lots.trail);
    for (size_t i = 0; i < got.commands_n; i++)
        command_obey(s, got.commands[i]);
    return 0;
}

void er_leases_bye(struct er_supervisor *s)
{
    struct errand_arena *arena = er_arena_new();

    if (arena)
        beat_call(s, true, arena, NULL);
    er_arena_free(arena);
}

/* ------------------------------------------------------------------ the turn */

static int reap_call(struct er_supervisor *s, struct errand_arena *arena,
                     struct errand_error *err)
{
    struct errand_reap_params params = {.max = REAP_MOST,
                                        .all_hooks = s->telling.channels != 0};
    struct errand_reap_result got = {0};
    size_t unbegun_n = 0;
    int rc;

    /* First those that cost nobody an attempt: their leases may be over, too. */
    if ((rc = er_trails_follow(s->store, arena, &unbegun_n, err)) < 0)
        return rc;
    if (unbegun_n)
        er_report_warn(s, "%zu jobs that a dead worker had not begun: READY again",
                       unbegun_n);
    if ((rc = er_store_reap(s->store, &params, arena, &got, err)) < 0)
        return rc;
    if (got.ready_n || got.failed_n)
        er_report_warn(s, "leases that were over: %zu READY again, %zu FAILED",
                       got.ready_n, got.failed_n);
    if (unbegun_n || got.ready_n || got.hooks_n)
        er_settle_look(s);
    if (got.more)
        s->leases.reap_at_ms = s->now_ms;
    return 0;
}

size_t er_leases_sweep(struct er_supervisor *s)
{
    pid_t known[KNOWN_MOST];
    size_t n = 0;

    for (struct er_runner *r = s->slots.runners; r && n < KNOWN_MOST; r = r->next)
        known[n++] = r->child.pid;
    for (struct er_exec *e = s->slots.execs; e && n < KNOWN_MOST; e = e->next)
        known[n++] = e->child.pid;
    return n < KNOWN_MOST ? er_adopt_sweep(known, n) : 0;
}

static bool is_late(const struct er_supervisor *s)
{
    return s->late_ms > s->lease_ms / 3;
}

static int extend_due(struct er_supervisor *s, struct errand_arena *arena, bool late,
                      struct errand_error *err)
{
    struct er_leases *l = &s->leases;
    bool has_news = l->has_progress && s->now_ms - l->extended_ms >= PROGRESS_MS;

    if (!late && !has_news && !s->settle.is_control_due && s->now_ms < l->extend_at_ms) {
        if (l->has_progress)
            er_supervisor_wake_at(s, l->extended_ms + PROGRESS_MS);
        return 0;
    }
    l->extended_ms = s->now_ms;
    l->extend_at_ms = s->now_ms + s->lease_ms / 3;
    return s->lots.first ? extend_call(s, arena, err) : 0;
}

static int beat_due(struct er_supervisor *s, struct errand_arena *arena,
                    struct errand_error *err)
{
    if (!s->settle.is_control_due && s->now_ms < s->leases.beat_at_ms)
        return 0;
    s->settle.is_control_due = false;
    s->leases.beat_at_ms = s->now_ms + BEAT_MS;
    return beat_call(s, false, arena, err);
}

static int reap_due(struct er_supervisor *s, struct errand_arena *arena, bool late,
                    struct errand_error *err)
{
    struct er_leases *l = &s->leases;
    int64_t sweep = s->lease_ms / 5 < REAP_MS ? s->lease_ms / 5 : REAP_MS;

    if (late)
        l->reap_at_ms = s->now_ms + sweep;
    if (s->now_ms < l->reap_at_ms || s->mode != ER_WORKING)
        return 0;
    l->reap_at_ms = s->now_ms + sweep;
    return reap_call(s, arena, err);
}

void er_leases_turn(struct er_supervisor *s)
{
    struct er_leases *l = &s->leases;
    struct errand_error err = {0};
    struct errand_arena *arena = NULL;
    bool late = is_late(s);
    int rc;

    if (s->now_ms >= l->sweep_at_ms) {
        l->sweep_at_ms = s->now_ms + SWEEP_MS;
        s->oom_kills = er_oom_kills();
        if (!s->host)
            er_leases_sweep(s);
    }
    if (!er_settle_may_ask(s))
        return;
    if (!(arena = er_lots_arena(&s->lots)))
        return;
    if ((rc = extend_due(s, arena, late, &err)) == 0 &&
        (rc = beat_due(s, arena, &err)) == 0)
        rc = reap_due(s, arena, late, &err);
    er_lots_arena_back(&s->lots, arena);
    if (rc < 0)
        er_settle_store_failed(s, &err);
    if (s->lots.first)
        er_supervisor_wake_at(s, l->extend_at_ms);
    er_supervisor_wake_at(s, l->beat_at_ms);
    if (s->mode == ER_WORKING)
        er_supervisor_wake_at(s, l->reap_at_ms);
}
