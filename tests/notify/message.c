/* message.c: what a mail, a Slack message and a webhook say, as bytes. */
#include "notify/channels/channels.h"

#include <jansson.h>

#include "support/test.h"

static struct er_failure failures[10];
static struct er_notice notice;

static void one(const char *error)
{
    failures[0] = (struct er_failure){.id = "j1",
                                      .name = "SendWelcomeEmail",
                                      .queue = "emails",
                                      .attempts = 3,
                                      .tries = 3,
                                      .error = {error, strlen(error)},
                                      .failed_ms = 1000};
    notice = (struct er_notice){.channel = ER_NOTIFY_EMAIL,
                                .id = "n1",
                                .name = "SendWelcomeEmail",
                                .queue = "emails",
                                .host = "here",
                                .total = 1,
                                .since_ms = 1000,
                                .until_ms = 1000,
                                .failures = failures,
                                .failures_n = 1};
}

static void many(int64_t total)
{
    one("no luck");
    for (int i = 1; i < 10; i++)
        failures[i] = failures[0];
    notice.total = total;
    notice.failures_n = total < 10 ? (size_t)total : 10;
    notice.until_ms = 61000;
}

static char *mail(void)
{
    static const char *const to[] = {"a@example.com", "b@example.com", NULL};
    const struct errand_notify n = {.email = {.to = to}};
    struct er_buf buf;

    er_buf_init(&buf, 1 << 20);
    er_mail_write(&n, "errand@example.com", INT64_C(1795510410000), &notice, &buf);
    assert_false(buf.has_failed);
    return er_buf_take(&buf);
}

static char *slack(void)
{
    struct er_buf buf;
    json_t *json;
    char *text;

    er_buf_init(&buf, 1 << 20);
    er_slack_write(&notice, &buf);
    json = json_loads(buf.ptr, 0, NULL);
    assert_non_null(json);
    text = strdup(json_string_value(json_object_get(json, "text")));
    json_decref(json);
    er_buf_done(&buf);
    return text;
}

static char *header(const char *text)
{
    struct er_buf buf;

    er_buf_init(&buf, 1 << 16);
    er_mail_header_text(&buf, "Subject", (struct errand_slice){text, strlen(text)});
    return er_buf_take(&buf);
}

static char *printable(const char *text)
{
    struct er_buf buf;

    er_buf_init(&buf, 1 << 16);
    er_mail_quoted_printable(&buf, (struct errand_slice){text, strlen(text)});
    return er_buf_take(&buf);
}

#define assert_has(text, part)                           \
    do {                                                 \
        if (!strstr((text), (part)))                     \
            fail_msg("'%s' is not in:\n%s", part, text); \
    } while (0)

/* ------------------------------------------------------------------ mail */

TEST(a_mail_has_what_a_mail_must_have)
{
    char *text;

    one("connection refused");
    text = mail();
    assert_has(text, "Date: Tue, 24 Nov 2026 08:53:30 +0000\r\n");
    assert_has(text, "From: errand <errand@example.com>\r\n");
    assert_has(text, "To: a@example.com,\r\n b@example.com\r\n");
    assert_has(text, "Subject: [errand] SendWelcomeEmail failed (3/3) on emails: "
                     "connection\r\n refused\r\n");
    assert_has(text, "Message-ID: <n1@example.com>\r\n");
    assert_has(text, "Auto-Submitted: auto-generated\r\n");
    assert_has(text, "Content-Type: text/plain; charset=utf-8\r\n");
    assert_has(text, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    free(text);
}

TEST(a_mail_says_all_about_the_job)
{
    char *text;

    one("connection refused\nby the server");
    text = mail();
    assert_has(text, "Job:    SendWelcomeEmail\r\nQueue:  emails\r\nHost:   here\r\n");
    assert_has(text, "j1  attempt 3/3  1970-01-01T00:00:01.000Z\r\n"
                     "connection refused\r\nby the server\r\n");
    assert_has(text, "errand queue:inspect j1\r\n");
    assert_has(text, "errand queue:retry j1\r\n");
    free(text);
}

TEST(every_line_of_a_mail_ends_in_crlf_and_is_short)
{
    char *text, *line;

    one("ein sehr langer Fehler: äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü "
        "äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü");
    text = mail();
    for (line = text; *line;) {
        size_t len = strcspn(line, "\n");
        assert_int_equal(line[len], '\n');
        assert_int_equal(line[len - 1], '\r');
        assert_true(len - 1 <= 78);
        for (size_t i = 0; i + 1 < len; i++)
            assert_true(line[i] >= ' ' && line[i] <= '~');
        line += len + 1;
    }
    free(text);
}

TEST(an_error_cannot_add_a_header)
{
    static const char *const bad[] = {
        "x\r\nBcc: evil@example.com\r\n\r\nbody", "x\nBcc: evil@example.com",
        "x\rBcc: evil@example.com", "\nBcc: evil@example.com"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text;

        one(bad[i]);
        text = mail();
        *strstr(text, "\r\n\r\n") = '\0'; /* in the body it is text */
        assert_null(strstr(text, "\nBcc"));
        assert_null(strstr(text, "\rBcc"));
        free(text);
    }
}

TEST(a_storm_is_told_by_number)
{
    char *text;

    many(1000);
    text = mail();
    assert_has(text, "Subject: =?UTF-8?B?"); /* the × is not ASCII */
    assert_has(text, "1000 jobs failed for good between 1970-01-01T00:00:01.000Z and");
    assert_has(text, "and 990 more\r\n");
    assert_has(text, "errand queue:failed --queue=3Demails"); /* = is =3D */
    free(text);
}

TEST(a_header_is_encoded_only_when_it_must_be)
{
    static const char *const cases[][2] = {
        {"plain", "Subject: plain\r\n"},
        {"", "Subject: \r\n"},
        {"für", "Subject: =?UTF-8?B?ZsO8cg==?=\r\n"},
        {"=?UTF-8?B?ZsO8cg==?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP1pzTzhjZz09Pz0=?=\r\n"},
        {"a\tb", "Subject: =?UTF-8?B?YQli?=\r\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = header(cases[i][0]);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

TEST(a_subject_has_at_most_200_bytes_and_no_half_character)
{
    char long_text[603], *text, *last;

    for (int i = 0; i < 600; i += 3)
        memcpy(long_text + i, "€", 3);
    long_text[600] = '\0';
    text = header(long_text);
    /* 66 characters of three bytes: five words of 13, one of 1, five folds */
    assert_int_equal(strlen(text) - strlen("Subject: \r\n"),
                     5 * (52 + 12) + (4 + 12) + 5 * strlen("\r\n "));
    last = strrchr(text, ' ');
    assert_has(last, "=?UTF-8?B?");
    free(text);
    memset(long_text, 'a', 602);
    long_text[602] = '\0';
    text = header(long_text);
    assert_int_equal(strlen(text), strlen("Subject: \r\n") + 200);
    free(text);
}

TEST(quoted_printable_is_what_rfc_2045_says)
{
    static const char *const cases[][2] = {
        {"a=b\n", "a=3Db\r\n"},  {"blank \n", "blank=20\r\n"},
        {"tab\t", "tab=09\r\n"}, {"a b\tc", "a b\tc\r\n"},
        {"für", "f=C3=BCr\r\n"}, {".\n..x", "=2E\r\n=2E.x\r\n"},
        {"\r\n", "=0D\r\n"},     {"", ""},
    };
    char long_line[200], *text;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text = printable(cases[i][0]);
        assert_string_equal(text ? text : "", cases[i][1]);
        free(text);
    }
    memset(long_line, 'x', 199);
    long_line[199] = '\0';
    text = printable(long_line);
    assert_true(strcspn(text, "\r") <= 76);
    assert_has(text, "x=\r\nx");
    free(text);
}

/* ------------------------------------------------------------------ Slack */

TEST(slack_is_told_name_queue_attempt_and_error)
{
    char *text;

    one("connection refused");
    text = slack();
    assert_has(text, "*SendWelcomeEmail* failed (3/3) on queue *emails*");
    assert_has(text, "```connection refused```");
    assert_has(text, "`errand queue:inspect j1`");
    assert_has(text, " on here");
    free(text);
}

TEST(an_error_calls_nobody_and_links_nowhere)
{
    char *text;

    one("<!channel> & <http://evil|click> ``` *bold*");
    text = slack();
    assert_has(text, "&lt;!channel&gt; &amp; &lt;http://evil|click&gt; ''' *bold*```");
    free(text);
}

TEST(slack_is_told_of_a_storm_in_one_message)
{
    char *text;

    many(37);
    text = slack();
    assert_has(text, "*SendWelcomeEmail* failed 37 times on queue *emails*");
    assert_has(text, "`j1` 3/3 `no luck`");
    assert_has(text, "and 27 more");
    free(text);
}

/* ------------------------------------------------------------------ webhook */

TEST(a_webhook_is_json_with_all_that_is_known)
{
    struct er_buf buf;
    json_t *json, *data, *f;

    many(1000);
    er_buf_init(&buf, 1 << 20);
    er_webhook_write(&notice, &buf);
    assert_non_null(json = json_loads(buf.ptr, 0, NULL));
    assert_string_equal(json_string_value(json_object_get(json, "type")), "job.failed");
    data = json_object_get(json, "data");
    assert_int_equal(json_integer_value(json_object_get(data, "total")), 1000);
    assert_string_equal(json_string_value(json_object_get(data, "queue")), "emails");
    assert_int_equal(json_array_size(json_object_get(data, "failures")), 10);
    f = json_array_get(json_object_get(data, "failures"), 0);
    assert_string_equal(json_string_value(json_object_get(f, "id")), "j1");
    assert_string_equal(json_string_value(json_object_get(f, "error")), "no luck");
    assert_int_equal(json_integer_value(json_object_get(f, "tries")), 3);
    json_decref(json);
    er_buf_done(&buf);
}

/* By `openssl dgst -sha256 -hmac`. */
TEST(the_signature_is_an_hmac_over_id_time_and_body)
{
    const struct errand_slice body = {"{\"a\":1}", 7};
    char text[64];

    assert_int_equal(er_webhook_sign("s3cret", "msg_1", 1700000000, body, text), 0);
    assert_string_equal(text, "v1,JTnXZsicQmbYBUKbG0PXd2OqV6VmCFiMTEvW8yxopSo=");
    assert_int_equal(er_webhook_sign("whsec_czNjcmV0", "msg_1", 1700000000, body, text),
                     0);
    assert_string_equal(
        text, "v1,JTnXZsicQmbYBUKbG0PXd2OqV6VmCFiMTEvW8yxopSo="); /* base64 of s3cret */
    assert_int_equal(er_webhook_sign("whsec_!", "msg_1", 1700000000, body, text), -1);
}

TEST_MAIN()
