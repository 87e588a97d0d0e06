/* schedule_next.c: errand schedule:next. The table of leaps of the clock, whole, by the
 * command; and what a person may get wrong. */
#include "shell.h"

#include "base/buf.h"
#include "core/cron_table.h"
#include "errand/schedule.h"

TEST_FIXTURE(shell_setup, shell_teardown)

/* As many as expected and one more, which is after `until`. */
static void check_row(const struct fires *row)
{
    size_t n = strlen(row->expected) / sizeof "2026-03-29T01:00";
    struct er_buf got;
    struct run run;

    n += *row->expected != '\0';
    run = sh("TZ=Asia/Tokyo errand schedule:next '%s' --zone %s --from %s --count %zu",
             row->cron, row->zone, row->from, n + 1);
    assert_code(run, 0);
    er_buf_init(&got, 1 << 16);
    er_buf_str(&got, "");
    for (char *line = run.out; *line; line += strlen("2026-03-29T01:00:00.000Z\n"))
        if (strncmp(line, row->until, strlen("2026-03-29T01:00:00")) <= 0) {
            assert_memory_equal(line + 16, ":00.000Z\n", 9);
            er_buf_printf(&got, "%s%.16s", got.len ? " " : "", line);
        }
    if (strcmp(got.ptr, row->expected) != 0)
        fail_msg("'%s' in %s fires\n  %s\nand not\n  %s", row->cron, row->zone, got.ptr,
                 row->expected);
    er_buf_done(&got);
}

static void check_rows(const struct fires *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

TEST(the_next_one_is_one_line_and_json_says_of_what)
{
    struct run run = sh("errand schedule:next '0 0 29 2 *' --from 2096-03-01T00:00:00Z");
    json_t *line;

    assert_code(run, 0);
    assert_string_equal(run.out, "2104-02-29T00:00:00.000Z\n");
    run = sh("errand schedule:next @daily --from 2026-03-01 --json");
    assert_code(run, 0);
    line = json_line(run, 0);
    assert_json_string(line, "cron", "@daily");
    assert_json_string(line, "zone", "UTC");
    assert_json_string(line, "at", "2026-03-01T00:00:00.000Z"); /* from counts */
    json_decref(line);
}

TEST(a_schedule_is_asked_by_its_name)
{
    const struct errand_schedule_spec spec = {.cron = "0 8 * * *",
                                              .zone = "America/New_York"};
    char url[PATH_MAX + 32];
    struct errand_error err = {0};
    struct run run;
    errand *e;

    snprintf(url, sizeof url, "sqlite:%s/errand.db", shell_folder);
    assert_non_null(e = errand_open(url, NULL, &err));
    assert_int_equal(errand_schedule_put(e, "DailyReport", &spec, &err), 0);
    errand_close(e);
    run = sh("errand schedule:next daily-report --from 2026-03-07T00:00:00Z --count 2");
    assert_code(run, 0);
    assert_string_equal(run.out, "2026-03-07T13:00:00.000Z\n2026-03-08T12:00:00.000Z\n");
    assert_has(sh("errand schedule:next daily-report --from 2026-03-07T13:00:00Z").out,
               "2026-03-07T13:00:00.000Z\n");
    assert_code(sh("errand schedule:next nothing"), 3);
    assert_code(sh("errand schedule:next daily-report --zone UTC"), 2);
}

TEST(a_line_that_is_wrong_is_a_usage_error_that_names_the_field)
{
    struct run run = sh("errand schedule:next '61 * * * *'");

    assert_code(run, 2);
    assert_string_equal(run.err, "errand: cron '61 * * * *': minute field: 61 is not "
                                 "between 0 and 59\n");
    run = sh("errand schedule:next '30 2 31 4 *'");
    assert_code(run, 2);
    assert_has(run.err, "never fires");
    run = sh("errand schedule:next '0 8 * * *' --zone Europe/Berlni");
    assert_code(run, 2);
    assert_has(run.err, "there is no time zone 'Europe/Berlni'");
    run = sh("errand schedule:next '0 8 * * *' --count 0");
    assert_code(run, 2);
    run = sh("errand schedule:next '*/15 2 25-31 3 */7' --zone Europe/Berlin");
    assert_code(run, 3);
    assert_has(run.err, "never fires after that");
}

TEST_MAIN()
