/* testing.c: running one job and draining a store, for tests of jobs (errand/testing.h).
 */
#include "client/client_test.h"

#include <errand.h>

#include "client/keys.h"
#include "errand/testing.h"

enum { START_MS = 1000000000 };

/* ------------------------------------------------------------------ job classes */

static char seen[512]; /* what handlers did, in order */

static void see(const char *what, const errand_job *job)
{
    size_t len = strlen(seen);

    snprintf(seen + len, sizeof seen - len, "%s%s/%d", len ? " " : "", what,
             errand_job_attempt(job));
}

static int on_welcome(errand_job *job, struct errand_error *error)
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

static int on_flaky(errand_job *job, struct errand_error *error)
{
    see("flaky", job);
    if (errand_job_attempt(job) < 3)
        return errand_error_set(error, 7, "not yet"), ERRAND_RETRY;
    return ERRAND_DONE;
}
ERRAND_JOB(Flaky, .handle = on_flaky, .tries = 3, .backoff = ERRAND_BACKOFF(60, 300))

static int on_broken(errand_job *job, struct errand_error *error)
{
    see("broken", job);
    errand_error_set(error, 7, "no way");
    return ERRAND_RETRY;
}
static void on_broken_failed(errand_job *job, const struct errand_error *error)
{
    see(error->message, job);
}
ERRAND_JOB(Broken, .handle = on_broken, .failed = on_broken_failed, .tries = 2,
           .backoff = ERRAND_BACKOFF(10))

static int on_hopeless(errand_job *job, struct errand_error *error)
{
    see("hopeless", job);
    errand_error_set(error, 7, "bad data");
    return ERRAND_FAIL;
}
ERRAND_JOB(Hopeless, .handle = on_hopeless, .failed = on_broken_failed, .tries = 5)

static int on_later(errand_job *job, struct errand_error *error)
{
    see("later", job);
    if (strstr(seen, "later/1 later/1"))
        return ERRAND_DONE;
    return errand_job_snooze(job, 30, error) < 0 ? ERRAND_FAIL : ERRAND_SNOOZE;
}
ERRAND_JOB(Later, .handle = on_later, .tries = 1)

static int on_slow(errand_job *job, struct errand_error *error)
{
    (void)error;
    while (!errand_job_stopping(job))
        usleep(1000);
    see("slow", job);
    return ERRAND_DONE;
}
static void on_slow_timed_out(errand_job *job)
{
    see("timed-out", job);
}
ERRAND_JOB(Slow, .handle = on_slow, .timed_out = on_slow_timed_out, .timeout = 0.02,
           .tries = 1)

static int twice_as_much; /* what a handler should not keep */

static int on_counter(errand_job *job, struct errand_error *error)
{
    char result[32];

    snprintf(result, sizeof result, "%d", ++twice_as_much);
    return errand_job_result(job, result, error);
}
ERRAND_JOB(Counter, .handle = on_counter)

static int on_once(errand_job *job, struct errand_error *error)
{
    see("once", job);
    if (errand_job_attempt(job) > 1)
        return errand_error_set(error, 7, "the row is there already"), ERRAND_FAIL;
    return ERRAND_DONE;
}
ERRAND_JOB(Once, .handle = on_once)

static errand *endless_handle;

static int on_endless(errand_job *job, struct errand_error *error)
{
    (void)job;
    return errand_dispatch(endless_handle, "endless", NULL, NULL, NULL, error) < 0
               ? ERRAND_FAIL
               : ERRAND_DONE;
}
ERRAND_JOB(Endless, .handle = on_endless)

static int around(errand_job *job, errand_next *next, void *config,
                  struct errand_error *error)
{
    see(config, job);
    return errand_next_run(next, error);
}
ERRAND_JOB(Wrapped, .handle = on_welcome,
           .middleware = ERRAND_MIDDLEWARE(ERRAND_USE(around, "outside")))

/* Hands out more work, and reads what came before. */
static int on_parent(errand_job *job, struct errand_error *error)
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

static int on_child(errand_job *job, struct errand_error *error)
{
    const char *json;

    if (errand_job_parent_result(job, NULL, &json, error) < 0)
        return ERRAND_FAIL;
    return errand_job_result(job, json, error) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(Child, .handle = on_child)

static int setup(void **state)
{
    (void)state;
    seen[0] = '\0';
    twice_as_much = 0;
    return 0;
}
TEST_FIXTURE(setup, NULL)

/* ------------------------------------------------------------------ one job */

static struct errand_test_result *ran(const char *name, const char *data,
                                      const struct errand_test_options *options)
{
    struct errand_test_result *result = NULL;

    if (errand_run_test_job(name, data, options, &result, &err) < 0)
        fail_msg("%s", err.message);
    return result;
}

TEST(a_job_is_run_and_tells_all)
{
    struct errand_test_result *r = ran("send-welcome-email", "{\"userId\":1}", NULL);

    assert_true(r->success);
    assert_int_equal(r->verdict, ERRAND_DONE);
    errand_assert_json(r->result, "{\"queue\":\"emails\",\"sent\":1}");
    assert_string_equal(r->log, "welcome, user 1\n");
    assert_int_equal(r->percent, 40);
    assert_string_equal(r->note, "half way");
    assert_string_equal(r->error.message, "");
    assert_string_equal(seen, "welcome/1");
    errand_test_result_free(r);
}

TEST(a_handler_that_fails_is_an_answer_and_no_error)
{
    struct errand_test_result *r = ran("Broken", NULL, NULL);

    assert_false(r->success);
    assert_int_equal(r->verdict, ERRAND_RETRY);
    assert_int_equal(r->error.code, 7);
    assert_string_equal(r->error.message, "no way");
    assert_null(r->result);
    assert_string_equal(seen, "broken/1"); /* no retry, and no failed hook */
    errand_test_result_free(r);
    r = ran("SendWelcomeEmail", "{}", NULL);
    assert_int_equal(r->verdict, ERRAND_FAIL);
    errand_test_result_free(r);
}

TEST(middleware_runs_around_it)
{
    errand_test_result_free(ran("Wrapped", "{\"userId\":1}", NULL));
    assert_string_equal(seen, "outside/1 welcome/1");
}

TEST(a_job_that_overruns_its_time_has_timed_out)
{
    struct errand_test_result *r = ran("Slow", NULL, NULL);

    assert_false(r->success);
    assert_true(r->is_timed_out);
    assert_string_equal(r->error.message, "timed out after 0.02 s");
    assert_string_equal(seen, "slow/1 timed-out/1");
    errand_test_result_free(r);
    r = ran("Slow", NULL, &(struct errand_test_options){.job = {.timeout = 0.01}});
    assert_string_equal(r->error.message, "timed out after 0.01 s");
    errand_test_result_free(r);
}

TEST(the_attempt_may_be_a_later_one)
{
    struct errand_test_result *r =
        ran("Flaky", NULL, &(struct errand_test_options){.attempt = 3});

    assert_true(r->success);
    errand_test_result_free(r);
}

TEST(a_snooze_says_for_how_long)
{
    struct errand_test_result *r = ran("Later", NULL, NULL);

    assert_false(r->success);
    assert_int_equal(r->verdict, ERRAND_SNOOZE);
    assert_true(r->snooze > 29.9 && r->snooze < 30.1);
    errand_test_result_free(r);
}

CLAIM(what_a_job_dispatches_goes_to_the_handle_that_was_given)
{
    struct errand_test_result *r;

    r = ran("Parent", NULL, NULL);
    assert_false(r->success);
    assert_non_null(strstr(r->error.message, "without a store"));
    errand_test_result_free(r);
    assert_int_equal(errand_fake(e, &err), 0);
    r = ran("Parent", NULL, &(struct errand_test_options){.e = e});
    assert_string_equal(r->error.message, "");
    assert_true(r->success);
    errand_test_result_free(r);
    errand_assert_dispatched_times(e, NULL, 2);
    errand_assert_dispatched_with(e, "send-welcome-email", "{\"userId\":9}");
}

TEST(a_class_at_hand_need_not_be_registered)
{
    const struct errand_job_class mine = {.name = "Mine", .handle = on_welcome};
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_class(&mine, "{\"userId\":2}", NULL, &r, &err), 0);
    errand_assert_json(r->result, "{\"queue\":\"default\",\"sent\":2}");
    errand_test_result_free(r);
}

TEST(what_cannot_be_run_is_refused)
{
    const struct errand_job_class empty = {.name = "Empty"};
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_job("nobody", NULL, NULL, &r, &err),
                     ERRAND_ENOTFOUND);
    assert_string_equal(err.message, "this program has no job 'nobody'");
    assert_int_equal(errand_run_test_job("Flaky", "{oops", NULL, &r, &err), ERRAND_EJSON);
    assert_int_equal(errand_run_test_job("", NULL, NULL, &r, &err), ERRAND_EINVAL);
    assert_int_equal(errand_run_test_class(&empty, NULL, NULL, &r, &err), ERRAND_EINVAL);
    assert_int_equal(errand_run_test_job("Flaky", NULL,
                                         &(struct errand_test_options){.attempt = -1}, &r,
                                         &err),
                     ERRAND_EINVAL);
    assert_int_equal(errand_run_test_job(
                         "Flaky", NULL,
                         &(struct errand_test_options){.job = {.timeout = -1}}, &r, &err),
                     ERRAND_EINVAL);
    assert_null(r);
    assert_string_equal(seen, "");
    errand_test_result_free(NULL);
}

CLAIM(a_fake_records_what_was_to_run_at_once)
{
    char *result = seen;

    assert_int_equal(errand_fake(e, &err), 0);
    assert_int_equal(errand_dispatch_sync(e, "SendWelcomeEmail", "{\"userId\":1}", NULL,
                                          &result, &err),
                     0);
    assert_null(result);
    assert_int_equal(errand_dispatch_sync(e, "nobody-has-it", NULL, NULL, NULL, &err), 0);
    assert_int_equal(errand_dispatch_sync(e, "Flaky", "{oops", NULL, NULL, &err),
                     ERRAND_EJSON);
    assert_string_equal(seen, "");
    errand_assert_dispatched_times(e, NULL, 2);
    assert_int_equal(errand_fake_dispatched(e, "send-welcome-email", 0)->way,
                     ERRAND_FAKE_SYNC);
    assert_string_equal(errand_fake_dispatched(e, NULL, 0)->queue, "emails");
    errand_restore(e);
    assert_int_equal(
        errand_dispatch_sync(e, "SendWelcomeEmail", "{\"userId\":1}", NULL, NULL, &err),
        0);
    assert_string_equal(seen, "welcome/1");
}

/* ------------------------------------------------------------------ draining */

static struct errand_drained drain(const struct errand_drain_options *options)
{
    struct errand_drained drained;

    if (errand_drain(e, options, &drained, &err) < 0)
        fail_msg("%s", err.message);
    return drained;
}

static void set_time(void)
{
    assert_int_equal(errand_test_set_time(e, START_MS, &err), 0);
}

static void pass(double seconds)
{
    assert_int_equal(errand_test_pass(e, seconds, &err), 0);
}

static void assert_state(const struct errand_id *id, enum errand_state state)
{
    struct errand_job_detail *detail = get(id);

    assert_string_equal(errand_state_name(detail->job.state), errand_state_name(state));
    errand_detail_free(detail);
}

CLAIM(what_is_ready_is_worked_in_order)
{
    struct errand_id id = dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);
    struct errand_job_detail *detail;
    struct errand_drained drained;

    dispatched("Counter", NULL, NULL);
    dispatched("Counter", NULL, &(struct errand_options){.delay_ms = 60000});
    drained = drain(NULL);
    assert_int_equal(drained.attempts, 2);
    assert_int_equal(drained.completed, 2);
    detail = get(&id);
    assert_int_equal(detail->job.state, ERRAND_COMPLETED);
    assert_slice(detail->job.result, "{\"sent\":1,\"queue\":\"emails\"}");
    assert_int_equal(detail->attempts_n, 1);
    assert_slice(detail->attempts[0].log, "welcome, user 1\n");
    errand_detail_free(detail);
    assert_int_equal(drain(NULL).attempts, 0);
}

CLAIM(retries_wait_for_their_time)
{
    struct errand_id id;

    set_time();
    id = dispatched("Flaky", NULL, NULL);
    assert_int_equal(drain(NULL).retried, 1);
    pass(59.999);
    assert_int_equal(drain(NULL).attempts, 0);
    pass(0.001);
    assert_int_equal(drain(NULL).retried, 1);
    pass(299.999);
    assert_int_equal(drain(NULL).attempts, 0);
    pass(0.001);
    assert_int_equal(drain(NULL).completed, 1);
    assert_string_equal(seen, "flaky/1 flaky/2 flaky/3");
    assert_state(&id, ERRAND_COMPLETED);
}

CLAIM(a_job_whose_tries_are_spent_fails_and_its_hook_runs_once)
{
    struct errand_drained drained;
    struct errand_id id;

    set_time();
    id = dispatched("Broken", NULL, NULL);
    assert_int_equal(drain(NULL).retried, 1);
    pass(10);
    drained = drain(NULL);
    assert_int_equal(drained.failed, 1);
    assert_int_equal(drained.hooks, 1);
    assert_string_equal(seen, "broken/1 broken/2 no way/2");
    assert_state(&id, ERRAND_FAILED);
    assert_int_equal(drain(NULL).hooks, 0);
}

CLAIM(a_failure_for_good_needs_no_retry)
{
    struct errand_id id = dispatched("Hopeless", NULL, NULL);
    struct errand_drained drained = drain(NULL);

    assert_int_equal(drained.failed, 1);
    assert_int_equal(drained.hooks, 1);
    assert_state(&id, ERRAND_FAILED);
}

CLAIM(a_snooze_gives_the_attempt_back)
{
    set_time();
    dispatched("Later", NULL, NULL);
    assert_int_equal(drain(NULL).snoozed, 1);
    pass(30);
    assert_int_equal(drain(NULL).completed, 1);
    assert_string_equal(seen, "later/1 later/1");
}

CLAIM(a_time_out_is_a_failed_attempt)
{
    struct errand_id id = dispatched("Slow", NULL, NULL);
    struct errand_job_detail *detail;

    assert_int_equal(drain(NULL).failed, 1);
    detail = get(&id);
    assert_int_equal(detail->attempts[0].cause, ERRAND_CAUSE_TIMEOUT);
    assert_slice(detail->job.error, "timed out after 0.02 s");
    errand_detail_free(detail);
}

CLAIM(only_the_queues_that_were_named_are_drained)
{
    static const char *const queues[] = {"emails", NULL};

    dispatched("Counter", NULL, NULL);
    dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);
    assert_int_equal(drain(&(struct errand_drain_options){.queues = queues}).attempts, 1);
    assert_string_equal(seen, "welcome/1");
}

CLAIM(a_chain_is_drained_to_its_end)
{
    const struct errand_dispatch_item links[] = {
        {.name = "SendWelcomeEmail", .data = {"{\"userId\":1}", 12}},
        {.name = "Once"},
        {.name = "Counter"}};

    assert_int_equal(errand_chain(e, links, 3, NULL, NULL, &err), 3);
    assert_int_equal(drain(NULL).completed, 3);
    assert_string_equal(seen, "welcome/1 once/1");
}

CLAIM(what_a_job_dispatches_is_drained_too_and_a_second_run_adds_nothing)
{
    struct errand_drained drained;

    dispatched("Parent", NULL, NULL);
    drained = drain(&(struct errand_drain_options){.twice = true});
    assert_int_equal(drained.completed, 3);
    assert_string_equal(seen, "welcome/1 welcome/2");
}

CLAIM(a_link_reads_the_result_of_the_one_before)
{
    const struct errand_dispatch_item links[] = {
        {.name = "SendWelcomeEmail", .data = {"{\"userId\":1}", 12}}, {.name = "Child"}};
    const struct errand_id child = {"mine/2"};
    struct errand_job_detail *detail;

    assert_int_equal(errand_chain(e, links, 2,
                                  &(struct errand_batch_options){.id = {"mine"}}, NULL,
                                  &err),
                     2);
    assert_int_equal(drain(NULL).completed, 2);
    detail = get(&child);
    assert_slice(detail->job.result, "{\"sent\":1,\"queue\":\"emails\"}");
    errand_detail_free(detail);
}

/* ------------------------------------------------------------------ data */

static int on_secret(errand_job *job, struct errand_error *error)
{
    const char *card;

    if (errand_job_string(job, "card", &card, error) < 0)
        return ERRAND_FAIL;
    see(card, job);
    errand_error_set(error, 7, "the bank is closed");
    return ERRAND_FAIL;
}
static void on_secret_failed(errand_job *job, const struct errand_error *error)
{
    const char *card = "?";

    (void)error;
    errand_job_string(job, "card", &card, NULL);
    see(card, job);
}
ERRAND_JOB(Secret, .handle = on_secret, .failed = on_secret_failed, .encrypted = true,
           .schema = "{\"required\":[\"card\"]}")

static void with_keys(void)
{
    char path[FOLDER_MAX + 16], id[ER_KEY_ID_MAX + 1];
    const struct errand_config config = {.keys = path};

    snprintf(path, sizeof path, "%s/keys", test_folder);
    if (!er_keys_are_built())
        client_test_skip();
    assert_int_equal(er_key_ring_add(path, NULL, id, &err), 0);
    errand_close(e);
    assert_non_null(e = errand_open(test_url, &config, &err));
}

CLAIM(encrypted_data_is_opened_for_the_handler_and_its_hook)
{
    with_keys();
    dispatched("Secret", "{\"card\":\"visa\"}", NULL);
    assert_int_equal(drain(NULL).failed, 1);
    assert_string_equal(seen, "visa/1 visa/1");
}

CLAIM(encrypted_data_is_recorded_in_the_clear)
{
    assert_int_equal(errand_fake(e, &err), 0);
    dispatched("Secret", "{\"card\":\"visa\"}", NULL);
    errand_assert_dispatched_with(e, "secret", "{\"card\":\"visa\"}");
}

TEST(data_that_the_schema_refuses_is_refused_for_a_test_as_well)
{
    struct errand_test_result *r = NULL;

    assert_int_equal(errand_run_test_job("Secret", "{}", NULL, &r, &err), ERRAND_EINVAL);
    r = ran("Secret", "{\"card\":\"visa\"}", NULL);
    assert_string_equal(r->error.message, "the bank is closed");
    errand_test_result_free(r);
}

/* Nobody had published the class when it was dispatched. */
CLAIM(data_that_the_schema_refuses_fails_its_only_attempt)
{
    struct errand_push_job job = {
        .name = "Secret", .queue = "default", .tries = 3, .data = {"{}", 2}};
    struct errand_push_result result = {0};

    assert_int_equal(
        er_store_push(er_client_store(e),
                      &(struct errand_push_params){.jobs = &job, .jobs_n = 1}, test_arena,
                      &result, &err),
        0);
    assert_int_equal(drain(NULL).failed, 1);
    assert_state(&result.jobs[0].id, ERRAND_FAILED);
    assert_string_equal(seen, "?/1");
}

CLAIM(a_job_that_nobody_has_fails_its_attempts)
{
    struct errand_id id = dispatched("nobody-has-it", NULL,
                                     &(struct errand_options){.tries = ERRAND_NO_RETRY});
    struct errand_job_detail *detail;

    assert_int_equal(drain(NULL).failed, 1);
    detail = get(&id);
    assert_slice(detail->job.error, "this program has no job 'nobody-has-it'");
    errand_detail_free(detail);
}

CLAIM(a_job_that_dispatches_itself_is_stopped)
{
    endless_handle = e;
    dispatched("Endless", NULL, NULL);
    assert_int_equal(
        errand_drain(e, &(struct errand_drain_options){.max_attempts = 20}, NULL, &err),
        ERRAND_ECONFLICT);
    assert_string_equal(err.message,
                        "still not empty after 20 attempts: 'endless' is next");
    /* and the one that was next is not lost */
    assert_true(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(
        errand_drain(e, &(struct errand_drain_options){.max_attempts = -1}, NULL, &err),
        ERRAND_EINVAL);
}

CLAIM(a_handler_that_runs_twice_is_held_against_itself)
{
    struct errand_drained drained;
    const struct errand_drain_options twice = {.twice = true};

    dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);
    drained = drain(&twice);
    assert_int_equal(drained.attempts, 1);
    assert_int_equal(drained.differs_n, 0);
    assert_string_equal(seen, "welcome/1 welcome/2");
    dispatched("Counter", NULL, &(struct errand_options){.id = {"c"}});
    drained = drain(&twice);
    assert_int_equal(drained.completed, 1);
    assert_int_equal(drained.differs_n, 1);
    assert_string_equal(drained.differs, "Counter (c): its result was 1, then 2");
    dispatched("Once", NULL, &(struct errand_options){.id = {"o"}});
    drained = drain(&twice);
    assert_int_equal(drained.failed, 1);
    assert_string_equal(drained.differs,
                        "Once (o): done the first time, then: the row is there already");
}

CLAIM(an_answer_that_is_lost_when_settling_is_repeated)
{
    struct errand_id id = dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);

    assert_int_equal(
        errand_test_fail(e,
                         &(struct errand_test_failure){.code = ERRAND_EUNAVAILABLE,
                                                       .call = "exchange",
                                                       .skip_n = 1,
                                                       .is_after_commit = true},
                         &err),
        0);
    assert_int_equal(drain(NULL).completed, 1);
    assert_string_equal(seen, "welcome/1");
    assert_state(&id, ERRAND_COMPLETED);
}

CLAIM(a_job_that_was_reserved_unknowingly_runs_when_its_lease_is_over)
{
    set_time();
    dispatched("SendWelcomeEmail", "{\"userId\":1}", NULL);
    assert_int_equal(
        errand_test_fail(e,
                         &(struct errand_test_failure){.code = ERRAND_EUNAVAILABLE,
                                                       .call = "exchange",
                                                       .is_after_commit = true},
                         &err),
        0);
    assert_int_equal(errand_drain(e, NULL, NULL, &err), ERRAND_EUNAVAILABLE);
    assert_int_equal(drain(NULL).attempts, 0);
    pass(30);
    assert_int_equal(drain(NULL).completed, 1);
    assert_string_equal(seen, "welcome/2");
}

CLAIM(a_fake_is_not_drained)
{
    assert_int_equal(errand_fake(e, &err), 0);
    dispatched("Counter", NULL, NULL);
    assert_int_equal(errand_drain(e, NULL, NULL, &err), ERRAND_ECONFLICT);
}

TEST_MAIN()
