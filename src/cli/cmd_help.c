/* cmd_help.c: errand help [COMMAND]. */
#include "base/error.h"
#include "cli/commands.h"

static const struct er_flag flags[] = {
    {"markdown", NULL, "all commands as one page, docs/commands.md", ER_FLAG_SWITCH},
    {0},
};

static int exec(struct er_cli *cli, struct errand_error *err)
{
    const struct er_command *command;

    if (er_cli_has(cli, "markdown")) {
        er_help_markdown(&cli->out);
        return ER_EXIT_DONE;
    }
    if (cli->args_n == 0) {
        er_help_overview(&cli->out);
        return ER_EXIT_DONE;
    }
    if (!(command = er_command_find(cli->args[0])))
        return er_command_unknown(cli->args[0], err);
    er_help_command(&cli->out, command);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_help = {
    .name = "help",
    .group = "Look after it",
    .args = "[COMMAND]",
    .args_max = 1,
    .flags = flags,
    .help = "lists the commands, or explains one",
    .example = "errand help queue:dispatch",
    .exec = exec,
};
