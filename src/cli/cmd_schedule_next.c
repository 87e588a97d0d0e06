/* cmd_schedule_next.c: errand schedule:next: when a schedule or a cron line fires. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "core/clock.h"
#include "core/cron.h"
#include "core/zone.h"
#include "errand/schedule.h"

static const struct er_flag flags[] = {
    {"zone", "Z", "the time zone of the cron line, as Europe/Berlin; default: UTC",
     ER_FLAG_TEXT},
    {"from", "INSTANT", "slots at or after that instant, not after now", ER_FLAG_WHEN},
    {"count", "N", "so many; default: 1", ER_FLAG_COUNT, .min = 1, .max = 100000},
    {0},
};

/* What is asked about: a cron line has a space or is a word with an @, which no name has.
 */
static bool is_cron(const char *arg)
{
    return strpbrk(arg, " \t@") != NULL;
}

static void print_slot(struct er_cli *cli, int64_t slot)
{
    const char *zone = er_cli_text(cli, "zone"), *arg = cli->args[0];
    struct er_line line;
    char text[32];

    if (!cli->out.is_json) {
        er_printf(&cli->out, "%s\n", er_time_format(slot, text, sizeof text));
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, is_cron(arg) ? "cron" : "name", arg);
    if (is_cron(arg))
        er_line_str(&line, "zone", zone ? zone : "UTC");
    er_line_time(&line, "at", slot);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

/* The instant after which slots count. */
static int64_t start(const struct er_cli *cli)
{
    const struct er_flag_value *from = er_cli_flag(cli, "from");
    int64_t now = er_store_wall_ms(cli->store);

    if (!from->is_set)
        return now;
    return (from->is_instant ? from->number : now + from->number) - 1;
}

static int next_of_cron(struct er_cli *cli, int64_t *slots, size_t max,
                        struct errand_error *err)
{
    struct er_zones *zones = er_zones_new(NULL);
    int64_t slot = start(cli);
    const struct er_zone *zone;
    struct er_cron cron;
    int rc, n = 0;

    if (!zones)
        return er_error_nomem(err);
    if ((rc = er_cron_parse(cli->args[0], &cron, err)) == 0 &&
        (rc = er_zones_get(zones, er_cli_text(cli, "zone"), &zone, err)) == 0)
        while ((size_t)n < max &&
               (slot = er_cron_next(&cron, zone, slot)) != ER_CRON_NEVER)
            slots[n++] = slot;
    er_zones_free(zones);
    return rc < 0 ? rc : n;
}

static int next_of_schedule(struct er_cli *cli, int64_t *slots, size_t max,
                            struct errand_error *err)
{
    int rc;

    if (er_cli_has(cli, "zone"))
        return errand_error_set(
            err, ERRAND_EINVAL,
            "schedule '%s' has a zone of its own; --zone is for a cron "
            "line",
            cli->args[0]);
    if ((rc = er_cli_open(cli, ER_OPEN_LOOK, err)) < 0)
        return rc;
    return errand_schedule_next(cli->errand, cli->args[0], start(cli), slots, max, err);
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    size_t max = (size_t)er_cli_number(cli, "count", 1);
    int64_t *slots = errand_arena_alloc(cli->arena, max * sizeof *slots);
    int n;

    if (!slots)
        return er_error_nomem(err);
    n = is_cron(cli->args[0]) ? next_of_cron(cli, slots, max, err)
                              : next_of_schedule(cli, slots, max, err);
    if (n < 0)
        return n;
    if (n == 0)
        return errand_error_set(err, ERRAND_ENOTFOUND, "'%s' never fires after that",
                                cli->args[0]);
    for (int i = 0; i < n; i++)
        print_slot(cli, slots[i]);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_schedule_next = {
    .name = "schedule:next",
    .group = "Schedules",
    .args = "NAME or \"CRON\"",
    .args_min = 1,
    .args_max = 1,
    .flags = flags,
    .help = "prints when a schedule or a cron line fires, one UTC instant a line",
    .about =
        "Five fields: minute, hour, day of month, month, day of week; six begin with the "
        "second. Put it in quotes, for the shell has its own idea of a star. Where the "
        "clock "
        "is put forward, a slot that does not exist fires right after the leap; where it "
        "is "
        "put back, only the first of two fires; an entry whose minute or hour begins "
        "with a "
        "star follows real time.",
    .example = "errand schedule:next \"0 8 * * MON-FRI\" --zone Europe/Berlin --count 3",
    .exec = exec,
};
