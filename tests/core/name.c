/* name.c: which names are legal, and which mean the same job. */
#include "core/name.h"

#include "claims.h"

TEST(letters_digits_and_six_signs_make_a_name)
{
    struct errand_error err;

    assert_works(er_name_check("job name", "send-email_2.v1:a/B", &err), err);
    assert_works(er_name_check("job name", "x", NULL), err);
}

TEST(a_wrong_character_is_shown_with_its_place)
{
    struct errand_error err;

    assert_error(er_name_check("queue name", "my queue", &err), err, ERRAND_EINVAL,
                 "queue name 'my queue' has a wrong character at position 3: letters, "
                 "digits and _ . : / - are allowed");
    assert_error(er_name_check("tag", "", &err), err, ERRAND_EINVAL, "tag is empty");
    assert_error(er_name_check("tag", NULL, &err), err, ERRAND_EINVAL, "tag is empty");
}

/* A message must not carry what a terminal would obey. */
TEST(what_a_terminal_would_obey_is_not_repeated)
{
    struct errand_error err;

    er_name_check("tag", "a\x1b[2J\xc3\xa9", &err);
    assert_null(strchr(err.message, 0x1b));
    assert_non_null(strstr(err.message, "'a?"
                                        "?2J?"
                                        "?'"));
}

TEST(every_other_byte_is_refused)
{
    for (int c = 1; c < 256; c++) {
        char name[] = {'a', (char)c, 'b', 0};
        bool is_legal = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || strchr("_.:/-", c);
        assert_int_equal(er_name_check("x", name, NULL), is_legal ? 0 : ERRAND_EINVAL);
    }
}

TEST(a_name_has_at_most_128_bytes)
{
    char name[ER_NAME_MAX + 2];
    struct errand_error err;

    memset(name, 'n', sizeof name);
    name[ER_NAME_MAX] = '\0';
    assert_works(er_name_check("job name", name, &err), err);
    name[ER_NAME_MAX] = 'n';
    name[ER_NAME_MAX + 1] = '\0';
    assert_error(er_name_check("job name", name, &err), err, ERRAND_EINVAL,
                 "job name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...' is longer than "
                 "128 bytes");
}

static void assert_same(const char *a, const char *b)
{
    char key_a[ER_NAME_MAX + 1], key_b[ER_NAME_MAX + 1];

    assert_string_equal(er_name_key(a, key_a), er_name_key(b, key_b));
}

TEST(case_and_separators_do_not_tell_jobs_apart)
{
    assert_same("send-welcome-email", "SendWelcomeEmail");
    assert_same("send_welcome_email", "SendWelcomeEmail");
    assert_same("mail/Send.Welcome:Email", "mailsendwelcomeemail");
}

TEST(names_of_separators_alone_stay_apart)
{
    char key[ER_NAME_MAX + 1];

    assert_string_equal(er_name_key("--", key), "--");
    assert_string_equal(er_name_key("-:-", key), "-:-");
    assert_string_equal(er_name_key("-a-", key), "a");
}

TEST(a_key_never_outgrows_its_room)
{
    char name[4 * ER_NAME_MAX], key[ER_NAME_MAX + 1];

    memset(name, 'A', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(strlen(er_name_key(name, key)), ER_NAME_MAX);
    memset(name, '-', sizeof name - 1);
    assert_int_equal(strlen(er_name_key(name, key)), ER_NAME_MAX);
}

TEST_MAIN()
