/* worker.c: from a failure to the message: what is told, how often, by whom, and what a
 * crash in between makes of it. */
#include "support/told.h"

static int on_fail(errand_job *job, struct errand_error *error)
{
    (void)job;
    return errand_error_set(error, 1, "no luck"), ERRAND_FAIL;
}
ERRAND_JOB(Fail, .handle = on_fail, .queue = "emails")

static void on_failed(errand_job *job, const struct errand_error *error)
{
    ledger("failed %s: %s", errand_job_name(job), error->message);
}
ERRAND_JOB(FailHooked, .handle = on_fail, .failed = on_failed, .queue = "emails")

static int on_die(errand_job *job, struct errand_error *error)
{
    (void)job;
    (void)error;
    raise(SIGKILL);
    return ERRAND_DONE;
}
ERRAND_JOB(Die, .handle = on_die, .tries = 1)

/* What a handler can see of its surroundings. */
static int on_look(errand_job *job, struct errand_error *error)
{
    extern char **environ;

    (void)job;
    for (char **entry = environ; *entry; entry++)
        ledger("%s", *entry);
    return errand_error_set(error, 1, "no luck"), ERRAND_FAIL;
}
ERRAND_JOB(Look, .handle = on_look, .tries = 1)

static void work_for(double seconds)
{
    work((struct errand_worker_options){.max_time = seconds, .notify = &notify});
}

/* ------------------------------------------------------------------ how often */

/* The first mail goes out while the storm is on; what it does not tell is in the next. */
CASE(a_storm_is_one_mail_and_then_a_digest)
{
    told_start(NULL, NULL);
    notify.every = 3;
    for (int i = 0; i < 1000; i++)
        push("Fail", "null", NULL);
    work_and_tell();
    assert_int_equal(count(ERRAND_FAILED, "emails"), 1000);
    assert_int_equal(sink_count(&mail), 1);
    assert_int_equal(sink_count(&web), 1);
    push("Fail", "null", NULL);
    UNTIL((work_for(0.5), told_count(ERRAND_HELD) == 0));
    assert_int_equal(told_count(ERRAND_CANCELLED), 2 * 1001);
    work_for(4);
    assert_int_equal(sink_count(&mail), 2);
    assert_int_equal(sink_count(&web), 2);
    told_stop();
}

/* Of how many failures the messages have told, together. */
static int64_t told_total(void)
{
    int64_t told = 0;

    for (int i = 1; i <= sink_count(&web); i++) {
        char *text = sink_message(&web, i);
        told += strtol(strstr(text, "\"total\":") + 8, NULL, 10);
        free(text);
    }
    return told;
}

CASE(a_digest_and_what_came_before_it_stand_for_every_failure)
{
    told_start(NULL, NULL);
    notify.channels = (const char *const[]){"webhook", NULL};
    notify.every = 1;
    push("Fail", "null", NULL);
    UNTIL((work_for(0.5), sink_count(&web) == 1));
    for (int i = 0; i < 299; i++)
        push("Fail", "null", NULL);
    UNTIL((work_for(0.5), told_count(ERRAND_HELD) == 0 && told_total() >= 300));
    assert_int_equal(told_total(), 300);
    told_stop();
}

CASE(each_failure_may_have_its_own_message)
{
    told_start(NULL, NULL);
    notify.every = ERRAND_NOTIFY_EACH;
    for (int i = 0; i < 5; i++)
        push("Fail", "null", NULL);
    work_and_tell();
    assert_int_equal(sink_count(&mail), 5);
    assert_int_equal(sink_count(&web), 5);
    told_stop();
}

CASE(a_job_that_fails_again_after_a_retry_is_told_again)
{
    const struct errand_change_params retry = {.kind = ERRAND_CHANGE_RETRY, .ids_n = 1};
    struct errand_change_params p = retry;
    struct errand_change_result got;
    struct errand_id id;

    told_start(NULL, NULL);
    notify.every = ERRAND_NOTIFY_EACH;
    id = push("Fail", "null", NULL);
    work_and_tell();
    assert_int_equal(sink_count(&mail), 1);
    p.ids = &id;
    assert_int_equal(er_store_change(er_client_store(e), &p, case_arena, &got, &err), 0);
    work_and_tell();
    assert_int_equal(sink_count(&mail), 2);
    told_stop();
}

/* ------------------------------------------------------------------ by whom */

CASE(the_hook_of_the_class_runs_as_well)
{
    told_start(NULL, NULL);
    push("FailHooked", "null", NULL);
    work_and_tell();
    assert_ledger("failed FailHooked: no luck\n");
    assert_int_equal(sink_count(&mail), 1);
    told_stop();
}

CASE(a_worker_of_other_queues_tells_too)
{
    static const char *const queues[] = {"emails", NULL};

    told_start(NULL, NULL);
    push("Fail", "null", NULL);
    work((struct errand_worker_options){
        .stop_when_empty = true, .queues = queues, .notify = &notify});
    assert_int_equal(sink_count(&mail), 1);
    told_stop();
}

CASE(a_worker_of_weighted_queues_tells_too)
{
    static const char *const queues[] = {"other", "emails", NULL};
    static const struct errand_worker_queue weights[] = {{.name = "other", .weight = 3},
                                                         {.name = "emails", .weight = 1}};

    told_start(NULL, NULL);
    push("Fail", "null", NULL);
    work((struct errand_worker_options){.stop_when_empty = true,
                                        .queues = queues,
                                        .queue_options = weights,
                                        .queue_options_n = 2,
                                        .notify = &notify});
    assert_int_equal(sink_count(&mail), 1);
    told_stop();
}

CASE(one_of_the_pools_of_a_worker_tells)
{
    static const char *const queues[][2] = {{"other", NULL}, {"emails", NULL}};
    const struct errand_worker_pool pools[] = {{.queues = queues[0], .concurrency = 1},
                                               {.queues = queues[1], .concurrency = 2}};

    told_start(NULL, NULL);
    for (int i = 0; i < 3; i++)
        push("Fail", "null", NULL);
    errand_worker_run(case_url, NULL,
                      &(struct errand_worker_options){.stop_when_empty = true,
                                                      .is_quiet = true,
                                                      .max_time = 30,
                                                      .pools = pools,
                                                      .pools_n = 2,
                                                      .notify = &notify},
                      &err);
    assert_int_equal(count(ERRAND_FAILED, "emails"), 3);
    assert_int_equal(sink_count(&mail), 1);
    told_stop();
}

CASE(a_worker_that_tells_nobody_stores_nothing)
{
    told_start(NULL, NULL);
    push("Fail", "null", NULL);
    work_all();
    assert_int_equal(count(-1, ER_NOTIFY_QUEUE), 0);
    told_stop();
}

CASE(notifications_are_not_among_the_jobs_that_were_asked_for)
{
    told_start(NULL, NULL);
    push("Fail", "null", NULL);
    work_and_tell();
    push("Fail", "null", &(struct errand_options){.queue = "other"});
    work((struct errand_worker_options){.max_jobs = 1, .notify = &notify});
    assert_int_equal(count(ERRAND_FAILED, "other"), 1);
    told_stop();
}

/* ------------------------------------------------------------------ when it goes wrong
 */

CASE(a_server_in_trouble_is_asked_again_when_it_said)
{
    static const char *const args[] = {"--answers", "500,429", "--header",
                                       "Retry-After: 1", NULL};

    told_start(NULL, args);
    notify.channels = (const char *const[]){"slack", NULL};
    push("Fail", "null", NULL);
    /* Without Retry-After the first two waits would take more than all this patience. */
    UNTIL((work_for(1), sink_count(&web) == 3));
    UNTIL((work_for(1), told_count(ERRAND_HELD) == 0));
    assert_int_equal(told_count(ERRAND_FAILED), 0);
    assert_int_equal(told_count(ERRAND_HELD), 0);
    told_stop();
}

CASE(a_notification_that_fails_for_good_tells_of_nothing)
{
    static const char *const args[] = {"--answers", "410", NULL};

    told_start(NULL, args);
    notify.channels = (const char *const[]){"slack", NULL};
    push("Fail", "null", NULL);
    work_and_tell();
    work_and_tell();
    assert_int_equal(told_count(ERRAND_FAILED), 1);
    assert_int_equal(told_count(ERRAND_CANCELLED), 1);
    assert_int_equal(count(-1, ER_NOTIFY_QUEUE), 2);
    assert_int_equal(sink_count(&web), 1);
    told_stop();
}

CASE(a_bad_setting_keeps_a_worker_from_starting)
{
    const struct errand_notify bad = {.channels = (const char *const[]){"pager", NULL}};

    assert_int_equal(errand_worker_run(case_url, NULL,
                                       &(struct errand_worker_options){.notify = &bad},
                                       &err),
                     ERRAND_EINVAL);
    assert_has(err.message, "'pager' is no channel");
}

/* ------------------------------------------------------------------ crashes */

static int64_t records(void)
{
    return told_count(ERRAND_HELD);
}

/* A worker that dies at a point between failure and message; then others finish. */
static void crash_at(const char *point, int mails_most)
{
    struct errand_id id;

    told_start(NULL, NULL);
    told_yaml("email", "");
    id = push("Fail", "null", NULL);
    sh("ERRAND_FAILPOINTS=%s=exit mine queue:work --stop-when-empty --lease=1", point);
    UNTIL((sh("mine queue:work --max-time=1 --lease=1 --concurrency=1"),
           look(id)->job.finished_ms && sink_count(&mail) > 0 && records() == 0));
    assert_state(id, ERRAND_FAILED);
    sh("mine queue:work --max-time=2 --lease=1 --concurrency=1");
    if (sink_count(&mail) > mails_most)
        fail_msg("%d mails after a crash at %s", sink_count(&mail), point);
    assert_int_equal(count(ERRAND_FAILED, "emails"), 1);
    assert_int_equal(told_count(ERRAND_CANCELLED), 1); /* the record, told */
    assert_int_equal(told_count(ERRAND_HELD), 0);
    assert_int_equal(told_count(ERRAND_READY), 0);
    told_stop();
}

CASE_SHARED(a_crash_before_the_failure_is_settled_tells_once)
{
    crash_at("after-result", 1);
}

CASE_SHARED(a_crash_after_the_failure_tells_once)
{
    crash_at("after-settle", 1);
}

CASE_SHARED(a_crash_before_the_record_is_stored_tells_once)
{
    crash_at("before-notify", 1);
}

CASE_SHARED(a_crash_after_the_record_is_stored_tells_once)
{
    crash_at("after-notify", 1);
}

/* The mail is out, and nobody knows: here it comes twice, under one Message-ID. */
CASE_SHARED(a_crash_after_the_delivery_tells_at_least_once)
{
    crash_at("after-delivery", 2);
}

CASE_SHARED(a_crash_after_the_record_is_marked_tells_once)
{
    crash_at("after-notify-told", 1);
}

CASE_SHARED(a_job_whose_worker_died_is_told_by_who_buries_it)
{
    struct errand_id id;
    pid_t pid;

    told_start(NULL, NULL);
    told_yaml("email", "");
    id = push("Fail", "null", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    pid = start(
        "dying",
        "env ERRAND_FAILPOINTS=before-start=exit mine queue:work --lease=1 --quiet");
    ended(pid);
    assert_state(id, ERRAND_RUNNING);
    UNTIL((sh("mine queue:work --max-time=1 --lease=1"), sink_count(&mail) == 1));
    assert_state(id, ERRAND_FAILED);
    told_stop();
}

/* ------------------------------------------------------------------ secrets */

CASE_SHARED(no_secret_is_seen_by_a_job_or_found_in_the_store)
{
    told_start(NULL, NULL);
    told_yaml("slack, webhook",
              "  slack: {webhook: '${MY_SLACK}'}\n"
              "  webhook: {url: '${MY_HOOK}', secret: sesame-in-file}\n");
    sh("mine queue:dispatch Look");
    assert_code(sh("MY_SLACK=http://localhost:%d/hunter2 MY_HOOK=http://localhost:%d/h3 "
                   "ERRAND_WEBHOOK_SECRET=env-sesame "
                   "SEEN=yes mine queue:work --stop-when-empty",
                   web.port, web.port),
                0);
    assert_int_equal(sink_count(&web), 2);
    assert_has(ledger_read(), "SEEN=yes");
    assert_lacks(ledger_read(), "hunter2");
    assert_lacks(ledger_read(), "sesame");
    assert_lacks(ledger_read(), "MY_HOOK");
    assert_code(sh("{ cat *.db* ../err; mine queue:list --json --limit=0; } 2>&1 | "
                   "grep -aE 'hunter2|sesame'"),
                1);
    assert_code(sh("mine config:check | grep -E 'hunter2|sesame'"), 1);
    told_stop();
}

/* It is in neither arguments nor environment of the process that delivers, and nobody
 * reads its standard input but itself. */
CASE_SHARED(no_secret_is_seen_from_outside_while_it_is_delivered)
{
    static const char *const args[] = {"--silent", NULL};
    struct run run;

    told_start(NULL, args);
    told_yaml("slack", "  slack: {webhook: '${MY_SLACK}'}\n");
    sh("mine queue:dispatch Fail");
    snprintf(told_url, sizeof told_url, "http://localhost:%d/hunter2", web.port);
    setenv("MY_SLACK", told_url, 1);
    start("worker", "mine queue:work --quiet");
    unsetenv("MY_SLACK");
    UNTIL(sink_was_connected(&web));
    run = sh("for p in $(pgrep -f '^errand __notify'); do "
             "echo found; cat /proc/$p/cmdline; cat /proc/$p/environ; done; true");
    assert_has(run.out, "found");
    assert_lacks(run.out, "hunter2");
    told_stop();
}

/* ------------------------------------------------------------------ the command */

TEST(a_test_message_goes_over_every_channel_that_is_set)
{
    struct run run;
    json_t *line;

    told_start(NULL, NULL);
    told_yaml("email, slack", "  slack: {webhook: '${MY_SLACK}'}\n");
    run = sh("MY_SLACK=%s errand notify:test", told_url);
    assert_code(run, 0);
    assert_string_equal(run.out, "email: sent\nslack: sent\n");
    assert_int_equal(sink_count(&mail), 1);
    assert_int_equal(sink_count(&web), 1);
    sink_stop(&web);
    run = sh("MY_SLACK=%s errand notify:test --channel=slack --json", told_url);
    assert_code(run, 1);
    line = json_line(run, 0);
    assert_json_string(line, "channel", "slack");
    assert_json_string(line, "status", "failed");
    assert_lacks(json_string_value(json_object_get(line, "error")), "hunter2");
    json_decref(line);
    told_stop();
}

TEST(a_test_needs_a_channel_that_is_one)
{
    struct run run = sh("errand notify:test");

    assert_code(run, 2);
    assert_has(run.err, "no channel is set");
    run = sh("errand notify:test --channel=pager");
    assert_code(run, 2);
    assert_has(run.err, "there is no channel 'pager'");
    run = sh("errand notify:test --channel=slack");
    assert_code(run, 1);
    assert_has(run.err, "notifications.slack.webhook is not set");
}

/* The server had its port a moment ago, and nobody listens there now. */
CASE_SHARED(a_dead_mail_server_is_seen_by_doctor_and_health)
{
    static const char *const mail_only[] = {"email", NULL};
    struct run run;

    told_start(NULL, NULL);
    told_stop();
    notify.channels = mail_only;
    assert_code(sh("errand queue:health"), 0);
    push("Fail", "null", NULL);
    UNTIL((work_for(0.5), told_count(ERRAND_SCHEDULED) == 1));
    run = sh("errand queue:health");
    assert_code(run, 1);
    assert_has(run.out, "1 failure is not told of yet, and 1 attempt to tell failed");
    run = sh("errand doctor");
    assert_has(run.out, "warn: notifications: 1 failure is not told of yet, and the last "
                        "attempt failed: ");
    assert_has(run.out, "errand notify:test");
}

/* A webhook that is gone is given up at once. */
CASE_SHARED(a_notification_that_was_given_up_is_seen_by_doctor_and_health)
{
    static const char *const answers[] = {"--answers", "404", NULL};
    static const char *const web_only[] = {"slack", NULL};
    struct run run;

    told_start(NULL, answers);
    notify.channels = web_only;
    push("Fail", "null", NULL);
    UNTIL((work_for(0.5), told_count(ERRAND_FAILED) == 1));
    told_stop();
    run = sh("errand queue:health");
    assert_code(run, 1);
    assert_has(run.out, "1 notification could not be delivered and was given up");
    run = sh("errand doctor");
    assert_has(run.out,
               "warn: notifications: 1 could not be delivered and was given up: ");
    assert_has(run.out, "404");
    assert_has(run.out, "errand queue:retry --all --queue=errand-notifications");
}

TEST(what_is_left_out_is_told_by_config_check_and_doctor)
{
    static const char lack[] =
        "slack is left out, notifications.slack.webhook is not set";
    struct run run;

    sh("rm -f errand.yml; echo 'notifications: {channels: [slack]}' >errand.yml");
    run = sh("errand config:check");
    assert_code(run, 0);
    assert_has(run.err, "note: notifications: ");
    assert_has(run.err, lack);
    run = sh("errand doctor");
    assert_has(run.out, lack);
}

CASES_MAIN()
