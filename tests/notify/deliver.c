/* deliver.c: each channel against a real server on this machine, and what it does when
 * that server is not as it should be. */
#include "notify/channels/channels.h"

#include "support/folder.h"
#include "support/sink.h"

static char place[FOLDER_MAX], ca[128], cert[128], key[128];
static struct sink sink;
static const char *const local[] = {"127.0.0.0/8", NULL};
static const char *const to[] = {"admin@example.com", "b@example.com", NULL};
static int ports[2];
static char url[256];
static struct errand_notify settings;
static struct er_failure failure;
static struct er_notice notice;
static struct er_delivered got;

static int setup(void **state)
{
    char command[PATH_MAX + 100];

    (void)state;
    if (folder_make(place, "deliver") < 0)
        return -1;
    snprintf(command, sizeof command, "%s/tests/support/ca.sh", getenv("ERRAND_SOURCE"));
    if (fork() == 0) {
        execl(command, command, place, NULL);
        _exit(127);
    }
    int status;
    wait(&status);
    snprintf(ca, sizeof ca, "%s/ca.pem", place);
    snprintf(cert, sizeof cert, "%s/server.pem", place);
    snprintf(key, sizeof key, "%s/server.key", place);
    failure = (struct er_failure){.id = "j1",
                                  .name = "SendWelcomeEmail",
                                  .queue = "emails",
                                  .attempts = 3,
                                  .tries = 3,
                                  .error = {"no luck", 7},
                                  .failed_ms = 1000};
    notice = (struct er_notice){.id = "n1",
                                .name = "SendWelcomeEmail",
                                .queue = "emails",
                                .host = "here",
                                .total = 1,
                                .since_ms = 1000,
                                .until_ms = 1000,
                                .failures = &failure,
                                .failures_n = 1};
    settings = (struct errand_notify){0};
    return status;
}

static int teardown(void **state)
{
    (void)state;
    sink_stop(&sink);
    return folder_remove(place);
}

TEST_FIXTURE(setup, teardown)

#define TLS "--cert", cert, "--key", key
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void deliver(void)
{
    er_notify_deliver(&settings, &notice, &got);
}

static void deliver_ok(void)
{
    deliver();
    if (got.delivery != ER_DELIVERED)
        fail_msg("%s", got.why);
}

static void deliver_fails(enum er_delivery how, const char *why)
{
    deliver();
    assert_int_equal(got.delivery, how);
    assert_has(got.why, why);
}

/* ------------------------------------------------------------------ e-mail */

static void mail_sink(const char *mode, const char *const *args)
{
    sink = sink_start(place, "mail", mode, args);
    notice.channel = ER_NOTIFY_EMAIL;
    settings.email = (struct errand_notify_email){
        .to = to, .from = "errand@example.com", .host = "localhost", .port = sink.port};
    settings.ca_file = ca;
}

TEST(a_mail_goes_out_by_starttls)
{
    char *text;

    mail_sink("smtp", ARGS(TLS));
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "TLS: yes\nLOGIN: None\nMAIL FROM:<errand@example.com>");
    assert_has(text, "RCPT TO:<admin@example.com>\nRCPT TO:<b@example.com>\n");
    assert_has(text, "Subject: [errand] SendWelcomeEmail failed (3/3) on emails");
    assert_has(text, "no luck\r\n");
    free(text);
    assert_int_equal(sink_count(&sink), 1);
}

TEST(a_mail_goes_out_by_implicit_tls_with_a_log_in)
{
    char *text;

    mail_sink("smtps", ARGS(TLS, "--login", "me:hun:ter2"));
    settings.email.tls = ERRAND_TLS_IMPLICIT;
    settings.email.user = "me";
    settings.email.password = "hun:ter2";
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "TLS: yes\nLOGIN: me:hun:ter2\n");
    free(text);
}

TEST(a_log_in_waits_for_starttls)
{
    char *text;

    mail_sink("smtp", ARGS(TLS, "--login", "me:hunter2"));
    settings.email.user = "me";
    settings.email.password = "hunter2";
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "TLS: yes\nLOGIN: me:hunter2\n");
    free(text);
}

TEST(a_wrong_password_is_told_without_it)
{
    mail_sink("smtp", ARGS(TLS, "--login", "me:hunter2"));
    settings.email.user = "me";
    settings.email.password = "wrong-word";
    deliver_fails(ER_TRY_AGAIN, "mail to localhost: Login denied");
    assert_has_not(got.why, "wrong-word");
    assert_int_equal(sink_count(&sink), 0);
}

TEST(without_starttls_nothing_is_sent)
{
    mail_sink("smtp-plain", NULL);
    deliver_fails(ER_TRY_AGAIN, "mail to localhost: ");
    assert_int_equal(sink_count(&sink), 0);
}

TEST(without_tls_a_mail_goes_to_this_machine_when_that_is_said)
{
    mail_sink("smtp-plain", NULL);
    settings.email.tls = ERRAND_TLS_NONE;
    deliver_ok();
    free(sink_message(&sink, 1));
}

TEST(a_certificate_nobody_knows_is_refused)
{
    mail_sink("smtp", ARGS(TLS));
    settings.ca_file = NULL;
    deliver_fails(ER_TRY_AGAIN, "certificate");
    assert_int_equal(sink_count(&sink), 0);
}

TEST(a_certificate_of_another_host_is_refused)
{
    snprintf(cert, sizeof cert, "%s/else.pem", place);
    snprintf(key, sizeof key, "%s/else.key", place);
    mail_sink("smtps", ARGS(TLS));
    settings.email.tls = ERRAND_TLS_IMPLICIT;
    deliver_fails(ER_TRY_AGAIN, "localhost");
    assert_int_equal(sink_count(&sink), 0);
}

TEST(a_server_that_is_down_is_asked_again)
{
    mail_sink("smtp", ARGS(TLS));
    sink_stop(&sink);
    deliver_fails(ER_TRY_AGAIN, "onnect");
}

TEST(an_address_that_is_refused_does_not_keep_the_others_from_it)
{
    char *text;

    mail_sink("smtp", ARGS(TLS, "--answers", "550"));
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has_not(text, "admin@example.com>\n");
    assert_has(text, "RCPT TO:<b@example.com>\n");
    free(text);
}

TEST(addresses_that_are_all_refused_are_given_up)
{
    mail_sink("smtp", ARGS(TLS, "--answers", "550,550"));
    deliver_fails(ER_GIVE_UP, "mail to localhost: RCPT failed: 550");
}

TEST(addresses_that_are_busy_are_tried_again)
{
    mail_sink("smtp", ARGS(TLS, "--answers", "451,451"));
    deliver_fails(ER_TRY_AGAIN, "RCPT failed: 451");
}

TEST(lines_of_dots_arrive_as_they_were)
{
    char *text;

    failure.error = (struct errand_slice){".\n..\n.x", 7};
    mail_sink("smtp", ARGS(TLS));
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "\r\n=2E\r\n=2E.\r\n=2Ex\r\n");
    free(text);
}

/* ------------------------------------------------------------------ webhooks */

static void web_sink(const char *mode, const char *path, const char *const *args)
{
    sink = sink_start(place, "web", mode, args);
    snprintf(url, sizeof url, "%s://localhost:%d%s", mode, sink.port, path);
    notice.channel = ER_NOTIFY_WEBHOOK;
    settings.webhook.url = url;
    settings.allow = local;
    settings.ca_file = ca;
    ports[0] = sink.port;
    settings.ports = ports;
}

TEST(slack_gets_a_post)
{
    char *text;

    web_sink("https", "/services/T/B/x", ARGS(TLS));
    notice.channel = ER_NOTIFY_SLACK;
    settings.slack.webhook = url;
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "POST /services/T/B/x HTTP/1.1\n");
    assert_has(text, "Content-Type: application/json\n");
    assert_has(text, "{\"text\":\"*SendWelcomeEmail* failed (3/3) on queue *emails*");
    assert_has(text, "no luck");
    free(text);
    assert_int_equal(sink_count(&sink), 1);
}

TEST(a_webhook_is_signed)
{
    char *text, *time, *body, expected[64], line[128];

    web_sink("https", "/hook?a=b", ARGS(TLS));
    settings.webhook.secret = "s3cret";
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has(text, "POST /hook?a=b HTTP/1.1\n");
    assert_has(text, "webhook-id: n1\n");
    assert_has(text, "webhook-timestamp: ");
    time = strstr(text, "webhook-timestamp: ") + strlen("webhook-timestamp: ");
    body = strstr(text, "\n\n") + 2;
    assert_int_equal(er_webhook_sign("s3cret", "n1", strtoll(time, NULL, 10),
                                     (struct errand_slice){body, strlen(body)}, expected),
                     0);
    snprintf(line, sizeof line, "webhook-signature: %s\n", expected);
    assert_has(text, line);
    free(text);
}

TEST(a_webhook_without_a_secret_is_not_signed)
{
    char *text;

    web_sink("http", "/", NULL);
    deliver_ok();
    text = sink_message(&sink, 1);
    assert_has_not(text, "webhook-signature");
    free(text);
}

TEST(a_server_in_trouble_is_asked_again)
{
    web_sink("http", "/", ARGS("--answers", "500,503,429,408"));
    deliver_fails(ER_TRY_AGAIN, "webhook answered 500: sink says 500");
    assert_int_equal(got.wait_ms, 0);
    deliver_fails(ER_TRY_AGAIN, "webhook answered 503");
    deliver_fails(ER_TRY_AGAIN, "webhook answered 429");
    deliver_fails(ER_TRY_AGAIN, "webhook answered 408");
    deliver_ok();
    assert_int_equal(sink_count(&sink), 5);
}

TEST(a_server_says_when_to_come_back)
{
    web_sink("http", "/", ARGS("--answers", "429,503", "--header", "Retry-After: 17"));
    deliver_fails(ER_TRY_AGAIN, "webhook answered 429");
    assert_int_equal(got.wait_ms, 17000);
    deliver_fails(ER_TRY_AGAIN, "webhook answered 503");
    assert_int_equal(got.wait_ms, 17000);
}

TEST(nobody_waits_longer_than_an_hour)
{
    web_sink("http", "/", ARGS("--answers", "429", "--header", "Retry-After: 999999"));
    deliver_fails(ER_TRY_AGAIN, "webhook answered 429");
    assert_int_equal(got.wait_ms, 3600000);
}

TEST(what_a_server_refuses_is_given_up)
{
    web_sink("http", "/", ARGS("--answers", "400,404,410"));
    deliver_fails(ER_GIVE_UP, "webhook answered 400");
    deliver_fails(ER_GIVE_UP, "webhook answered 404");
    deliver_fails(ER_GIVE_UP, "webhook answered 410");
}

TEST(a_redirect_is_not_followed)
{
    char location[128];
    struct sink other = sink_start(place, "other", "http", NULL);

    snprintf(location, sizeof location, "Location: http://127.0.0.1:%d/", other.port);
    web_sink("http", "/", ARGS("--answers", "302,307", "--header", location));
    deliver_fails(ER_GIVE_UP, "webhook answered 302, and redirects are not followed");
    deliver_fails(ER_GIVE_UP, "webhook answered 307, and redirects are not followed");
    assert_false(sink_was_connected(&other));
    sink_stop(&other);
}

TEST(a_private_address_is_refused_before_a_byte_goes_there)
{
    web_sink("https", "/", ARGS(TLS));
    settings.allow = NULL;
    snprintf(url, sizeof url, "https://127.0.0.1:%d/hunter2", sink.port);
    deliver_fails(ER_GIVE_UP, "webhook: 127.0.0.1 is loopback: not sent there");
    assert_has_not(got.why, "hunter2");
    assert_false(sink_was_connected(&sink));
}

TEST(a_name_that_leads_to_a_private_address_is_refused)
{
    web_sink("https", "/", ARGS(TLS)); /* localhost is a name like any other here */
    settings.allow = (const char *const[]){"10.0.0.0/8", NULL};
    deliver_fails(ER_GIVE_UP, "is loopback: not sent there");
    assert_false(sink_was_connected(&sink));
}

TEST(other_ways_to_write_loopback_are_refused)
{
    static const char *const hosts[] = {"127.1",      "2130706433", "0x7f.1",
                                        "0177.0.0.1", "[::1]",      "[::ffff:127.0.0.1]",
                                        "0.0.0.0",    "localhost."};

    web_sink("https", "/", ARGS(TLS));
    settings.allow = NULL;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snprintf(url, sizeof url, "https://%s:%d/", hosts[i], sink.port);
        deliver();
        assert_int_not_equal(got.delivery, ER_DELIVERED);
    }
    assert_false(sink_was_connected(&sink));
}

TEST(http_goes_to_allowed_networks_alone)
{
    web_sink("http", "/", NULL);
    settings.allow = NULL;
    deliver_fails(ER_GIVE_UP, "not https, and no network of 'allow'");
    assert_false(sink_was_connected(&sink));
    settings.allow = local;
    deliver_ok();
}

TEST(a_webhook_whose_certificate_is_of_another_host_is_not_told)
{
    snprintf(cert, sizeof cert, "%s/else.pem", place);
    snprintf(key, sizeof key, "%s/else.key", place);
    web_sink("https", "/hunter2", ARGS(TLS));
    deliver_fails(ER_TRY_AGAIN, "webhook: ");
    assert_has_not(got.why, "hunter2");
    assert_int_equal(sink_count(&sink), 0);
}

TEST(a_proxy_of_the_environment_is_not_asked)
{
    struct sink proxy = sink_start(place, "proxy", "http", NULL);
    char text[64];

    snprintf(text, sizeof text, "http://127.0.0.1:%d", proxy.port);
    setenv("http_proxy", text, 1);
    setenv("https_proxy", text, 1);
    setenv("ALL_PROXY", text, 1);
    web_sink("http", "/", NULL);
    deliver_ok();
    assert_false(sink_was_connected(&proxy));
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    sink_stop(&proxy);
}

TEST(an_endless_response_ends_after_64_kib)
{
    web_sink("http", "/", ARGS("--size", "50000000", "--answers", "500"));
    deliver_fails(ER_TRY_AGAIN, "webhook answered 500: xxx");
    assert_true(strlen(got.why) < 300);
    deliver_ok(); /* 200, whatever comes behind it */
}

TEST(a_server_that_says_nothing_is_left_after_ten_seconds)
{
    web_sink("http", "/", ARGS("--silent"));
    deliver_fails(ER_TRY_AGAIN, "timed out");
}

/* ------------------------------------------------------------------ the program */

/* Runs `errand __notify` on this text; its exit code, what it said on descriptor 3. */
static int program(const char *text, size_t len, char *said, size_t said_size)
{
    char path[128], out[128];
    ssize_t n;
    int fd, status = 0;

    snprintf(path, sizeof path, "%s/input", place);
    snprintf(out, sizeof out, "%s/said", place);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, len), len);
    lseek(fd, 0, SEEK_SET);
    if (fork() == 0) {
        dup2(fd, 0);
        dup2(open(out, O_RDWR | O_CREAT | O_TRUNC, 0600), 3);
        execl(getenv("ERRAND_COMMAND"), "errand", ER_NOTIFY_ARG, NULL);
        _exit(127);
    }
    close(fd);
    while (wait(&status) == sink.pid)
        ;
    fd = open(out, O_RDONLY);
    n = read(fd, said, said_size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    return WEXITSTATUS(status);
}

static int program_passed(char *said, size_t said_size)
{
    struct er_buf buf;
    int code;

    er_buf_init(&buf, 1 << 20);
    assert_int_equal(er_notify_pass(&settings, &notice, &buf), 0);
    code = program(buf.ptr, buf.len, said, said_size);
    er_buf_done(&buf);
    return code;
}

TEST(the_program_answers_by_its_exit_code)
{
    char said[256];

    web_sink("http", "/", ARGS("--answers", "200,503,400", "--header", "Retry-After: 3"));
    assert_int_equal(program_passed(said, sizeof said), 0);
    assert_string_equal(said, "");
    assert_int_equal(program_passed(said, sizeof said), 75);
    assert_string_equal(said, "{\"retry_after_ms\":3000}\n");
    assert_int_equal(program_passed(said, sizeof said), 65);
    assert_int_equal(program("nonsense", 8, said, sizeof said), 65);
}

TEST(a_test_message_says_that_it_is_one)
{
    struct errand_error err = {0};
    char *text;

    mail_sink("smtp", ARGS(TLS));
    if (errand_notify_test(&settings, "email", &err) < 0)
        fail_msg("%s", err.message);
    text = sink_message(&sink, 1);
    assert_has(text, "Subject: [errand] test message from ");
    free(text);
    assert_int_equal(errand_notify_test(&settings, "slack", &err), ERRAND_ENOTFOUND);
    assert_has(err.message, "notifications.slack.webhook is not set");
    assert_int_equal(errand_notify_test(&settings, "pager", &err), ERRAND_EINVAL);
}

/* ------------------------------------------------------------------ the module */

static void modules_in(const char *folder)
{
    if (folder)
        setenv("ERRAND_MODULES", folder, 1);
    else
        unsetenv("ERRAND_MODULES");
}

TEST(without_the_module_nothing_is_delivered_and_no_worker_starts)
{
    static const char *const all[] = {"webhook", NULL};
    struct errand_worker_options options = {0};
    struct errand_error err = {0};

    web_sink("http", "/", NULL);
    settings.channels = all;
    modules_in("/nonexistent");
    deliver_fails(ER_TRY_AGAIN, "/nonexistent/errand-notify.so");
    assert_int_equal(errand_notify_configure(&options, &settings, &err),
                     ERRAND_EUNSUPPORTED);
    assert_has(err.message, "without notifications");
    assert_int_equal(errand_notify_test(&settings, "webhook", &err), ERRAND_EUNSUPPORTED);
    modules_in(NULL);
    deliver_ok();
}

TEST(a_file_that_is_no_module_is_not_used)
{
    char path[160];
    FILE *f;

    web_sink("http", "/", NULL);
    snprintf(path, sizeof path, "%s/errand-notify.so", place);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("no shared object", f);
    fclose(f);
    modules_in(place);
    deliver_fails(ER_TRY_AGAIN, "loading notifications: ");
    modules_in(NULL);
}

/* Its structs may not be ours. */
TEST(a_module_of_another_errand_is_not_used)
{
    web_sink("http", "/", NULL);
    modules_in(NOTIFY_OF_ANOTHER);
    deliver_fails(ER_TRY_AGAIN, "of errand 0.0.0");
    modules_in(NULL);
}

TEST_MAIN()
