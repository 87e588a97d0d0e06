/* cmd_schedule_next.c: errand schedule:next: when a cron line fires. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "core/clock.h"
#include "core/cron.h"
#include "core/zone.h"

static const struct er_flag flags[] = {
    {"zone", "Z", "the time zone of the cron line, as Europe/Berlin; default: UTC",
     ER_FLAG_TEXT},
    {"from", "INSTANT", "slots at or after that instant, not after now", ER_FLAG_WHEN},
    {"count", "N", "so many; default: 1", ER_FLAG_COUNT, .min = 1, .max = 100000},
    {0},
};

static void print_slot(struct er_cli *cli, const char *zone, int64_t slot)
{
    struct er_line line;
    char text[32];

    if (!cli->out.is_json) {
        er_printf(&cli->out, "%s\n", er_time_format(slot, text, sizeof text));
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "cron", cli->args[0]);
    er_line_str(&line, "zone", zone ? zone : "UTC");
    er_line_time(&line, "at", slot);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
}

static int print_slots(struct er_cli *cli, const struct er_cron *cron,
                       const struct er_zone *zone, struct errand_error *err)
{
    int64_t count = er_cli_number(cli, "count", 1), now = er_clock_wall_ms(NULL);
    const struct er_flag_value *from = er_cli_flag(cli, "from");
    int64_t slot = !from->is_set      ? now
                   : from->is_instant ? from->number - 1
                                      : now + from->number - 1;

    for (int64_t i = 0; i < count; i++) {
        slot = er_cron_next(cron, zone, slot);
        if (slot == ER_CRON_NEVER && i > 0)
            return ER_EXIT_DONE;
        if (slot == ER_CRON_NEVER)
            return errand_error_set(err, ERRAND_ENOTFOUND,
                                    "cron '%s' never fires after that", cli->args[0]);
        print_slot(cli, er_cli_text(cli, "zone"), slot);
    }
    return ER_EXIT_DONE;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_zones *zones = er_zones_new(NULL);
    const struct er_zone *zone;
    struct er_cron cron;
    int rc;

    if (!zones)
        return er_error_nomem(err);
    if ((rc = er_cron_parse(cli->args[0], &cron, err)) == 0 &&
        (rc = er_zones_get(zones, er_cli_text(cli, "zone"), &zone, err)) == 0)
        rc = print_slots(cli, &cron, zone, err);
    er_zones_free(zones);
    return rc;
}

const struct er_command er_cmd_schedule_next = {
    .name = "schedule:next",
    .group = "Schedules",
    .args = "CRON",
    .args_min = 1,
    .args_max = 1,
    .flags = flags,
    .help = "prints when a cron line fires, one UTC instant a line",
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
