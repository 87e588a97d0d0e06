/* change.c: changing jobs by id, or by filter on a snapshot. */
#include "cli/change.h"

#include <inttypes.h>

#include "base/error.h"
#include "cli/line.h"
#include "cli/when.h"
#include "client/failed.h"
#include "core/id.h"

void er_change_say(struct er_cli *cli, const char *done, int64_t n)
{
    char count[ER_WHEN_SIZE];
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "%s %s %s\n", er_count_text(n, count),
                  n == 1 ? "job" : "jobs", done);
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_int(&line, done, n);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

int er_change_all(struct er_cli *cli, const struct er_verb *verb,
                  const struct errand_filter *filter, int64_t *ret_n,
                  struct errand_error *err)
{
    int rc = er_failed_change(cli->store, verb->kind, filter, ret_n, err);

    if (rc < 0 && *ret_n > 0)
        rc = er_error_wrap(err, rc, "%" PRId64 " jobs %s, then", *ret_n, verb->done);
    return rc;
}

static void say_unchanged(struct er_cli *cli, const struct er_verb *verb,
                          const struct errand_id *id, enum errand_changed why)
{
    struct errand_batch_info batch = {0};
    char text[ERRAND_ERROR_MAX];

    switch (why) {
    case ERRAND_CHANGED:
        return;
    case ERRAND_NO_SUCH_JOB:
        if (er_store_batch_get(cli->store, id, cli->arena, &batch, NULL) == 0)
            snprintf(
                text, sizeof text,
                "'%s' is a batch, chain or flow, not a job: queue:batches %s --cancel "
                "cancels it, queue:list --batch=%s shows its jobs",
                id->text, id->text, id->text);
        else
            snprintf(text, sizeof text, "no job '%s'", id->text);
        break;
    case ERRAND_WRONG_STATE:
        snprintf(text, sizeof text, "job '%s' is left as it is: %s", id->text,
                 verb->wrong_state);
        break;
    case ERRAND_KEY_TAKEN:
        snprintf(text, sizeof text,
                 "job '%s' is left as it is: another job holds its unique key now",
                 id->text);
        break;
    }
    er_cli_complain(cli, text);
}

static int ids_read(struct er_cli *cli, struct errand_id **ret, struct errand_error *err)
{
    struct errand_id *ids =
        errand_arena_alloc(cli->arena, (size_t)cli->args_n * sizeof *ids);
    int rc;

    if (!ids)
        return er_error_nomem(err);
    for (int i = 0; i < cli->args_n; i++)
        if ((rc = er_id_parse(cli->args[i], &ids[i], err)) < 0)
            return rc;
    *ret = ids;
    return 0;
}

/* How many of those that were changed still run: they end when their worker has heard. */
static int pending_count(struct er_cli *cli, const struct errand_id *ids,
                         const struct errand_change_result *result, int64_t *ret,
                         struct errand_error *err)
{
    *ret = 0;
    for (int i = 0; i < cli->args_n; i++) {
        struct errand_job_detail detail = {0};
        int rc;
        if (result->changed[i] != ERRAND_CHANGED)
            continue;
        rc = er_store_get(cli->store, &ids[i], 0, cli->arena, &detail, err);
        if (rc < 0 && rc != ERRAND_ENOTFOUND)
            return rc;
        *ret += detail.job.state == ERRAND_RUNNING && detail.job.cancel_requested;
    }
    return 0;
}

static int say_changed(struct er_cli *cli, const struct er_verb *verb,
                       const struct errand_id *ids,
                       const struct errand_change_result *result,
                       struct errand_error *err)
{
    int64_t pending = 0, done = (int64_t)result->changed_n;
    int rc;

    if (verb->pending && (rc = pending_count(cli, ids, result, &pending, err)) < 0)
        return rc;
    if (done > pending || !pending)
        er_change_say(cli, verb->done, done - pending);
    if (pending)
        er_change_say(cli, verb->pending, pending);
    return 0;
}

int er_change_ids(struct er_cli *cli, const struct er_verb *verb,
                  struct errand_error *err)
{
    struct errand_change_params params = {.kind = verb->kind,
                                          .ids_n = (size_t)cli->args_n};
    struct errand_change_result result = {0};
    struct errand_id *ids = NULL;
    int code = ER_EXIT_DONE, rc;

    if ((rc = ids_read(cli, &ids, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0)
        return rc;
    params.ids = ids;
    if ((rc = er_store_change(cli->store, &params, cli->arena, &result, err)) < 0)
        return rc;
    if ((rc = say_changed(cli, verb, ids, &result, err)) < 0)
        return rc;
    for (int i = 0; i < cli->args_n; i++) {
        say_unchanged(cli, verb, &ids[i], result.changed[i]);
        if (result.changed[i] == ERRAND_NO_SUCH_JOB)
            code = ER_EXIT_NOT_FOUND;
        else if (result.changed[i] != ERRAND_CHANGED && code == ER_EXIT_DONE)
            code = ER_EXIT_FAILED;
    }
    return code;
}

int er_change_ask(struct er_cli *cli, const struct errand_filter *filter,
                  const char *what, struct errand_error *err)
{
    int64_t n = 0;
    int rc = er_store_count(cli->store, filter, 0, &n, err);
    char count[ER_WHEN_SIZE];

    if (rc < 0)
        return rc;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s %s %s would be removed for good; nothing was changed\n"
                            "say it again with --force to do it",
                            er_count_text(n, count), what, n == 1 ? "job" : "jobs");
}
