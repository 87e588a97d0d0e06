/* cmd_pause.c: errand queue:pause and queue:resume. */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "cli/when.h"
#include "core/clock.h"

static int no_queue(struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINVAL,
                            "which queue? --queue=Q; errand queue:status lists them");
}

static void say(struct er_cli *cli, const char *queue, bool is_paused, int64_t for_ms)
{
    char span[ER_WHEN_SIZE];
    struct er_line line;

    if (!cli->out.is_json) {
        er_printf(&cli->out, "queue '%s' is %s", queue, is_paused ? "paused" : "resumed");
        if (is_paused && for_ms >= 0)
            er_printf(&cli->out, " for %s", er_span_text(for_ms, span));
        er_printf(&cli->out, "\n");
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "queue", queue);
    er_line_bool(&line, "paused", is_paused);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

/* ---------------------------------------------------------------- pause */

static const struct er_flag pause_flags[] = {
    {"queue", "Q,…", "the queues to pause", ER_FLAG_LIST},
    {"for", "T", "resume by itself after this time; default: until queue:resume",
     ER_FLAG_DURATION},
    {0},
};

static int exec_pause(struct er_cli *cli, struct errand_error *err)
{
    const struct er_flag_value *queues = er_cli_flag(cli, "queue");
    int64_t for_ms = er_cli_number(cli, "for", -1), until_ms = ERRAND_FOREVER;
    int rc;

    if (!queues->is_set)
        return no_queue(err);
    if ((rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0)
        return rc;
    if (for_ms >= 0)
        until_ms = er_store_wall_ms(cli->store) + for_ms;
    for (size_t i = 0; i < queues->items_n; i++) {
        if ((rc = er_store_queue_pause(cli->store, queues->items[i], until_ms, 0, err)) <
            0)
            return rc;
        say(cli, queues->items[i], true, for_ms);
    }
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_pause = {
    .name = "queue:pause",
    .group = "Operate",
    .args = "",
    .flags = pause_flags,
    .help = "pauses a queue: jobs are accepted, none is started",
    .about = "Jobs that run go on to their end.",
    .example = "errand queue:pause --queue=emails --for=10m",
    .exec = exec_pause,
};

/* ---------------------------------------------------------------- resume */

static const struct er_flag resume_flags[] = {
    {"queue", "Q,…", "the queues to resume; default: all that are paused", ER_FLAG_LIST},
    {0},
};

static int resume_one(struct er_cli *cli, const char *queue, struct errand_error *err)
{
    int rc = er_store_queue_pause(cli->store, queue, 0, 0, err);

    if (rc == 0)
        say(cli, queue, false, 0);
    return rc;
}

static int resume_all(struct er_cli *cli, struct errand_error *err)
{
    struct errand_queues_result queues = {0};
    int64_t now_ms = er_store_wall_ms(cli->store), n = 0;
    int rc = er_store_queues(cli->store, 0, cli->arena, &queues, err);

    for (size_t i = 0; rc == 0 && i < queues.queues_n; i++) {
        if (queues.queues[i].paused_until_ms <= now_ms)
            continue;
        rc = resume_one(cli, queues.queues[i].name, err);
        n++;
    }
    if (rc == 0 && n == 0 && !cli->out.is_json)
        er_cli_note(cli, "no queue is paused");
    return rc;
}

static int exec_resume(struct er_cli *cli, struct errand_error *err)
{
    const struct er_flag_value *queues = er_cli_flag(cli, "queue");
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0)
        return rc;
    if (!queues->is_set)
        return resume_all(cli, err);
    for (size_t i = 0; i < queues->items_n; i++)
        if ((rc = resume_one(cli, queues->items[i], err)) < 0)
            return rc;
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_resume = {
    .name = "queue:resume",
    .group = "Operate",
    .args = "",
    .flags = resume_flags,
    .help = "lets a paused queue go on",
    .example = "errand queue:resume --queue=emails",
    .exec = exec_resume,
};
