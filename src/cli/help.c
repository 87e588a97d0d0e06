/* help.c: the overview, the page of a command, and docs/commands.md, all from the tables.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { INDENT = 2, LABEL_MAX = 30 };

static void section(struct er_out *out, const char *title)
{
    er_out_add(out, "\n", 1);
    er_out_text(out, ER_BOLD, title);
    er_out_add(out, "\n", 1);
}

static void label_of(const struct er_flag *flag, char *buf, size_t size)
{
    if (flag->value)
        snprintf(buf, size, "--%s=%s", flag->name, flag->value);
    else
        snprintf(buf, size, "--%s", flag->name);
}

static void row(struct er_out *out, const char *label, int width, const char *help)
{
    if ((int)strlen(label) > width)
        er_out_printf(out, "%*s%s\n%*s%s\n", INDENT, "", label, INDENT + width + 2, "",
                      help);
    else
        er_out_printf(out, "%*s%-*s  %s\n", INDENT, "", width, label, help);
}

static void flags_print(struct er_out *out, const char *title,
                        const struct er_flag *flags)
{
    char label[64];
    int width = 0;

    if (!er_flag_first(flags))
        return;
    section(out, title);
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        if ((int)strlen(label) > width && strlen(label) <= LABEL_MAX)
            width = (int)strlen(label);
    }
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        row(out, label, width, f->help);
    }
}

void er_help_overview(struct er_out *out)
{
    const char *group = "";

    er_out_text(out, ER_BOLD, "errand");
    er_out_printf(out,
                  " %s: background jobs for programs in any language\n\n"
                  "errand COMMAND [options]\n",
                  ERRAND_VERSION);
    for (size_t i = 0; i < er_commands_n; i++) {
        const struct er_command *c = er_commands[i];

        if (strcmp(group, c->group) != 0)
            section(out, c->group);
        group = c->group;
        row(out, c->name, 16, c->help);
    }
    flags_print(out, "Options of every command", er_global_flags);
    er_out_printf(out, "\nerrand COMMAND --help explains one command with an example.\n");
}

static void example_print(struct er_out *out, const char *example)
{
    while (*example) {
        size_t len = strcspn(example, "\n");

        er_out_printf(out, "  $ %.*s\n", (int)len, example);
        example += len + (example[len] == '\n');
    }
}

void er_help_command(struct er_out *out, const struct er_command *command)
{
    bool has_flags = er_flag_first(command->flags) != NULL;

    er_out_text(out, ER_BOLD, "errand ");
    er_out_text(out, ER_BOLD, command->name);
    er_out_printf(out, "%s%s%s%s\n\n%s\n", has_flags ? " [options]" : "",
                  *command->args ? " " : "", command->stops_at_args ? "-- " : "",
                  command->args, command->help);
    if (command->about)
        er_out_printf(out, "\n%s\n", command->about);
    flags_print(out, "Options", command->flags);
    flags_print(out, "Options of every command", er_global_flags);
    section(out, strchr(command->example, '\n') ? "Examples" : "Example");
    example_print(out, command->example);
}

/* ---------------------------------------------------------------- docs/commands.md */

static void markdown_flags(struct er_out *out, const struct er_flag *flags)
{
    char label[64];

    if (!er_flag_first(flags))
        return;
    er_out_printf(out, "| option | |\n| --- | --- |\n");
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        er_out_printf(out, "| `%s` | %s |\n", label, f->help);
    }
    er_out_printf(out, "\n");
}

static void markdown_command(struct er_out *out, const struct er_command *c)
{
    er_out_printf(out, "### %s\n\n`errand %s%s%s%s%s`\n\n%s\n\n", c->name, c->name,
                  er_flag_first(c->flags) ? " [options]" : "", *c->args ? " " : "",
                  c->stops_at_args ? "-- " : "", c->args, c->help);
    if (c->about)
        er_out_printf(out, "%s\n\n", c->about);
    markdown_flags(out, c->flags);
    er_out_printf(out, "```\n");
    example_print(out, c->example);
    er_out_printf(out, "```\n\n");
}

void er_help_markdown(struct er_out *out)
{
    const char *group = "";

    er_out_printf(
        out, "# Commands\n\n"
             "Made by `errand help --markdown` from the tables in `src/cli/`; a test "
             "compares the two.\n\n"
             "Data goes to standard output, with `--json` one JSON object a line, "
             "the rest to standard error.\n"
             "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 75 store "
             "unavailable or full, try again.\n\n"
             "Every command takes:\n\n");
    markdown_flags(out, er_global_flags);
    for (size_t i = 0; i < er_commands_n; i++) {
        if (strcmp(group, er_commands[i]->group) != 0)
            er_out_printf(out, "## %s\n\n", er_commands[i]->group);
        group = er_commands[i]->group;
        markdown_command(out, er_commands[i]);
    }
}
