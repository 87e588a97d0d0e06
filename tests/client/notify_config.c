/* notify_config.c: what `notifications:` may say, and what it is told when it should not.
 */
#include "base/module.h"
#include "client/config.h"
#include "client/notify.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

static char folder[PATH_MAX];
static struct er_config *config;
static struct errand_error error;

static void put(const char *name, const char *text, mode_t mode)
{
    char path[PATH_MAX + 64];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int load_mode(const char *yaml, mode_t mode)
{
    const struct er_config_args args = {.cwd = folder};

    er_config_free(config);
    config = NULL;
    put("errand.yml", yaml, mode);
    return er_config_load(&args, &config, &error);
}

static const struct errand_notify *load(const char *yaml)
{
    if (load_mode(yaml, 0600) < 0)
        fail_msg("%s", error.message);
    return &config->notify;
}

static void refuse(const char *yaml, const char *says)
{
    assert_true(load_mode(yaml, 0600) < 0);
    if (!strstr(error.message, says))
        fail_msg("'%s' is not in '%s'", says, error.message);
}

static int setup(void **state __attribute__((unused)))
{
    char *real;

    for (size_t i = 0; i < er_config_keys_n; i++)
        if (er_config_keys[i].env)
            unsetenv(er_config_keys[i].env);
    if (folder_make(folder, "notify") < 0 || !(real = realpath(folder, NULL)))
        return -1;
    snprintf(folder, sizeof folder, "%s", real);
    free(real);
    return 0;
}

static int teardown(void **state __attribute__((unused)))
{
    er_config_free(config);
    config = NULL;
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

TEST(every_setting_is_read)
{
    const struct errand_notify *n;

    put("ca.pem", "x", 0644);
    n = load("notifications:\n"
             "  channels: [email, slack, webhook]\n"
             "  every: 10m\n"
             "  email:\n"
             "    to: [a@example.com, b@example.com]\n"
             "    from: errand@example.com\n"
             "    host: smtp.example.com\n"
             "    port: 2525\n"
             "    tls: implicit\n"
             "    user: me\n"
             "    password: hunter2\n"
             "  slack: {webhook: 'https://hooks.slack.com/services/T/B/x'}\n"
             "  webhook: {url: 'https://example.com:8443/hook?a=b', secret: s3cret}\n"
             "  allow: [10.0.0.0/8, '::1']\n"
             "  ports: [8443, 9000]\n"
             "  ca_file: ca.pem\n");
    assert_string_equal(n->channels[0], "email");
    assert_string_equal(n->channels[2], "webhook");
    assert_null(n->channels[3]);
    assert_int_equal(er_notify_every_ms(n), 600000);
    assert_string_equal(n->email.to[1], "b@example.com");
    assert_null(n->email.to[2]);
    assert_string_equal(n->email.from, "errand@example.com");
    assert_string_equal(n->email.host, "smtp.example.com");
    assert_int_equal(n->email.port, 2525);
    assert_int_equal(n->email.tls, ERRAND_TLS_IMPLICIT);
    assert_string_equal(n->email.user, "me");
    assert_string_equal(n->email.password, "hunter2");
    assert_string_equal(n->slack.webhook, "https://hooks.slack.com/services/T/B/x");
    assert_string_equal(n->webhook.url, "https://example.com:8443/hook?a=b");
    assert_string_equal(n->webhook.secret, "s3cret");
    assert_string_equal(n->allow[1], "::1");
    assert_int_equal(n->ports[1], 9000);
    assert_int_equal(n->ports[2], 0);
    assert_int_equal(n->ca_file[0], '/');
}

TEST(nothing_said_means_nobody_is_told)
{
    const struct errand_notify *n = load("");

    assert_null(n->channels);
    assert_int_equal(er_notify_every_ms(n), 300000);
}

TEST(one_address_needs_no_list)
{
    const struct errand_notify *n = load("notifications: {email: {to: a@example.com}}\n");

    assert_string_equal(n->email.to[0], "a@example.com");
    assert_null(n->email.to[1]);
}

TEST(no_time_between_messages_means_each)
{
    assert_int_equal(er_notify_every_ms(load("notifications: {every: 0}\n")), 0);
}

TEST(what_cannot_work_is_an_error_with_its_place)
{
    refuse("notifications:\n  channels: [email, sms]\n",
           "errand.yml:2:13: notifications.channels: 'sms' is no channel");
    refuse("notifications: {chanels: [email]}\n", "did you mean 'channels'?");
    refuse("notifications: {email: {tls: ssl}}\n", "errand.yml:1:30: ");
    refuse("notifications: {email: {port: 70000}}\n", "'70000' is not a port");
    refuse("notifications: {ports: [80, x]}\n", "'x' is not a port");
    refuse("notifications: {every: 2d}\n", "'2d' is not a time");
    refuse("notifications: {allow: [10.0.0.1/8]}\n", "'10.0.0.1/8' is not a network");
    refuse("notifications: {email: {host: 'a b'}}\n", "is not the name of a host");
    refuse("notifications: {ca_file: no.pem}\n", "no.pem' cannot be read");
    refuse("notifications: {email: {tls: none, host: mail.example.com}}\n",
           "on this machine alone");
    refuse("notifications: {email: {tls: none, user: a, password: b}}\n",
           "a password is not sent without TLS");
}

TEST(what_could_end_a_header_is_refused)
{
    static const char *const bad[] = {
        "\"a@example.com\\r\\nBcc: b@example.com\"",
        "\"a@example.com\\n\"",
        "\"a@exa\\0mple.com\"",
        "'a@example.com, b@example.com'",
        "'<a@example.com>'",
        "'A <a@example.com>'",
        "a.example.com",
        "'@example.com'",
        "'a@'",
        "'a@@example.com'",
        "'a b@example.com'",
        "'ä@example.com'",
        "'a@[127.0.0.1]'",
    };
    char yaml[256];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(yaml, sizeof yaml, "notifications: {email: {to: %s}}\n", bad[i]);
        refuse(yaml, "errand.yml:1:");
        snprintf(yaml, sizeof yaml, "notifications: {email: {from: %s}}\n", bad[i]);
        refuse(yaml, "errand.yml:1:");
    }
}

TEST(a_webhook_is_an_url_of_the_web_and_never_shown)
{
    static const char *const bad[][2] = {
        {"ftp://example.com/hunter2", "neither an http:// nor an https:// URL"},
        {"file:///etc/hunter2", "neither an http://"},
        {"https:///hunter2", "has no host"},
        {"https://me:hunter2@example.com/", "has a user or password in it"},
        {"https://example.com:0/hunter2", "has a port that is none"},
        {"https://example.com:99999/hunter2", "has a port that is none"},
        {"https://example.com/hunter2 x", "has a blank"},
        {"https://exa_mple.com\\\\hunter2", "has no host"},
        {"https://example.com/\\\\hunter2", "has a backslash"},
        {"https://example.com/#hunter2", "fragment"},
        {"https://example.com/\\r\\nhunter2", "line end"},
        {"https://[::1/hunter2", "has no host"},
        {"https://example.com:8443/hunter2", "port 8443"},
    };
    char yaml[256];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(yaml, sizeof yaml, "notifications: {webhook: {url: \"%s\"}}\n",
                 bad[i][0]);
        refuse(yaml, bad[i][1]);
        assert_null(strstr(error.message, "hunter2"));
    }
}

TEST(a_secret_is_not_shown_and_wants_a_file_of_its_own)
{
    static const char yaml[] = "notifications:\n  webhook: {secret: hunter2}\n";

    load(yaml);
    assert_string_equal(er_config_value_text(config, "notifications.webhook.secret"),
                        "<hidden>");
    assert_string_equal(er_config_origin(config, "notifications.webhook.secret"),
                        "errand.yml:2");
    assert_true(load_mode(yaml, 0640) < 0);
    assert_non_null(strstr(error.message, "chmod 600"));
    assert_int_equal(load_mode("notifications: {webhook: {secret: '${X}'}}\n", 0644), 0);
}

TEST(a_variable_stands_for_its_value_and_jobs_do_not_see_it)
{
    const struct errand_notify *n;
    bool has_other = false;

    setenv("MY_SLACK", "https://hooks.slack.com/x", 1);
    setenv("MY_OTHER", "1", 1);
    n = load("notifications: {slack: {webhook: '${MY_SLACK}'}}\n");
    assert_string_equal(n->slack.webhook, "https://hooks.slack.com/x");
    assert_string_equal(er_config_value_text(config, "notifications.slack.webhook"),
                        "${MY_SLACK}");
    assert_non_null(config->worker.env_allow);
    for (const char *const *name = config->worker.env_allow; *name; name++) {
        assert_string_not_equal(*name, "MY_SLACK");
        has_other = has_other || strcmp(*name, "MY_OTHER") == 0;
    }
    assert_true(has_other);
    unsetenv("MY_SLACK");
    unsetenv("MY_OTHER");
}

TEST(a_variable_that_is_not_set_leaves_the_setting_unsaid)
{
    const struct errand_notify *n =
        load("notifications: {slack: {webhook: '${NO_SUCH}'}, email: {to: ['${NO}']}}\n");

    assert_null(n->slack.webhook);
    assert_null(n->email.to[0]);
}

TEST(a_bad_value_of_a_variable_is_not_shown)
{
    setenv("MY_SLACK", "hunter2", 1);
    refuse("notifications: {slack: {webhook: '${MY_SLACK}'}}\n", "neither an http://");
    assert_null(strstr(error.message, "hunter2"));
    unsetenv("MY_SLACK");
    refuse("notifications: {email: {user: 'x${Y}'}}\n", "a variable stands alone");
    refuse("notifications: {email: {user: '${A B}'}}\n", "a variable stands alone");
}

TEST(a_secret_is_read_from_its_file)
{
    const struct errand_notify *n;

    put("password", "hunter2\n", 0600);
    n = load("notifications: {email: {user: me, password_file: password}}\n");
    assert_string_equal(n->email.password, "hunter2");
    put("password", "hunter2\n", 0644);
    refuse("notifications: {email: {user: me, password_file: password}}\n", "chmod 600");
    refuse("notifications: {email: {user: me, password_file: nofile}}\n", "is not there");
    put("password", "hunter\n2", 0600);
    refuse("notifications: {email: {user: me, password_file: password}}\n", "line end");
    assert_null(strstr(error.message, "hunter"));
}

TEST(secrets_may_come_from_the_environment)
{
    const struct errand_notify *n;

    setenv("ERRAND_SLACK_WEBHOOK", "https://hooks.slack.com/x", 1);
    setenv("ERRAND_WEBHOOK_SECRET", "hunter2", 1);
    n = load("");
    assert_string_equal(n->slack.webhook, "https://hooks.slack.com/x");
    assert_string_equal(er_config_value_text(config, "notifications.webhook.secret"),
                        "<hidden>");
    setenv("ERRAND_SLACK_WEBHOOK", "hunter2", 1);
    refuse("", "environment ERRAND_SLACK_WEBHOOK: ");
    assert_null(strstr(error.message, "hunter2"));
    unsetenv("ERRAND_SLACK_WEBHOOK");
    unsetenv("ERRAND_WEBHOOK_SECRET");
}

/* ------------------------------------------------------------------ in C */

TEST(a_channel_without_its_address_is_counted_and_told_in_one_line)
{
    static const char *const all[] = {"email", "slack", "webhook", NULL};
    static const char *const to[] = {"a@example.com", NULL};
    struct errand_notify n = {.channels = all, .email = {.to = to}};
    struct errand_worker_options options = {0};
    struct errand_arena *arena = er_arena_new();
    const char *lack = NULL;

    n.webhook.url = "https://example.com/";
    assert_int_equal(er_notify_ready(&n, arena, &lack), 1 << ER_NOTIFY_WEBHOOK);
    assert_string_equal(lack,
                        "email is left out, notifications.email.host is not set; "
                        "slack is left out, notifications.slack.webhook is not set");
    if (er_module_check(&er_notify_module, NULL) == 0) {
        assert_int_equal(errand_notify_configure(&options, &n, &error), 2);
        assert_ptr_equal(options.notify, &n);
    }
    er_arena_free(arena);
}

TEST(a_log_in_without_its_password_is_not_tried)
{
    static const char *const email[] = {"email", NULL}, *const to[] = {"a@b.c", NULL};
    const struct errand_notify n = {.channels = email,
                                    .email = {.to = to, .host = "h", .user = "me"}};
    struct errand_arena *arena = er_arena_new();
    const char *lack = NULL;

    assert_int_equal(er_notify_ready(&n, arena, &lack), 0);
    assert_string_equal(lack,
                        "email is left out, notifications.email.password is not set");
    er_arena_free(arena);
}

TEST(a_program_is_told_what_is_wrong_too)
{
    static const char *const channels[] = {"pager", NULL};
    static const char *const to[] = {"a@example.com\r\nBcc: b@example.com", NULL};
    struct errand_worker_options options = {0};

    assert_int_equal(errand_notify_configure(
                         &options, &(struct errand_notify){.channels = channels}, &error),
                     ERRAND_EINVAL);
    assert_non_null(strstr(error.message, "'pager' is no channel"));
    assert_int_equal(errand_notify_configure(
                         &options, &(struct errand_notify){.email = {.to = to}}, &error),
                     ERRAND_EINVAL);
    assert_int_equal(
        errand_notify_configure(&options, &(struct errand_notify){.every = -5}, &error),
        ERRAND_EINVAL);
    assert_null(options.notify);
}

TEST_MAIN()
