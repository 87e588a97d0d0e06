/* nearest.c: claims about the distance of words. */
#include "base/nearest.h"

#include "support/test.h"

TEST(a_word_is_no_distance_from_itself)
{
    assert_int_equal(er_word_distance("", ""), 0);
    assert_int_equal(er_word_distance("queue", "queue"), 0);
    assert_int_equal(er_word_distance("Max-Data", "max_data"), 0);
}

TEST(each_slip_of_the_hand_is_one)
{
    assert_int_equal(er_word_distance("queu", "queue"), 1);
    assert_int_equal(er_word_distance("queuee", "queue"), 1);
    assert_int_equal(er_word_distance("quewe", "queue"), 1);
    assert_int_equal(er_word_distance("qeuue", "queue"), 1);
    assert_int_equal(er_word_distance("abc", ""), 3);
}

TEST(it_is_the_same_both_ways)
{
    assert_int_equal(er_word_distance("kitten", "sitting"), 3);
    assert_int_equal(er_word_distance("sitting", "kitten"), 3);
}

TEST(what_is_no_word_is_far_from_everything)
{
    char text[100];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(er_word_distance(text, text) == SIZE_MAX);
    text[64] = '\0';
    assert_int_equal(er_word_distance(text, text), 0);
}

TEST_MAIN()
