/* late.c: keys and limits that a job was pushed without and learns when it is handed
 * out. */
#include "store/support.h"

static struct errand_outcome limit_late(const struct errand_unique *unique,
                                        const struct errand_limit_use *limits, size_t n)
{
    return (struct errand_outcome){.kind = ERRAND_OUT_LIMIT,
                                   .unique = unique,
                                   .limits = limits,
                                   .limits_n = n,
                                   .result = slice("\"twice\"")};
}

TEST(a_job_that_learns_its_limits_goes_back_to_its_place_without_an_attempt)
{
    struct errand_limit_use use = {
        .name = "door", .key = slice("k"), .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_id first = push("a"), second = push("b");
    struct errand_exchange_result ret = reserve(2);
    struct errand_reserved r;

    assert_int_equal(ret.jobs_n, 2);
    assert_false(ret.jobs[0].is_unique || ret.jobs[0].has_limits);
    for (int i = 1; i >= 0; i--)
        assert_int_equal(settle(ret.jobs[i], limit_late(NULL, &use, 1)), ERRAND_SETTLED);
    assert_state(second, ERRAND_READY);
    assert_int_equal(look(second).job.attempts, 0);
    r = reserve_one();
    assert_id(r.id, first);
    assert_true(r.has_limits);
    assert_false(r.is_unique);
    assert_int_equal(r.attempt, 1);
    reserve_none();
    done(r);
    assert_id(reserve_one().id, second);
}

TEST(a_job_that_learns_its_rate_waits_for_it)
{
    struct errand_limit_use use = {
        .name = "api", .kind = ERRAND_LIMIT_RATE, .n = 1, .per_ms = MINUTE};
    struct errand_exchange_result ret;

    push("a");
    push("b");
    ret = reserve(2);
    for (int i = 0; i < 2; i++)
        settle(ret.jobs[i], limit_late(NULL, &use, 1));
    done(reserve_one());
    reserve_none();
    now += MINUTE;
    done(reserve_one());
}

TEST(a_job_that_learns_its_key_holds_it)
{
    struct errand_unique unique = {.key = slice("order:7"), .until = ERRAND_UNIQUE_DONE};
    struct errand_id first = push("a");
    struct errand_reserved r;

    assert_int_equal(settle(reserve_one(), limit_late(&unique, NULL, 0)), ERRAND_SETTLED);
    assert_id(push_job((struct errand_push_job){.unique = &unique}).id, first);
    r = reserve_one();
    assert_true(r.is_unique);
    done(r);
    assert_int_equal(push_job((struct errand_push_job){.unique = &unique}).pushed,
                     ERRAND_INSERTED);
}

TEST(a_job_that_learns_a_key_that_is_held_is_a_duplicate)
{
    struct errand_unique unique = {.key = slice("order:7"), .until = ERRAND_UNIQUE_DONE};
    struct errand_id holder, twice;
    struct errand_reserved r;

    holder = push_job((struct errand_push_job){.unique = &unique}).id;
    twice = push_job((struct errand_push_job){.priority = -1}).id;
    r = reserve_one();
    assert_id(r.id, twice);
    assert_int_equal(settle(r, limit_late(&unique, NULL, 0)), ERRAND_SETTLED_DUPLICATE);
    assert_state(twice, ERRAND_COMPLETED);
    assert_slice(look(twice).job.result, "\"twice\"");
    assert_state(holder, ERRAND_READY);
    assert_int_equal(settle(r, limit_late(&unique, NULL, 0)), ERRAND_LOST);
}

TEST(a_key_that_is_given_up_in_the_same_call_may_be_learnt)
{
    struct errand_unique unique = {.key = slice("order:7"), .until = ERRAND_UNIQUE_DONE};
    struct errand_outcome outcomes[2];
    struct errand_exchange_result ret;

    push_job((struct errand_push_job){.unique = &unique});
    push("b");
    ret = reserve(2);
    outcomes[0] = (struct errand_outcome){.kind = ERRAND_OUT_DONE};
    outcomes[1] = limit_late(&unique, NULL, 0);
    for (int i = 0; i < 2; i++) {
        outcomes[i].token = ret.jobs[i].token;
        outcomes[i].key = ret.jobs[i].key;
        outcomes[i].id = ret.jobs[i].id;
    }
    ret =
        exchange((struct errand_exchange_params){.outcomes = outcomes, .outcomes_n = 2});
    assert_int_equal(ret.settled[1], ERRAND_SETTLED);
    assert_true(reserve_one().is_unique);
}

TEST(what_a_job_was_pushed_with_stays_when_it_learns_more)
{
    struct errand_unique own = {.key = slice("own"), .until = ERRAND_UNIQUE_DONE},
                         late = {.key = slice("late"), .until = ERRAND_UNIQUE_DONE};
    struct errand_limit_use mine = {
        .name = "mine", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_limit_use other = {
        .name = "other", .kind = ERRAND_LIMIT_RATE, .n = 1, .per_ms = MINUTE};
    struct errand_reserved r;

    push_job((struct errand_push_job){.unique = &own, .limits = &mine, .limits_n = 1});
    settle(reserve_one(), limit_late(&late, &other, 1));
    assert_int_equal(push_job((struct errand_push_job){.unique = &own}).pushed,
                     ERRAND_DUPLICATE);
    assert_int_equal(
        push_job((struct errand_push_job){.unique = &late, .priority = 9}).pushed,
        ERRAND_INSERTED);
    r = reserve_one();
    assert_true(r.is_unique && r.has_limits);
    settle(r, (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    assert_true(reserve_one().has_limits); /* the rate would say no */
}

TEST(a_cancelled_job_that_learns_its_limits_is_cancelled)
{
    struct errand_limit_use use = {
        .name = "door", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_id id = push("a");
    struct errand_reserved r = reserve_one();

    change(ERRAND_CHANGE_CANCEL, id);
    settle(r, limit_late(NULL, &use, 1));
    assert_state(id, ERRAND_CANCELLED);
}

TEST_PART()
