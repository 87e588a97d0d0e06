/* cli.h: what a command is, and what it is given.
 *
 * A command is one file with one const entry; commands.c lists them all. Its options are
 * data: the parser (args.c), the help of each command and docs/commands.md (help.c) read
 * the same table, and so will completion and man pages. */
#ifndef ER_CLI_CLI_H
#define ER_CLI_CLI_H

#include "base/arena.h"
#include "cli/print.h"
#include "client/config.h"
#include "errand/client.h"
#include "store/store.h"

enum er_exit {
    ER_EXIT_DONE = 0,
    ER_EXIT_FAILED = 1,
    ER_EXIT_USAGE = 2,
    ER_EXIT_NOT_FOUND = 3,
    ER_EXIT_TRY_AGAIN = 75,
};

enum er_flag_kind {
    ER_FLAG_SWITCH,   /* takes no value */
    ER_FLAG_TEXT,     /* never empty; of `choices` when they are given */
    ER_FLAG_COUNT,    /* a whole number from `min` to `max` */
    ER_FLAG_DURATION, /* 60, 10m, 1.5s: number is in ms */
    ER_FLAG_WHEN,     /* a duration, or an instant: number in ms, see is_instant */
    ER_FLAG_LIST,     /* may be repeated; commas separate */
};

struct er_flag {
    const char *name;  /* "max-jobs" */
    const char *value; /* what the help calls its value; NULL for a switch */
    const char *help;
    enum er_flag_kind kind;
    int64_t min, max;           /* COUNT; max 0: INT32_MAX */
    const char *const *choices; /* NULL-terminated */
    const struct er_flag *more; /* of the last one, without a name: goes on there */
};

struct er_cli;

struct er_command {
    const char *name;            /* "queue:dispatch" */
    const char *group;           /* heading in the overview */
    const char *args;            /* "NAME [JSON or -]"; "" for none */
    int args_min, args_max;      /* -1: any number */
    bool stops_at_args;          /* what follows the first argument is not ours to read */
    const struct er_flag *flags; /* the last has no name; NULL: none of its own */
    const char *help;            /* one line: "stores a job and prints its id" */
    const char *about;           /* more for its own page, or NULL */
    const char *example;         /* lines as typed, without the prompt */
    /* An er_exit, or a negative ERRAND_E… with err set, which is printed once, by main.
     */
    int (*exec)(struct er_cli *cli, struct errand_error *err);
};

extern const struct er_command *const er_commands[]; /* in the order of the overview */
extern const size_t er_commands_n;
extern const struct er_flag er_global_flags[]; /* of every command */

/* for (f = er_flag_first(flags); f; f = er_flag_next(f)) */
const struct er_flag *er_flag_first(const struct er_flag *flags);
const struct er_flag *er_flag_next(const struct er_flag *flag);

struct er_flag_value {
    bool is_set, is_instant;
    const char *text;   /* the last one given */
    int64_t number;     /* COUNT, DURATION, WHEN */
    const char **items; /* LIST, NULL-terminated; empty items are dropped */
    size_t items_n;
};

struct er_cli {
    const struct er_command *command;
    struct errand_arena *arena; /* lives as long as the command */
    struct er_print out;
    struct er_flag_value *values;  /* of command->flags */
    struct er_flag_value *globals; /* of er_global_flags */
    char **args;
    int args_n;
    struct er_config *config;                /* after er_cli_config */
    errand *errand;                          /* after er_cli_open */
    struct er_store *store;                  /* borrowed from errand */
    struct er_note *first_note, **notes_end; /* of er_cli_note_later; NULL: none */
};

/* args.c: the value of a flag of this command or of all; asking for one that is not in
 * the table is our own bug. */
const struct er_flag_value *er_cli_flag(const struct er_cli *cli, const char *name);
bool er_cli_has(const struct er_cli *cli, const char *name);
const char *er_cli_text(const struct er_cli *cli, const char *name); /* NULL: not given */
int64_t er_cli_number(const struct er_cli *cli, const char *name, int64_t fallback);
/* Reads the command, its options and its arguments. `cli->command` stays NULL when only
 * global options were given. EINVAL says what is wrong and what may have been meant. */
int er_cli_parse(struct er_cli *cli, int argc, char **argv, struct errand_error *err);
const struct er_command *er_command_find(const char *name);
int er_command_unknown(const char *typed, struct errand_error *err); /* EINVAL */

/* suggest.c: the nearest of n names to what was typed, or NULL when none is near. */
const char *er_suggest(const char *typed, const char *const *names, size_t n);

/* help.c */
void er_help_overview(struct er_print *out);
void er_help_command(struct er_print *out, const struct er_command *command);
void er_help_markdown(struct er_print *out); /* docs/commands.md */

/* open.c: configuration, then the store it names. Both once; closed by main. */
enum er_open_how {
    ER_OPEN_MAKE, /* made when it is not there */
    ER_OPEN_KEEP, /* must be there */
    ER_OPEN_LOOK, /* must be there; may be read-only */
};
int er_cli_config(struct er_cli *cli, struct errand_error *err);
/* After er_cli_config: a person or a health check waits for the answer, so what holds up
 * the store is waited for no longer than 3 s. */
void er_cli_hurry(struct er_cli *cli);
int er_cli_open(struct er_cli *cli, enum er_open_how how, struct errand_error *err);
void er_cli_close(struct er_cli *cli);
/* The file of a store that is one, else NULL; and its folder, or the project. */
const char *er_cli_store_file(struct er_cli *cli);
const char *er_cli_store_folder(struct er_cli *cli);

/* errand_main.c: how a code ends the program. */
int er_cli_exit(int code);
/* "errand: MESSAGE" on standard error, further lines set in below the first, control
 * characters escaped. */
void er_cli_complain(struct er_cli *cli, const char *message);
/* The same for what is no error: "note: …". */
void er_cli_note(struct er_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same about what is only to be done: said by er_cli_notes_say when it is done, and
 * never where it is refused. */
void er_cli_note_later(struct er_cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void er_cli_notes_say(struct er_cli *cli);

#endif
