/* help.c: the overview, the page of a command, and docs/commands.md, all from the tables.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { INDENT = 2, GAP = 2, LABEL_MAX = 30, WIDTH = 80, USAGE_MAX = 128 };

static void section(struct er_print *out, const char *title)
{
    er_print_add(out, "\n", 1);
    er_print_text(out, ER_BOLD, title);
    er_print_add(out, "\n", 1);
}

/* Columns, not bytes: "…" is one. */
static int width_of(const struct er_print *out, const char *label)
{
    return er_text_width(out, label, strlen(label));
}

static void label_of(const struct er_flag *flag, char *buf, size_t size)
{
    if (flag->value)
        snprintf(buf, size, "--%s=%s", flag->name, flag->value);
    else
        snprintf(buf, size, "--%s", flag->name);
}

/* Words that begin in column `at`, further lines set in to there. */
static void wrapped(struct er_print *out, const char *text, int at)
{
    int column = at;

    while (*text) {
        size_t len = strcspn(text, " ");
        int width = er_text_width(out, text, len);

        if (column > at && column + 1 + width > WIDTH) {
            er_printf(out, "\n%*s", at, "");
            column = at;
        } else if (column > at) {
            er_print_add(out, " ", 1);
            column++;
        }
        er_print_add(out, text, len);
        column += width;
        text += len + strspn(text + len, " ");
    }
    er_print_add(out, "\n", 1);
}

static void row(struct er_print *out, const char *label, int width, const char *help)
{
    int room = width - width_of(out, label);

    er_printf(out, "%*s%s", INDENT, "", label);
    if (room < 0)
        er_printf(out, "\n%*s", INDENT + width + GAP, "");
    else
        er_printf(out, "%*s", room + GAP, "");
    wrapped(out, help, INDENT + width + GAP);
}

static void flags_print(struct er_print *out, const char *title,
                        const struct er_flag *flags)
{
    char label[64];
    int width = 0;

    if (!er_flag_first(flags))
        return;
    section(out, title);
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        if (width_of(out, label) > width && width_of(out, label) <= LABEL_MAX)
            width = width_of(out, label);
    }
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        row(out, label, width, f->help);
    }
}

void er_help_overview(struct er_print *out)
{
    const char *group = "";

    er_print_text(out, ER_BOLD, "errand");
    er_printf(out,
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
    er_printf(out, "\nerrand COMMAND --help explains one command with an example.\n");
}

static void example_print(struct er_print *out, const char *example)
{
    while (*example) {
        size_t len = strcspn(example, "\n");

        er_printf(out, "  $ %.*s\n", (int)len, example);
        example += len + (example[len] == '\n');
    }
}

/* " NAME [options]"; what a command hands on to another comes last, behind --. */
static void usage_of(const struct er_command *c, char *buf)
{
    const char *options = er_flag_first(c->flags) ? " [options]" : "";

    if (c->stops_at_args)
        snprintf(buf, USAGE_MAX, "%s -- %s", options, c->args);
    else
        snprintf(buf, USAGE_MAX, "%s%s%s", *c->args ? " " : "", c->args, options);
}

void er_help_command(struct er_print *out, const struct er_command *command)
{
    char usage[USAGE_MAX];

    usage_of(command, usage);
    er_print_text(out, ER_BOLD, "errand ");
    er_print_text(out, ER_BOLD, command->name);
    er_printf(out, "%s\n\n%c%s.\n", usage, toupper(command->help[0]), command->help + 1);
    if (command->about) {
        er_print_add(out, "\n", 1);
        wrapped(out, command->about, 0);
    }
    flags_print(out, "Options", command->flags);
    section(out, strchr(command->example, '\n') ? "Examples" : "Example");
    example_print(out, command->example);
    flags_print(out, "Options of every command", er_global_flags);
}

/* ---------------------------------------------------------------- docs/commands.md */

static void markdown_flags(struct er_print *out, const struct er_flag *flags)
{
    char label[64];

    if (!er_flag_first(flags))
        return;
    er_printf(out, "| option | |\n| --- | --- |\n");
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f)) {
        label_of(f, label, sizeof label);
        er_printf(out, "| `%s` | %s |\n", label, f->help);
    }
    er_printf(out, "\n");
}

static void markdown_command(struct er_print *out, const struct er_command *c)
{
    char usage[USAGE_MAX];

    usage_of(c, usage);
    er_printf(out, "### %s\n\n`errand %s%s`\n\n%c%s.\n\n", c->name, c->name, usage,
              toupper(c->help[0]), c->help + 1);
    if (c->about)
        er_printf(out, "%s\n\n", c->about);
    markdown_flags(out, c->flags);
    er_printf(out, "```\n");
    example_print(out, c->example);
    er_printf(out, "```\n\n");
}

void er_help_markdown(struct er_print *out)
{
    const char *group = "";

    er_printf(
        out,
        "# Commands\n\n"
        "Made by `errand help --markdown` from the tables in `src/cli/`; a test "
        "compares the two.\n\n"
        "Data goes to standard output, with `--json` one JSON object a line, "
        "the rest to standard error.\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 75 store "
        "unavailable or full, try again. Usage is what the command line says, the data "
        "on it or on standard input, and errand.yml; what a file of jobs has wrong "
        "is 1.\n\n"
        "Every command takes:\n\n");
    markdown_flags(out, er_global_flags);
    for (size_t i = 0; i < er_commands_n; i++) {
        if (strcmp(group, er_commands[i]->group) != 0)
            er_printf(out, "## %s\n\n", er_commands[i]->group);
        group = er_commands[i]->group;
        markdown_command(out, er_commands[i]);
    }
}
