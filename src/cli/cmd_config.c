/* cmd_config.c: errand config:check: every setting, its value, and who said it. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/table.h"
#include "client/keys.h"
#include "client/notify.h"

static const struct er_column columns[] = {
    {.title = "SETTING"}, {.title = "VALUE", .max = 60}, {.title = "FROM"}};

static void line_print(struct er_line *line, struct er_print *out,
                       const struct er_config_setting *s)
{
    er_line_begin(line);
    er_line_str(line, "key", s->path);
    er_line_str(line, "value", s->text);
    er_line_str(line, "origin", s->origin);
    er_line_end(line, out);
}

static void row(struct er_table *table, const struct er_config_setting *s)
{
    bool is_default = strcmp(s->origin, "default") == 0;

    er_table_str(table, is_default ? ER_DIM : ER_BOLD, s->path);
    er_table_str(table, is_default ? ER_DIM : ER_PLAIN, s->text);
    er_table_str(table, is_default ? ER_DIM : ER_CYAN, s->origin);
}

static int print_all(struct er_cli *cli, const struct er_config_setting *list, size_t n,
                     struct errand_error *err)
{
    struct er_table *table = er_table_new(&cli->out, columns, 3);
    struct er_line line;

    if (!table)
        return er_error_nomem(err);
    er_line_init(&line);
    if (!cli->out.is_json) {
        er_printf(&cli->out, "project  ");
        er_print_safe(&cli->out, cli->config->project);
        er_printf(&cli->out, "\nfile     ");
        er_print_safe(&cli->out, cli->config->file ? cli->config->file : "none");
        er_printf(&cli->out, "\n\n");
    }
    for (size_t i = 0; i < n; i++) {
        if (cli->out.is_json)
            line_print(&line, &cli->out, &list[i]);
        else
            row(table, &list[i]);
    }
    er_table_flush(table);
    er_table_free(table);
    er_line_done(&line);
    return 0;
}

/* A setting may be right, and what it names wrong. */
static int keys_check(struct er_cli *cli)
{
    struct er_key_ring *ring = NULL;
    struct errand_error err = {0};

    if (!cli->config->client.keys ||
        er_key_ring_load(cli->config->client.keys, &ring, &err) == 0) {
        er_key_ring_free(ring);
        return ER_EXIT_DONE;
    }
    er_cli_complain(cli, err.message);
    return ER_EXIT_FAILED;
}

/* What is left out is no error, but nobody should find out by silence. */
static void lack_note(struct er_cli *cli)
{
    const char *lack = NULL;

    if (er_notify_ready(&cli->config->notify, cli->arena, &lack) >= 0 && lack)
        er_cli_note(cli, "notifications: %s", lack);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_config_setting *list = NULL;
    size_t n = 0;
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0) {
        /* The check was called as it should be; it found something. */
        er_cli_complain(cli, err->message);
        return rc == ERRAND_EINVAL ? ER_EXIT_FAILED : er_cli_exit(rc);
    }
    if ((rc = er_config_list(cli->config, cli->arena, &list, &n, err)) < 0)
        return rc;
    if ((rc = print_all(cli, list, n, err)) < 0)
        return rc;
    lack_note(cli);
    return keys_check(cli);
}

const struct er_command er_cmd_config_check = {
    .name = "config:check",
    .group = "Look after it",
    .args = "",
    .help = "shows every setting, its value and where it comes from",
    .about =
        "What errand.yml has wrong is named with file, line and column (exit 1). With "
        "--json each line is key value origin.",
    .example = "errand config:check",
    .exec = exec,
};
