/* cmd_notify_test.c: errand notify:test: would somebody be told? */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "client/notify.h"

static const struct er_flag flags[] = {
    {"channel", "C", "this one: email, slack or webhook; default: all that are set",
     ER_FLAG_TEXT},
    {0},
};

static void result_print(struct er_cli *cli, const char *channel, const char *error)
{
    struct er_line line;

    if (!cli->out.is_json) {
        if (!error)
            er_printf(&cli->out, "%s: sent\n", channel);
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "channel", channel);
    er_line_str(&line, "status", error ? "failed" : "sent");
    er_line_str(&line, "error", error);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

/* Whether it went out. */
static bool test_one(struct er_cli *cli, const char *channel)
{
    struct errand_error err = {0};

    if (errand_notify_test(&cli->config->notify, channel, &err) == 0) {
        result_print(cli, channel, NULL);
        return true;
    }
    result_print(cli, channel, err.message);
    if (!cli->out.is_json)
        er_cli_complain(cli, err.message);
    return false;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    const char *one[2] = {er_cli_text(cli, "channel"), NULL};
    const char *const *channels = one;
    int rc, failed = 0;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    if (one[0] && er_notify_channel_find(one[0]) < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "there is no channel '%s': email, slack and webhook are",
                                one[0]);
    if (!one[0])
        channels = cli->config->notify.channels;
    if (!channels || !channels[0])
        return errand_error_set(
            err, ERRAND_EINVAL,
            "no channel is set: notifications.channels in errand.yml, "
            "or --channel=email");
    for (; *channels; channels++)
        failed += !test_one(cli, *channels);
    return failed ? ER_EXIT_FAILED : ER_EXIT_DONE;
}

const struct er_command er_cmd_notify_test = {
    .name = "notify:test",
    .group = "Look after it",
    .args = "",
    .flags = flags,
    .help = "sends a test message over the channels of notifications",
    .about = "From this process and at once, so that what is wrong is seen here. With "
             "--json each line is channel status error.",
    .example = "errand notify:test\n"
               "errand notify:test --channel=email",
    .exec = exec,
};
