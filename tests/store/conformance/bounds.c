/* bounds.c: what is refused, and what is cut, whatever the driver. */
#include <sys/wait.h>
#include <unistd.h>

#include "store/support.h"

static int push_rc(struct errand_push_job job)
{
    return try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1});
}

TEST(names_that_are_not_names_are_refused)
{
    char long_name[140];

    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.name = "send mail"}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.name = ""}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.queue = "a\nb"}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.name = long_name}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.id = id_of("a b")}));
    assert_non_null(strstr(err.message, "a b"));
}

TEST(data_that_is_too_big_is_refused_and_the_rest_not_stored)
{
    size_t max = 1 << 20;
    char *bytes = errand_arena_alloc(arena, max + 1);
    struct errand_push_job jobs[] = {{.name = "a"}, {.data = {bytes, max + 1}}};

    memset(bytes, 'x', max + 1);
    fails(ERRAND_ETOOBIG,
          try_push((struct errand_push_params){.jobs = jobs, .jobs_n = 2}));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
    ok(push_rc((struct errand_push_job){.data = {bytes, max}}));
}

TEST(sixteen_mebibytes_are_the_most_that_can_be_allowed)
{
    struct er_store_options options = {.max_data = (16 << 20) + 1};
    struct er_store *other;

    options.open.create = true;
    fails(ERRAND_EINVAL, er_store_open(store_url(), &options, &other, &err));
}

TEST(jobs_need_a_try)
{
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.tries = -1}));
}

TEST(times_before_1970_are_refused)
{
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.run_at_ms = -5}));
    now = -1;
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.name = "a"}));
    now = START;
}

TEST(unique_keys_have_bounds)
{
    char long_key[513] = {0};
    struct errand_unique empty = {.until = ERRAND_UNIQUE_DONE};
    struct errand_unique too_long = {.key = {long_key, 513}, .until = ERRAND_UNIQUE_DONE};
    struct errand_unique longest = {.key = {long_key, 512}, .until = ERRAND_UNIQUE_DONE};
    struct errand_unique no_time = {.key = slice("k"), .until = ERRAND_UNIQUE_TTL};
    struct errand_unique negative = {
        .key = slice("k"), .until = ERRAND_UNIQUE_DONE, .ttl_ms = -1};

    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.unique = &empty}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.unique = &too_long}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.unique = &no_time}));
    fails(ERRAND_EINVAL, push_rc((struct errand_push_job){.unique = &negative}));
    ok(push_rc((struct errand_push_job){.unique = &longest}));
}

TEST(limits_have_bounds)
{
    struct errand_limit_use zero = {
        .name = "a", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 0};
    struct errand_limit_use no_window = {.name = "a", .kind = ERRAND_LIMIT_RATE, .n = 1};
    struct errand_limit_use fine = {
        .name = "a", .kind = ERRAND_LIMIT_CONCURRENCY, .n = 1};
    struct errand_limit_use many[9] = {fine, fine, fine, fine, fine,
                                       fine, fine, fine, fine};

    fails(ERRAND_EINVAL,
          push_rc((struct errand_push_job){.limits = &zero, .limits_n = 1}));
    fails(ERRAND_EINVAL,
          push_rc((struct errand_push_job){.limits = &no_window, .limits_n = 1}));
    fails(ERRAND_EINVAL,
          push_rc((struct errand_push_job){.limits = many, .limits_n = 9}));
    ok(push_rc((struct errand_push_job){.limits = &fine, .limits_n = 1}));
}

TEST(jobs_that_wait_for_each_other_are_refused_by_name)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    struct errand_edge edges[] = {
        {.child = 0, .parent = 1}, {.child = 1, .parent = 2}, {.child = 2, .parent = 1}};

    fails(ERRAND_EINVAL, try_push((struct errand_push_params){
                             .jobs = jobs, .jobs_n = 3, .edges = edges, .edges_n = 3}));
    assert_non_null(strstr(err.message, "'b'"));
    assert_non_null(strstr(err.message, "'c'"));
    assert_null(strstr(err.message, "'a'"));
}

TEST(edges_out_of_range_are_refused)
{
    struct errand_push_job job = {.name = "a"};
    struct errand_edge edge = {.child = 0, .parent = 1};

    fails(ERRAND_EINVAL, try_push((struct errand_push_params){
                             .jobs = &job, .jobs_n = 1, .edges = &edge, .edges_n = 1}));
}

TEST(a_lease_needs_a_length_and_a_worker)
{
    struct errand_exchange_params p = {.now_ms = now, .max = 1, .worker = "w"};
    struct errand_exchange_result ret;

    fails(ERRAND_EINVAL, er_store_exchange(store, &p, arena, &ret, &err));
    p.lease_ms = 1;
    p.worker = "";
    fails(ERRAND_EINVAL, er_store_exchange(store, &p, arena, &ret, &err));
}

/* ------------------------------------------------------------------ cut */

TEST(a_long_error_is_cut_with_a_mark)
{
    size_t len = 120034;
    char *text = errand_arena_alloc(arena, len);
    struct errand_slice kept;
    struct errand_id id = push("a");

    memset(text, 'x', len);
    assert_int_equal(
        settle(reserve_one(), (struct errand_outcome){.kind = ERRAND_OUT_FAIL,
                                                      .error = {text, len},
                                                      .log = {text, len}}),
        ERRAND_SETTLED);
    kept = look(id).job.error;
    assert_true(kept.len <= 65536);
    assert_non_null(memmem(kept.ptr, kept.len, "… [cut: 120034 bytes]", 23));
    assert_true(look(id).attempts[0].log.len <= 65536);
}

TEST(a_long_result_does_not_make_settling_fail)
{
    size_t len = 300000;
    char *text = errand_arena_alloc(arena, len);
    struct errand_id id = push("a");

    for (size_t i = 0; i + 1 < len; i += 2)
        memcpy(text + i, "ä", 2);
    assert_int_equal(
        settle(reserve_one(),
               (struct errand_outcome){.kind = ERRAND_OUT_DONE, .result = {text, len}}),
        ERRAND_SETTLED);
    assert_true(look(id).job.result.len <= 65536);
}

/* ------------------------------------------------------------------ handles */

/* Runs in a child: nothing but _exit leaves it. */
static int use_in_child(void)
{
    struct errand_job_detail detail;
    struct errand_id id = id_of("a");
    struct errand_exchange_params p = {
        .now_ms = now, .max = 1, .worker = "w", .lease_ms = 1000};
    struct errand_exchange_result ret;

    if (er_store_exchange(store, &p, arena, &ret, &err) != ERRAND_EFORKED)
        return 1;
    if (er_store_get(store, &id, now, arena, &detail, &err) != ERRAND_EFORKED)
        return 2;
    if (er_store_wait_fd(store, &err) != ERRAND_EFORKED)
        return 3;
    er_store_close(store);
    return 0;
}

TEST(a_handle_is_refused_in_a_forked_child_and_unharmed_in_its_parent)
{
    struct errand_id id = push("a");

    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(use_in_child());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_id(reserve_one().id, id);
}

TEST(a_store_opened_for_reading_cannot_be_written)
{
    struct er_store_options options = {.open = {.read_only = true}};
    struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
    struct errand_push_params p = {.now_ms = now, .jobs = &job, .jobs_n = 1};
    struct errand_push_result ret;
    struct errand_job_detail detail;
    struct errand_id id = push("a");
    struct er_store *reader;

    ok(er_store_open(store_url(), &options, &reader, &err));
    fails(ERRAND_EREADONLY, er_store_push(reader, &p, arena, &ret, &err));
    ok(er_store_get(reader, &id, now, arena, &detail, &err));
    er_store_close(reader);
}

TEST(a_store_that_is_not_there_is_not_found)
{
    struct er_store_options options = {0};
    struct er_store *none;

    fails(ERRAND_ENOTFOUND, er_store_open(store_fresh_url(), &options, &none, &err));
}

TEST(migrating_an_open_store_finds_it_up_to_date)
{
    struct errand_migrate_result ret;

    ok(er_store_migrate(store_url(), NULL, false, &ret, &err));
    assert_true(ret.schema_wanted > 0);
    assert_int_equal(ret.schema_found, ret.schema_wanted);
}

TEST(without_a_given_time_the_stores_own_clock_counts)
{
    struct errand_push_job job = {.name = "a", .queue = "q", .tries = 1};
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1};
    struct errand_exchange_params x = {.max = 1, .worker = "w", .lease_ms = HOUR};
    struct errand_reap_params r = {.max = 10};
    struct errand_exchange_result taken;
    struct errand_push_result pushed;
    struct errand_reap_result reaped;

    ok(er_store_push(store, &p, arena, &pushed, &err));
    assert_true(look(pushed.jobs[0].id).job.created_ms > START);
    ok(er_store_exchange(store, &x, arena, &taken, &err));
    assert_int_equal(taken.jobs_n, 1);
    ok(er_store_reap(store, &r, arena, &reaped, &err));
    assert_int_equal(reaped.ready_n, 0);
}

TEST_PART()
