/* drain.c: working a store in the test's own process (errand/testing.h). */
#include "worker/testing.h"

#include "client/keys.h"

enum { START_MS = 1000000000 };

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

CLAIM(options_that_cannot_be_read_fail_the_attempt)
{
    struct errand_push_job job = {.name = "Counter",
                                  .queue = "default",
                                  .tries = 1,
                                  .data = {"1", 1},
                                  .options = {"{\"tries\":\"x\"}", 13}};
    struct errand_push_result result = {0};
    struct errand_job_detail *detail;

    assert_int_equal(
        er_store_push(er_client_store(e),
                      &(struct errand_push_params){.jobs = &job, .jobs_n = 1}, test_arena,
                      &result, &err),
        0);
    assert_int_equal(drain(NULL).failed, 1);
    detail = get(&result.jobs[0].id);
    if (!memmem(detail->job.error.ptr, detail->job.error.len, "tries", 5))
        fail_msg("%.*s", (int)detail->job.error.len, detail->job.error.ptr);
    errand_detail_free(detail);
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

CLAIM(what_is_drained_is_told_as_a_worker_tells_it)
{
    struct errand_events *events = errand_events_open(e, NULL, &err);
    const struct errand_event *event;
    char told[256] = "";

    if (!events)
        fail_msg("%s", err.message);
    set_time();
    dispatched("Broken", NULL, NULL);
    drain(NULL);
    pass(10);
    drain(NULL);
    dispatched("Slow", NULL, NULL);
    drain(NULL);
    while (errand_events_next(events, 0, &event, &err) == 1)
        snprintf(told + strlen(told), sizeof told - strlen(told), "%s/%d ", event->type,
                 event->attempt);
    errand_events_close(events);
    assert_string_equal(told,
                        "job:dispatched/0 job:started/1 job:retrying/2 job:started/2 "
                        "job:failed/2 job:dispatched/0 job:started/1 "
                        "job:timed-out/1 job:failed/1 ");
}

CLAIM(a_fake_is_not_drained)
{
    assert_int_equal(errand_fake(e, &err), 0);
    dispatched("Counter", NULL, NULL);
    assert_int_equal(errand_drain(e, NULL, NULL, &err), ERRAND_ECONFLICT);
}

/* ------------------------------------------------------------------ data */

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

/* Nobody had published the class when it was dispatched. */
CLAIM(data_that_the_schema_refuses_fails_its_only_attempt)
{
    struct errand_push_job job = {
        .name = "Card", .queue = "default", .tries = 3, .data = {"{}", 2}};
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

TEST_MAIN()
