/* testing.h: the job classes that the tests of errand/testing.h run. */
#ifndef ER_TESTS_WORKER_TESTING_H
#define ER_TESTS_WORKER_TESTING_H

#include "client/client_test.h"

#include <errand.h>

#include "errand/testing.h"

static char seen[512]; /* what handlers did, in order */

static inline void see(const char *what, const errand_job *job)
{
    size_t len = strlen(seen);

    snprintf(seen + len, sizeof seen - len, "%s%.100s/%d", len ? " " : "", what,
             errand_job_attempt(job));
}

static inline int on_welcome(errand_job *job, struct errand_error *error)
{
    long long user;
    char result[64];

    if (errand_job_int(job, "userId", &user, error) < 0)
        return ERRAND_FAIL;
    see("welcome", job);
    errand_job_log(job, "welcome, user %lld", user);
    errand_job_progress(job, 40, "half way", NULL);
    snprintf(result, sizeof result, "{\"sent\":%lld,\"queue\":\"%s\"}", user,
             errand_job_queue(job));
    return errand_job_result(job, result, error);
}
ERRAND_JOB(SendWelcomeEmail, .handle = on_welcome, .queue = "emails")

static inline int on_flaky(errand_job *job, struct errand_error *error)
{
    see("flaky", job);
    if (errand_job_attempt(job) < 3)
        return errand_error_set(error, 7, "not yet"), ERRAND_RETRY;
    return ERRAND_DONE;
}
ERRAND_JOB(Flaky, .handle = on_flaky, .tries = 3, .backoff = ERRAND_BACKOFF(60, 300))

static inline int on_broken(errand_job *job, struct errand_error *error)
{
    see("broken", job);
    errand_error_set(error, 7, "no way");
    return ERRAND_RETRY;
}
static inline void on_broken_failed(errand_job *job, const struct errand_error *error)
{
    see(error->message, job);
}
ERRAND_JOB(Broken, .handle = on_broken, .failed = on_broken_failed, .tries = 2,
           .backoff = ERRAND_BACKOFF(10))

static inline int on_hopeless(errand_job *job, struct errand_error *error)
{
    see("hopeless", job);
    errand_error_set(error, 7, "bad data");
    return ERRAND_FAIL;
}
ERRAND_JOB(Hopeless, .handle = on_hopeless, .failed = on_broken_failed, .tries = 5)

static inline int on_later(errand_job *job, struct errand_error *error)
{
    see("later", job);
    if (strstr(seen, "later/1 later/1"))
        return ERRAND_DONE;
    return errand_job_snooze(job, 30, error) < 0 ? ERRAND_FAIL : ERRAND_SNOOZE;
}
ERRAND_JOB(Later, .handle = on_later, .tries = 1)

static inline int on_slow(errand_job *job, struct errand_error *error)
{
    (void)error;
    while (!errand_job_stopping(job))
        usleep(1000);
    see("slow", job);
    return ERRAND_DONE;
}
static inline void on_slow_timed_out(errand_job *job)
{
    see("timed-out", job);
}
ERRAND_JOB(Slow, .handle = on_slow, .timed_out = on_slow_timed_out, .timeout = 0.02,
           .tries = 1)

static int twice_as_much; /* what a handler should not keep */

static inline int on_counter(errand_job *job, struct errand_error *error)
{
    char result[32];

    snprintf(result, sizeof result, "%d", ++twice_as_much);
    return errand_job_result(job, result, error);
}
ERRAND_JOB(Counter, .handle = on_counter)

static inline int on_once(errand_job *job, struct errand_error *error)
{
    see("once", job);
    if (errand_job_attempt(job) > 1)
        return errand_error_set(error, 7, "the row is there already"), ERRAND_FAIL;
    return ERRAND_DONE;
}
ERRAND_JOB(Once, .handle = on_once)

static errand *endless_handle;

static inline int on_endless(errand_job *job, struct errand_error *error)
{
    (void)job;
    return errand_dispatch(endless_handle, "endless", NULL, NULL, NULL, error) < 0
               ? ERRAND_FAIL
               : ERRAND_DONE;
}
ERRAND_JOB(Endless, .handle = on_endless)

static inline int around(errand_job *job, errand_next *next, void *config,
                         struct errand_error *error)
{
    see(config, job);
    return errand_next_run(next, error);
}
ERRAND_JOB(Wrapped, .handle = on_welcome,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_USE(around, "outside")))

/* Hands out more work, and reads what came before. */
static inline int on_parent(errand_job *job, struct errand_error *error)
{
    struct errand_id id;

    if (errand_job_dispatch(job, "Counter", NULL, NULL, &id, error) < 0)
        return ERRAND_FAIL;
    return errand_job_dispatch(job, "SendWelcomeEmail", "{\"userId\":9}", NULL, NULL,
                               error) < 0
               ? ERRAND_FAIL
               : ERRAND_DONE;
}
ERRAND_JOB(Parent, .handle = on_parent)

static inline int on_child(errand_job *job, struct errand_error *error)
{
    const char *json;

    if (errand_job_parent_result(job, NULL, &json, error) < 0)
        return ERRAND_FAIL;
    return errand_job_result(job, json, error) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(Child, .handle = on_child)

static inline int on_secret(errand_job *job, struct errand_error *error)
{
    const char *card;

    if (errand_job_string(job, "card", &card, error) < 0)
        return ERRAND_FAIL;
    see(card, job);
    errand_error_set(error, 7, "the bank is closed");
    return ERRAND_FAIL;
}
static inline void on_secret_failed(errand_job *job, const struct errand_error *error)
{
    const char *card = "?";

    (void)error;
    errand_job_string(job, "card", &card, NULL);
    see(card, job);
}
ERRAND_JOB(Secret, .handle = on_secret, .failed = on_secret_failed, .encrypted = true,
           .schema = "{\"required\":[\"card\"]}")
ERRAND_JOB(Card, .handle = on_secret, .failed = on_secret_failed,
           .schema = "{\"required\":[\"card\"]}")

static inline int setup(void **state)
{
    (void)state;
    seen[0] = '\0';
    twice_as_much = 0;
    return 0;
}
TEST_FIXTURE(setup, NULL)

#endif
