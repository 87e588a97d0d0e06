/* config_named.c, config_yaml.c: `schedules:` of errand.yml. */
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "client/config.h"
#include "support/folder.h"

static char folder[FOLDER_MAX];
static struct er_config *config;
static struct errand_error error;

static int setup(void **state)
{
    (void)state;
    return folder_make(folder, "config");
}

static int teardown(void **state)
{
    (void)state;
    er_config_free(config);
    config = NULL;
    return folder_remove(folder);
}
TEST_FIXTURE(setup, teardown)

static int load_text(const char *yaml)
{
    char path[FOLDER_MAX + 16];
    const struct er_config_args args = {.cwd = folder};
    FILE *file;

    snprintf(path, sizeof path, "%s/errand.yml", folder);
    assert_non_null(file = fopen(path, "we"));
    fputs(yaml, file);
    fclose(file);
    er_config_free(config);
    config = NULL;
    error = (struct errand_error){0};
    return er_config_load(&args, &config, &error);
}

static void load(const char *yaml)
{
    if (load_text(yaml) < 0)
        fail_msg("%s", error.message);
}

/* It is an error, and the message has this in it. */
static void refuse(const char *yaml, const char *says)
{
    assert_int_equal(load_text(yaml), ERRAND_EINVAL);
    if (!strstr(error.message, says))
        fail_msg("'%s' is not in '%s'", says, error.message);
}

static const struct er_schedule *schedule_of(const char *name)
{
    for (size_t i = 0; i < config->schedules_n; i++)
        if (strcmp(config->schedules[i].name, name) == 0)
            return &config->schedules[i].schedule;
    fail_msg("no schedule '%s'", name);
    return NULL;
}

TEST(schedules_are_read)
{
    const struct er_schedule *s;

    load("schedules:\n"
         "  nightly:\n"
         "    cron: 30 2 * * *\n"
         "    zone: Europe/Berlin\n"
         "    job: make-report\n"
         "    data: '{\"kind\": \"daily\"}'\n"
         "    overlap: allow\n"
         "    missed: all\n"
         "    missed_max: 7\n"
         "    jitter: 2m\n"
         "    queue: reports\n"
         "    tags: [a, b]\n"
         "  hourly: { cron: \"@hourly\" }\n");
    assert_int_equal(config->schedules_n, 2);
    s = schedule_of("nightly");
    assert_string_equal(s->cron, "30 2 * * *");
    assert_string_equal(s->zone, "Europe/Berlin");
    assert_string_equal(s->job, "make-report");
    assert_int_equal(s->data.len, strlen("{\"kind\": \"daily\"}"));
    assert_int_equal(s->overlap, ERRAND_OVERLAP_ALLOW);
    assert_int_equal(s->missed, ERRAND_MISSED_ALL);
    assert_int_equal(s->missed_max, 7);
    assert_int_equal(s->jitter_ms, 120000);
    assert_string_equal(s->options.queue, "reports");
    assert_int_equal(s->options.tags_n, 2);
    assert_string_equal(schedule_of("hourly")->cron, "@hourly");
    assert_string_equal(er_config_value_text(config, "schedules.nightly.zone"),
                        "Europe/Berlin");
    assert_string_equal(er_config_origin(config, "schedules.nightly.zone"),
                        "errand.yml:4");
}

TEST(a_schedule_that_is_wrong_is_refused_with_its_place)
{
    refuse("schedules:\n  n: { cron: 61 * * * * }\n",
           "errand.yml:2:14: schedules.n.cron: cron '61 * * * *': minute field");
    refuse("schedules:\n  n: { cron: 30 2 31 4 * }\n",
           "errand.yml:2:14: schedules.n.cron: cron '30 2 31 4 *': never fires");
    refuse("schedules:\n  n:\n    cron: \"@daily\"\n    zone: Europe/Atlantis\n",
           "errand.yml:4:11: schedules.n.zone: there is no time zone 'Europe/Atlantis'");
    refuse("schedules:\n  n: { zone: UTC }\n",
           "errand.yml:2:3: schedules.n: cron is not said");
    refuse(
        "schedules:\n  n: { cron: \"@daily\", missed: never }\n",
        "errand.yml:2:32: schedules.n.missed: missed: 'never' is not once, skip or all");
    refuse("schedules:\n  n: { cron: \"@daily\", data: oops }\n",
           "schedules.n.data: data");
    refuse("schedules:\n  n: { cron: \"@daily\", missed_max: 5 }\n",
           "errand.yml:2:3: schedules.n: missed_max");
    refuse("schedules:\n  n: { crom: \"@daily\" }\n", "did you mean 'cron'?");
    refuse("schedules:\n  a b: { cron: \"@daily\" }\n", "is not the name of a schedule");
    refuse("schedules:\n  a-b: { cron: \"@daily\" }\n  aB: { cron: \"@daily\" }\n",
           "errand.yml:3:3: schedule 'aB' stands here twice");
}

TEST(a_cron_line_that_needs_quotes_is_told_so)
{
    refuse("schedules:\n  n:\n    cron: */5 * * * *\n",
           "errand.yml:3:12: a value that begins with *, & or @ goes in quotes");
    refuse("schedules:\n  n:\n    cron: @daily\n",
           "errand.yml:3:11: a value that begins with *, & or @ goes in quotes");
}

TEST_MAIN()
