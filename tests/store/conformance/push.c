/* push.c: what storing jobs means. */
#include "store/support.h"

TEST(a_new_job_is_ready)
{
    struct errand_pushed_job job = push_job((struct errand_push_job){.name = "mail"});

    assert_int_equal(job.pushed, ERRAND_INSERTED);
    assert_int_equal(job.state, ERRAND_READY);
    assert_int_equal(strlen(job.id.text), 36);
    assert_state(job.id, ERRAND_READY);
}

TEST(a_job_is_kept_as_it_was_given)
{
    static const char *const tags[] = {"red", "blue"};
    struct errand_id id = push_job((struct errand_push_job){.name = "mail",
                                                            .queue = "post",
                                                            .data = slice("{\"to\": 1}"),
                                                            .options = slice("{\"x\":2}"),
                                                            .tags = tags,
                                                            .tags_n = 2,
                                                            .priority = -7,
                                                            .tries = 5})
                              .id;
    struct errand_job_info job = look(id).job;

    assert_id(job.id, id);
    assert_string_equal(job.name, "mail");
    assert_string_equal(job.queue, "post");
    assert_slice(job.data, "{\"to\": 1}");
    assert_slice(job.options, "{\"x\":2}");
    assert_int_equal(job.tags_n, 2);
    assert_string_equal(job.tags[0], "red");
    assert_string_equal(job.tags[1], "blue");
    assert_int_equal(job.priority, -7);
    assert_int_equal(job.tries, 5);
    assert_int_equal(job.attempts, 0);
    assert_int_equal(job.created_ms, now);
    assert_int_equal(job.run_at_ms, now);
    assert_int_equal(job.started_ms, 0);
    assert_int_equal(job.finished_ms, 0);
    assert_int_equal(job.progress, -1);
    assert_int_equal(job.waits_n, 0);
    assert_false(job.cancel_requested);
    assert_string_equal(job.worker, "");
}

TEST(data_may_hold_any_bytes)
{
    char bytes[256];
    struct errand_job_info job;

    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    job = look(push_job((struct errand_push_job){.data = {bytes, sizeof bytes}}).id).job;
    assert_int_equal(job.data.len, sizeof bytes);
    assert_memory_equal(job.data.ptr, bytes, sizeof bytes);
}

TEST(data_may_be_large)
{
    size_t len = 300000;
    char *bytes = errand_arena_alloc(arena, len);
    struct errand_reserved job;

    memset(bytes, 'x', len);
    bytes[len - 1] = 'y';
    push_job((struct errand_push_job){.data = {bytes, len}});
    job = reserve_one();
    assert_int_equal(job.data.len, len);
    assert_memory_equal(job.data.ptr, bytes, len);
    done(job);
    assert_int_equal(look(job.id).job.data.len, len);
}

TEST(a_later_run_at_is_scheduled_and_the_past_is_now)
{
    struct errand_pushed_job later =
        push_job((struct errand_push_job){.run_at_ms = now + MINUTE});
    struct errand_pushed_job past =
        push_job((struct errand_push_job){.run_at_ms = now - MINUTE});

    assert_int_equal(later.state, ERRAND_SCHEDULED);
    assert_int_equal(look(later.id).job.run_at_ms, now + MINUTE);
    assert_int_equal(past.state, ERRAND_READY);
    assert_int_equal(look(past.id).job.run_at_ms, now);
}

TEST(an_id_of_the_callers_own_is_kept)
{
    struct errand_pushed_job job =
        push_job((struct errand_push_job){.id = id_of("order:42/mail")});

    assert_string_equal(job.id.text, "order:42/mail");
    assert_state(id_of("order:42/mail"), ERRAND_READY);
}

TEST(a_known_id_inserts_nothing)
{
    struct errand_pushed_job again;

    push_job((struct errand_push_job){.id = id_of("a"), .data = slice("1")});
    again = push_job((struct errand_push_job){.id = id_of("a"), .data = slice("2")});
    assert_int_equal(again.pushed, ERRAND_DUPLICATE);
    assert_string_equal(again.id.text, "a");
    assert_int_equal(again.state, ERRAND_READY);
    assert_slice(look(again.id).job.data, "1");
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 1);
}

TEST(a_known_id_answers_the_state_of_the_first)
{
    push_job((struct errand_push_job){.id = id_of("a")});
    done(reserve_one());
    assert_int_equal(push_job((struct errand_push_job){.id = id_of("a")}).state,
                     ERRAND_COMPLETED);
}

TEST(a_uuid_may_be_the_callers_own_id)
{
    struct errand_id id = id_of("01890a5d-ac96-774b-bcce-b302099a8057");

    assert_id(push_job((struct errand_push_job){.id = id}).id, id);
    assert_id(reserve_one().id, id);
    assert_int_equal(push_job((struct errand_push_job){.id = id}).pushed,
                     ERRAND_DUPLICATE);
}

TEST(the_same_id_twice_in_one_push_is_one_job)
{
    struct errand_push_job jobs[] = {{.id = id_of("a")}, {.id = id_of("a")}};
    struct errand_push_result ret =
        push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 2});

    assert_int_equal(ret.jobs[0].pushed, ERRAND_INSERTED);
    assert_int_equal(ret.jobs[1].pushed, ERRAND_DUPLICATE);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 1);
}

TEST(many_jobs_are_answered_in_their_order)
{
    struct errand_push_job jobs[100] = {0};
    struct errand_push_result ret;
    char names[100][16];

    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        jobs[i].name = names[i];
    }
    ret = push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 100});
    for (int i = 0; i < 100; i++)
        assert_string_equal(look(ret.jobs[i].id).job.name, names[i]);
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 100);
}

TEST(ids_are_different_and_grow)
{
    struct errand_push_job jobs[50] = {0};
    struct errand_push_result ret =
        push_all((struct errand_push_params){.jobs = jobs, .jobs_n = 50});

    for (int i = 0; i < 50; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(ret.jobs[i].id.text, ret.jobs[j].id.text);
}

TEST(a_push_that_fails_stores_nothing)
{
    struct errand_push_job jobs[] = {{.name = "a"}, {.name = "b"}};
    struct errand_edge edge = {.child = 1, .parent_id = id_of("nobody")};

    fails(ERRAND_ENOTFOUND,
          try_push((struct errand_push_params){
              .jobs = jobs, .jobs_n = 2, .edges = &edge, .edges_n = 1}));
    assert_int_equal(count_of(DEFAULT_QUEUE, ERRAND_READY), 0);
    reserve_none();
}

TEST(a_push_of_nothing_works)
{
    push_all((struct errand_push_params){0});
}

TEST(another_connection_sees_the_job)
{
    struct er_store *second = store_second();
    struct errand_id id = push("mail");
    struct errand_job_detail ret;

    ok(er_store_get(second, &id, now, arena, &ret, &err));
    assert_string_equal(ret.job.name, "mail");
}

TEST_PART()
