/* dispatch.c: one job into the store, and waiting for it. */
#include "cli/dispatch.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "cli/job_view.h"
#include "cli/project.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/json.h"
#include "core/name.h"
#include "core/options.h"

const char *const er_backoff_words[] = {"fixed", "linear", "exponential", NULL};

const struct er_flag er_dispatch_flags[] = {
    {"queue", "Q", "the queue; default: what the job says", ER_FLAG_TEXT},
    {"delay", "T", "not before: 60, 10m, or an instant such as 2026-12-24T18:00:00Z",
     ER_FLAG_WHEN},
    {"tries", "N", "attempts it may take", ER_FLAG_COUNT, 1, 1000},
    {"backoff", "S,…", "wait before a retry: 60, or one for each: 60,300,900",
     ER_FLAG_TEXT},
    {"backoff-strategy", "NAME", "fixed, linear or exponential", ER_FLAG_TEXT, 0, 0,
     er_backoff_words},
    {"retry-until", "T", "not tried again after: 1h, or an instant", ER_FLAG_WHEN},
    {"timeout", "T", "what an attempt may take: 90, 10m", ER_FLAG_DURATION},
    {"priority", "N", "smaller goes first; default 0", ER_FLAG_COUNT, -1000000, 1000000},
    {"unique", "KEY", "nothing is stored while another job holds this key", ER_FLAG_TEXT},
    {"unique-for", "T", "hold the key this long; default: until the job has ended",
     ER_FLAG_DURATION},
    {"id", "ID", "its id; dispatching it again stores nothing", ER_FLAG_TEXT},
    {"tag", "T,…", "tags to find it by", ER_FLAG_LIST},
    {"wait", NULL, "wait for its end and print its result; exit 1 when it failed",
     ER_FLAG_SWITCH},
    {0},
};

static int backoff_read(struct er_cli *cli, struct errand_options *ret,
                        struct errand_error *err)
{
    static const char *const parts[] = {"backoff", "backoff-strategy"};
    struct er_options options = {0};
    int rc;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *text = er_cli_text(cli, parts[i]);

        if (text && (rc = er_options_set(&options, parts[i], text, cli->arena, err)) < 0)
            return er_error_wrap(err, rc, "--%s", parts[i]);
    }
    ret->backoff = options.backoff;
    return 0;
}

int er_job_options(struct er_cli *cli, struct errand_options *ret,
                   struct errand_error *err)
{
    ret->queue = er_cli_text(cli, "queue");
    ret->tries = (int)er_cli_number(cli, "tries", 0);
    ret->timeout = (double)er_cli_number(cli, "timeout", 0) / 1000;
    ret->priority = (int)er_cli_number(cli, "priority", 0);
    ret->unique = er_cli_text(cli, "unique");
    ret->unique_for = (double)er_cli_number(cli, "unique-for", 0) / 1000;
    ret->tags = er_cli_flag(cli, "tag")->items;
    if (!ret->unique && er_cli_has(cli, "unique-for"))
        return errand_error_set(err, ERRAND_EINVAL,
                                "--unique-for wants --unique beside it");
    if (er_cli_has(cli, "timeout") && ret->timeout <= 0)
        return errand_error_set(err, ERRAND_EINVAL, "--timeout must be more than 0");
    return backoff_read(cli, ret, err);
}

int er_dispatch_options(struct er_cli *cli, struct errand_options *ret,
                        struct errand_error *err)
{
    const struct er_flag_value *delay = er_cli_flag(cli, "delay");
    const struct er_flag_value *until = er_cli_flag(cli, "retry-until");
    const char *id = er_cli_text(cli, "id");
    int rc;

    *(delay->is_instant ? &ret->run_at_ms : &ret->delay_ms) = delay->number;
    if (er_cli_has(cli, "retry-until"))
        ret->retry_until_ms =
            until->number + (until->is_instant ? 0 : er_store_wall_ms(cli->store));
    if (id && (rc = er_id_parse(id, &ret->id, err)) < 0)
        return rc;
    return er_job_options(cli, ret, err);
}

void er_dispatch_say(struct er_cli *cli, const struct errand_id *id, int pushed)
{
    static const char *const names[] = {[ERRAND_INSERTED] = "inserted",
                                        [ERRAND_DUPLICATE] = "duplicate",
                                        [ERRAND_REPLACED] = "replaced",
                                        [ERRAND_EXTENDED] = "extended"};
    struct er_line line;

    if (cli->out.is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_line_str(&line, "id", id->text);
        er_line_str(&line, "pushed", names[pushed]);
        er_line_end(&line, &cli->out);
        er_line_done(&line);
        return;
    }
    er_printf(&cli->out, "%s\n", id->text);
    if (pushed == ERRAND_DUPLICATE)
        er_cli_note(cli, "nothing was stored: this job holds the id or the key already");
}

static bool is_anybody_alive(struct er_cli *cli)
{
    struct errand_workers_result workers = {0};

    if (er_store_workers(cli->store, 0, cli->arena, &workers, NULL) < 0)
        return true; /* not known: no reason to say so */
    for (size_t i = 0; i < workers.workers_n; i++)
        if (workers.workers[i].is_alive)
            return true;
    return false;
}

int er_dispatch_may_wait(struct er_cli *cli, struct errand_error *err)
{
    er_print_flush(&cli->out);
    if (!er_store_can(cli->store, ERRAND_CAP_SHARED))
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "%s ends with this command: no worker can see the job",
                                er_store_url(cli->store));
    if (!is_anybody_alive(cli))
        er_cli_note(cli, "no worker is alive; start one with errand queue:work");
    return 0;
}

static int say_end(struct er_cli *cli, const struct errand_job_info *job)
{
    struct er_line line;

    er_line_init(&line);
    if (cli->out.is_json) {
        er_line_begin(&line);
        er_job_fields(&line, job);
        er_line_raw(&line, "result", job->result);
        er_line_end(&line, &cli->out);
    } else if (job->result.len) {
        er_line_raw(&line, NULL, job->result);
        er_printf(&cli->out, "%s\n", line.buf.ptr);
    }
    er_line_done(&line);
    if (job->state == ERRAND_COMPLETED)
        return ER_EXIT_DONE;
    if (job->state == ERRAND_FAILED && job->error.len)
        er_cli_note(cli, "job %s failed: %.*s", job->id.text, (int)job->error.len,
                    job->error.ptr);
    else
        er_cli_note(cli, "job %s is %s", job->id.text, errand_state_name(job->state));
    return ER_EXIT_FAILED;
}

static int wait_for(struct er_cli *cli, const struct errand_id *id,
                    struct errand_error *err)
{
    struct errand_job_detail *detail = NULL;
    int rc;

    if ((rc = er_dispatch_may_wait(cli, err)) < 0 ||
        (rc = errand_wait(cli->errand, id, -1, err)) < 0)
        return rc;
    if ((rc = errand_get(cli->errand, id, &detail, err)) < 0)
        return er_error_wrap(err, rc, "the job ended, but");
    rc = say_end(cli, &detail->job);
    errand_detail_free(detail);
    return rc;
}

int er_dispatch_check(struct er_cli *cli, const char *name, const char *data,
                      struct errand_error *err)
{
    const struct errand_config *config = &cli->config->client;
    const struct er_json_limits limits = {.max_bytes = config->max_data,
                                          .max_depth = config->max_depth};
    char *what = er_arena_printf(cli->arena, "data of '%s'", name);
    int rc;

    if (!what)
        return er_error_nomem(err);
    if ((rc = er_name_check("job name", name, err)) < 0 || !data)
        return rc;
    return er_json_check(what, (struct errand_slice){data, strlen(data)}, &limits, err);
}

int er_dispatch_one(struct er_cli *cli, const char *name, const char *data,
                    const struct errand_options *options, struct errand_error *err)
{
    bool is_json_wait = cli->out.is_json && er_cli_has(cli, "wait");
    struct errand_id id;
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0 ||
        (rc = er_dispatch_check(cli, name, data, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0)
        return rc;
    if (!options->command && (rc = er_project_know(cli, name, err)) < 0)
        return rc;
    if ((rc = errand_dispatch(cli->errand, name, data, options, &id, err)) < 0)
        return rc;
    er_cli_notes_say(cli);
    if (!is_json_wait) /* one job, one line: with its end */
        er_dispatch_say(cli, &id, rc);
    return er_cli_has(cli, "wait") ? wait_for(cli, &id, err) : ER_EXIT_DONE;
}
