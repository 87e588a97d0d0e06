/* error.c: codes and messages. */
#include "support/test.h"

#include <errno.h>

#include "base/error.h"
#include "base/utf8.h"

TEST(every_code_has_its_name_and_its_text)
{
    assert_string_equal(errand_code_name(ERRAND_EFULL), "EFULL");
    assert_string_equal(errand_code_text(ERRAND_EFULL), "store is full");
    assert_string_equal(errand_code_name(7), "E?");
    assert_string_equal(errand_code_text(7), "unknown error");
#define CHECK(code_name, number, can_retry, code_text)         \
    assert_string_equal(errand_code_name(number), #code_name); \
    assert_string_equal(errand_code_text(number), code_text);
    ERRAND_ERRORS(CHECK)
#undef CHECK
}

/* Programs store them and print them: they are part of the contract. */
TEST(numbers_do_not_change)
{
    assert_int_equal(ERRAND_EINVAL, -1);
    assert_int_equal(ERRAND_EJSON, -4);
    assert_int_equal(ERRAND_EFORKED, -12);
    assert_int_equal(ERRAND_EINTERNAL, -18);
}

TEST(set_fills_everything_and_returns_the_code)
{
    struct errand_error err = {.sys = 7};

    assert_int_equal(errand_error_set(&err, ERRAND_EBUSY, "queue '%s'", "mail"),
                     ERRAND_EBUSY);
    assert_int_equal(err.code, ERRAND_EBUSY);
    assert_int_equal(err.sys, 0);
    assert_true(err.retryable);
    assert_string_equal(err.message, "queue 'mail'");
    errand_error_set(&err, 42, "a handler's own number");
    assert_int_equal(err.code, 42);
    assert_false(err.retryable);
}

TEST(nobody_has_to_listen)
{
    assert_int_equal(errand_error_set(NULL, ERRAND_EIO, "x"), ERRAND_EIO);
    assert_int_equal(er_error_wrap(NULL, ERRAND_EIO, "x"), ERRAND_EIO);
    assert_int_equal(er_error_errno(NULL, ERRAND_EIO, ENOENT, "x"), ERRAND_EIO);
    assert_int_equal(er_error_nomem(NULL), ERRAND_ENOMEM);
}

TEST(wrap_puts_context_in_front_and_keeps_the_rest)
{
    struct errand_error err;

    errand_error_set(&err, ERRAND_EFULL, "disk is full");
    assert_int_equal(er_error_wrap(&err, ERRAND_EIO, "pausing queue '%s'", "mail"),
                     ERRAND_EFULL);
    assert_string_equal(err.message, "pausing queue 'mail': disk is full");
    assert_true(err.retryable);
}

TEST(errno_is_told_in_words_and_kept)
{
    struct errand_error err;

    er_error_errno(&err, ERRAND_EIO, EACCES, "opening '%s'", "x.db");
    assert_string_equal(err.message, "opening 'x.db': Permission denied");
    assert_int_equal(err.sys, EACCES);
    assert_false(err.retryable);
}

/* Whatever the length before them, two-byte characters must not be cut in two. */
TEST(a_long_message_is_cut_between_characters)
{
    char text[2 * ERRAND_ERROR_MAX + 1] = "";
    struct errand_error err;

    for (size_t i = 0; i < ERRAND_ERROR_MAX; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 3);
    for (int before = 0; before < 3; before++) {
        errand_error_set(&err, ERRAND_EINVAL, "%.*s%s", before, "xx", text);
        assert_true(strlen(err.message) > ERRAND_ERROR_MAX - 5);
        assert_true(er_utf8_check(err.message, strlen(err.message)));
        er_error_wrap(&err, ERRAND_EINVAL, "%.*s", before, "yy");
        assert_true(er_utf8_check(err.message, strlen(err.message)));
        er_error_errno(&err, ERRAND_EINVAL, EACCES, "%.*s%s", before, "xx", text);
        assert_true(er_utf8_check(err.message, strlen(err.message)));
    }
}

/* With the room nearly used up, it is the text of errno that is cut. */
TEST(errno_behind_a_long_message_leaves_it_whole)
{
    char text[ERRAND_ERROR_MAX];
    struct errand_error err;

    memset(text, 'x', sizeof text);
    text[ERRAND_ERROR_MAX - 4] = '\0';
    er_error_errno(&err, ERRAND_EIO, EACCES, "%s", text);
    assert_memory_equal(err.message, text, ERRAND_ERROR_MAX - 4);
    assert_int_equal(strlen(err.message), ERRAND_ERROR_MAX - 1);
}

TEST_MAIN()
