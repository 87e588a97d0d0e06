/* backoff.c: how long a failed job waits. */
#include "core/backoff.h"

#include <math.h>

#include "claims.h"

enum { SECOND = 1000 };

TEST(retry_waits_for_backoff)
{
    struct errand_backoff backoff = ERRAND_BACKOFF(60);

    for (int retry = 1; retry < 50; retry++)
        assert_int_equal(er_backoff_ms(&backoff, retry, 0.99), 60 * SECOND);
}

TEST(a_list_has_one_wait_per_retry_and_its_last_repeats)
{
    struct errand_backoff backoff = ERRAND_BACKOFF(60, 300, 900.5);

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.5), 60 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 2, 0.5), 300 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 3, 0.5), 900500);
    assert_int_equal(er_backoff_ms(&backoff, 4, 0.5), 900500);
    assert_int_equal(er_backoff_ms(&backoff, INT32_MAX, 0.5), 900500);
}

TEST(a_list_wins_over_a_strategy_and_is_exact)
{
    struct errand_backoff backoff = {.list = {7},
                                     .list_n = 1,
                                     .strategy = ERRAND_BACKOFF_EXPONENTIAL,
                                     .base = 100,
                                     .cap = 2,
                                     .jitter = 1};

    assert_int_equal(er_backoff_ms(&backoff, 5, 0.9), 7 * SECOND);
}

TEST(a_list_without_its_length_ends_at_its_last_wait)
{
    const struct errand_backoff backoff = {{60, 0, 300}}, zero = {{0}};
    struct errand_backoff counted = {{0}};

    assert_true(er_backoff_said(&backoff, &counted));
    assert_int_equal(counted.list_n, 3);
    assert_int_equal(er_backoff_ms(&counted, 1, 0.9), 60 * SECOND);
    assert_int_equal(er_backoff_ms(&counted, 2, 0.9), 0);
    assert_int_equal(er_backoff_ms(&counted, 4, 0.9), 300 * SECOND);
    assert_false(er_backoff_said(&zero, &counted));
}

TEST(a_wait_that_cannot_be_is_refused_without_its_length_too)
{
    const struct errand_backoff backoff = {{60, -1}};
    struct errand_error err = {0};

    assert_int_equal(er_backoff_check(&backoff, &err), ERRAND_EINVAL);
    assert_string_equal(
        err.message, "backoff value 2 is -1: seconds from 0 to 31,622,400 are allowed");
}

TEST(a_zero_in_a_list_is_at_once)
{
    struct errand_backoff backoff = ERRAND_BACKOFF(0);

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.9), 0);
}

TEST(unsaid_is_exponential_from_ten_seconds_with_a_fifth_of_jitter)
{
    struct errand_backoff unsaid = {0};

    assert_int_equal(er_backoff_ms(&unsaid, 1, 0), 10 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 2, 0), 20 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 3, 0.5), 44 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 3, 1), 48 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 9, 0), 2560 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 10, 0), 3600 * SECOND);
    assert_int_equal(er_backoff_ms(&unsaid, 10, 1), 4320 * SECOND);
}

TEST(a_cap_alone_leaves_the_default_its_jitter)
{
    struct errand_backoff backoff = {.cap = 15};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.5), 11 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 2, 1), 18 * SECOND);
}

TEST(linear_adds_its_base_each_time_up_to_the_cap)
{
    struct errand_backoff backoff = {.strategy = ERRAND_BACKOFF_LINEAR, .base = 30};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.9), 30 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 4, 0.9), 120 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 120, 0.9), 3600 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, INT32_MAX, 0.9), 3600 * SECOND);
}

TEST(exponential_doubles_its_base_each_time_up_to_the_cap)
{
    struct errand_backoff backoff = {
        .strategy = ERRAND_BACKOFF_EXPONENTIAL, .base = 1, .cap = 100};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.9), 1 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 5, 0.9), 16 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 8, 0.9), 100 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, INT32_MAX, 0.9), 100 * SECOND);
}

TEST(a_base_without_a_strategy_is_exponential_and_exact)
{
    struct errand_backoff backoff = {.base = 3};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.9), 3 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 3, 0.9), 12 * SECOND);
}

TEST(fixed_is_its_base_whatever_the_cap)
{
    struct errand_backoff backoff = {
        .strategy = ERRAND_BACKOFF_FIXED, .base = 7200, .cap = 60};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0.9), 7200 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 9, 0.9), 7200 * SECOND);
    backoff.base = 0;
    assert_int_equal(er_backoff_ms(&backoff, 9, 0.9), 10 * SECOND);
}

TEST(jitter_is_added_only_where_it_was_asked_for)
{
    struct errand_backoff backoff = {
        .strategy = ERRAND_BACKOFF_FIXED, .base = 10, .jitter = 0.5};

    assert_int_equal(er_backoff_ms(&backoff, 1, 0), 10 * SECOND);
    assert_int_equal(er_backoff_ms(&backoff, 1, 0.5), 12500);
    backoff.jitter = -1;
    assert_int_equal(er_backoff_ms(&backoff, 1, 0.5), 10 * SECOND);
    backoff = (struct errand_backoff){.jitter = -1};
    assert_int_equal(er_backoff_ms(&backoff, 2, 0.9), 20 * SECOND);
    backoff = (struct errand_backoff){.jitter = 1};
    assert_int_equal(er_backoff_ms(&backoff, 2, 0.5), 30 * SECOND);
}

/* Nobody checked: the answer must still be a wait. */
TEST(nonsense_gives_a_wait_that_can_be_added_to_now)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -1, 1e300, 1e-300, 0};
    const int64_t most = INT64_C(2) * 367 * 86400 * SECOND;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (int strategy = -1; strategy <= 4; strategy++)
            for (int retry = -1; retry < 3; retry++) {
                struct errand_backoff b = {.strategy =
                                               (enum errand_backoff_strategy)strategy,
                                           .base = odd[i],
                                           .cap = odd[(i + 1) % 7],
                                           .jitter = odd[(i + 2) % 7]};
                int64_t wait = er_backoff_ms(&b, retry, odd[(i + 3) % 7]);
                assert_true(wait >= 0 && wait <= most);
                b.list[0] = odd[i];
                b.list_n = i % 2 ? 1 : SIZE_MAX;
                wait = er_backoff_ms(&b, retry, 0.5);
                assert_true(wait >= 0 && wait <= most);
            }
}

TEST(the_check_names_what_is_wrong)
{
    struct errand_backoff b = ERRAND_BACKOFF(1, NAN);
    struct errand_error err;

    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff value 2 is nan: seconds from 0 to 31,622,400 are allowed");
    b = (struct errand_backoff){.list_n = 17};
    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff has 17 values, more than the 16 allowed");
    b = (struct errand_backoff){.base = -1};
    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff base is -1: seconds from 0 to 31,622,400 are allowed");
    b = (struct errand_backoff){.cap = INFINITY};
    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff cap is inf: seconds from 0 to 31,622,400 are allowed");
    b = (struct errand_backoff){.jitter = 1.5};
    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff jitter is 1.5: a share from 0 to 1 is allowed");
    b = (struct errand_backoff){.jitter = NAN};
    assert_int_equal(er_backoff_check(&b, &err), ERRAND_EINVAL);
    b = (struct errand_backoff){.strategy = (enum errand_backoff_strategy)4};
    assert_error(er_backoff_check(&b, &err), err, ERRAND_EINVAL,
                 "backoff strategy 4 does not exist");
}

TEST(the_check_passes_what_can_be_meant)
{
    struct errand_backoff b = ERRAND_BACKOFF(0, 60, 31622400);
    struct errand_error err;

    assert_works(er_backoff_check(&b, &err), err);
    b = (struct errand_backoff){0};
    assert_works(er_backoff_check(&b, &err), err);
    b = (struct errand_backoff){
        .strategy = ERRAND_BACKOFF_LINEAR, .base = 0.5, .cap = 60, .jitter = -1};
    assert_works(er_backoff_check(&b, &err), err);
}

TEST(the_next_attempt_is_due_after_its_backoff_or_when_the_attempt_said)
{
    const struct errand_backoff list = ERRAND_BACKOFF(60, 300);
    struct er_retry r = {.attempt = 2, .tries = 3, .backoff = &list};

    assert_int_equal(er_retry_at(&r, 1000, 0), 301000);
    r.wait_ms = 5;
    assert_int_equal(er_retry_at(&r, 1000, 0), 1005);
}

TEST(a_store_that_is_away_is_left_alone_for_longer_each_time)
{
    assert_int_equal(er_backoff_store_ms(0, ERRAND_EUNAVAILABLE, 0), 25);
    assert_int_equal(er_backoff_store_ms(1, ERRAND_EUNAVAILABLE, 0), 50);
    assert_int_equal(er_backoff_store_ms(2, ERRAND_EUNAVAILABLE, 0), 100);
}

TEST(a_store_that_is_away_is_asked_every_few_seconds_however_long_it_lasts)
{
    assert_int_equal(er_backoff_store_ms(1000, ERRAND_EUNAVAILABLE, 0), 2500);
    assert_in_range(er_backoff_store_ms(1000, ERRAND_EUNAVAILABLE, 0.999), 4900,
                    ER_BACKOFF_STORE_MOST_MS);
    assert_int_equal(er_backoff_store_ms(1000, ERRAND_EBUSY, 0), 200);
}

TEST(jitter_is_spread_over_its_range)
{
    uint64_t seed = 7;
    double least = 1, most = 0;

    for (int i = 0; i < 1000; i++) {
        double random = er_backoff_random(&seed);
        assert_true(random >= 0 && random < 1);
        least = random < least ? random : least;
        most = random > most ? random : most;
    }
    assert_true(least < 0.05 && most > 0.95);
}

TEST(there_is_none_when_the_tries_are_spent)
{
    const struct errand_backoff list = ERRAND_BACKOFF(60);
    const struct er_retry last = {.attempt = 3, .tries = 3, .backoff = &list},
                          over = {
                              .attempt = 4, .tries = 3, .backoff = &list, .wait_ms = 1};

    assert_int_equal(er_retry_at(&last, 1000, 0), -1);
    assert_int_equal(er_retry_at(&over, 1000, 0), -1);
}

TEST(there_is_none_that_would_come_too_late)
{
    const struct errand_backoff list = ERRAND_BACKOFF(60);
    struct er_retry r = {.attempt = 1, .tries = 3, .backoff = &list, .created_ms = 500};

    r.until_ms = 61001;
    assert_int_equal(er_retry_at(&r, 1000, 0), 61000);
    r.until_ms = 61000;
    assert_int_equal(er_retry_at(&r, 1000, 0), -1);
    r.until_ms = 0;
    r.for_ms = 60501;
    assert_int_equal(er_retry_at(&r, 1000, 0), 61000);
    r.for_ms = 60500;
    assert_int_equal(er_retry_at(&r, 1000, 0), -1);
}

TEST(tries_of_a_call_are_spread_and_further_apart_each_time)
{
    uint64_t one = er_backoff_seed(), other = er_backoff_seed();

    assert_int_equal(er_backoff_call_ms(1, 0), 2);
    assert_int_equal(er_backoff_call_ms(2, 0), 5);
    assert_int_equal(er_backoff_call_ms(3, 0), 10);
    assert_int_equal(er_backoff_call_ms(1000, 0), 500);
    assert_in_range(er_backoff_call_ms(1000, 0.999), 990, 1000);
    assert_true(er_backoff_random(&one) != er_backoff_random(&other));
}

TEST_MAIN()
