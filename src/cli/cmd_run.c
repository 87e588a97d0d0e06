/* cmd_run.c: errand queue:run -- CMD ARG…: any command as a job. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/dispatch.h"
#include "core/json.h"
#include "core/name.h"

enum { COMMAND_MAX = 256 << 10 };

static const struct er_flag flags[] = {
    {"name", "NAME", "its name in lists; default run:CMD", ER_FLAG_TEXT},
    {"data", "JSON", "given to it on standard input; default null", ER_FLAG_TEXT},
    {.more = er_dispatch_flags},
};

/* "run:rsync" for /usr/bin/rsync: apart from the jobs in app/Jobs. */
static char *name_of(struct er_cli *cli, const char *command)
{
    const char *slash = strrchr(command, '/');
    char *name = er_arena_printf(cli->arena, "run:%.100s", slash ? slash + 1 : command);

    for (char *p = name; p && *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.:-", *p))
            *p = '-';
    return name;
}

/* The worker runs it in the project folder: a path from here must not depend on that. */
static int program_of(struct er_cli *cli, const char **ret, struct errand_error *err)
{
    const char *command = cli->args[0];
    char *real;

    *ret = command;
    if (!*command)
        return errand_error_set(err, ERRAND_EINVAL, "'' is no command");
    if (!strchr(command, '/'))
        return 0;
    if (!(real = realpath(command, NULL)))
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "command '%s'", command);
    *ret = errand_arena_copy(cli->arena, real, strlen(real));
    free(real);
    return *ret ? 0 : er_error_nomem(err);
}

static int command_json(struct er_cli *cli, struct er_buf *buf, struct errand_error *err)
{
    const char *program;
    int rc = program_of(cli, &program, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < cli->args_n; i++) {
        const char *arg = i == 0 ? program : cli->args[i];

        er_buf_str(buf, i ? "," : "[");
        er_json_write_string(buf, arg, strlen(arg));
    }
    er_buf_str(buf, "]");
    if (buf->has_failed)
        return errand_error_set(err, ERRAND_ETOOBIG, "the command is over %d KiB",
                                COMMAND_MAX >> 10);
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_options options = {0};
    const char *name = er_cli_text(cli, "name");
    struct er_buf command;
    int rc;

    er_buf_init(&command, COMMAND_MAX);
    if ((rc = er_dispatch_options(cli, &options, err)) < 0 ||
        (rc = command_json(cli, &command, err)) < 0)
        goto out;
    options.command = command.ptr;
    if (!name && !(name = name_of(cli, cli->args[0]))) {
        rc = er_error_nomem(err);
        goto out;
    }
    rc = er_dispatch_one(cli, name, er_cli_text(cli, "data"), &options, err);
out:
    er_buf_done(&command);
    return rc;
}

const struct er_command er_cmd_run = {
    .name = "queue:run",
    .group = "Dispatch and work",
    .args = "CMD ARG…",
    .args_min = 1,
    .args_max = -1,
    .stops_at_args = true,
    .flags = flags,
    .help = "stores any command as a job: retries, time-out and log for free",
    .about =
        "A worker runs it without a shell, in the project folder. Exit code 0 is done, "
        "75 "
        "try again, 65 failed for good, anything else a failed attempt; its output is "
        "the attempt's log.",
    .example = "errand queue:run --tries=5 --timeout=10m -- rsync -a /data backup:/data",
    .exec = exec,
};
