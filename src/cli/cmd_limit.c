/* cmd_limit.c: errand queue:limit: limits that are set, and setting them. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "core/name.h"
#include "core/options.h"
#include "errand/limit.h"

static const struct er_flag flags[] = {
    {"rate", "N/T", "set: so many starts in any window of T, as in 100/60s",
     ER_FLAG_TEXT},
    {"concurrency", "N", "set: so many at a time", ER_FLAG_COUNT, .min = 1,
     .max = 1000000},
    {"queue", "Q", "set: for all jobs of this queue", ER_FLAG_TEXT},
    {"job", "NAME", "set: for all jobs of this name, on every queue", ER_FLAG_TEXT},
    {"key", "TEMPLATE",
     "set: for jobs that bring a limit of this name, each key by itself", ER_FLAG_TEXT},
    {0},
};

static const struct er_column columns[] = {
    {.title = "LIMIT", .max = 40},
    {.title = "OF", .max = 48},
    {.title = "ALLOWS"},
    {.title = "USED", .is_right = true},
    {.title = "WAITING", .is_right = true},
};

static const char *const scope_names[] = {"queue", "job", "key"};

/* ---------------------------------------------------------------- list */

static void row_print(struct er_table *table, const void *item)
{
    const struct errand_limit_info *info = item;
    const struct errand_limit *l = &info->limit;
    char text[256];

    er_table_str(table, ER_BOLD, l->name);
    snprintf(text, sizeof text, "%s %s", scope_names[l->scope], l->target);
    er_table_str(table, ER_PLAIN, text);
    if (l->kind == ERRAND_LIMIT_RATE)
        snprintf(text, sizeof text, "%lld in %g s", (long long)l->n,
                 (double)l->per_ms / 1000);
    else
        snprintf(text, sizeof text, "%lld at a time", (long long)l->n);
    er_table_str(table, ER_PLAIN, text);
    er_table_int(table, info->used >= l->n ? ER_YELLOW : ER_PLAIN, info->used);
    er_table_int(table, info->waiting ? ER_YELLOW : ER_DIM, info->waiting);
}

static void line_fill(struct er_line *line, const void *item)
{
    const struct errand_limit_info *info = item;
    const struct errand_limit *l = &info->limit;
    bool is_rate = l->kind == ERRAND_LIMIT_RATE;

    er_line_str(line, "name", l->name);
    er_line_str(line, "kind", is_rate ? "rate" : "concurrency");
    if (is_rate) {
        er_line_int(line, "rate", l->n);
        er_line_int(line, "per_ms", l->per_ms);
        er_line_null(line, "concurrency");
    } else {
        er_line_null(line, "rate");
        er_line_null(line, "per_ms");
        er_line_int(line, "concurrency", l->n);
    }
    er_line_str(line, "scope", scope_names[l->scope]);
    er_line_str(line, "target", l->target);
    er_line_int(line, "used", info->used);
    er_line_int(line, "waiting", info->waiting);
}

static const struct er_rows rows = {
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .item_size = sizeof(struct errand_limit_info),
    .row = row_print,
    .line = line_fill,
    .none = "no limits are set; what job classes bring along is not listed",
};

static int list(struct er_cli *cli, struct errand_error *err)
{
    struct errand_limit_list *found = NULL;
    int rc;

    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f))
        if (er_cli_has(cli, f->name))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "--%s belongs to 'queue:limit set NAME'", f->name);
    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0 ||
        (rc = errand_limit_list(cli->errand, &found, err)) < 0)
        return rc;
    rc = er_rows_print(cli, &rows, found->limits, found->limits_n, err);
    errand_limit_list_free(found);
    return rc;
}

/* ---------------------------------------------------------------- set, remove */

static int numbers_read(struct er_cli *cli, struct errand_limit *ret,
                        struct errand_error *err)
{
    const char *text = er_cli_text(cli, "rate");
    struct er_rate rate;

    if ((text != NULL) == er_cli_has(cli, "concurrency"))
        return errand_error_set(err, ERRAND_EINVAL, "limit '%s': %s", ret->name,
                                text ? "--rate and --concurrency are both given; say one"
                                     : "how much? --rate=100/60s or --concurrency=3");
    if (!text) {
        ret->kind = ERRAND_LIMIT_CONCURRENCY;
        ret->n = er_cli_number(cli, "concurrency", 0);
        return 0;
    }
    if (er_rate_parse(text, &rate) < 0 || rate.n < 1 || rate.per_ms < 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "--rate '%s' is not a rate such as 100/60s or 5/1h",
                                text);
    ret->kind = ERRAND_LIMIT_RATE;
    ret->n = rate.n;
    ret->per_ms = rate.per_ms;
    return 0;
}

static int scope_read(struct er_cli *cli, struct errand_limit *ret,
                      struct errand_error *err)
{
    int given = 0;

    for (int i = 0; i < 3; i++) {
        if (!er_cli_has(cli, scope_names[i]))
            continue;
        given++;
        ret->scope = (enum errand_limit_scope)i;
        ret->target = er_cli_text(cli, scope_names[i]);
    }
    if (given == 1)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "limit '%s': of what? one of --queue=Q, --job=NAME and "
                            "--key=TEMPLATE",
                            ret->name);
}

static void say(struct er_cli *cli, const char *name, const char *what)
{
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "limit '%s' is %s\n", name, what);
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "limit", name);
    er_line_bool(&line, what, true);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

static int set(struct er_cli *cli, const char *name, struct errand_error *err)
{
    struct errand_limit limit = {.name = name};
    int rc;

    if ((rc = numbers_read(cli, &limit, err)) < 0 ||
        (rc = scope_read(cli, &limit, err)) < 0 ||
        (rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0 ||
        (rc = errand_limit_set(cli->errand, &limit, err)) < 0)
        return rc;
    say(cli, name, "set");
    return ER_EXIT_DONE;
}

static int remove_one(struct er_cli *cli, const char *name, struct errand_error *err)
{
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0 ||
        (rc = errand_limit_remove(cli->errand, name, err)) < 0)
        return rc;
    say(cli, name, "removed");
    return ER_EXIT_DONE;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    const char *what = cli->args_n ? cli->args[0] : NULL;

    if (!what)
        return list(cli, err);
    if (strcmp(what, "set") != 0 && strcmp(what, "remove") != 0)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "queue:limit knows 'set NAME' and 'remove NAME', not '%s'", what);
    if (cli->args_n < 2)
        return errand_error_set(err, ERRAND_EINVAL, "queue:limit %s which? give a name",
                                what);
    return strcmp(what, "set") == 0 ? set(cli, cli->args[1], err)
                                    : remove_one(cli, cli->args[1], err);
}

const struct er_command er_cmd_limit = {
    .name = "queue:limit",
    .group = "Operate",
    .args = "[set NAME or remove NAME]",
    .args_max = 2,
    .flags = flags,
    .help = "lists, sets and removes limits of queues, jobs and keys",
    .about =
        "Workers keep to a limit from the next job on; what waits at it uses no attempt. "
        "With --json each line is a limit: name kind rate per_ms concurrency scope "
        "target "
        "used waiting; used is that of the fullest key. With --key the jobs are those "
        "that "
        "bring a limit of this name, and the numbers stand in place of theirs: a class "
        "SendMail that names none brings rate:sendmail and concurrency:sendmail.",
    .example = "errand queue:limit\n"
               "errand queue:limit set narrow --concurrency=3 --queue=reports\n"
               "errand queue:limit set mails --rate=100/60s --job=send-email\n"
               "errand queue:limit remove narrow",
    .exec = exec,
};
