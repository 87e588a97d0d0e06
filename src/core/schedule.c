/* schedule.c: what a schedule may say, from text and as a whole. Its stored form is in
 * schedule_json.c, its slots in schedule_plan.c. */
#include "core/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/name.h"
#include "core/zone.h"

static const char *const overlap_names[] = {"skip", "allow", "one-waiting"};
static const char *const missed_names[] = {"once", "skip", "all"};
static const char *const from_names[] = {"job", "config", "hand"};

const char *er_overlap_name(enum errand_overlap overlap)
{
    return overlap_names[overlap];
}

const char *er_missed_name(enum errand_missed missed)
{
    return missed_names[missed];
}

const char *er_schedule_from_name(enum er_schedule_from from)
{
    return from_names[from];
}

/* ------------------------------------------------------------------ checks */

static int check_data(struct errand_slice data, struct errand_error *err)
{
    return data.len ? er_json_check("data", data, NULL, err) : 0;
}

static int check_cron(const char *cron, struct errand_error *err)
{
    struct er_cron parsed;

    if (!cron)
        return errand_error_set(err, ERRAND_EINVAL,
                                "cron is not said; write \"0 8 * * *\"");
    return er_cron_parse(cron, &parsed, err);
}

int er_schedule_check_time(const char *cron, const char *zone, struct errand_error *err)
{
    int rc = cron ? check_cron(cron, err) : 0;

    return rc == 0 && zone ? er_zone_check(zone, err) : rc;
}

static int check_missed(const struct er_schedule *s, struct errand_error *err)
{
    if ((unsigned)s->overlap > ERRAND_OVERLAP_ONE_WAITING)
        return errand_error_set(err, ERRAND_EINVAL, "overlap: %d is none of the enum",
                                (int)s->overlap);
    if ((unsigned)s->missed > ERRAND_MISSED_ALL)
        return errand_error_set(err, ERRAND_EINVAL, "missed: %d is none of the enum",
                                (int)s->missed);
    if (s->missed_max < 0 || s->missed_max > ER_MISSED_MAX_MOST)
        return errand_error_set(err, ERRAND_EINVAL,
                                "missed_max is %d: 1 to %d are allowed",
                                (int)s->missed_max, ER_MISSED_MAX_MOST);
    if (s->missed_max && s->missed != ERRAND_MISSED_ALL)
        return errand_error_set(err, ERRAND_EINVAL,
                                "missed_max means something with 'all' for missed only");
    if (s->jitter_ms < 0 || s->jitter_ms > ER_JITTER_MS_MOST)
        return errand_error_set(err, ERRAND_EINVAL,
                                "jitter is %lld ms: at most a day is allowed",
                                (long long)s->jitter_ms);
    return 0;
}

int er_schedule_check(const struct er_schedule *s, struct errand_error *err)
{
    int rc;

    if ((rc = check_cron(s->cron, err)) < 0 || (rc = er_zone_check(s->zone, err)) < 0 ||
        (rc = check_missed(s, err)) < 0 || (rc = check_data(s->data, err)) < 0)
        return rc;
    if (s->job && (rc = er_name_check("job name", s->job, err)) < 0)
        return rc;
    return er_options_check(&s->options, err);
}

/* ------------------------------------------------------------------ from text */

static int word_of(const char *const *words, size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], value) == 0)
            return (int)i;
    return -1;
}

static int set_overlap(struct er_schedule *s, const char *value, struct errand_error *err)
{
    int word = strcmp(value, "one_waiting") == 0 ? ERRAND_OVERLAP_ONE_WAITING
                                                 : word_of(overlap_names, 3, value);

    if (word < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "overlap: '%s' is not skip, allow or one-waiting", value);
    s->overlap = (enum errand_overlap)word;
    return 0;
}

static int set_missed(struct er_schedule *s, const char *value, struct errand_error *err)
{
    int word = word_of(missed_names, 3, value);

    if (word < 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "missed: '%s' is not once, skip or all", value);
    s->missed = (enum errand_missed)word;
    return 0;
}

static int set_missed_max(struct er_schedule *s, const char *value,
                          struct errand_error *err)
{
    char *end;
    long n = strtol(value, &end, 10);

    if (*end || end == value || n < 1 || n > ER_MISSED_MAX_MOST)
        return errand_error_set(err, ERRAND_EINVAL,
                                "missed_max: '%s' is not a number from 1 to %d", value,
                                ER_MISSED_MAX_MOST);
    s->missed_max = (int32_t)n;
    return 0;
}

static int set_jitter(struct er_schedule *s, const char *value, struct errand_error *err)
{
    int64_t ms;

    if (er_duration_parse(value, &ms) < 0 || ms > ER_JITTER_MS_MOST)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "jitter: '%s' is not a time of at most a day; write 30, 90s or 10m", value);
    s->jitter_ms = ms;
    return 0;
}

static int set_cron(struct er_schedule *s, const char *value, struct errand_error *err)
{
    s->cron = value;
    return check_cron(value, err);
}

static int set_zone(struct er_schedule *s, const char *value, struct errand_error *err)
{
    s->zone = value;
    return er_zone_check(value, err);
}

static int set_job(struct er_schedule *s, const char *value, struct errand_error *err)
{
    s->job = value;
    return er_name_check("job name", value, err);
}

static int set_data(struct er_schedule *s, const char *value, struct errand_error *err)
{
    s->data = (struct errand_slice){value, strlen(value)};
    return check_data(s->data, err);
}

static const struct {
    const char *key;
    int (*set)(struct er_schedule *, const char *value, struct errand_error *err);
} own_keys[] = {
    {"cron", set_cron},
    {"zone", set_zone},
    {"job", set_job},
    {"data", set_data},
    {"overlap", set_overlap},
    {"missed", set_missed},
    {"missed_max", set_missed_max},
    {"jitter", set_jitter},
};

static const char *const option_keys[] = {
    "queue",    "tries",  "timeout",    "backoff", "backoff_strategy",
    "priority", "unique", "unique_for", "tags"};

static bool is_same(const char *key, const char *typed)
{
    while (*key && (*typed == '-' ? '_' : *typed) == *key) {
        key++;
        typed++;
    }
    return !*key && !*typed;
}

int er_schedule_set(struct er_schedule *schedule, const char *key, const char *value,
                    struct errand_arena *arena, struct errand_error *err)
{
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        struct er_schedule next = *schedule;
        char *copy;
        int rc;
        if (!is_same(own_keys[i].key, key))
            continue;
        if (!(copy = errand_arena_copy(arena, value, strlen(value))))
            return er_error_nomem(err);
        if ((rc = own_keys[i].set(&next, copy, err)) == 0)
            *schedule = next;
        return rc;
    }
    for (size_t i = 0; i < sizeof option_keys / sizeof *option_keys; i++)
        if (is_same(option_keys[i], key))
            return er_options_set(&schedule->options, option_keys[i], value, arena, err);
    return errand_error_set(err, ERRAND_ENOTFOUND, "a schedule has no '%s'", key);
}
