/* buf.c: a growing buffer with a maximum. */
#include "support/test.h"

#include "base/buf.h"

/* AddressSanitizer ends the process at sizes that malloc merely refuses. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static struct er_buf buf;

static int setup(void **state)
{
    (void)state;
    er_buf_init(&buf, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_buf_done(&buf);
    return 0;
}
TEST_FIXTURE(setup, teardown)

TEST(what_is_added_stands_in_order_with_a_nul_behind_it)
{
    assert_null(buf.ptr);
    assert_int_equal(er_buf_str(&buf, "ab"), 0);
    assert_int_equal(er_buf_add(&buf, "c\0d", 3), 0);
    assert_int_equal(er_buf_printf(&buf, "%d%s", 42, "!"), 0);
    assert_int_equal(buf.len, 8);
    assert_memory_equal(buf.ptr, "abc\0d42!\0", 9);
}

TEST(it_grows_to_its_maximum_and_not_over)
{
    char piece[100] = {0};

    for (int i = 0; i < 10; i++)
        assert_int_equal(er_buf_add(&buf, piece, sizeof piece), 0);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(er_buf_add(&buf, "x", 1), -1);
    assert_int_equal(er_buf_add(&buf, "", 0), 0);
}

TEST(a_failed_add_changes_nothing_and_is_remembered)
{
    char piece[600] = {0};

    er_buf_add(&buf, piece, sizeof piece);
    assert_int_equal(er_buf_add(&buf, piece, sizeof piece), -1);
    assert_int_equal(buf.len, 600);
    assert_true(buf.has_failed);
    assert_int_equal(er_buf_str(&buf, "fits"), 0);
    assert_true(buf.has_failed);
    er_buf_reset(&buf);
    assert_false(buf.has_failed);
}

TEST(printf_over_the_maximum_fails_whole)
{
    assert_int_equal(er_buf_str(&buf, "before"), 0);
    assert_int_equal(er_buf_printf(&buf, "%0*d", 2000, 1), -1);
    assert_string_equal(buf.ptr, "before");
}

TEST(a_huge_length_does_not_wrap_around)
{
    struct er_buf any;

    er_buf_init(&any, SIZE_MAX);
    assert_int_equal(er_buf_str(&any, "x"), 0);
    assert_int_equal(er_buf_reserve(&any, SIZE_MAX), -1);
    assert_int_equal(er_buf_reserve(&any, SIZE_MAX - 1), -1);
    assert_string_equal(any.ptr, "x");
    er_buf_done(&any);
}

TEST(reserve_gives_room_without_changing_what_is_there)
{
    assert_int_equal(er_buf_str(&buf, "a"), 0);
    assert_int_equal(er_buf_reserve(&buf, 900), 0);
    assert_true(buf.size >= 902);
    assert_string_equal(buf.ptr, "a");
}

TEST(drop_removes_from_the_front)
{
    er_buf_str(&buf, "one two");
    er_buf_drop(&buf, 4);
    assert_string_equal(buf.ptr, "two");
    assert_int_equal(buf.len, 3);
    er_buf_drop(&buf, 100);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.ptr, "");
}

TEST(drop_on_an_empty_buffer_is_nothing)
{
    er_buf_drop(&buf, 1);
    assert_int_equal(buf.len, 0);
    assert_null(buf.ptr);
}

TEST(numbers_are_written_as_printf_writes_them)
{
    er_buf_number(&buf, 0);
    er_buf_str(&buf, " ");
    er_buf_number(&buf, -70);
    er_buf_str(&buf, " ");
    er_buf_number(&buf, INT64_MAX);
    er_buf_str(&buf, " ");
    er_buf_number(&buf, INT64_MIN);
    assert_string_equal(buf.ptr, "0 -70 9223372036854775807 -9223372036854775808");
}

TEST(take_hands_the_memory_over)
{
    char *text;

    er_buf_str(&buf, "mine");
    text = er_buf_take(&buf);
    assert_string_equal(text, "mine");
    assert_null(buf.ptr);
    assert_int_equal(buf.max, 1000);
    free(text);
    assert_null(er_buf_take(&buf));
}

TEST_MAIN()
