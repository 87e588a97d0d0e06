/* dispatch_sync.c: a job that runs at once, in this process (here.c) or in a child of it
 * (sync.c). */
#include "errand/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "client/class.h"
#include "client/client.h"
#include "client/fake.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/name.h"
#include "worker/ending.h"
#include "worker/here.h"
#include "worker/protocol.h"
#include "worker/runner.h"
#include "worker/supervisor.h"
#include "worker/sync.h"

static int result_give(struct er_buf *result, char **ret)
{
    if (ret)
        *ret = result->len ? er_buf_take(result) : NULL;
    return 0;
}

/* ------------------------------------------------------------------ in this process */

static int answer_give(struct er_here_answer *answer, char **ret_result,
                       struct errand_error *err)
{
    if (answer->is_late || answer->verdict == ERRAND_RETRY ||
        answer->verdict == ERRAND_FAIL) {
        if (err)
            *err = answer->error; /* the handler's own, untouched */
        return answer->is_late ? ERRAND_ETIMEOUT : ERRAND_EJOB;
    }
    if (answer->verdict == ERRAND_SNOOZE)
        return errand_error_set(err, ERRAND_EJOB, "it wants to run later, in %g s",
                                (double)answer->snooze_ms / 1000);
    return result_give(&answer->result, ret_result);
}

static int run_here(const struct er_here *run, char **ret_result,
                    struct errand_error *err)
{
    struct er_here_answer answer;
    int rc = er_here_run(run, &answer, err);

    if (rc == 0)
        rc = answer_give(&answer, ret_result, err);
    er_here_done(&answer);
    return rc;
}

/* ------------------------------------------------------------------ in a child */

static int ending_give(const struct er_sync *s, struct errand_error *err)
{
    struct er_ending ending;

    if (s->is_timed_out)
        return errand_error_set(err, ERRAND_ETIMEOUT, "timed out after %g s",
                                (double)s->timeout_ms / 1000);
    if (s->error.len)
        return errand_error_set(err, ERRAND_EJOB, "%s", s->error.ptr);
    if (s->has_answer && s->verdict == ERRAND_SNOOZE)
        return errand_error_set(err, ERRAND_EJOB, "it wants to run later, in %g s",
                                (double)s->snooze_ms / 1000);
    er_ending_of_status(s->status, &(struct rusage){0}, &ending);
    return errand_error_set(err, ERRAND_EJOB, "its process was %s",
                            er_ending_text(&ending, s->arena));
}

/* As in a worker: the hook runs in another child than the one that was killed. What goes
 * wrong in it changes nothing. */
static void timed_out_apart(const struct er_here *run, const struct er_sync *first)
{
    struct er_sync s = *first;

    if (!run->job_class->timed_out)
        return;
    s.kind = ER_RUN_TIMED_OUT_HOOK;
    s.is_over = s.is_timed_out = s.has_answer = false;
    er_sync_init(&s);
    if (er_sync_start(&s, NULL) == 0)
        (void)er_sync_run(&s, NULL);
    er_sync_done(&s);
}

static int run_apart(const struct er_here *run, char **ret_result,
                     struct errand_error *err)
{
    struct er_sync s = {.name = run->name,
                        .queue = run->queue,
                        .data = run->data,
                        .timeout_ms = run->timeout_ms};
    int rc = er_runner_is_stray(err);

    if (rc < 0)
        return rc;
    memcpy(s.id.text, run->id, strlen(run->id) + 1);
    if (!s.data.ptr)
        s.data = (struct errand_slice){"null", 4};
    if (!(s.arena = er_arena_new()))
        return er_error_nomem(err);
    er_sync_init(&s);
    if ((rc = er_sync_start(&s, err)) == 0)
        rc = er_sync_run(&s, err);
    if (rc == 0 && !s.is_timed_out && s.has_answer && s.verdict == ERRAND_DONE)
        rc = result_give(&s.result, ret_result);
    else if (rc == 0)
        rc = ending_give(&s, err);
    if (s.is_timed_out)
        timed_out_apart(run, &s);
    er_sync_done(&s);
    er_arena_free(s.arena);
    return rc;
}

/* ------------------------------------------------------------------ either */

static int id_make(const struct errand_options *options, struct errand_id *ret,
                   struct errand_error *err)
{
    struct er_id_source source = {0};

    if (options && options->id.text[0]) {
        *ret = options->id;
        return 0;
    }
    if (er_id_new(&source, er_clock_wall_ms(NULL), ret) == 0)
        return 0;
    return errand_error_set(err, ERRAND_EIO,
                            "the system gives no random bytes for an id");
}

/* What the levels say lives in the arena of a call on `e`, and the handler may call `e`:
 * the queue's name is copied. */
static int options_take(errand *e, struct er_here *run,
                        const struct errand_options *options, char **ret_queue,
                        struct errand_error *err)
{
    struct er_options all;
    int rc = er_client_resolve_now(e, run->job_class, run->data, options, &all, err);

    if (rc < 0)
        return rc;
    if (!(*ret_queue = strdup(all.queue)))
        return er_error_nomem(err);
    run->queue = *ret_queue;
    run->timeout_ms = all.timeout_ms;
    return 0;
}

int errand_dispatch_sync(errand *e, const char *name, const char *data,
                         const struct errand_options *options, char **ret_result,
                         struct errand_error *err)
{
    struct er_here run = {.name = name, .data = {data, data ? strlen(data) : 0}};
    struct errand_id id;
    char *queue = NULL;
    int rc;

    if ((rc = er_name_check("job name", name, err)) < 0)
        return rc;
    if ((rc = er_fake_sync(e, name, run.data, options, err)) != 0) {
        if (rc > 0 && ret_result)
            *ret_result = NULL; /* recorded, and not run */
        return rc < 0 ? rc : 0;
    }
    if (!(run.job_class = er_registry_find(name)) || !run.job_class->handle)
        return errand_error_set(err, ERRAND_ENOTFOUND, "this program has no job '%s'",
                                name);
    if ((rc = options_take(e, &run, options, &queue, err)) == 0 &&
        (rc = id_make(options, &id, err)) == 0) {
        run.id = id.text;
        rc = options && options->isolate ? run_apart(&run, ret_result, err)
                                         : run_here(&run, ret_result, err);
    }
    free(queue);
    return rc;
}
