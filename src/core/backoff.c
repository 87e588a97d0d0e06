/* backoff.c: the rule for the wait before a retry. What is explicit is exact; only the
 * default is spread out, so that a thousand jobs that failed together do not come back
 * together. */
#include "core/backoff.h"

#include <math.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/clock.h"

static const double base_s = 10, cap_s = 3600, jitter_share = 0.2;
/* The longest wait anybody may ask for: a year. Anything near INT64_MAX ms would wrap
 * when it is added to now. */
static const double longest_s = 366 * 86400.0;

static bool is_wait(double seconds)
{
    return seconds >= 0 && seconds <= longest_s; /* NaN is neither */
}

/* For values that nobody has checked. */
static double clamp(double seconds)
{
    if (!(seconds > 0))
        return 0;
    return seconds < longest_s ? seconds : longest_s;
}

static double growing(const struct errand_backoff *b, int retry)
{
    double base = b->base > 0 ? b->base : base_s;
    double cap = b->cap > 0 ? b->cap : cap_s;
    double wait =
        b->strategy == ERRAND_BACKOFF_LINEAR ? base * retry : ldexp(base, retry - 1);

    return clamp(wait < cap ? wait : cap);
}

static bool is_unsaid(const struct errand_backoff *b)
{
    return b->strategy == ERRAND_BACKOFF_DEFAULT && b->base == 0 && b->jitter == 0;
}

/* A list whose length nobody has given, as in `.backoff = 60` or `{60, 300}`, ends at its
 * last wait that is not 0. */
static size_t waits_n(const struct errand_backoff *b)
{
    size_t n = b->list_n ? 0 : ERRAND_BACKOFF_LIST_MAX;

    while (n > 0 && b->list[n - 1] == 0)
        n--;
    return b->list_n ? b->list_n : n;
}

bool er_backoff_is_said(const struct errand_backoff *b)
{
    return b->list_n > 0 || b->strategy != ERRAND_BACKOFF_DEFAULT || b->base != 0 ||
           b->cap != 0 || b->jitter != 0;
}

bool er_backoff_said(const struct errand_backoff *b, struct errand_backoff *ret)
{
    struct errand_backoff counted = *b;

    counted.list_n = waits_n(b);
    if (!er_backoff_is_said(&counted))
        return false;
    *ret = counted;
    return true;
}

int64_t er_backoff_ms(const struct errand_backoff *backoff, int retry, double random)
{
    double wait, jitter = is_unsaid(backoff) ? jitter_share : backoff->jitter;
    size_t n = backoff->list_n;

    if (retry < 1)
        retry = 1;
    if (n > ERRAND_BACKOFF_LIST_MAX)
        n = ERRAND_BACKOFF_LIST_MAX;
    if (n > 0)
        return llround(
            1000 * clamp(backoff->list[(size_t)retry < n ? (size_t)retry - 1 : n - 1]));
    if (backoff->strategy == ERRAND_BACKOFF_FIXED)
        wait = clamp(backoff->base > 0 ? backoff->base : base_s);
    else
        wait = growing(backoff, retry);
    if (jitter > 0 && random > 0)
        wait += wait * fmin(jitter, 1) * fmin(random, 1);
    return llround(wait * 1000);
}

static int check_wait(const char *what, double seconds, struct errand_error *err)
{
    if (is_wait(seconds))
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "backoff %s is %g: seconds from 0 to 31,622,400 are allowed",
                            what, seconds);
}

int er_backoff_check(const struct errand_backoff *backoff, struct errand_error *err)
{
    size_t n = waits_n(backoff);
    char what[32];
    int rc;

    if (n > ERRAND_BACKOFF_LIST_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "backoff has %zu values, more than the %d allowed", n,
                                ERRAND_BACKOFF_LIST_MAX);
    for (size_t i = 0; i < n; i++) {
        snprintf(what, sizeof what, "value %zu", i + 1);
        if ((rc = check_wait(what, backoff->list[i], err)) < 0)
            return rc;
    }
    if ((unsigned)backoff->strategy > ERRAND_BACKOFF_EXPONENTIAL)
        return errand_error_set(err, ERRAND_EINVAL, "backoff strategy %d does not exist",
                                (int)backoff->strategy);
    if ((rc = check_wait("base", backoff->base, err)) < 0 ||
        (rc = check_wait("cap", backoff->cap, err)) < 0)
        return rc;
    if (isnan(backoff->jitter) || backoff->jitter > 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "backoff jitter is %g: a share from 0 to 1 is allowed",
                                backoff->jitter);
    return 0;
}

int64_t er_retry_at(const struct er_retry *r, int64_t ended_ms, double random)
{
    int64_t wait_ms = r->wait_ms, at_ms;

    if (r->attempt >= r->tries)
        return -1;
    if (wait_ms <= 0)
        wait_ms = er_backoff_ms(r->backoff, r->attempt, random);
    at_ms = ended_ms + wait_ms;
    if ((r->until_ms && at_ms >= r->until_ms) ||
        (r->for_ms && at_ms >= r->created_ms + r->for_ms))
        return -1;
    return at_ms;
}

/* ------------------------------------------------------------------ a store */

enum { STORE_FIRST_MS = 50, STORE_BUSY_MS = 400 /* the call has waited already */ };
enum { CALL_FIRST_MS = 5, CALL_MOST_MS = 1000 };

/* splitmix64: jitter needs no better. */
double er_backoff_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (double)((x ^ x >> 31) >> 11) / 9007199254740992.0;
}

uint64_t er_backoff_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)er_clock_boot_ms(NULL) << 32 ^ (uint64_t)getpid();
    return seed;
}

/* It doubles with each, and half of it is random. */
static int64_t growing_ms(int first_ms, int most_ms, int n, double random)
{
    double wait = first_ms;

    for (int i = 0; i < n && wait < most_ms; i++)
        wait *= 2;
    return (int64_t)((wait < most_ms ? wait : most_ms) * (0.5 + random / 2));
}

int64_t er_backoff_store_ms(int failures, int code, double random)
{
    return growing_ms(STORE_FIRST_MS,
                      code == ERRAND_EBUSY ? STORE_BUSY_MS : ER_BACKOFF_STORE_MOST_MS,
                      failures, random);
}

int64_t er_backoff_call_ms(int tries, double random)
{
    return growing_ms(CALL_FIRST_MS, CALL_MOST_MS, tries - 1, random);
}
