/* locks.c: a lock has one holder at a time, and ends by itself. */
#include "store/support.h"

static struct errand_lock_result lock_as(const char *owner)
{
    struct errand_lock_params p = {
        .now_ms = now, .key = slice("door"), .owner = owner, .ttl_ms = MINUTE};
    struct errand_lock_result ret;

    ok(er_store_lock(store, &p, arena, &ret, &err));
    return ret;
}

static int unlock_as(const char *owner, int64_t token)
{
    struct errand_lock_params p = {
        .now_ms = now, .key = slice("door"), .owner = owner, .token = token};

    return er_store_unlock(store, &p, &err);
}

TEST(a_lock_has_one_holder)
{
    struct errand_lock_result ann = lock_as("ann"), bob;

    assert_true(ann.token > 0);
    assert_int_equal(ann.until_ms, now + MINUTE);
    assert_string_equal(ann.owner, "ann");
    now += SECOND;
    bob = lock_as("bob");
    assert_int_equal(bob.token, 0);
    assert_string_equal(bob.owner, "ann");
    assert_int_equal(bob.until_ms, ann.until_ms);
    ok(unlock_as("ann", ann.token));
    assert_true(lock_as("bob").token > ann.token);
}

TEST(the_holder_may_extend_its_lock)
{
    struct errand_lock_result first = lock_as("ann"), again;

    now += MINUTE - 1;
    again = lock_as("ann");
    assert_int_equal(again.token, first.token);
    assert_int_equal(again.until_ms, now + MINUTE);
}

TEST(a_lock_that_is_over_is_free)
{
    struct errand_lock_result first = lock_as("ann"), second;

    now += MINUTE;
    fails(ERRAND_ECONFLICT, unlock_as("ann", first.token));
    second = lock_as("bob");
    assert_true(second.token > first.token);
    fails(ERRAND_ECONFLICT, unlock_as("ann", first.token));
    ok(unlock_as("bob", second.token));
}

TEST(only_the_holder_with_its_token_unlocks)
{
    struct errand_lock_result ann = lock_as("ann");

    fails(ERRAND_ECONFLICT, unlock_as("bob", ann.token));
    fails(ERRAND_ECONFLICT, unlock_as("ann", ann.token + 1));
    assert_int_equal(lock_as("bob").token, 0);
}

TEST_PART()
