/* zone.c: zones by name, broken files, rules, and files that change while we run. */
#include "cron_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"

#include "core/zone_inside.h"

static char folder[FOLDER_MAX];
static struct er_zones *zones;

static int setup(void **state)
{
    (void)state;
    if (folder_make(folder, "zone") < 0)
        return -1;
    zones = er_zones_new(folder);
    return zones ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_zones_free(zones);
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

/* A file of version 2: from `time` on `later` holds instead of `first`, then the rule. */
struct file {
    int32_t first, later;
    int64_t time;
    const char *rule;
    uint32_t times_n, leaps_n; /* 0: one transition; no leap seconds */
    uint8_t index;             /* 0: type 1 */
};

static void add_number(struct er_buf *buf, uint64_t value, int size)
{
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
        er_buf_add(buf, &(char){shift < 64 ? (char)(value >> shift) : 0}, 1);
}

static void add_header(struct er_buf *buf, const struct file *file, bool is_empty)
{
    er_buf_add(buf, "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    add_number(buf, 0, 4);
    add_number(buf, 0, 4);
    add_number(buf, is_empty ? 0 : file->leaps_n, 4);
    add_number(buf, is_empty ? 0 : file->times_n ? file->times_n : 1, 4);
    add_number(buf, is_empty ? 0 : 2, 4);
    add_number(buf, is_empty ? 0 : 4, 4);
}

static void make(struct er_buf *buf, const struct file *file)
{
    uint32_t times_n = file->times_n ? file->times_n : 1;

    er_buf_init(buf, 4096);
    add_header(buf, file, true);
    add_header(buf, file, false);
    for (uint32_t i = 0; i < times_n; i++)
        add_number(buf, (uint64_t)file->time, 8);
    for (uint32_t i = 0; i < times_n; i++)
        add_number(buf, file->index ? file->index : 1, 1);
    add_number(buf, (uint32_t)file->first, 4);
    er_buf_add(buf, "\0\0", 2);
    add_number(buf, (uint32_t)file->later, 4);
    er_buf_add(buf, "\1\0", 2);
    er_buf_add(buf, "ABC", 4);
    for (uint32_t i = 0; i < file->leaps_n; i++)
        add_number(buf, 0, 12);
    er_buf_printf(buf, "\n%s\n", file->rule);
}

static void put_bytes(const char *name, const void *bytes, size_t len)
{
    char path[FOLDER_MAX + 32], fresh[FOLDER_MAX + 32];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(fresh, sizeof fresh, "%s/new", folder);
    f = fopen(fresh, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static void put(const char *name, struct file file)
{
    struct er_buf buf;

    make(&buf, &file);
    put_bytes(name, buf.ptr, buf.len);
    er_buf_done(&buf);
}

static int32_t offset_at(const char *name, int64_t utc_s)
{
    return er_zone_span(zone_of(zones, name), utc_s).offset;
}

static void assert_broken(struct file file, const char *expected)
{
    struct errand_error err = {0};
    struct er_zone *zone = NULL;
    struct er_buf buf;

    make(&buf, &file);
    assert_error(er_zone_parse("X", buf.ptr, buf.len, &zone, &err), err, ERRAND_ECORRUPT,
                 expected);
    assert_null(zone);
    er_buf_done(&buf);
}

static void assert_no_zone(const char *name)
{
    const struct er_zone *zone = NULL;
    struct errand_error err = {0};

    assert_int_equal(er_zones_get(zones, name, &zone, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "there is no time zone '"));
    assert_null(zone);
}

TEST(utc_needs_no_file)
{
    assert_int_equal(offset_at(NULL, 0), 0);
    assert_int_equal(offset_at("", 0), 0);
    assert_int_equal(offset_at("UTC", 4000000000), 0);
}

TEST(a_name_leads_nowhere_outside_of_the_folder)
{
    char longest[200];

    put("X", (struct file){3600, 7200, 1000, "XXX-2"});
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_no_zone("Y");
    assert_no_zone("../X");
    assert_no_zone("a/../X");
    assert_no_zone("./X");
    assert_no_zone("/etc/localtime");
    assert_no_zone("X/");
    assert_no_zone("a//X");
    assert_no_zone("X\n");
    assert_no_zone("X ");
    assert_no_zone(".");
    assert_no_zone("localtime");
    assert_no_zone("posixrules");
    assert_no_zone(longest);
    assert_int_equal(offset_at("X", 0), 3600);
}

TEST(a_message_about_a_zone_says_where_names_come_from)
{
    const struct er_zone *zone;
    struct errand_error err = {0};
    char expected[256];

    snprintf(
        expected, sizeof expected,
        "there is no time zone 'Europe/B?rlin': names are as Europe/Berlin, and %s has "
        "one file for each",
        folder);
    assert_error(er_zones_get(zones, "Europe/B\033rlin", &zone, &err), err, ERRAND_EINVAL,
                 expected);
}

TEST(a_folder_or_any_other_file_is_no_zone)
{
    char path[FOLDER_MAX + 8];
    const struct er_zone *zone;
    struct errand_error err = {0};

    snprintf(path, sizeof path, "%s/Dir", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_no_zone("Dir");
    put_bytes("zone_tab", "# tab separated\n", 16);
    assert_error(er_zones_get(zones, "zone_tab", &zone, &err), err, ERRAND_ECORRUPT,
                 "the file of time zone 'zone_tab' is broken: it has no header");
    put_bytes("empty", "", 0);
    assert_int_equal(er_zones_get(zones, "empty", &zone, &err), ERRAND_ECORRUPT);
}

TEST(a_file_that_lies_is_refused)
{
    assert_broken(
        (struct file){0, 0, 0, "XXX-1", .index = 2},
        "the file of time zone 'X' is broken: a transition names a type that is "
        "not there");
    assert_broken((struct file){0, 93600, 0, "XXX-1"},
                  "the file of time zone 'X' is broken: an offset is over a day");
    assert_broken(
        (struct file){0, 0, 0, "XXX-1", .times_n = 2},
        "the file of time zone 'X' is broken: its transitions are not in order");
    assert_broken((struct file){0, 0, 0, "XXX-1YYY"},
                  "the file of time zone 'X' is broken: the rule at its end is none");
    assert_broken((struct file){0, 0, 0, "XXX-1", .leaps_n = 1},
                  "time zone 'X' counts leap seconds, and the clock does not: take the "
                  "zone without 'right/'");
}

/* A file cut anywhere is refused and never read beyond its end (the sanitizers see to
 * it). */
TEST(a_file_that_ends_early_is_refused)
{
    struct er_zone *zone = NULL;
    struct er_buf buf;

    make(&buf, &(struct file){3600, 7200, 1000, "XXX-2"});
    for (size_t len = 0; len < buf.len; len++) {
        char *cut = malloc(len + 1);

        memcpy(cut, buf.ptr, len);
        assert_int_equal(er_zone_parse("X", cut, len, &zone, NULL), ERRAND_ECORRUPT);
        free(cut);
    }
    assert_int_equal(er_zone_parse("X", buf.ptr, buf.len, &zone, NULL), 0);
    er_zone_free(zone);
    er_buf_done(&buf);
}

/* Version 1 has 32 bit and no rule: what it ends with stays. */
TEST(a_file_of_version_1_is_read)
{
    static const char bytes[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\4"
                                "\xff\xff\xff\xf6\1\0\0\0\1\0\0\0\0\x0e\x10\0\0ABC";
    struct er_zone_span span;
    struct er_zone *zone;

    assert_int_equal(er_zone_parse("X", bytes, sizeof bytes, &zone, NULL), 0);
    span = er_zone_span(zone, 0);
    assert_true(span.from == -10 && span.to == INT64_MAX && span.offset == 3600);
    span = er_zone_span(zone, -11);
    assert_true(span.from == INT64_MIN && span.to == -10 && span.offset == 1);
    er_zone_free(zone);
}

TEST(spans_join_without_a_gap_over_the_end_of_the_file)
{
    put("X", (struct file){3600, 3600, 1700000000, "CET-1CEST,M3.5.0,M10.5.0/3"});
    for (int64_t at = 0; at < INT64_C(8000000000);) {
        struct er_zone_span span = er_zone_span(zone_of(zones, "X"), at), next;

        assert_true(span.from <= at && at < span.to);
        assert_true(span.from == INT64_MIN ||
                    er_zone_span(zone_of(zones, "X"), span.from - 1).to == span.from);
        next = er_zone_span(zone_of(zones, "X"), span.to);
        assert_true(next.from == span.to);
        at = span.to;
    }
}

/* The offset at an instant by a rule alone. */
static int32_t by_rule(const char *text, const char *when)
{
    struct er_zone_rule rule;

    assert_true(er_zone_rule_parse(text, &rule));
    return er_zone_rule_span(&rule, instant(when) / 1000).offset;
}

TEST(a_rule_counts_to_the_west_and_its_changes_in_local_time)
{
    assert_int_equal(by_rule("EST5EDT,M3.2.0,M11.1.0", "2050-03-13T06:59:59Z"), -18000);
    assert_int_equal(by_rule("EST5EDT,M3.2.0,M11.1.0", "2050-03-13T07:00:00Z"), -14400);
    assert_int_equal(
        by_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-10-03T15:30:00Z"), 39600);
    assert_int_equal(by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z"),
                     -7200);
    assert_int_equal(by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z"),
                     -3600);
    assert_int_equal(by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z"), 3600);
    assert_int_equal(by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00Z"), 0);
}

TEST(a_rule_may_count_days_with_or_without_the_29th_of_february)
{
    /* 1 March is day 60 without it, and day 60 counted from 0 with it */
    assert_int_equal(by_rule("AAA0BBB,J60/0,J300", "2028-02-29T23:59:59Z"), 0);
    assert_int_equal(by_rule("AAA0BBB,J60/0,J300", "2028-03-01T00:00:00Z"), 3600);
    assert_int_equal(by_rule("AAA0BBB,60/0,J300", "2028-02-29T23:59:59Z"), 0);
    assert_int_equal(by_rule("AAA0BBB,60/0,J300", "2028-03-01T00:00:00Z"), 3600);
    assert_int_equal(by_rule("AAA0BBB,60/0,J300", "2027-03-01T23:59:59Z"), 0);
    assert_int_equal(by_rule("AAA0BBB,60/0,J300", "2027-03-02T00:00:00Z"), 3600);
}

TEST(a_year_of_summer_alone_has_no_seam)
{
    assert_int_equal(by_rule("EST5EDT,0/0,J365/25", "2027-01-01T04:59:59Z"), -14400);
    assert_int_equal(by_rule("EST5EDT,0/0,J365/25", "2027-01-01T05:00:00Z"), -14400);
    assert_int_equal(by_rule("EST5EDT,0/0,J365/25", "2027-07-01T05:00:00Z"), -14400);
}

TEST(a_rule_reaches_to_the_first_and_last_instant_there_is)
{
    struct er_zone_rule rule;
    struct er_zone_span span;

    assert_true(er_zone_rule_parse("EST5EDT,M3.2.0,M11.1.0", &rule));
    span = er_zone_rule_span(&rule, INT64_MIN);
    assert_true(span.from == INT64_MIN && span.to > INT64_MIN);
    span = er_zone_rule_span(&rule, INT64_MAX - 1);
    assert_true(span.from < INT64_MAX - 1 && span.to == INT64_MAX);
}

TEST(what_is_no_rule_is_refused)
{
    static const char *const bad[] = {
        "",
        "X",
        "CE-1",
        "CET",
        "CET-25",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "<CET-1",
        "<>-1",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,366,J300",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1 ",
        "CET--1",
        "CET-1CEST,,",
        ":Europe/Berlin",
    };
    struct er_zone_rule rule;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (er_zone_rule_parse(bad[i], &rule))
            fail_msg("'%s' is no rule", bad[i]);
}

TEST(a_zone_whose_file_changes_is_read_again)
{
    const struct er_zone *zone;
    uint64_t generation;

    put("X", (struct file){3600, 7200, 1000, "XXX-2"});
    zone = zone_of(zones, "X");
    generation = er_zone_generation(zone);
    assert_ptr_equal(zone_of(zones, "X"), zone);
    assert_int_equal(er_zone_generation(zone), generation);

    put("X", (struct file){3600, 10800, 1000, "XXX-3"});
    assert_int_equal(er_zone_span(zone, 2000).offset, 7200); /* nobody asked yet */
    assert_ptr_equal(zone_of(zones, "X"), zone);
    assert_int_equal(er_zone_span(zone, 2000).offset, 10800);
    assert_true(er_zone_generation(zone) > generation);
}

TEST(a_file_that_breaks_or_goes_leaves_the_rules_in_force)
{
    char path[FOLDER_MAX + 8];

    put("X", (struct file){3600, 7200, 1000, "XXX-2"});
    assert_int_equal(offset_at("X", 2000), 7200);
    put_bytes("X", "TZif", 4);
    assert_int_equal(offset_at("X", 2000), 7200);
    snprintf(path, sizeof path, "%s/X", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(offset_at("X", 2000), 7200);
    put("X", (struct file){3600, 10800, 1000, "XXX-3"});
    assert_int_equal(offset_at("X", 2000), 10800);
}

TEST(the_folder_is_the_one_of_TZDIR)
{
    struct errand_error err = {0};

    put("X", (struct file){3600, 7200, 1000, "XXX-2"});
    assert_int_equal(er_zone_check("X", &err), ERRAND_EINVAL);
    assert_int_equal(setenv("TZDIR", folder, 1), 0);
    assert_works(er_zone_check("X", &err), err);
    assert_int_equal(unsetenv("TZDIR"), 0);
    assert_works(er_zone_check("Europe/Berlin", &err), err);
}

TEST_MAIN()
