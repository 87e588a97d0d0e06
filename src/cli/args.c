/* args.c: from argv to a command, its options and its arguments, by the tables. */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "core/clock.h"

/* getopt_long answers with these plus the index in the table. */
enum { OWN_BASE = 1000, GLOBAL_BASE = 2000, NAMES_MAX = 128 };

const struct er_flag er_global_flags[] = {
    {"url", "URL",
     "the store: sqlite:PATH, postgres:…, redis:… or memory:; default: url in errand.yml",
     ER_FLAG_TEXT},
    {"config", "FILE", "read this errand.yml, not the nearest one", ER_FLAG_TEXT},
    {"json", NULL, "data as JSON, one object a line", ER_FLAG_SWITCH},
    {"no-color", NULL, "no colours, as with NO_COLOR in the environment", ER_FLAG_SWITCH},
    {"help", NULL, "explain the command", ER_FLAG_SWITCH},
    {"version", NULL, "print the version", ER_FLAG_SWITCH},
    {0},
};

const struct er_flag *er_flag_first(const struct er_flag *flags)
{
    while (flags && !flags->name)
        flags = flags->more;
    return flags;
}

const struct er_flag *er_flag_next(const struct er_flag *flag)
{
    return er_flag_first(flag + 1);
}

static size_t flags_count(const struct er_flag *flags)
{
    size_t n = 0;

    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f))
        n++;
    return n;
}

static const struct er_flag *flag_at(const struct er_flag *flags, size_t i)
{
    const struct er_flag *f = er_flag_first(flags);

    while (f && i-- > 0)
        f = er_flag_next(f);
    return f;
}

const struct er_command *er_command_find(const char *name)
{
    for (size_t i = 0; i < er_commands_n; i++)
        if (strcmp(er_commands[i]->name, name) == 0)
            return er_commands[i];
    return NULL;
}

static const struct er_flag_value *value_in(const struct er_flag *flags,
                                            const struct er_flag_value *values,
                                            const char *name)
{
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f), values++)
        if (strcmp(f->name, name) == 0)
            return values;
    return NULL;
}

const struct er_flag_value *er_cli_flag(const struct er_cli *cli, const char *name)
{
    const struct er_flag_value *v = NULL;

    if (cli->command)
        v = value_in(cli->command->flags, cli->values, name);
    if (!v)
        v = value_in(er_global_flags, cli->globals, name);
    assert(v);
    return v;
}

bool er_cli_has(const struct er_cli *cli, const char *name)
{
    return er_cli_flag(cli, name)->is_set;
}

const char *er_cli_text(const struct er_cli *cli, const char *name)
{
    return er_cli_flag(cli, name)->text;
}

int64_t er_cli_number(const struct er_cli *cli, const char *name, int64_t fallback)
{
    const struct er_flag_value *v = er_cli_flag(cli, name);

    return v->is_set ? v->number : fallback;
}

/* ---------------------------------------------------------------- values */

static int count_read(const struct er_flag *flag, struct er_flag_value *v,
                      struct errand_error *err)
{
    int64_t max = flag->max ? flag->max : INT32_MAX;
    char *end = NULL;
    long long n = strtoll(v->text, &end, 10);

    if (*end || n < flag->min || n > max || v->text[0] == ' ')
        return errand_error_set(err, ERRAND_EINVAL,
                                "--%s wants a whole number from %" PRId64 " to %" PRId64
                                ", not '%s'",
                                flag->name, flag->min, max, v->text);
    v->number = n;
    return 0;
}

static int when_read(const struct er_flag *flag, struct er_flag_value *v,
                     struct errand_error *err)
{
    if (er_duration_parse(v->text, &v->number) == 0)
        return 0;
    if (flag->kind == ER_FLAG_WHEN && er_time_parse(v->text, &v->number) == 0) {
        v->is_instant = true;
        return 0;
    }
    return errand_error_set(
        err, ERRAND_EINVAL,
        "--%s wants a time such as 60, 1.5s, 10m, 2h or 1d%s, not '%s'", flag->name,
        flag->kind == ER_FLAG_WHEN ? ", or an instant such as 2026-12-24T18:00:00Z" : "",
        v->text);
}

static int choice_read(const struct er_flag *flag, const char *text,
                       struct errand_error *err)
{
    char list[256] = "";
    size_t used = 0;

    if (!*text)
        return errand_error_set(err, ERRAND_EINVAL, "--%s wants a value, not ''",
                                flag->name);
    for (size_t i = 0; flag->choices && flag->choices[i]; i++) {
        if (strcmp(flag->choices[i], text) == 0)
            return 0;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 flag->choices[i]);
        if (used >= sizeof list)
            break;
    }
    if (!flag->choices)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL, "--%s is one of %s, not '%s'", flag->name,
                            list, text);
}

/* Adds the parts between commas behind what an earlier --flag gave. */
static int list_read(struct er_cli *cli, const struct er_flag *flag,
                     struct er_flag_value *v, struct errand_error *err)
{
    size_t more = 1, n = v->items_n;
    const char **items;

    for (const char *p = v->text; *p; p++)
        more += *p == ',';
    items = errand_arena_alloc(cli->arena, (n + more + 1) * sizeof *items);
    if (!items)
        return er_error_nomem(err);
    if (n)
        memcpy(items, v->items, n * sizeof *items);
    for (const char *p = v->text; *p;) {
        size_t len = strcspn(p, ",");

        if (len && !(items[n++] = errand_arena_copy(cli->arena, p, len)))
            return er_error_nomem(err);
        if (len && choice_read(flag, items[n - 1], err) < 0)
            return ERRAND_EINVAL;
        p += len + (p[len] == ',');
    }
    if (n == v->items_n)
        return choice_read(flag, "", err);
    v->items = items;
    v->items_n = n;
    return 0;
}

static int value_read(struct er_cli *cli, const struct er_flag *flag,
                      struct er_flag_value *v, const char *text, struct errand_error *err)
{
    v->is_set = true;
    v->text = text;
    switch (flag->kind) {
    case ER_FLAG_SWITCH:
        return 0;
    case ER_FLAG_TEXT:
        return choice_read(flag, text, err);
    case ER_FLAG_COUNT:
        return count_read(flag, v, err);
    case ER_FLAG_DURATION:
    case ER_FLAG_WHEN:
        return when_read(flag, v, err);
    case ER_FLAG_LIST:
        return list_read(cli, flag, v, err);
    }
    return 0;
}

/* ---------------------------------------------------------------- getopt */

struct parse {
    struct er_cli *cli;
    const struct er_flag *own;
    size_t own_n, globals_n;
    struct option *options; /* own, then global, then the end */
};

static void options_fill(struct option *to, const struct er_flag *flags, int base)
{
    for (const struct er_flag *f = er_flag_first(flags); f; f = er_flag_next(f))
        *to++ = (struct option){.name = f->name,
                                .has_arg = f->kind == ER_FLAG_SWITCH ? no_argument
                                                                     : required_argument,
                                .val = base++};
}

/* What getopt calls '?': unknown, or a switch that was given a value. */
static int complain_unknown(const struct parse *p, const char *word,
                            struct errand_error *err)
{
    const char *names[NAMES_MAX], *near,
        *where = p->cli->command ? p->cli->command->name : "";
    char typed[NAMES_MAX] = "";
    size_t n = 0, len;

    if (optopt >= OWN_BASE)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' takes no value", word);
    if (optopt)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unknown option '-%c'; options are written in full, see "
                                "errand %s%s--help",
                                optopt, where, *where ? " " : "");
    for (size_t i = 0; p->options[i].name && n < NAMES_MAX; i++)
        names[n++] = p->options[i].name;
    len = strcspn(word + 2, "=");
    if (len < sizeof typed)
        memcpy(typed, word + 2, len);
    near = er_suggest(typed, names, n);
    return errand_error_set(err, ERRAND_EINVAL,
                            "unknown option '--%.*s'%s%s%s see errand %s%s--help",
                            (int)len, word + 2, near ? "; did you mean --" : ";",
                            near ? near : "", near ? "?" : "", where, *where ? " " : "");
}

static int one_option(const struct parse *p, int got, char **argv,
                      struct errand_error *err)
{
    const char *word = argv[optind - 1];

    if (got == '?')
        return complain_unknown(p, word, err);
    if (got == ':')
        return errand_error_set(err, ERRAND_EINVAL, "%s wants a value: %s=…", word, word);
    if (got == 'h')
        got = GLOBAL_BASE + 4; /* --help */
    if (got >= GLOBAL_BASE)
        return value_read(p->cli, &er_global_flags[got - GLOBAL_BASE],
                          &p->cli->globals[got - GLOBAL_BASE], optarg, err);
    return value_read(p->cli, flag_at(p->own, (size_t)(got - OWN_BASE)),
                      &p->cli->values[got - OWN_BASE], optarg, err);
}

/* Reads options until arguments begin (`stops`) or all through. optind is where it ended.
 */
static int options_read(struct parse *p, int argc, char **argv, bool stops,
                        struct errand_error *err)
{
    int got, rc = 0;

    p->options = errand_arena_alloc(p->cli->arena,
                                    (p->own_n + p->globals_n + 1) * sizeof *p->options);
    if (!p->options)
        return er_error_nomem(err);
    options_fill(p->options, p->own, OWN_BASE);
    options_fill(p->options + p->own_n, er_global_flags, GLOBAL_BASE);
    optind = 0; /* glibc: begin afresh */
    opterr = 0;
    while (rc == 0 &&
           (got = getopt_long(argc, argv, stops ? "+:h" : ":h", p->options, NULL)) != -1)
        rc = one_option(p, got, argv, err);
    return rc;
}

/* ---------------------------------------------------------------- commands */

int er_command_unknown(const char *typed, struct errand_error *err)
{
    const char *names[NAMES_MAX], *near;
    size_t n = 0;

    for (; n < er_commands_n && n < NAMES_MAX; n++)
        names[n] = er_commands[n]->name;
    near = er_suggest(typed, names, n);
    if (near)
        return errand_error_set(err, ERRAND_EINVAL,
                                "unknown command '%s'; did you mean '%s'?", typed, near);
    return errand_error_set(err, ERRAND_EINVAL,
                            "unknown command '%s'; errand --help lists them", typed);
}

static bool has_queue_flag(const struct er_command *c)
{
    for (const struct er_flag *flag = er_flag_first(c->flags); flag;
         flag = er_flag_next(flag))
        if (strcmp(flag->name, "queue") == 0)
            return true;
    return false;
}

static int args_check(const struct er_cli *cli, struct errand_error *err)
{
    const struct er_command *c = cli->command;

    if (cli->args_n < c->args_min)
        return errand_error_set(err, ERRAND_EINVAL, "%s needs %s: errand %s %s%s",
                                c->name,
                                c->args_min == 1 ? "an argument" : "more arguments",
                                c->name, c->stops_at_args ? "-- " : "", c->args);
    if (c->args_max == 0 && cli->args_n > 0 && has_queue_flag(c))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s takes no argument '%s'; for a queue write "
                                "--queue=%s",
                                c->name, cli->args[0], cli->args[0]);
    if (c->args_max >= 0 && cli->args_n > c->args_max)
        return errand_error_set(
            err, ERRAND_EINVAL, "'%s' is one argument too many; usage: errand %s %s",
            cli->args[c->args_max], c->name, *c->args ? c->args : "[options]");
    return 0;
}

int er_cli_parse(struct er_cli *cli, int argc, char **argv, struct errand_error *err)
{
    struct parse p = {.cli = cli, .globals_n = flags_count(er_global_flags)};
    int at, rc;

    cli->globals = errand_arena_alloc(cli->arena, p.globals_n * sizeof *cli->globals);
    if (!cli->globals)
        return er_error_nomem(err);
    if ((rc = options_read(&p, argc, argv, true, err)) < 0)
        return rc;
    at = optind;
    if (at >= argc)
        return 0;
    if (!(cli->command = er_command_find(argv[at])))
        return er_command_unknown(argv[at], err);
    p.own = cli->command->flags;
    p.own_n = flags_count(p.own);
    cli->values = errand_arena_alloc(cli->arena, (p.own_n + 1) * sizeof *cli->values);
    if (!cli->values)
        return er_error_nomem(err);
    if ((rc = options_read(&p, argc - at, argv + at, cli->command->stops_at_args, err)) <
        0)
        return rc;
    cli->args = argv + at + optind;
    cli->args_n = argc - at - optind;
    if (er_cli_has(cli, "help") || er_cli_has(cli, "version"))
        return 0;
    return args_check(cli, err);
}
