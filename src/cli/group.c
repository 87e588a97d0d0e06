/* group.c: from a file of jobs to a chain, a batch or a flow, and waiting for its end. */
#include "cli/group.h"
#include "client/seal.h"

#include <string.h>

#include "base/error.h"
#include "cli/dispatch.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/read.h"
#include "core/id.h"
#include "core/json.h"

enum { FILE_MIB = 256, KNOWN_MAX = 64 };

const struct er_flag er_group_flags[] = {
    {"name", "NAME", "a name for the whole, to find it by", ER_FLAG_TEXT},
    {"id", "ID", "its id, at most 50 bytes; storing it again stores nothing",
     ER_FLAG_TEXT},
    {"on-success", "JOB", "this job runs when all are completed", ER_FLAG_TEXT},
    {"on-failure", "JOB", "this job runs when one has failed or was cancelled",
     ER_FLAG_TEXT},
    {"finally", "JOB", "this job runs when it has ended, in whatever way", ER_FLAG_TEXT},
    {"wait", NULL,
     "wait for its end and print what became of it; exit 1 when not all "
     "are completed",
     ER_FLAG_SWITCH},
    {0},
};

/* ---------------------------------------------------------------- reading */

/* A name, or an object where data or options are to be said. */
static int callback_read(struct er_cli *cli, const char *flag,
                         const struct errand_dispatch_item **ret,
                         struct errand_error *err)
{
    const char *text = er_cli_text(cli, flag);
    struct er_item *item;
    int rc;

    if (!text)
        return 0;
    if (!(item = errand_arena_alloc(cli->arena, sizeof *item)))
        return er_error_nomem(err);
    *ret = &item->item;
    if (*text != '{') {
        item->item.name = text;
        return 0;
    }
    if ((rc = er_json_check("it", errand_text(text), NULL, err)) < 0 ||
        (rc = er_item_read(errand_text(text), ER_ITEM_JOB, cli->arena, item, err)) < 0)
        return er_error_wrap(err, rc, "--%s", flag);
    return 0;
}

static int options_read(struct er_cli *cli, struct errand_batch_options *ret,
                        struct errand_error *err)
{
    const char *id = er_cli_text(cli, "id");
    int rc;

    ret->name = er_cli_text(cli, "name");
    if (id && (rc = er_id_parse(id, &ret->id, err)) < 0)
        return rc;
    if ((rc = callback_read(cli, "on-success", &ret->on_success, err)) < 0 ||
        (rc = callback_read(cli, "on-failure", &ret->on_failure, err)) < 0)
        return rc;
    return callback_read(cli, "finally", &ret->finally, err);
}

/* Each name once, as far as that is cheap: a batch has many jobs and few names. */
static int names_know(struct er_cli *cli, const struct er_item *items, size_t n,
                      struct errand_error *err)
{
    const char *known[KNOWN_MAX];
    size_t known_n = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n && known_n < KNOWN_MAX; i++) {
        size_t k = 0;
        while (k < known_n && strcmp(known[k], items[i].item.name) != 0)
            k++;
        if (k < known_n || items[i].options.command)
            continue;
        known[known_n++] = items[i].item.name;
        rc = er_project_know(cli, items[i].item.name, err);
    }
    return rc;
}

static int callbacks_know(struct er_cli *cli, const struct errand_batch_options *o,
                          struct errand_error *err)
{
    const struct {
        const char *option;
        const struct errand_dispatch_item *item;
    } callbacks[] = {{"--on-success", o->on_success},
                     {"--on-failure", o->on_failure},
                     {"--finally", o->finally}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof callbacks / sizeof *callbacks; i++)
        if (callbacks[i].item &&
            (rc = er_project_know_callback(cli, callbacks[i].item->name, err)) < 0)
            return er_error_wrap(err, rc, "%s", callbacks[i].option);
    return rc;
}

const struct errand_dispatch_item *er_group_items(struct er_cli *cli,
                                                  const struct er_item *items, size_t n)
{
    struct errand_dispatch_item *copies =
        errand_arena_alloc(cli->arena, (n + 1) * sizeof *copies);

    for (size_t i = 0; copies && i < n; i++)
        copies[i] = items[i].item;
    return copies;
}

/* ---------------------------------------------------------------- saying */

void er_group_fields(struct er_line *line, const struct errand_batch_result *result)
{
    er_line_str(line, "id", result->id.text);
    er_line_str(line, "name", result->name[0] ? result->name : NULL);
    er_line_str(line, "kind", result->kind);
    er_line_int(line, "total", result->total);
    er_line_int(line, "pending", result->pending);
    er_line_int(line, "successful", result->successful);
    er_line_int(line, "failed", result->failed);
    er_line_int(line, "cancelled", result->cancelled);
    er_line_time(line, "created_at", result->created_ms);
    er_line_time(line, "finished_at", result->ended_ms);
}

static void failures_fields(struct er_line *line,
                            const struct errand_batch_result *result)
{
    er_line_open(line, "failures", '[');
    for (size_t i = 0; i < result->failures_n; i++) {
        const struct errand_failure *f = &result->failures[i];
        er_line_open(line, NULL, '{');
        er_line_str(line, "id", f->id.text);
        er_line_str(line, "name", f->name);
        er_line_raw(line, "data", er_sealed_json(f->data));
        er_line_text(line, "error", f->error);
        er_line_close(line, '}');
    }
    er_line_close(line, ']');
}

void er_group_failures(struct er_cli *cli, const struct errand_batch_result *result)
{
    for (size_t i = 0; i < result->failures_n; i++) {
        const struct errand_failure *f = &result->failures[i];
        const char *error = errand_arena_copy(cli->arena, f->error.ptr, f->error.len);
        er_print_text(&cli->out, ER_RED, "failed");
        er_printf(&cli->out, " %s %s: ", f->id.text, f->name);
        er_print_safe(&cli->out, error ? error : "out of memory");
        er_printf(&cli->out, "\n");
    }
    if ((size_t)result->failed > result->failures_n)
        er_cli_note(cli, "%lld more failed",
                    (long long)result->failed - (long long)result->failures_n);
}

static void say_end(struct er_cli *cli, const struct errand_batch_result *result)
{
    struct er_line line;

    if (cli->out.is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_group_fields(&line, result);
        failures_fields(&line, result);
        er_line_end(&line, &cli->out);
        er_line_done(&line);
        return;
    }
    er_printf(&cli->out, "total %lld, successful %lld, failed %lld, cancelled %lld\n",
              (long long)result->total, (long long)result->successful,
              (long long)result->failed, (long long)result->cancelled);
    er_group_failures(cli, result);
}

/* A job that is there already keeps what it waits for: who meant it as a link of this
 * chain should hear that it is none. */
static void say_stored(struct er_cli *cli, const struct errand_id *id, int inserted_n,
                       size_t jobs_n)
{
    size_t known_n = jobs_n - (size_t)inserted_n;
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "%s\n", id->text);
        if (inserted_n == 0)
            er_cli_note(cli, "nothing was stored: these jobs were there already");
        else if (known_n)
            er_cli_note(cli,
                        "%zu of %zu jobs were there already, by their id or unique key",
                        known_n, jobs_n);
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "id", id->text);
    er_line_int(&line, "inserted", inserted_n);
    er_line_int(&line, "duplicates", (int64_t)known_n);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

/* ---------------------------------------------------------------- waiting */

static void on_progress(const struct errand_batch_result *result, void *ctx)
{
    struct er_progress *progress = ctx;

    progress->total = result->total; /* it may grow */
    er_progress_show(progress, result->total - result->pending,
                     result->total - result->pending);
}

static int wait_for(struct er_cli *cli, const struct errand_id *id,
                    struct errand_error *err)
{
    struct errand_batch_result *result;
    struct er_progress progress;
    struct errand_batch_waiter waiter = {.progress = on_progress, .ctx = &progress};
    bool is_success;
    int rc;

    if ((rc = er_dispatch_may_wait(cli, err)) < 0)
        return rc;
    er_progress_begin(&progress, 0, "jobs");
    rc = errand_batch_wait(cli->errand, id, &waiter, &result, err);
    er_progress_end(&progress);
    if (rc < 0)
        return rc;
    say_end(cli, result);
    is_success = result->successful == result->total;
    errand_batch_result_free(result);
    return is_success ? ER_EXIT_DONE : ER_EXIT_FAILED;
}

/* ---------------------------------------------------------------- the command */

/* What is wrong with the file, and not with the command line. */
static int of_file(struct er_cli *cli, int rc, const struct errand_error *err)
{
    if (rc != ERRAND_EINVAL && rc != ERRAND_EJSON && rc != ERRAND_ETOOBIG)
        return rc;
    er_cli_complain(cli, err->message);
    return ER_EXIT_FAILED;
}

int er_group_exec(struct er_cli *cli, enum er_item_form form, er_group_fn *store,
                  struct errand_error *err)
{
    const char *path = cli->args[0];
    const char *what = strcmp(path, "-") == 0 ? "standard input" : path;
    struct errand_batch_options options = {0};
    struct errand_slice text;
    struct er_item *items;
    struct errand_id id;
    size_t n;
    int rc;

    if ((rc = options_read(cli, &options, err)) < 0 || (rc = er_cli_config(cli, err)) < 0)
        return rc;
    if ((rc = er_cli_read(cli, what, path, FILE_MIB, &text, err)) < 0 ||
        (rc = er_items_read(what, text, form, cli->arena, &items, &n, err)) < 0)
        return of_file(cli, rc, err);
    if ((rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0 ||
        (rc = names_know(cli, items, n, err)) < 0 ||
        (rc = callbacks_know(cli, &options, err)) < 0)
        return rc;
    if ((rc = store(cli, items, n, &options, &id, err)) < 0)
        return of_file(cli, er_error_wrap(err, rc, "%s", what), err);
    er_cli_notes_say(cli);
    if (!cli->out.is_json || !er_cli_has(cli, "wait"))
        say_stored(cli, &id, rc, n);
    return er_cli_has(cli, "wait") ? wait_for(cli, &id, err) : ER_EXIT_DONE;
}
