/* cmd_migrate.c: errand migrate: brings the store to the schema of this errand. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"

static const struct er_flag flags[] = {
    {"check", NULL, "change nothing; exit 1 when there is something to do",
     ER_FLAG_SWITCH},
    {"force", NULL, "add errand's tables to a database of another program",
     ER_FLAG_SWITCH},
    {0},
};

static void say(struct er_cli *cli, const char *shown, bool is_check,
                const struct errand_migrate_result *r)
{
    bool is_current = r->schema_found == r->schema_wanted;
    struct er_line line;

    if (cli->out.is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_line_str(&line, "url", shown);
        er_line_int(&line, "schema_found", r->schema_found);
        er_line_int(&line, "schema_wanted", r->schema_wanted);
        er_line_bool(&line, "changed", !is_current && !is_check);
        er_line_end(&line, &cli->out);
        er_line_done(&line);
        return;
    }
    er_print_safe(&cli->out, shown);
    if (is_current)
        er_printf(&cli->out, ": schema %d is current\n", r->schema_found);
    else if (is_check)
        er_printf(&cli->out, ": schema %d, this errand wants %d: %s\n", r->schema_found,
                  r->schema_wanted,
                  r->schema_found > r->schema_wanted ? "upgrade errand on this machine"
                                                     : "run errand migrate");
    else
        er_printf(&cli->out, ": schema %d is now %d\n", r->schema_found,
                  r->schema_wanted);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_store_options options = {0};
    struct errand_migrate_result result = {0};
    bool is_check = er_cli_has(cli, "check");
    const char *shown;
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    options.open.durable = cli->config->client.durable;
    options.open.busy_ms = cli->config->client.busy_ms;
    options.open.force = cli->config->client.force || er_cli_has(cli, "force");
    options.open.create = !is_check;
    if ((rc = er_store_migrate(cli->config->url, &options, !is_check, &result, err)) < 0)
        return rc;
    if (!(shown = er_url_shown(cli->config->url, cli->arena)))
        return er_error_nomem(err);
    say(cli, shown, is_check, &result);
    return is_check && result.schema_found != result.schema_wanted ? ER_EXIT_FAILED
                                                                   : ER_EXIT_DONE;
}

const struct er_command er_cmd_migrate = {
    .name = "migrate",
    .group = "Look after it",
    .args = "",
    .flags = flags,
    .help = "makes the store, or brings it to the schema of this errand",
    .about =
        "Several at once agree; a store of a newer errand is refused and left alone.",
    .example = "errand migrate --check",
    .exec = exec,
};
