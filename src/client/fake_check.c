/* fake_check.c: looking at what a fake recorded. Each check says what there was beside
 * what was expected, so that a failed test needs no second run to be understood. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/fake.h"
#include "core/clock.h"

enum { SAID_MAX = 600, SECOND_MS = 1000 };

/* ------------------------------------------------------------------ finding */

static bool matches(const struct er_fake_entry *entry, const char *key)
{
    return !key || strcmp(entry->key, key) == 0;
}

/* NULL for NULL, and for a name that is none: nothing is recorded under it. */
static const char *key_of(const char *name, char key[ER_NAME_MAX + 1])
{
    if (!name)
        return NULL;
    *key = '\0';
    return strlen(name) <= ER_NAME_MAX ? er_name_key(name, key) : key;
}

static const struct errand_fake_job *find(errand *e, const char *name, size_t i,
                                          bool is_delayed)
{
    const errand_fake_queue *q = errand_get_fake(e);
    char buf[ER_NAME_MAX + 1];
    const char *key = key_of(name, buf);

    for (size_t at = 0; q && at < q->n; at++) {
        const struct er_fake_entry *entry = q->list[at];
        if (!matches(entry, key) || (is_delayed && entry->job.delay_ms == 0))
            continue;
        if (i-- == 0)
            return &entry->job;
    }
    return NULL;
}

const struct errand_fake_job *errand_fake_dispatched(errand *e, const char *name,
                                                     size_t i)
{
    return find(e, name, i, false);
}

const struct errand_fake_job *errand_fake_pushed(errand *e, const char *name, size_t i)
{
    return find(e, name, i, true);
}

size_t errand_fake_dispatched_n(errand *e, const char *name)
{
    const errand_fake_queue *q = errand_get_fake(e);
    char buf[ER_NAME_MAX + 1];
    const char *key = key_of(name, buf);
    size_t n = 0;

    for (size_t i = 0; q && i < q->n; i++)
        n += matches(q->list[i], key);
    return n;
}

bool errand_has_dispatched(errand *e, const char *name)
{
    return find(e, name, 0, false) != NULL;
}

/* ------------------------------------------------------------------ saying why not */

/* errand_error_set answers the code: never 0, so `== 0` says false and why. */
static bool is_usable(errand *e, struct errand_error *err)
{
    const errand_fake_queue *q = errand_get_fake(e);

    if (!q)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "nothing is recorded: this handle is no fake, call "
                                "errand_fake first") == 0;
    return !q->is_short || er_error_nomem(err) == 0;
}

/* "a, b and 3 more", as long as it has room. */
static const char *say_all(errand *e, char said[SAID_MAX])
{
    const errand_fake_queue *q = errand_get_fake(e);
    size_t len = 0;

    if (q->n == 0)
        return "nothing";
    for (size_t i = 0; i < q->n; i++) {
        const char *name = q->list[i]->job.name;
        if (len + strlen(name) + 32 > SAID_MAX) {
            snprintf(said + len, SAID_MAX - len, " and %zu more", q->n - i);
            break;
        }
        len += (size_t)snprintf(said + len, SAID_MAX - len, "%s%s", i ? ", " : "", name);
    }
    return said;
}

static const char *times(size_t n)
{
    return n == 1 ? "time" : "times";
}

static const char *text(const char *name)
{
    return name ? name : "any job";
}

/* ------------------------------------------------------------------ how many */

bool errand_check_dispatched(errand *e, const char *name, struct errand_error *err)
{
    char said[SAID_MAX];

    if (!is_usable(e, err))
        return false;
    return errand_has_dispatched(e, name) ||
           errand_error_set(err, ERRAND_ECONFLICT, "'%s' was not dispatched, but: %s",
                            text(name), say_all(e, said)) == 0;
}

bool errand_check_dispatched_times(errand *e, const char *name, size_t n,
                                   struct errand_error *err)
{
    size_t found = errand_fake_dispatched_n(e, name);
    char said[SAID_MAX];

    if (!is_usable(e, err))
        return false;
    return found == n ||
           errand_error_set(err, ERRAND_ECONFLICT,
                            "'%s' was dispatched %zu %s, expected %zu %s; in all: %s",
                            text(name), found, times(found), n, times(n),
                            say_all(e, said)) == 0;
}

bool errand_check_not_dispatched(errand *e, const char *name, struct errand_error *err)
{
    return errand_check_dispatched_times(e, name, 0, err);
}

bool errand_check_nothing_dispatched(errand *e, struct errand_error *err)
{
    size_t found = errand_fake_dispatched_n(e, NULL);
    char said[SAID_MAX];

    if (!is_usable(e, err))
        return false;
    return found == 0 ||
           errand_error_set(err, ERRAND_ECONFLICT,
                            "expected nothing to be dispatched, but %zu %s: %s", found,
                            found == 1 ? "was" : "were", say_all(e, said)) == 0;
}

/* ------------------------------------------------------------------ with what */

static bool is_json(const char *what, const char *json, struct errand_error *err)
{
    if (!json)
        return errand_error_set(err, ERRAND_EINVAL, "%s is NULL", what) == 0;
    return er_json_check(what, (struct errand_slice){json, strlen(json)}, NULL, err) == 0;
}

bool errand_check_json(const char *got, const char *want, struct errand_error *err)
{
    if (!is_json("what there is", got, err) || !is_json("what is expected", want, err))
        return false;
    return er_json_agree((struct errand_slice){got, strlen(got)},
                         (struct errand_slice){want, strlen(want)}, err);
}

bool errand_check_dispatched_with(errand *e, const char *name, const char *json,
                                  struct errand_error *err)
{
    struct errand_error why = {0};
    const struct errand_fake_job *job;
    size_t i = 0;

    if (!errand_check_dispatched(e, name, err) || !is_json("expected data", json, err))
        return false;
    for (; (job = errand_fake_dispatched(e, name, i)); i++)
        if (er_json_agree(job->data, (struct errand_slice){json, strlen(json)}, &why))
            return true;
    return errand_error_set(err, ERRAND_ECONFLICT,
                            "'%s' was dispatched %zu %s, but not with this data; of the "
                            "last one %s",
                            text(name), i, times(i), why.message) == 0;
}

bool errand_check_pushed_on(errand *e, const char *name, const char *queue,
                            struct errand_error *err)
{
    const struct errand_fake_job *job, *last = NULL;

    if (!errand_check_dispatched(e, name, err))
        return false;
    for (size_t i = 0; (job = errand_fake_dispatched(e, name, i)); i++) {
        if (strcmp(job->queue, queue) == 0)
            return true;
        last = job;
    }
    return errand_error_set(err, ERRAND_ECONFLICT, "'%s' is on queue '%s', not '%s'",
                            text(name), last->queue, queue) == 0;
}

/* The real clock goes on between the dispatch and its recording, and a caller may have
 * reckoned the instant itself a moment before. */
static bool is_delay(errand *e, const struct errand_fake_job *job, int64_t delay_ms)
{
    int64_t off_ms = job->delay_ms - delay_ms;

    if (e->clock && e->clock->fixed_ms)
        return off_ms == 0;
    return off_ms < SECOND_MS && off_ms > -SECOND_MS;
}

bool errand_check_pushed_with_delay(errand *e, const char *name, double seconds,
                                    struct errand_error *err)
{
    const struct errand_fake_job *job, *last = NULL;
    int64_t delay_ms = 0;

    if (er_seconds_to_ms("expected delay", seconds, &delay_ms, err) < 0 ||
        !errand_check_dispatched(e, name, err))
        return false;
    for (size_t i = 0; (job = errand_fake_pushed(e, name, i)); i++) {
        if (is_delay(e, job, delay_ms))
            return true;
        last = job;
    }
    if (!last)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "'%s' was dispatched without a delay, expected %g s",
                                text(name), seconds) == 0;
    return errand_error_set(err, ERRAND_ECONFLICT,
                            "'%s' was dispatched with a delay of %g s, expected %g s",
                            text(name), (double)last->delay_ms / 1000, seconds) == 0;
}

/* ------------------------------------------------------------------ together */

static bool is_name(const struct er_fake_entry *entry, const char *name)
{
    char key[ER_NAME_MAX + 1];

    return matches(entry, key_of(name, key));
}

static bool is_member(const struct er_fake_entry *entry, enum errand_fake_way way,
                      const struct errand_id *group)
{
    return entry->job.way == way && strcmp(entry->job.batch.text, group->text) == 0;
}

/* The links of a chain were recorded in their order. */
static bool is_chain(const errand_fake_queue *q, size_t first, const char *const *names)
{
    const struct errand_id *group = &q->list[first]->job.batch;
    size_t i = first;

    for (; *names; names++, i++) {
        while (i < q->n && !is_member(q->list[i], ERRAND_FAKE_CHAIN, group))
            i++;
        if (i == q->n || !is_name(q->list[i], *names))
            return false;
    }
    while (i < q->n && !is_member(q->list[i], ERRAND_FAKE_CHAIN, group))
        i++;
    return i == q->n;
}

/* As often among the names as among the members, for each member, and no more names. */
static bool is_batch(const errand_fake_queue *q, size_t first, const char *const *names)
{
    const struct errand_id *group = &q->list[first]->job.batch;
    size_t names_n = 0, members_n = 0;

    while (names[names_n])
        names_n++;
    for (size_t i = first; i < q->n; i++) {
        int surplus = 0;
        if (!is_member(q->list[i], ERRAND_FAKE_BATCH, group))
            continue;
        members_n++;
        for (size_t j = first; j < q->n; j++)
            surplus += is_member(q->list[j], ERRAND_FAKE_BATCH, group) &&
                       strcmp(q->list[j]->key, q->list[i]->key) == 0;
        for (size_t j = 0; j < names_n; j++)
            surplus -= is_name(q->list[i], names[j]);
        if (surplus != 0)
            return false;
    }
    return members_n == names_n;
}

static bool is_first(const errand_fake_queue *q, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (is_member(q->list[j], q->list[i]->job.way, &q->list[i]->job.batch))
            return false;
    return true;
}

/* "a > b" of the last group of its kind, or "none". */
static const char *say_group(const errand_fake_queue *q, enum errand_fake_way way,
                             char said[SAID_MAX])
{
    const char *between = way == ERRAND_FAKE_CHAIN ? " > " : ", ";
    const struct errand_id *group = NULL;
    size_t len = 0;

    for (size_t i = 0; i < q->n; i++)
        if (q->list[i]->job.way == way)
            group = &q->list[i]->job.batch;
    if (!group)
        return "none";
    for (size_t i = 0; i < q->n; i++) {
        const char *name = q->list[i]->job.name;
        if (!is_member(q->list[i], way, group))
            continue;
        if (len + strlen(name) + 16 > SAID_MAX) {
            snprintf(said + len, SAID_MAX - len, "%s…", between);
            break;
        }
        len += (size_t)snprintf(said + len, SAID_MAX - len, "%s%s", len ? between : "",
                                name);
    }
    return said;
}

static bool check_group(errand *e, enum errand_fake_way way, const char *const *names,
                        struct errand_error *err)
{
    const errand_fake_queue *q = errand_get_fake(e);
    char said[SAID_MAX];

    if (!is_usable(e, err))
        return false;
    if (!names || !names[0])
        return errand_error_set(err, ERRAND_EINVAL, "no names are expected") == 0;
    for (size_t i = 0; i < q->n; i++) {
        if (q->list[i]->job.way != way || !is_first(q, i))
            continue;
        if (way == ERRAND_FAKE_CHAIN ? is_chain(q, i, names) : is_batch(q, i, names))
            return true;
    }
    return errand_error_set(err, ERRAND_ECONFLICT,
                            "no %s of these jobs was dispatched; the last one: %s",
                            way == ERRAND_FAKE_CHAIN ? "chain" : "batch",
                            say_group(q, way, said)) == 0;
}

bool errand_check_chained(errand *e, const char *const *names, struct errand_error *err)
{
    return check_group(e, ERRAND_FAKE_CHAIN, names, err);
}

bool errand_check_batched(errand *e, const char *const *names, struct errand_error *err)
{
    return check_group(e, ERRAND_FAKE_BATCH, names, err);
}
