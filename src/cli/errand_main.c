/* errand_main.c: the whole command, also inside a program of the user's own.
 *
 * Decides what this process is (a runner, a describer, or the command), runs the command,
 * prints its error once and turns it into the exit code. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "errand/worker.h"
#include "notify/notify.h"
#include "worker/runner.h"

int er_cli_exit(int code)
{
    if (code >= 0)
        return code;
    switch ((enum errand_code)code) {
    case ERRAND_EINVAL:
    case ERRAND_EJSON:
    case ERRAND_ETOOBIG:
        return ER_EXIT_USAGE;
    case ERRAND_ENOTFOUND:
        return ER_EXIT_NOT_FOUND;
    case ERRAND_ENOMEM:
    case ERRAND_EBUSY:
    case ERRAND_EUNAVAILABLE:
    case ERRAND_EFULL:
    case ERRAND_ETIMEOUT:
        return ER_EXIT_TRY_AGAIN;
    case ERRAND_OK:
    case ERRAND_ECORRUPT:
    case ERRAND_ESCHEMA:
    case ERRAND_EREADONLY:
    case ERRAND_EFORKED:
    case ERRAND_EUNSUPPORTED:
    case ERRAND_ECONFLICT:
    case ERRAND_EIO:
    case ERRAND_EJOB:
    case ERRAND_EINTERNAL:
        break;
    }
    return ER_EXIT_FAILED;
}

/* One message, its further lines set in below the first. */
static void say(const char *prefix, const char *message)
{
    struct er_buf text;

    er_buf_init(&text, 1 << 20);
    for (const char *p = message; *p;) {
        size_t len;

        p += p == message ? 0 : strspn(p, " ");
        len = strcspn(p, "\n");

        er_buf_printf(&text, "%*s", p == message ? 0 : (int)strlen(prefix), "");
        er_text_escape(&text, (struct errand_slice){.ptr = p, .len = len}, true);
        er_buf_str(&text, "\n");
        p += len + (p[len] == '\n');
    }
    fprintf(stderr, "%s%s", prefix, text.ptr ? text.ptr : "\n");
    er_buf_done(&text);
}

void er_cli_complain(struct er_cli *cli, const char *message)
{
    er_print_flush(&cli->out); /* what was printed before comes before */
    say("errand: ", message);
}

void er_cli_note(struct er_cli *cli, const char *fmt, ...)
{
    char text[ERRAND_ERROR_MAX];
    va_list ap;

    er_print_flush(&cli->out);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say("note: ", text);
}

struct er_note {
    struct er_note *next;
    char text[];
};

/* Without memory for it a note is lost, and nothing else. */
void er_cli_note_later(struct er_cli *cli, const char *fmt, ...)
{
    char text[ERRAND_ERROR_MAX];
    struct er_note *note;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!(note = errand_arena_alloc(cli->arena, sizeof *note + strlen(text) + 1)))
        return;
    memcpy(note->text, text, strlen(text) + 1);
    note->next = NULL;
    *(cli->first_note ? cli->notes_end : &cli->first_note) = note;
    cli->notes_end = &note->next;
}

void er_cli_notes_say(struct er_cli *cli)
{
    for (const struct er_note *note = cli->first_note; note; note = note->next)
        er_cli_note(cli, "%s", note->text);
    cli->first_note = NULL;
}

/* A store must never be opened as descriptor 0, 1 or 2 because the caller had closed it.
 * What takes the place of a closed output cannot be written, so that the loss is noticed.
 */
static int standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return -1;
    return 0;
}

static int command_run(struct er_cli *cli, int argc, char **argv,
                       struct errand_error *err)
{
    int rc = er_cli_parse(cli, argc, argv, err);

    if (rc < 0)
        return rc;
    cli->out.is_json = er_cli_has(cli, "json");
    if (er_cli_has(cli, "no-color"))
        cli->out.has_colour = false;
    if (er_cli_has(cli, "version"))
        er_printf(&cli->out, "errand %s\n", ERRAND_VERSION);
    else if (!cli->command)
        er_help_overview(&cli->out);
    else if (er_cli_has(cli, "help"))
        er_help_command(&cli->out, cli->command);
    else
        return cli->command->exec(cli, err);
    return ER_EXIT_DONE;
}

static int command_main(int argc, char **argv)
{
    struct er_cli cli = {.arena = er_arena_new()};
    struct errand_error err = {0};
    int code, rc;

    if (!cli.arena) {
        say("errand: ", "out of memory");
        return ER_EXIT_TRY_AGAIN;
    }
    er_print_init(&cli.out, stdout);
    if ((rc = command_run(&cli, argc, argv, &err)) < 0)
        er_cli_complain(&cli, err.message);
    code = er_cli_exit(rc);
    er_cli_close(&cli);
    if ((rc = er_print_done(&cli.out, &err)) < 0) {
        say("errand: ", err.message);
        code = code ? code : er_cli_exit(rc);
    }
    er_arena_free(cli.arena);
    return code;
}

void errand_runner_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        exit(er_runner_main(argc, argv));
    if (argc > 1 && strcmp(argv[1], ER_DESCRIBE_ARG) == 0)
        exit(er_describe_main(argc, argv));
    if (argc > 1 && strcmp(argv[1], ER_NOTIFY_ARG) == 0)
        exit(er_notify_main());
}

int errand_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], ER_DESCRIBE_ARG) == 0)
        return er_describe_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], ER_NOTIFY_ARG) == 0)
        return er_notify_main();
    if (standard_fds() < 0)
        return ER_EXIT_FAILED;
    /* A reader that went away is a failed write, see print.h, and so is a file that may
     * not grow (ulimit -f): the store says what it was. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return command_main(argc, argv);
}
