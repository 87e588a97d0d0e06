/* cron_reckoner.c: our next slot against a slow reckoner, over every zone on this
 * machine.
 *
 * The reckoner walks a few days minute by minute, asks the C library what the clock on
 * the wall shows, and applies the rules by looking at all those minutes: no spans, no
 * arithmetic, no parser. Days are those around a change of the clock of a random year,
 * and expressions are random. The seed is printed; ERRAND_SEED=n repeats it,
 * ERRAND_LONG=1 goes on for a minute. */
#include "cron_test.h"

#include <ftw.h>
#include <time.h>
#include <unistd.h>

enum {
    ZONES_MAX = 2000,
    NAME_SIZE = 80,
    DAY_N = 1440, /* minutes */
    /* What is compared, and around it what may be the same local time. */
    SHOWN_N = 3 * DAY_N,
    MARGIN_N = 2 * DAY_N,
    MINUTES_N = SHOWN_N + 2 * MARGIN_N,
    LEAP_MAX_MIN = 180,
    FIRES_MAX = SHOWN_N * 60,
    EXPRESSIONS = 12, /* for each stretch of days */
};

static char names[ZONES_MAX][NAME_SIZE];
static size_t names_n, folder_len;
static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* ------------------------------------------------------------- random expressions */

struct expression {
    char text[ER_CRON_TEXT_MAX];
    bool allowed[6][64]; /* second minute hour day month weekday */
    bool is_star[6];
};

static const int field_min[] = {0, 0, 0, 1, 1, 0}, field_max[] = {59, 59, 23, 31, 12, 7};

static void allow(struct expression *e, int field, int low, int high, int step)
{
    for (int value = low; value <= high; value += step)
        e->allowed[field][field == 5 && value == 7 ? 0 : value] = true;
}

/* A star, a value, a range, with or without a step: written, and what it means. */
static void add_item(struct expression *e, int field, struct er_buf *text, bool is_first)
{
    int min = field_min[field], max = field_max[field], width = max - min + 1;
    /* Most changes of the clock are at night. */
    int low = min + (int)below((uint32_t)(field == 2 && below(2) ? 5 : width));
    int high = low + (int)below((uint32_t)(max - low + 1));
    int step = 1 + (int)below((uint32_t)(width / 2));

    er_buf_str(text, is_first ? "" : ",");
    switch (below(5)) {
    case 0:
        er_buf_printf(text, "*/%d", step);
        allow(e, field, min, field == 5 ? 6 : max, step);
        e->is_star[field] |= is_first;
        break;
    case 1:
        er_buf_printf(text, "%d-%d", low, high);
        allow(e, field, low, high, 1);
        break;
    case 2:
        er_buf_printf(text, "%d-%d/%d", low, high, step);
        allow(e, field, low, high, step);
        break;
    default:
        er_buf_printf(text, "%d", low);
        allow(e, field, low, low, 1);
        break;
    }
}

static void add_field(struct expression *e, int field, struct er_buf *text)
{
    int items = 1 + (int)below(3);

    er_buf_str(text, text->len ? " " : "");
    if (below(10) < (field > 2 ? 7 : 3)) {
        er_buf_str(text, "*");
        allow(e, field, field_min[field], field_max[field], 1);
        e->is_star[field] = true;
        return;
    }
    for (int i = 0; i < items; i++)
        add_item(e, field, text, i == 0);
}

static void random_expression(struct expression *e)
{
    struct er_buf text;
    int first = below(4) ? 1 : 0;

    memset(e, 0, sizeof *e);
    er_buf_init(&text, sizeof e->text);
    if (first == 1)
        allow(e, 0, 0, 0, 1);
    for (int field = first; field < 6; field++)
        add_field(e, field, &text);
    memcpy(e->text, text.ptr, text.len + 1);
    er_buf_done(&text);
}

/* ------------------------------------------------------------------- the reckoner */

/* Minutes of UTC, and what the wall shows in each, as minutes since 1970. */
static struct minute {
    int64_t local;
    struct tm tm;
    bool is_first; /* the wall did not show that before */
} minutes[MINUTES_N];

static bool shown[MINUTES_N + 2 * DAY_N + 60]; /* from base_local on */
static int64_t base_local;
static int64_t fires[FIRES_MAX], slots[FIRES_MAX];

static void read_minutes(time_t from)
{
    memset(shown, 0, sizeof shown);
    base_local = (int64_t)from / 60 - DAY_N - 30;
    for (size_t i = 0; i < MINUTES_N; i++) {
        time_t at = from + (time_t)i * 60;
        struct tm copy;

        assert_non_null(localtime_r(&at, &minutes[i].tm));
        copy = minutes[i].tm;
        minutes[i].local = timegm(&copy) / 60;
        minutes[i].is_first = !shown[minutes[i].local - base_local];
        shown[minutes[i].local - base_local] = true;
    }
}

static bool matches(const struct expression *e, const struct tm *tm)
{
    bool day = e->allowed[3][tm->tm_mday], week = e->allowed[5][tm->tm_wday];

    return e->allowed[1][tm->tm_min] && e->allowed[2][tm->tm_hour] &&
           e->allowed[4][tm->tm_mon + 1] &&
           (e->is_star[3] || e->is_star[5] ? day && week : day || week);
}

/* Something that matches was leapt over on the way to minute i. */
static bool fires_after_leap(const struct expression *e, size_t i)
{
    int64_t leap = minutes[i].local - minutes[i - 1].local - 1;

    if (leap <= 0 || leap >= LEAP_MAX_MIN)
        return false;
    for (int64_t local = minutes[i].local - leap; local < minutes[i].local; local++) {
        time_t seconds = (time_t)local * 60;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        if (matches(e, &tm) && !shown[local - base_local])
            return true;
    }
    return false;
}

static size_t reckon(const struct expression *e, time_t from)
{
    bool is_wild = e->is_star[1] || e->is_star[2];
    size_t n = 0;

    for (size_t i = MARGIN_N; i < MARGIN_N + SHOWN_N; i++) {
        int64_t at = ((int64_t)from + (int64_t)i * 60) * 1000;
        bool is_slot = matches(e, &minutes[i].tm) && (is_wild || minutes[i].is_first);

        if (!is_wild && fires_after_leap(e, i) && !(is_slot && e->allowed[0][0]))
            fires[n++] = at;
        for (int second = 0; is_slot && second < 60; second++)
            if (e->allowed[0][second])
                fires[n++] = at + second * 1000;
    }
    return n;
}

/* --------------------------------------------------------------------- comparison */

static void differ(const char *zone, const char *text, int64_t got, int64_t expected)
{
    char a[32], b[32];

    fail_msg("'%s' in %s fires at %s, reckoned: %s", text, zone,
             got == ER_CRON_NEVER ? "no time" : er_time_format(got, a, sizeof a),
             expected == ER_CRON_NEVER ? "no time"
                                       : er_time_format(expected, b, sizeof b));
}

static void compare(const struct er_zone *zone, const char *name, time_t from)
{
    int64_t after = ((int64_t)from + MARGIN_N * 60) * 1000 - 1;
    int64_t until = after + SHOWN_N * INT64_C(60000), slot;
    struct errand_error err = {0};
    struct expression e;
    struct er_cron cron;
    size_t n, latest_n;

    random_expression(&e);
    if (er_cron_parse(e.text, &cron, &err) < 0) {
        if (!strstr(err.message, "never fires"))
            fail_msg("%s", err.message);
        assert_int_equal(reckon(&e, from), 0);
        return;
    }
    n = reckon(&e, from);
    slot = er_cron_next(&cron, zone, after);
    for (size_t i = 0; i < n; i++, slot = er_cron_next(&cron, zone, slot))
        if (slot != fires[i])
            differ(name, e.text, slot, fires[i]);
    if (slot <= until)
        differ(name, e.text, slot, ER_CRON_NEVER);
    latest_n = er_cron_latest(&cron, zone, after, until, slots, 7);
    assert_int_equal(latest_n, n < 7 ? n : 7);
    for (size_t i = 0; i < latest_n; i++)
        if (slots[i] != fires[n - latest_n + i])
            differ(name, e.text, slots[i], fires[n - latest_n + i]);
}

static long offset_of(time_t at)
{
    struct tm tm;

    assert_non_null(localtime_r(&at, &tm));
    return tm.tm_gmtoff;
}

/* A day of that year on which the clock changes, or any day when it never does. */
static time_t interesting_day(int year)
{
    time_t start = (time_t)(year - 1970) * 31556952 / 86400 * 86400, found = 0;
    uint32_t found_n = 0;

    for (int day = 0; day < 365; day++) {
        time_t at = start + day * 86400;

        if (offset_of(at) != offset_of(at + 86400) && below(++found_n) == 0)
            found = at;
    }
    return found_n ? found : start + (time_t)below(365) * 86400;
}

/* The library must take up the zone each time it is asked for another. */
static void enter(const char *name)
{
    char text[NAME_SIZE + 1];

    snprintf(text, sizeof text, ":%s", name);
    assert_int_equal(setenv("TZ", text, 1), 0);
    tzset();
}

static bool is_zone_file(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "re");

    if (!file)
        return false;
    if (fread(magic, 1, sizeof magic, file) < sizeof magic)
        magic[0] = '\0';
    fclose(file);
    return memcmp(magic, "TZif", 4) == 0;
}

static int note_zone(const char *path, const struct stat *st, int flag)
{
    const char *name = path + folder_len + 1;

    (void)st;
    if (flag != FTW_F || !is_zone_file(path) || strncmp(name, "right/", 6) == 0 ||
        strncmp(name, "posix/", 6) == 0 || strcmp(name, "localtime") == 0 ||
        strcmp(name, "posixrules") == 0)
        return 0;
    assert_true(names_n < ZONES_MAX && strlen(name) < NAME_SIZE);
    memcpy(names[names_n++], name, strlen(name) + 1);
    return 0;
}

static int setup(void **state)
{
    const char *dir = getenv("TZDIR"), *again = getenv("ERRAND_SEED");

    (void)state;
    dir = dir ? dir : "/usr/share/zoneinfo";
    folder_len = strlen(dir);
    names_n = 0;
    seed = again ? strtoull(again, NULL, 10) : (uint64_t)time(NULL) * 1000003 + getpid();
    print_message("ERRAND_SEED=%llu\n", (unsigned long long)seed);
    return ftw(dir, note_zone, 8);
}

static int teardown(void **state)
{
    (void)state;
    unsetenv("TZ");
    tzset();
    return 0;
}

TEST_FIXTURE(setup, teardown)

static bool is_long(void)
{
    const char *text = getenv("ERRAND_LONG");

    return text && *text && strcmp(text, "0") != 0;
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* From 1975 on: before that, some offsets were not whole minutes. */
TEST(every_slot_is_the_one_of_a_slow_reckoner)
{
    time_t end = seconds_now() + (is_long() ? 60 : 0);
    struct er_zones *zones = er_zones_new(NULL);

    assert_non_null(zones);
    assert_true(names_n > 300); /* a machine without zones has nothing to say */
    do {
        for (size_t i = 0; i < names_n; i++) {
            const struct er_zone *zone = zone_of(zones, names[i]);
            time_t from;

            enter(names[i]);
            from = interesting_day(1975 + (int)below(126)) -
                   (time_t)(MARGIN_N + DAY_N + below(DAY_N / 2)) * 60;
            read_minutes(from);
            for (int n = 0; n < EXPRESSIONS; n++)
                compare(zone, names[i], from);
        }
    } while (seconds_now() < end);
    er_zones_free(zones);
}

TEST(every_offset_is_the_one_of_the_c_library)
{
    struct er_zones *zones = er_zones_new(NULL);

    assert_non_null(zones);
    for (size_t i = 0; i < names_n; i++) {
        const struct er_zone *zone = zone_of(zones, names[i]);

        enter(names[i]);
        for (int n = 0; n < 300; n++) { /* 1970 to 2400 */
            time_t at = (time_t)below(4000000) * 3393;

            if (er_zone_span(zone, at).offset != offset_of(at))
                fail_msg("%s at %lld: %d and not %ld", names[i], (long long)at,
                         (int)er_zone_span(zone, at).offset, offset_of(at));
        }
    }
    er_zones_free(zones);
}

TEST_MAIN()
