/* limits.c: never more than the cap, in order, and no key holds back another. */
#include "store/support.h"

static struct errand_id push_under(const char *name, struct errand_limit_use use)
{
    if (!use.name)
        use.name = "api";
    if (!use.n)
        use.n = 1;
    if (use.kind == ERRAND_LIMIT_RATE && !use.per_ms)
        use.per_ms = MINUTE;
    return push_job((struct errand_push_job){.name = name, .limits = &use, .limits_n = 1})
        .id;
}

static const struct errand_limit_use one_at_a_time = {.kind = ERRAND_LIMIT_CONCURRENCY};
static const struct errand_limit_use one_a_minute = {.kind = ERRAND_LIMIT_RATE};

static void put(struct errand_limit limit)
{
    ok(er_store_limit_put(store, &limit, &err));
}

static struct errand_limit_info limit_info(const char *name)
{
    struct errand_limits_result ret;

    ok(er_store_limits(store, now, arena, &ret, &err));
    for (size_t i = 0; i < ret.limits_n; i++)
        if (strcmp(ret.limits[i].limit.name, name) == 0)
            return ret.limits[i];
    fail_msg("no limit '%s'", name);
    return (struct errand_limit_info){0};
}

/* ------------------------------------------------------------------ concurrency */

TEST(concurrency_caps_what_runs)
{
    struct errand_reserved first;
    struct errand_id second;

    push_under("a", one_at_a_time);
    second = push_under("b", one_at_a_time);
    first = reserve_one();
    reserve_none();
    assert_state(second, ERRAND_READY);
    done(first);
    assert_id(reserve_one().id, second);
}

TEST(concurrency_caps_one_reserve)
{
    for (int i = 0; i < 5; i++)
        push_under("a",
                   (struct errand_limit_use){.kind = ERRAND_LIMIT_CONCURRENCY, .n = 3});
    assert_int_equal(reserve(10).jobs_n, 3);
}

TEST(settling_makes_room_in_the_same_call)
{
    struct errand_exchange_result ret;
    struct errand_outcome outcome;
    struct errand_reserved r;

    push_under("a", one_at_a_time);
    push_under("b", one_at_a_time);
    r = reserve_one();
    outcome = (struct errand_outcome){.token = r.token, .key = r.key, .id = r.id};
    ret = exchange(
        (struct errand_exchange_params){.outcomes = &outcome, .outcomes_n = 1, .max = 5});
    assert_int_equal(ret.jobs_n, 1);
    assert_string_equal(ret.jobs[0].name, "b");
}

TEST(a_lease_that_ran_out_makes_room)
{
    struct errand_id first = push_under("a", one_at_a_time);

    push_under("b", one_at_a_time);
    reserve_one();
    now += LEASE_MS;
    reap();
    assert_id(reserve_one().id, first);
    reserve_none();
}

TEST(a_limit_holds_back_its_own_key_only)
{
    push_under("a", (struct errand_limit_use){.kind = ERRAND_LIMIT_CONCURRENCY,
                                              .key = slice("x")});
    push_under("b", (struct errand_limit_use){.kind = ERRAND_LIMIT_CONCURRENCY,
                                              .key = slice("x")});
    push_under("c", (struct errand_limit_use){.kind = ERRAND_LIMIT_CONCURRENCY,
                                              .key = slice("y")});
    push("d");
    assert_string_equal(reserve_one().name, "a");
    assert_string_equal(reserve_one().name, "c");
    assert_string_equal(reserve_one().name, "d");
    reserve_none();
}

TEST(what_is_held_back_does_not_hold_back_what_is_behind_it)
{
    for (int i = 0; i < 300; i++)
        push_under("a", one_at_a_time);
    push("free");
    assert_string_equal(reserve_one().name, "a");
    assert_string_equal(reserve_one().name, "free");
}

TEST(held_back_jobs_keep_their_order)
{
    struct errand_id ids[4];

    for (int i = 0; i < 4; i++)
        ids[i] = push_under("a", one_at_a_time);
    for (int i = 0; i < 4; i++) {
        struct errand_reserved r = reserve_one();
        assert_id(r.id, ids[i]);
        reserve_none();
        done(r);
    }
}

TEST(all_limits_of_a_job_must_allow_it)
{
    struct errand_limit_use uses[] = {
        {.name = "one", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1},
        {.name = "two", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 5},
    };
    struct errand_push_job job = {.limits = uses, .limits_n = 2};

    push_job(job);
    push_job(job);
    reserve_one();
    reserve_none();
}

/* ------------------------------------------------------------------ rate */

TEST(rate_caps_starts_in_any_window)
{
    struct errand_limit_use use = {.kind = ERRAND_LIMIT_RATE, .n = 2, .per_ms = MINUTE};
    int64_t t = now;

    for (int i = 0; i < 5; i++)
        push_under("a", use);
    done(reserve_one());
    now = t + 20 * SECOND;
    done(reserve_one());
    reserve_none();
    now = t + MINUTE - 1;
    reserve_none();
    now = t + MINUTE;
    done(reserve_one());
    reserve_none();
    now = t + MINUTE + 20 * SECOND - 1;
    reserve_none();
    now += 1;
    done(reserve_one());
    reserve_none();
}

TEST(a_burst_over_the_edge_of_a_window_is_capped)
{
    struct errand_limit_use use = {.kind = ERRAND_LIMIT_RATE, .n = 100, .per_ms = MINUTE};
    int64_t t = now;

    for (int i = 0; i < 250; i++)
        push_under("a", use);
    now = t + MINUTE - 100;
    assert_int_equal(reserve(250).jobs_n, 100);
    now = t + MINUTE + 100;
    assert_int_equal(reserve(250).jobs_n, 0);
    now = t + 2 * MINUTE - 100;
    assert_int_equal(reserve(250).jobs_n, 100);
}

TEST(a_rate_says_when_to_look_again)
{
    int64_t t = now;

    push_under("a", one_a_minute);
    push_under("b", one_a_minute);
    reserve_one();
    now += SECOND;
    assert_int_equal(reserve(1).next_at_ms, t + MINUTE);
}

TEST(waiting_for_a_rate_uses_no_attempt)
{
    struct errand_id id;

    push_under("a", one_a_minute);
    id = push_under("b", one_a_minute);
    reserve_one();
    for (int i = 0; i < 5; i++)
        reserve_none();
    assert_int_equal(look(id).job.attempts, 0);
    assert_state(id, ERRAND_READY);
}

TEST(a_start_stays_a_start_when_the_attempt_is_given_back)
{
    push_under("a", one_a_minute);
    settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_HAND_BACK});
    reserve_none();
    now += MINUTE;
    reserve_one();
}

TEST(rates_of_many_keys_are_apart)
{
    char keys[20][8];

    for (int i = 0; i < 20; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        for (int j = 0; j < 2; j++)
            push_under("a", (struct errand_limit_use){.kind = ERRAND_LIMIT_RATE,
                                                      .key = slice(keys[i])});
    }
    assert_int_equal(reserve(100).jobs_n, 20);
    now += MINUTE;
    assert_int_equal(reserve(100).jobs_n, 20);
}

/* ------------------------------------------------------------------ limits that are set
 */

TEST(a_limit_that_is_set_replaces_the_numbers_that_jobs_bring)
{
    put((struct errand_limit){.name = "api",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_KEY,
                              .target = "{user}",
                              .n = 2});
    for (int i = 0; i < 3; i++)
        push_under("a", one_at_a_time);
    assert_int_equal(reserve(10).jobs_n, 2);
}

TEST(a_limit_of_a_queue_caps_all_its_jobs)
{
    put((struct errand_limit){.name = "narrow",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = "slow",
                              .n = 2});
    for (int i = 0; i < 4; i++)
        push_on("slow", "a");
    push_on("fast", "b");
    assert_int_equal(reserve(10).jobs_n, 3);
    assert_int_equal(count_of("slow", ERRAND_RUNNING), 2);
}

TEST(a_limit_of_a_job_name_caps_it_on_all_queues)
{
    put((struct errand_limit){.name = "mails",
                              .kind = ERRAND_LIMIT_RATE,
                              .scope = ERRAND_SCOPE_JOB,
                              .target = "mail",
                              .n = 1,
                              .per_ms = MINUTE});
    push_on("one", "mail");
    push_on("two", "mail");
    push_on("two", "other");
    assert_int_equal(reserve(10).jobs_n, 2);
    now += MINUTE;
    assert_int_equal(reserve(10).jobs_n, 1);
}

/* Else a caller would get around it by another spelling of the same job. */
TEST(a_limit_of_a_job_holds_every_spelling_of_its_name)
{
    put((struct errand_limit){.name = "mails",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_JOB,
                              .target = "SendMail",
                              .n = 1});
    push("send-mail");
    push("sendmail");
    push("Send_Mail");
    push("send-mails");
    push("--");
    assert_int_equal(reserve(10).jobs_n, 3);
    assert_int_equal(limit_info("mails").used, 1);
    assert_int_equal(limit_info("mails").waiting, 2);
}

TEST(a_queue_at_its_rate_says_when_it_goes_on)
{
    int64_t t = now;

    put((struct errand_limit){.name = "narrow",
                              .kind = ERRAND_LIMIT_RATE,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = "slow",
                              .n = 2,
                              .per_ms = MINUTE});
    for (int i = 0; i < 5; i++)
        push_on("slow", "a");
    push_on("fast", "b");
    assert_int_equal(reserve(10).jobs_n, 3);
    now += SECOND;
    assert_int_equal(reserve(10).next_at_ms, t + MINUTE);
    assert_int_equal(reserve_from("slow", 10).next_at_ms, t + MINUTE);
    assert_int_equal(limit_info("narrow").waiting, 3);
    now = t + MINUTE;
    assert_int_equal(reserve_from("slow", 10).jobs_n, 2);
}

TEST(a_queue_under_two_limits_keeps_to_both)
{
    struct errand_exchange_result ret;

    put((struct errand_limit){.name = "narrow",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = DEFAULT_QUEUE,
                              .n = 2});
    put((struct errand_limit){.name = "often",
                              .kind = ERRAND_LIMIT_RATE,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = DEFAULT_QUEUE,
                              .n = 3,
                              .per_ms = MINUTE});
    for (int i = 0; i < 5; i++)
        push("a");
    ret = reserve(10);
    assert_int_equal(ret.jobs_n, 2);
    done(ret.jobs[0]);
    done(ret.jobs[1]);
    ret = reserve(10);
    assert_int_equal(ret.jobs_n, 1);
    reserve_none();
    done(ret.jobs[0]);
    reserve_none();
    now += MINUTE;
    assert_int_equal(reserve(10).jobs_n, 2);
}

TEST(what_stands_behind_a_jobs_own_limit_in_a_limited_queue_may_start)
{
    put((struct errand_limit){.name = "narrow",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = DEFAULT_QUEUE,
                              .n = 2});
    push_under("a", one_at_a_time);
    push_under("b", one_at_a_time);
    push("free");
    assert_string_equal(reserve_one().name, "a");
    assert_string_equal(reserve_one().name, "free");
    reserve_none();
}

TEST(deleting_a_limit_lets_jobs_go)
{
    put((struct errand_limit){.name = "narrow",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = DEFAULT_QUEUE,
                              .n = 1});
    push("a");
    push("b");
    reserve_one();
    reserve_none();
    ok(er_store_limit_delete(store, "narrow", &err));
    reserve_one();
}

TEST(deleting_a_limit_that_is_not_there_is_not_found)
{
    fails(ERRAND_ENOTFOUND, er_store_limit_delete(store, "nobody", &err));
}

TEST(limits_are_listed_by_name_with_their_use)
{
    struct errand_limits_result ret;
    struct errand_limit_info info;

    put((struct errand_limit){.name = "b",
                              .kind = ERRAND_LIMIT_CONCURRENCY,
                              .scope = ERRAND_SCOPE_QUEUE,
                              .target = DEFAULT_QUEUE,
                              .n = 2});
    put((struct errand_limit){.name = "a",
                              .kind = ERRAND_LIMIT_RATE,
                              .scope = ERRAND_SCOPE_JOB,
                              .target = "job",
                              .n = 7,
                              .per_ms = 1000});
    put((struct errand_limit){.name = "a",
                              .kind = ERRAND_LIMIT_RATE,
                              .scope = ERRAND_SCOPE_JOB,
                              .target = "job",
                              .n = 8,
                              .per_ms = 2000});
    for (int i = 0; i < 3; i++)
        push("job");
    reserve(10);
    ok(er_store_limits(store, now, arena, &ret, &err));
    assert_int_equal(ret.limits_n, 2);
    assert_string_equal(ret.limits[0].limit.name, "a");
    assert_int_equal(ret.limits[0].limit.n, 8);
    assert_int_equal(ret.limits[0].limit.per_ms, 2000);
    assert_int_equal(ret.limits[0].limit.kind, ERRAND_LIMIT_RATE);
    assert_int_equal(ret.limits[0].limit.scope, ERRAND_SCOPE_JOB);
    assert_string_equal(ret.limits[0].limit.target, "job");
    assert_int_equal(ret.limits[0].used, 2);
    info = limit_info("b");
    assert_int_equal(info.used, 2);
    assert_true(info.waiting <= 1);
}

/* ------------------------------------------------------------------ rate_take */

static struct errand_rate_result take(const char *key, int64_t n)
{
    struct errand_rate_params p = {.now_ms = now,
                                   .name = "mail",
                                   .key = slice(key),
                                   .n = 3,
                                   .per_ms = MINUTE,
                                   .take = n};
    struct errand_rate_result ret;

    ok(er_store_rate_take(store, &p, &ret, &err));
    return ret;
}

TEST(taking_is_allowed_up_to_the_rate)
{
    int64_t t = now;

    assert_true(take("k", 2).allowed);
    now += SECOND;
    assert_true(take("k", 1).allowed);
    now += SECOND;
    assert_false(take("k", 1).allowed);
    assert_int_equal(take("k", 1).retry_at_ms, t + MINUTE);
    assert_int_equal(take("k", 3).retry_at_ms, t + SECOND + MINUTE);
    assert_true(take("other", 3).allowed);
    now = t + MINUTE;
    assert_true(take("k", 2).allowed);
}

TEST(what_is_refused_consumes_nothing)
{
    int64_t t = now;

    assert_true(take("k", 2).allowed);
    assert_false(take("k", 2).allowed);
    assert_true(take("k", 1).allowed);
    now = t + MINUTE - 1;
    assert_false(take("k", 1).allowed);
    now += 1;
    assert_true(take("k", 3).allowed);
}

TEST(taking_shares_the_starts_of_jobs)
{
    push_under("a", (struct errand_limit_use){.name = "mail",
                                              .key = slice("k"),
                                              .kind = ERRAND_LIMIT_RATE,
                                              .n = 3,
                                              .per_ms = MINUTE});
    assert_true(take("k", 3).allowed);
    reserve_none();
    now += MINUTE;
    reserve_one();
    assert_false(take("k", 3).allowed);
    assert_true(take("k", 2).allowed);
}

/* What the window of a minute holds, counted the slow way. */
static int64_t held_at(const int64_t *starts, size_t n, int64_t *ret_first)
{
    int64_t held = 0;

    *ret_first = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (starts[i] > now - MINUTE) {
            held++;
            *ret_first = starts[i] < *ret_first ? starts[i] : *ret_first;
        }
    return held;
}

/* Each at its own moment, through many windows. */
TEST(hundreds_of_starts_are_each_counted_at_their_time)
{
    enum { TURNS = 1200, RATE = 150 };
    static int64_t starts[TURNS];
    struct errand_rate_params p = {
        .name = "mail", .key = slice("k"), .n = RATE, .per_ms = MINUTE, .take = 1};
    size_t n = 0;

    for (unsigned i = 0, random = 7; i < TURNS; i++) {
        struct errand_rate_result ret;
        int64_t first, held;
        random = random * 1103515245 + 12345;
        now += (int64_t)(random >> 16) % 500;
        p.now_ms = now;
        held = held_at(starts, n, &first);
        ok(er_store_rate_take(store, &p, &ret, &err));
        assert_int_equal(ret.allowed, held < RATE);
        if (ret.allowed)
            starts[n++] = now;
        else
            assert_int_equal(ret.retry_at_ms, first + MINUTE);
    }
    assert_true(n > RATE * 2 && n < TURNS);
    assert_sound();
    now += MINUTE;
    p.now_ms = now;
    p.take = RATE;
    for (int i = 0; i < 2; i++) {
        struct errand_rate_result ret;
        ok(er_store_rate_take(store, &p, &ret, &err));
        assert_int_equal(ret.allowed, i == 0);
    }
}

TEST(taking_what_is_free_again_does_not_put_off_who_waits)
{
    push_under("a", (struct errand_limit_use){.name = "mail",
                                              .key = slice("k"),
                                              .kind = ERRAND_LIMIT_RATE,
                                              .n = 3,
                                              .per_ms = MINUTE});
    assert_true(take("k", 3).allowed);
    reserve_none();
    now += MINUTE;
    assert_true(take("k", 1).allowed);
    reserve_one();
}

TEST_PART()
