/* admit.c: what an attempt must pass before it begins.
 *
 * Unique keys, rates and concurrency are the store's to hold a job to, and mostly it came
 * with them. Where its dispatcher did not know the class, the worker that got it does. */
#include "worker/admit.h"

#include <string.h>

#include "base/arena.h"
#include "client/seal.h"
#include "client/seal_job.h"
#include "core/json.h"
#include "worker/supervisor.h"

static const char skipped_unique[] = "{\"skipped\":\"unique\"}";
static const char skipped_throttle[] = "{\"skipped\":\"throttle\"}";

static enum er_admit end(struct er_supervisor *s, struct er_attempt *a,
                         const struct er_ending *ending)
{
    er_slots_pend_remove(s, a);
    er_settle_ended(s, a, ending);
    return ER_ADMIT_ENDED;
}

/* No retry makes the data have what a key needs. */
static void ending_of_error(struct er_ending *ending, const char *why, size_t len)
{
    *ending = (struct er_ending){
        .cause = ERRAND_CAUSE_ERROR, .verdict = ERRAND_FAIL, .error = {why, len}};
}

/* ------------------------------------------------------------------ keys and limits */

/* What the class asks and the job has not. A key that ends with the start would end now.
 */
static uint32_t missing(const struct er_attempt *a)
{
    const struct er_options *asked = a->plan->asked;
    uint32_t bits = asked ? asked->has & (uint32_t)ER_OPT_ASKED : 0;

    if (a->job->is_unique || (bits && asked->unique_until == ERRAND_UNIQUE_STARTED))
        bits &= ~(uint32_t)ER_OPT_UNIQUE;
    if (a->job->has_limits)
        bits &= ~(uint32_t)(ER_OPT_RATE | ER_OPT_CONCURRENCY);
    return bits;
}

/* What was made of data that the store may not see, it may not see either. By then the
 * data was opened, so there is a ring. */
static int hide(struct er_supervisor *s, const struct er_attempt *a,
                struct er_asked *asked, struct errand_error *err)
{
    const struct er_key_ring *ring;
    int rc = 0;

    if (a->was_sealed && (rc = er_client_keys(s->client, &ring, err)) == 0)
        rc = er_seal_asked(ring, asked, a->lot->arena, err);
    return rc;
}

/* In the arena of the lot, which lives until this attempt is settled. */
static int ask(struct er_supervisor *s, struct er_attempt *a, const struct er_keys *keys,
               struct er_asked **ret, struct errand_error *err)
{
    struct errand_arena *arena = a->lot->arena;
    struct er_options rest = *a->plan->asked;
    struct errand_slice data = a->data.len ? a->data : (struct errand_slice){"null", 4};
    int rc;

    rest.has &= ~(uint32_t)ER_OPT_ASKED | missing(a);
    if (!(*ret = errand_arena_alloc(arena, sizeof **ret)))
        return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    rc = er_asked_make(a->job->name, &rest, keys, data, arena, *ret, err);
    return rc < 0 ? rc : hide(s, a, *ret, err);
}

static void ending_of_asked(struct er_ending *ending, const struct er_asked *asked)
{
    *ending = (struct er_ending){.asked = asked,
                                 .verdict = ERRAND_DONE,
                                 .result = {skipped_unique, sizeof skipped_unique - 1}};
}

static enum er_admit limit(struct er_supervisor *s, struct er_attempt *a)
{
    struct er_keys none = {0};
    struct errand_error err = {0};
    struct er_ending ending;
    struct er_asked *asked;

    if (ask(s, a, &none, &asked, &err) < 0) {
        ending_of_error(&ending, err.message, strlen(err.message));
        return end(s, a, &ending);
    }
    if (asked->missing && !a->plan->path) {
        a->kind = ER_RUN_KEYS;
        return ER_ADMIT_GO;
    }
    ending_of_asked(&ending, asked);
    return end(s, a, &ending);
}

static const char *key_of(struct errand_slice json, const char *name,
                          struct errand_arena *arena)
{
    struct errand_slice value, text;
    enum er_json_type type;

    if (er_json_find(json, name, &type, &value, NULL) < 0 || type != ER_JSON_STRING ||
        er_json_unescape(value, arena, &text, NULL) < 0)
        return NULL;
    return text.ptr;
}

void er_admit_keys(struct er_supervisor *s, struct er_attempt *a,
                   struct er_ending *ending)
{
    struct errand_arena *arena = a->lot->arena;
    struct errand_error err = {0};
    struct er_asked *asked;
    struct er_keys keys;

    a->kind = ER_RUN_HANDLE;
    if (ending->cause != ERRAND_CAUSE_NONE || ending->verdict != ERRAND_DONE)
        return;
    keys = (struct er_keys){key_of(ending->result, "unique", arena),
                            key_of(ending->result, "rate", arena),
                            key_of(ending->result, "concurrency", arena)};
    if (ask(s, a, &keys, &asked, &err) == 0) {
        ending_of_asked(ending, asked);
        return;
    }
    ending_of_error(ending, errand_arena_copy(arena, err.message, strlen(err.message)),
                    strlen(err.message));
    if (!ending->error.ptr)
        ending->error.len = 0;
}

/* ------------------------------------------------------------------ throttle */

/* 1: it may, 0: it may not; negative: an error. */
static int throttle_take(struct er_supervisor *s, const struct er_attempt *a,
                         struct errand_error *err)
{
    const struct er_plan *plan = a->plan;
    const struct er_options *o = plan->throttle;
    struct errand_arena *arena = a->lot->arena;
    struct errand_rate_params p = {
        .n = o->throttle.n, .per_ms = o->throttle.per_ms, .take = 1};
    struct errand_rate_result got = {0};
    const char *key = o->throttle_key ? o->throttle_key : "";
    const struct er_key_ring *ring;
    int rc;

    if (!plan->is_throttle_literal &&
        (rc = er_asked_key("throttle key", a->job->name, o->throttle_key, a->data, arena,
                           &key, err)) < 0)
        return rc;
    if (!(p.name = er_asked_name("throttle", o->throttle_name, a->job->name, arena)))
        return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
    p.key = (struct errand_slice){key, strlen(key)};
    if (a->was_sealed && p.key.len &&
        ((rc = er_client_keys(s->client, &ring, err)) < 0 ||
         (rc = er_seal_key(ring, p.key, arena, &p.key, err)) < 0))
        return rc;
    rc = er_store_rate_take(s->store, &p, &got, err);
    return rc < 0 ? rc : got.allowed;
}

static enum er_admit throttle(struct er_supervisor *s, struct er_attempt *a)
{
    struct errand_error err = {0};
    struct er_ending ending;
    int rc;

    if (!er_settle_may_ask(s))
        return ER_ADMIT_WAIT;
    if ((rc = throttle_take(s, a, &err)) > 0)
        return ER_ADMIT_GO;
    if (rc < 0 && err.retryable) {
        er_settle_store_failed(s, &err);
        return ER_ADMIT_WAIT;
    }
    if (rc < 0)
        ending_of_error(&ending, err.message, strlen(err.message));
    else
        ending =
            (struct er_ending){.verdict = ERRAND_DONE,
                               .result = {skipped_throttle, sizeof skipped_throttle - 1}};
    return end(s, a, &ending);
}

/* ------------------------------------------------------------------ all of it */

enum er_admit er_admit_ready(struct er_supervisor *s, struct er_attempt *a)
{
    enum er_admit answer = ER_ADMIT_GO;

    if (a->is_admitted || a->kind != ER_RUN_HANDLE || a->is_own)
        return ER_ADMIT_GO;
    if (missing(a))
        answer = limit(s, a);
    else if (a->plan->throttle && a->job->attempt == 1)
        answer = throttle(s, a);
    if (answer == ER_ADMIT_GO)
        a->is_admitted = true;
    return answer;
}
