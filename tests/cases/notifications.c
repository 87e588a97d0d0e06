/* notifications.c: case 22, being told when a job has failed for good. */
#include "support/told.h"

static int on_send(errand_job *job, struct errand_error *error)
{
    (void)job;
    return errand_error_set(error, 1, "no such user <42> & more"), ERRAND_RETRY;
}
ERRAND_JOB(SendWelcomeEmail, .handle = on_send, .queue = "emails", .tries = 3,
           .backoff = ERRAND_BACKOFF(0.01))

static int on_third(errand_job *job, struct errand_error *error)
{
    (void)error;
    return errand_job_attempt(job) < 3 ? ERRAND_RETRY : ERRAND_DONE;
}
ERRAND_JOB(ThirdTime, .handle = on_third, .tries = 3, .backoff = ERRAND_BACKOFF(0.01))

/* Delayed jobs do not keep a worker from ending: it works until the job has ended. */
static void work_until_final(struct errand_id id)
{
    while (!look(id)->job.finished_ms)
        work_and_tell();
    work_and_tell();
}

CASE(case_22_one_failure_is_one_post_and_one_mail)
{
    struct errand_id id;
    char *text;

    told_start(NULL, NULL);
    id = push("SendWelcomeEmail", "{\"userId\":1}", NULL);
    work_until_final(id);
    assert_state(id, ERRAND_FAILED);
    text = sink_message(&web, 1);
    assert_has(text, "POST /services/T/B/hunter2 HTTP/1.1\n");
    assert_has(text, "*SendWelcomeEmail*");
    assert_has(text, "emails");
    assert_has(text, "3/3");
    assert_has(text, "no such user &lt;42&gt; &amp; more");
    assert_has(text, id.text);
    free(text);
    text = sink_message(&mail, 1);
    assert_has(text, "RCPT TO:<admin@example.com>\n");
    assert_has(text, "Subject: [errand] SendWelcomeEmail failed (3/3) on emails: ");
    assert_has(text, "no such user <42> & more\r\n");
    free(text);
    assert_int_equal(sink_count(&web), 1);
    assert_int_equal(sink_count(&mail), 1);
    work_and_tell();
    assert_int_equal(sink_count(&web), 1);
    assert_int_equal(sink_count(&mail), 1);
    told_stop();
}

CASE(case_22_retries_send_nothing)
{
    struct errand_id id;

    told_start(NULL, NULL);
    id = push("ThirdTime", "null", NULL);
    work_until_final(id);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count(-1, ER_NOTIFY_QUEUE), 0);
    assert_false(sink_was_connected(&web));
    assert_false(sink_was_connected(&mail));
    told_stop();
}

CASE(case_22_a_sink_that_is_down_changes_nothing_about_the_job)
{
    struct errand_id id;

    told_start(NULL, NULL);
    told_stop();
    id = push("SendWelcomeEmail", "null", NULL);
    work_until_final(id);
    assert_state(id, ERRAND_FAILED);
    assert_is(look(id)->job.error, "no such user <42> & more");
    assert_int_equal(look(id)->attempts_n, 3);
    assert_int_equal(told_count(ERRAND_SCHEDULED), 2); /* they try again later */
    assert_int_equal(told_count(ERRAND_HELD), 2);
    assert_int_equal(told_count(ERRAND_FAILED), 0);
}

TEST(case_22_a_webhook_that_is_not_there_is_one_warning)
{
    struct run run;
    char *text;

    told_start(NULL, NULL);
    told_yaml("email, slack", "  slack: {webhook: '${NO_SUCH_VARIABLE}'}\n");
    assert_code(sh("mine queue:dispatch SendWelcomeEmail --tries=1"), 0);
    run = sh("mine queue:work --stop-when-empty");
    assert_code(run, 0);
    text = strstr(run.err, "notifications: slack is left out, "
                           "notifications.slack.webhook is not set");
    assert_non_null(text);
    assert_null(strstr(text + 20, "slack is left out"));
    free(sink_message(&mail, 1));
    assert_int_equal(sink_count(&mail), 1);
    assert_int_equal(sink_count(&web), 0);
    told_stop();
}

CASES_MAIN()
