/* trail.c: what a worker notes of the jobs it has begun, and what others make of it. */
#include "worker/trail.h"

#include <sys/stat.h>

#include "client/client.h"
#include "support/folder.h"
#include "worker/protocol.h"
#include "worker/work.h"

enum { JOBS_N = 6 };

static char folder[FOLDER_MAX];
static struct errand_arena *arena;
static struct errand_exchange_result reserved;

static int trail_setup(void **state)
{
    struct errand_error err = {0};

    (void)state;
    arena = er_arena_new();
    if (!arena || folder_make(folder, "trail") < 0)
        return -1;
    snprintf(store_url, sizeof store_url, "sqlite:%s/jobs.db", folder);
    store = errand_open(store_url, NULL, &err);
    return store ? 0 : -1;
}

static int trail_teardown(void **state)
{
    er_arena_free(arena);
    folder_remove(folder);
    return work_teardown(state);
}

#define ok(call) assert_int_equal((call), 0)

TEST_FIXTURE(trail_setup, trail_teardown)

/* Reserves JOBS_N jobs of one try, as a worker would, for an hour. */
static void reserve_all(void)
{
    struct errand_exchange_params params = {
        .max = JOBS_N, .lease_ms = 3600000, .worker = "first"};
    struct errand_error err = {0};

    for (int i = 0; i < JOBS_N; i++)
        push("job", "{}", &(struct errand_options){.tries = ERRAND_NO_RETRY});
    reserved = (struct errand_exchange_result){0};
    ok(er_store_exchange(er_client_store(store), &params, arena, &reserved, &err));
    assert_int_equal(reserved.jobs_n, JOBS_N);
}

static size_t follow(void)
{
    struct errand_error err = {0};
    size_t n = 0;

    ok(er_trails_follow(er_client_store(store), arena, &n, &err));
    return n;
}

static struct errand_job_info *look_at(int i)
{
    struct errand_error err = {0};
    static struct errand_job_detail detail;

    ok(er_store_get(er_client_store(store), &reserved.jobs[i].id, 0, arena, &detail,
                    &err));
    return &detail.job;
}

static void assert_handed_back(int i)
{
    assert_int_equal(look_at(i)->state, ERRAND_READY);
    assert_int_equal(look_at(i)->attempts, 0);
}

TEST(what_a_dead_worker_had_not_begun_goes_back_without_an_attempt)
{
    struct er_trail *trail = er_trail_new(er_client_store(store), 100);
    uint32_t entry[JOBS_N];
    struct er_marks marks;
    struct errand_error err = {0};
    int fd = -1;

    assert_non_null(trail);
    reserve_all();
    ok(er_marks_new(trail, &marks, &fd, &err));
    for (int i = 0; i < JOBS_N; i++)
        entry[i] = er_trail_add(trail, &reserved.jobs[i]);
    /* 0 waits; 1 is given and has not begun, 2 has, 3 was taken back; 4 is an executable;
     * 5 was settled by its worker in the instant it died */
    marks.shared->marks[1] = ER_MARK_GIVEN;
    marks.shared->marks[2] = ER_MARK_RUNNING;
    marks.shared->marks[3] = ER_MARK_RECALLED;
    for (uint32_t i = 1; i <= 3; i++)
        er_trail_given(trail, entry[i], marks.no, i);
    er_trail_begun(trail, entry[4]);
    er_trail_gone(trail, entry[5]);
    assert_int_equal(follow(), 0); /* it lives */
    er_trail_free(trail, true);
    assert_int_equal(follow(), 3);
    assert_handed_back(0);
    assert_handed_back(1);
    assert_handed_back(3);
    assert_int_equal(look_at(2)->state, ERRAND_RUNNING);
    assert_int_equal(look_at(4)->state, ERRAND_RUNNING);
    assert_int_equal(look_at(5)->state, ERRAND_RUNNING);
    /* The runner that lived a moment longer finds it gone. */
    assert_int_equal(marks.shared->marks[1], ER_MARK_RECALLED);
    assert_int_equal(follow(), 0); /* once is enough */
    er_marks_free(NULL, &marks);
    close(fd);
}

TEST(another_store_is_not_touched_by_a_trail)
{
    struct er_trail *trail = er_trail_new(er_client_store(store), 10);
    struct errand_error err = {0};
    char url[sizeof store_url + 8];
    errand *other;
    size_t n = 0;

    assert_non_null(trail);
    reserve_all();
    er_trail_add(trail, &reserved.jobs[0]);
    er_trail_free(trail, true);
    snprintf(url, sizeof url, "%s.other", store_url);
    other = errand_open(url, NULL, &err);
    assert_non_null(other);
    ok(er_trails_follow(er_client_store(other), arena, &n, &err));
    errand_close(other);
    assert_int_equal(n, 0);
    assert_int_equal(follow(), 1);
}

/* Its numbers begin anew, so the same token and row are another job there. */
TEST(a_store_that_was_made_anew_under_the_same_name_has_other_jobs)
{
    struct errand_error err = {0};
    struct er_trail *trail = er_trail_new(er_client_store(store), 100);
    int64_t token, key;

    /* Its numbers begin anew; its tokens are later ones, whatever was there before. */
    assert_non_null(trail);
    reserve_all();
    token = reserved.jobs[0].token;
    key = reserved.jobs[0].key;
    er_trail_add(trail, &reserved.jobs[0]);
    er_trail_free(trail, true);
    errand_close(store);
    assert_int_equal(folder_remove(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_non_null(store = errand_open(store_url, NULL, &err));
    reserve_all();
    assert_true(reserved.jobs[0].token > token);
    assert_int_equal(reserved.jobs[0].key, key);
    assert_int_equal(follow(), 0);
    assert_int_equal(look_at(0)->state, ERRAND_RUNNING);
}

TEST(more_jobs_than_it_has_room_for_are_not_noted)
{
    struct er_trail *trail = er_trail_new(er_client_store(store), 2);
    uint32_t entry;

    assert_non_null(trail);
    reserve_all();
    assert_int_not_equal(entry = er_trail_add(trail, &reserved.jobs[0]), 0);
    assert_int_not_equal(er_trail_add(trail, &reserved.jobs[1]), 0);
    assert_int_equal(er_trail_add(trail, &reserved.jobs[2]), 0);
    er_trail_gone(trail, entry);
    assert_int_equal(er_trail_add(trail, &reserved.jobs[2]), entry);
    er_trail_free(trail, false);
    assert_int_equal(follow(), 0); /* it ended well: nothing is left */
}

TEST_MAIN()
