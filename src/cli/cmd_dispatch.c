/* cmd_dispatch.c: errand queue:dispatch NAME [JSON or -]. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/dispatch.h"
#include "cli/read.h"

enum { STDIN_MIB = 16 };

static const struct er_flag flags[] = {
    {"sync", NULL, "run the handler here and now, print its result; nothing is stored",
     ER_FLAG_SWITCH},
    {"file", "F", "one job for each line of JSON in this file, - for standard input",
     ER_FLAG_TEXT},
    {"encrypted", NULL, "keep the data from the store; needs a key ring, see keys:new",
     ER_FLAG_SWITCH},
    {.more = er_dispatch_flags},
};

static int stdin_read(struct er_cli *cli, const char **ret, struct errand_error *err)
{
    struct errand_slice data = {0};
    int rc = er_cli_read(cli, "data on standard input", "-", STDIN_MIB, &data, err);

    if (rc == 0)
        *ret = data.len ? data.ptr : "";
    return rc;
}

static int combination_check(const struct er_cli *cli, struct errand_error *err)
{
    static const char *const alone[] = {"wait", "sync", "id"};

    if (er_cli_has(cli, "sync") && er_cli_has(cli, "wait"))
        return errand_error_set(err, ERRAND_EINVAL,
                                "--sync runs here: there is nothing to "
                                "wait for");
    if (!er_cli_has(cli, "file"))
        return 0;
    if (cli->args_n > 1)
        return errand_error_set(err, ERRAND_EINVAL, "data comes from --file: drop '%s'",
                                cli->args[1]);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (er_cli_has(cli, alone[i]))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "--%s is for one job, not for --file", alone[i]);
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    const char *name = cli->args[0], *data = cli->args_n > 1 ? cli->args[1] : NULL;
    struct errand_options options = {0};
    int rc;

    if ((rc = combination_check(cli, err)) < 0 ||
        (rc = er_dispatch_options(cli, &options, err)) < 0 ||
        (rc = er_cli_config(cli, err)) < 0)
        return rc;
    options.encrypted = er_cli_has(cli, "encrypted");
    if (er_cli_has(cli, "file"))
        return er_dispatch_file(cli, name, er_cli_text(cli, "file"), &options, err);
    if (data && strcmp(data, "-") == 0 && (rc = stdin_read(cli, &data, err)) < 0)
        return rc;
    if (er_cli_has(cli, "sync"))
        return er_dispatch_sync(cli, name, data, &options, err);
    return er_dispatch_one(cli, name, data, &options, err);
}

const struct er_command er_cmd_dispatch = {
    .name = "queue:dispatch",
    .group = "Dispatch and work",
    .args = "NAME [JSON or -]",
    .args_min = 1,
    .args_max = 2,
    .flags = flags,
    .help = "stores a job and prints its id",
    .about =
        "When it has printed the id, the job survives the kill of any process. Without "
        "JSON the data is null. What is not said here the job decides, then its queue, "
        "then errand.yml. A bad line of --file ends it: nothing of its thousand lines "
        "is "
        "stored, and it says how many were before.",
    .example = "errand queue:dispatch send-email '{\"to\":\"ann@example.com\"}'\n"
               "errand queue:dispatch report --delay=10m --tries=5 --backoff=60,300\n"
               "errand queue:dispatch import --file=rows.jsonl",
    .exec = exec,
};
