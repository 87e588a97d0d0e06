/* door.c: what store.c does before a driver is asked: URLs, drivers, texts that are cut,
 * edges. What holds for every driver is in the conformance suite. */
#include <stdlib.h>

#include "core/name.h"
#include "store/drivers.h"
#include "store/internal.h"
#include "store/support.h"

TEST_FIXTURE(store_setup, store_teardown)

/* ------------------------------------------------------------------ URLs */

static void assert_shown(const char *url, const char *shown)
{
    assert_string_equal(er_url_shown(url, arena), shown);
}

TEST(a_url_without_a_secret_is_shown_whole)
{
    assert_shown("memory:", "memory:");
    assert_shown("sqlite:/srv/app/errand.db", "sqlite:/srv/app/errand.db");
    assert_shown("sqlite:a@b:c.db", "sqlite:a@b:c.db");
    assert_shown("sqlite:/srv/a:b@c/what?.db", "sqlite:/srv/a:b@c/what?.db");
    assert_shown("redis+unix:/run/redis.sock?db=1", "redis+unix:/run/redis.sock?db=1");
    assert_shown("redis+sentinel://a:1,b:2,[::1]:3/m",
                 "redis+sentinel://a:1,b:2,[::1]:3/m");
    assert_shown("postgres://a:1,b,c:2/d", "postgres://a:1,b,c:2/d");
    assert_shown("redis://localhost:6379/0", "redis://localhost:6379/0");
    assert_shown("postgres://ann@db.example/app?sslmode=require",
                 "postgres://ann@db.example/app?sslmode=require");
    assert_shown("", "");
}

TEST(a_password_is_not_shown)
{
    assert_shown("redis://:s3cret@localhost/0", "redis://:***@localhost/0");
    assert_shown("postgres://ann:s3cret@db:5432/app", "postgres://ann:***@db:5432/app");
    assert_shown("postgres://ann:s3:c@r/e?t@db/app", "postgres://ann:***@db/app");
}

TEST(a_password_is_not_shown_when_the_url_has_a_slip)
{
    assert_shown("postgres:/errand:s3cr3tpw@/errand?host=/run",
                 "postgres:/***@/errand?host=/run");
    assert_shown("postgres:errand:s3cr3tpw@/errand", "postgres:***@/errand");
    assert_shown("redis:/:r3dispw@127.0.0.1:1/0", "redis:/***@127.0.0.1:1/0");
    assert_shown("redis:r3dispw@127.0.0.1", "redis:***@127.0.0.1");
    assert_shown("postgres:///ann:s3cret@h/d", "postgres:///ann:***@h/d");
    assert_shown("ann:s3cret@h/d", "ann:***@h/d");
    assert_shown("postgres://ann:s3cret/d", "postgres://ann:***/d");
    assert_shown("postgres://ann:5432s3cret?port=1", "postgres://ann:***?port=1");
    assert_shown("postgres://a:1,ann:s3cret/d", "postgres://a:***/d");
}

TEST(only_harmless_parameters_are_shown)
{
    assert_shown("postgres://db/app?user=ann&password=s3cret&schema=x",
                 "postgres://db/app?user=ann&password=***&schema=x");
    assert_shown("postgres://errand@/errand?pasword=s3cr3tpw&host=/run",
                 "postgres://errand@/errand?pasword=***&host=/run");
    assert_shown("redis://h?Host=s3cret", "redis://h?Host=***");
    assert_shown("x:path?s3cret", "x:path?***");
}

/* One of a password stands for itself, which should have been encoded. */
TEST(a_separator_in_a_password_does_not_show_its_end)
{
    assert_shown("postgres://db/app?password=s3&cret",
                 "postgres://db/app?password=***&***");
    assert_shown("postgres://db/app?password=s3;cret", "postgres://db/app?password=***");
    assert_shown("postgres://db/app?host=h;password=s3cret",
                 "postgres://db/app?host=***");
    assert_shown("postgres://db/app?password=s3@cret", "postgres://db/app?password=***");
    assert_shown("postgres://ann:x@db/app?password=s3@cret&a=b", "postgres://ann:***");
    assert_shown("postgres://ann:s3?cr=t@db/app", "postgres://ann:***");
}

TEST(an_unknown_kind_of_store_is_named_without_its_secret)
{
    struct er_store *none;

    fails(ERRAND_EINVAL, er_store_open("mysql://ann:s3cret@db/x", NULL, &none, &err));
    assert_non_null(strstr(err.message, "mysql:"));
    assert_non_null(strstr(err.message, "memory:"));
    assert_null(strstr(err.message, "s3cret"));
    fails(ERRAND_EINVAL, er_store_open("/srv/app.db", NULL, &none, &err));
    assert_non_null(strstr(err.message, "sqlite:PATH"));
    fails(ERRAND_EINVAL, er_store_open("", NULL, &none, &err));
    fails(ERRAND_EINVAL, er_store_migrate("mysql:x", NULL, true, NULL, &err));
}

TEST(errors_say_which_store_and_what_was_attempted)
{
    fails(ERRAND_ENOTFOUND, er_store_limit_delete(store, "narrow", &err));
    assert_non_null(strstr(err.message, "memory:test-"));
    assert_non_null(strstr(err.message, "deleting limit 'narrow'"));
}

TEST(a_store_says_what_it_is)
{
    assert_string_equal(er_store_url(store), store_url());
    assert_ptr_equal(er_store_driver(store), &er_memory_driver);
    assert_false(er_store_can(store, ERRAND_CAP_SHARED));
}

/* ------------------------------------------------------------------ memory */

TEST(a_private_store_is_its_connections_own)
{
    struct er_store_options options = {.open = {.create = true}};
    struct errand_push_job job = {
        .id = id_of("a"), .name = "a", .queue = "q", .tries = 1};
    struct errand_push_params p = {.jobs = &job, .jobs_n = 1};
    struct errand_job_detail detail;
    struct errand_push_result ret;
    struct er_store *one, *two;

    ok(er_store_open("memory:", &options, &one, &err));
    ok(er_store_open("memory:", &options, &two, &err));
    ok(er_store_push(one, &p, arena, &ret, &err));
    fails(ERRAND_ENOTFOUND, er_store_get(two, &job.id, now, arena, &detail, &err));
    er_store_close(one);
    er_store_close(two);
    er_store_close(NULL);
}

TEST(a_private_store_must_be_made)
{
    struct er_store_options options = {0};
    struct er_store *none;

    fails(ERRAND_ENOTFOUND, er_store_open("memory:", &options, &none, &err));
    fails(ERRAND_ENOTFOUND, er_store_open("memory:nobody", &options, &none, &err));
    options.open.create = true;
    fails(ERRAND_EINVAL, er_store_open("memory:no name", &options, &none, &err));
}

TEST(a_named_store_is_gone_with_its_last_connection)
{
    struct er_store_options options = {.open = {.create = true}};
    struct errand_id id = push("a");
    struct errand_job_detail detail;
    struct er_store *other;

    other = store_second();
    er_store_close(store);
    ok(er_store_get(other, &id, now, arena, &detail, &err));
    store = NULL;
    ok(er_store_open("memory:another", &options, &store, &err));
}

TEST(a_transaction_of_the_callers_own_is_refused)
{
    struct errand_push_job job = {.name = "a"};
    int connection;

    fails(ERRAND_EUNSUPPORTED,
          try_push((struct errand_push_params){
              .jobs = &job, .jobs_n = 1, .transaction = &connection}));
}

/* ------------------------------------------------------------------ drivers of others */

static int refuse_to_open(const struct errand_open_params *p, struct errand_conn **ret,
                          struct errand_error *error)
{
    (void)ret;
    return errand_error_set(error, ERRAND_EUNAVAILABLE, "no answer (busy_ms %lld)",
                            (long long)p->busy_ms);
}

static struct errand_driver fake(const char *const *schemes)
{
    return (struct errand_driver){.version = ERRAND_DRIVER_VERSION,
                                  .size = sizeof(struct errand_driver),
                                  .name = "fake",
                                  .schemes = schemes,
                                  .open = refuse_to_open};
}

TEST(a_driver_of_another_version_is_refused)
{
    static const char *const schemes[] = {"other", NULL};
    struct errand_driver d = fake(schemes);

    d.version = 2;
    fails(ERRAND_EINVAL, errand_driver_register(&d, &err));
    d = fake(schemes);
    d.size -= sizeof(void *);
    fails(ERRAND_EINVAL, errand_driver_register(&d, &err));
}

TEST(a_scheme_belongs_to_one_driver)
{
    static const char *const schemes[] = {"mine", "memory", NULL};
    struct errand_driver d = fake(schemes);

    fails(ERRAND_ECONFLICT, errand_driver_register(&d, &err));
    assert_non_null(strstr(err.message, "memory"));
    assert_null(er_driver_find("mine", 4));
}

/* A store that is a module of its own: the error names the file that is not there. */
TEST(a_module_that_is_not_installed_is_said_so)
{
    struct er_store *none;

    setenv("ERRAND_MODULES", "/nonexistent", 1);
    fails(ERRAND_EUNSUPPORTED,
          er_store_open("postgres://u:s3cret@h/d", NULL, &none, &err));
    assert_non_null(strstr(err.message, "/nonexistent/errand-store-postgres.so"));
    assert_null(strstr(err.message, "s3cret"));
    unsetenv("ERRAND_MODULES");
}

TEST(a_url_is_of_a_kind_that_is_served_by_whatever_name)
{
    static const char *const urls[] = {
        "memory:",    "sqlite:a.db",       "postgresql://h/d", "redis+unix:/s",
        "rediss://h", "redis+cluster://h", "valkey://h",       "redis+sentinel://h/m"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        ok(er_store_url_check(urls[i], &err));
    fails(ERRAND_EINVAL, er_store_url_check("redis+udp://h", &err));
}

TEST(a_registered_driver_is_found_by_its_schemes)
{
    static const char *const schemes[] = {"fake", "fake+tls", NULL};
    static struct errand_driver d;
    struct er_store *none;

    d = fake(schemes);
    ok(errand_driver_register(&d, &err));
    ok(errand_driver_register(&d, &err)); /* again: nothing new */
    assert_ptr_equal(er_driver_find("fake+tls", 8), &d);
    assert_null(er_driver_find("fake+", 5));
    fails(ERRAND_EUNAVAILABLE, er_store_open("fake://u:s3cret@host/", NULL, &none, &err));
    assert_string_equal(err.message, "fake://u:***@host/: no answer (busy_ms 30000)");
    assert_true(err.retryable);
}

static int one_remark(struct errand_conn *conn, struct errand_arena *a,
                      struct errand_remarks_result *ret, struct errand_error *error)
{
    static struct errand_remark remark = {"the server forgets", "tell it not to"};

    (void)conn, (void)a, (void)error;
    *ret = (struct errand_remarks_result){&remark, 1};
    return 0;
}

TEST(a_driver_may_have_remarks_about_what_surrounds_it)
{
    static const char *const schemes[] = {"remarking", NULL};
    static struct errand_driver d;
    struct er_store_options options = {.open = {.create = true}};
    struct errand_remarks_result ret = {.remarks_n = 9};
    struct er_store *remarking;

    ok(er_store_remarks(store, arena, &ret, &err));
    assert_int_equal(ret.remarks_n, 0); /* memory has nothing around it */
    d = er_memory_driver;
    d.schemes = schemes;
    d.remarks = one_remark;
    ok(errand_driver_register(&d, &err));
    ok(er_store_open("remarking:x", &options, &remarking, &err));
    ok(er_store_remarks(remarking, arena, &ret, &err));
    assert_int_equal(ret.remarks_n, 1);
    assert_string_equal(ret.remarks[0].remedy, "tell it not to");
    er_store_close(remarking);
}

TEST(the_list_of_drivers_has_an_end)
{
    static const char *const schemes[] = {NULL};
    static struct errand_driver many[32];
    int rc = 0, n;

    for (n = 0; rc == 0 && n < 32; n++) {
        many[n] = fake(schemes);
        rc = errand_driver_register(&many[n], &err);
    }
    assert_int_equal(rc, ERRAND_EFULL);
}

/* ------------------------------------------------------------------ cut */

TEST(a_text_that_fits_is_left_alone)
{
    char *text = calloc(1, ER_TEXT_MAX);
    struct errand_slice s = {text, ER_TEXT_MAX};

    assert_ptr_equal(er_cut(s, arena).ptr, text);
    assert_int_equal(er_cut(s, arena).len, ER_TEXT_MAX);
    free(text);
}

/* Whatever the place of the cut: no character loses its end. */
TEST(a_text_is_cut_between_characters)
{
    static const char *const characters[] = {"x", "ä", "€", "𝄞"};
    size_t len = ER_TEXT_MAX + 100;
    char *text = malloc(len);

    for (size_t c = 0; c < 4; c++) {
        size_t size = strlen(characters[c]);
        for (size_t shift = 0; shift < size; shift++) {
            struct errand_slice cut;
            const char *mark;
            memset(text, '.', len);
            for (size_t i = shift; i + size <= len; i += size)
                memcpy(text + i, characters[c], size);
            cut = er_cut((struct errand_slice){text, len}, arena);
            mark = memmem(cut.ptr, cut.len, "… [cut: 65636 bytes]", 22);
            assert_non_null(mark);
            assert_int_equal((size_t)(mark - cut.ptr - (ptrdiff_t)shift) % size, 0);
            assert_true(cut.len <= ER_TEXT_MAX);
        }
    }
    free(text);
}

TEST(bytes_that_are_no_characters_are_cut_too)
{
    size_t len = ER_TEXT_MAX * 2;
    char *text = malloc(len);
    struct errand_slice cut;

    memset(text, 0x80, len);
    cut = er_cut((struct errand_slice){text, len}, arena);
    assert_true(cut.len > ER_TEXT_MAX - 100);
    assert_true(cut.len <= ER_TEXT_MAX);
    free(text);
}

/* ------------------------------------------------------------------ edges */

static int push_edges(size_t jobs_n, const struct errand_edge *edges, size_t edges_n,
                      struct errand_push_job *jobs)
{
    return try_push((struct errand_push_params){
        .jobs = jobs, .jobs_n = jobs_n, .edges = edges, .edges_n = edges_n});
}

TEST(a_job_cannot_wait_for_itself)
{
    struct errand_push_job job = {.name = "a"};
    struct errand_edge edge = {.child = 0, .parent = 0};

    fails(ERRAND_EINVAL, push_edges(1, &edge, 1, &job));
    assert_string_equal(err.message,
                        "jobs that wait for each other: job 1 ('a') waits for "
                        "job 1 ('a')");
}

TEST(a_cycle_through_an_id_is_found)
{
    struct errand_push_job jobs[] = {{.id = id_of("one"), .name = "a"}, {.name = "b"}};
    struct errand_edge edges[] = {{.child = 0, .parent = 1},
                                  {.child = 1, .parent_id = id_of("one")}};

    fails(ERRAND_EINVAL, push_edges(2, edges, 2, jobs));
}

TEST(a_cycle_through_a_batch_is_found)
{
    struct errand_push_batch batch = {.id = id_of("batch"), .name = ""};
    struct errand_push_job jobs[] = {{.name = "member", .batch = batch.id},
                                     {.name = "after"}};
    struct errand_edge edges[] = {
        {.child = 1, .parent_id = batch.id, .parent_is_batch = true},
        {.child = 0, .parent = 1}};

    fails(ERRAND_EINVAL,
          try_push((struct errand_push_params){
              .jobs = jobs, .jobs_n = 2, .edges = edges, .edges_n = 2, .batch = &batch}));
    assert_non_null(strstr(err.message, "batch batch"));
}

TEST(a_diamond_is_no_cycle)
{
    struct errand_push_job jobs[4] = {{.name = "a"}};
    struct errand_edge edges[] = {{.child = 1, .parent = 0},
                                  {.child = 2, .parent = 0},
                                  {.child = 3, .parent = 1},
                                  {.child = 3, .parent = 2}};

    ok(push_edges(4, edges, 4, jobs));
}

TEST(a_very_long_cycle_is_found_and_shown_in_part)
{
    enum { N = 20000 };
    struct errand_push_job *jobs = errand_arena_alloc(arena, N * sizeof *jobs);
    struct errand_edge *edges = errand_arena_alloc(arena, N * sizeof *edges);

    for (size_t i = 0; i < N; i++)
        edges[i] = (struct errand_edge){.child = i, .parent = (i + 1) % N};
    fails(ERRAND_EINVAL, push_edges(N, edges, N, jobs));
    assert_non_null(strstr(err.message, "…"));
}

TEST(edges_must_make_sense)
{
    struct errand_push_job jobs[2] = {{.name = "a"}};
    struct errand_edge bad[] = {
        {.child = 2, .parent = 0},
        {.child = 0, .parent = 5},
        {.child = 0, .parent_is_batch = true},
        {.child = 0, .parent_id = id_of("no id")},
        {.child = 0, .parent = 1, .on = (enum errand_edge_on)9},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(ERRAND_EINVAL, push_edges(2, &bad[i], 1, jobs));
}

/* ------------------------------------------------------------------ arguments */

TEST(arguments_of_every_call_are_checked)
{
    struct errand_limit limit = {
        .name = "a", .scope = ERRAND_SCOPE_QUEUE, .target = "", .n = 1};
    struct errand_rate_params rate = {
        .name = "a", .n = 1, .per_ms = 1000, .take = 2, .key = slice("")};
    struct errand_lock_params lock = {.key = slice(""), .owner = "a", .ttl_ms = 1};
    struct errand_schedule schedule = {.name = "a b"};
    struct errand_fire_params fire = {.name = "a"};
    struct errand_beat_params beat = {.worker = "w"};
    struct errand_definition definition = {.name = "a", .key = ""};
    struct errand_events_params events = {.after = -2};
    struct errand_extend_params extend = {.progress_n = 1};
    struct errand_progress progress = {.percent = 101};
    struct errand_exchange_params exchange_params = {.outcomes_n = 1};
    struct errand_outcome outcome = {.kind = (enum errand_outcome_kind)99};
    struct errand_id bad = id_of("a b");
    size_t n;

    fails(ERRAND_EINVAL, er_store_limit_put(store, &limit, &err));
    fails(ERRAND_EINVAL, er_store_rate_take(store, &rate, NULL, &err));
    fails(ERRAND_EINVAL, er_store_lock(store, &lock, arena, NULL, &err));
    lock.ttl_ms = 0;
    fails(ERRAND_EINVAL, er_store_lock(store, &lock, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_unlock(store, &lock, &err));
    fails(ERRAND_EINVAL, er_store_schedule_put(store, &schedule, &err));
    fails(ERRAND_EINVAL, er_store_fire(store, &fire, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_beat(store, &beat, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_define(store, &definition, 1, now, &err));
    fails(ERRAND_EINVAL, er_store_events_read(store, &events, arena, NULL, &err));
    fails(ERRAND_EINVAL,
          er_store_command(store, NULL, (enum errand_command)0, now, &n, &err));
    extend.progress = &progress;
    fails(ERRAND_EINVAL, er_store_extend(store, &extend, arena, NULL, &err));
    exchange_params.outcomes = &outcome;
    fails(ERRAND_EINVAL, er_store_exchange(store, &exchange_params, arena, NULL, &err));
    outcome = (struct errand_outcome){.started_ms = -1};
    fails(ERRAND_EINVAL, er_store_exchange(store, &exchange_params, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_get(store, &bad, now, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_batch_get(store, &bad, arena, NULL, &err));
    fails(ERRAND_EINVAL, er_store_queue_pause(store, "q", -5, now, &err));
}

TEST(filters_are_checked)
{
    char search[600];
    struct errand_filter bad[] = {{.queue = "a b"},     {.name = ""},
                                  {.tag = "a b"},       {.batch = id_of("a b")},
                                  {.states = 1u << 20}, {.since_ms = -1},
                                  {.search = search}};
    int64_t n;

    memset(search, 'x', sizeof search);
    search[sizeof search - 1] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(ERRAND_EINVAL, er_store_count(store, &bad[i], now, &n, &err));
}

TEST(changes_are_checked)
{
    struct errand_id id = id_of("a");
    struct errand_filter all = {0};
    int32_t no_tries = 0;
    int64_t before = -1;
    struct errand_slice huge = {"", (1 << 20) + 1};
    struct errand_edit edits[] = {{.tries = &no_tries},
                                  {.run_at_ms = &before},
                                  {.data = &huge},
                                  {.options = &huge}};
    struct errand_change_params p = {.kind = ERRAND_CHANGE_CANCEL};
    struct errand_change_result ret;

    fails(ERRAND_EINVAL, er_store_change(store, &p, arena, &ret, &err));
    p = (struct errand_change_params){.ids = &id, .ids_n = 1, .filter = &all};
    fails(ERRAND_EINVAL, er_store_change(store, &p, arena, &ret, &err));
    p = (struct errand_change_params){
        .kind = ERRAND_CHANGE_EDIT, .filter = &all, .max = 1, .edit = &edits[0]};
    fails(ERRAND_EINVAL, er_store_change(store, &p, arena, &ret, &err));
    p = (struct errand_change_params){.kind = ERRAND_CHANGE_EDIT, .ids = &id, .ids_n = 1};
    fails(ERRAND_EINVAL, er_store_change(store, &p, arena, &ret, &err));
    for (size_t i = 0; i < 4; i++) {
        p.edit = &edits[i];
        assert_true(er_store_change(store, &p, arena, &ret, &err) < 0);
    }
}

TEST(what_is_loaded_is_checked_as_if_it_were_pushed)
{
    struct errand_edge_info parent = {.id = id_of("a b")};
    struct errand_job_info good = {
        .id = id_of("a"), .name = "a", .queue = "q", .worker = "", .tries = 1};
    struct errand_job_detail bad[] = {
        {.job = good}, {.job = good}, {.job = good}, {.job = good}, {.job = good}};
    struct errand_batch_info batch = {.id = id_of("a b"), .name = ""};
    struct errand_schedule schedule = {.name = "a b"};
    struct errand_load_params p = {.jobs_n = 1};
    struct errand_load_result ret;

    bad[0].job.id = id_of("");
    bad[1].job.state = ERRAND_RUNNING;
    bad[2].job.tries = 0;
    bad[3].job.attempts = -1;
    bad[4].parents = &parent;
    bad[4].parents_n = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        p.jobs = &bad[i];
        fails(ERRAND_EINVAL, er_store_load(store, &p, arena, &ret, &err));
    }
    p = (struct errand_load_params){.batches = &batch, .batches_n = 1};
    fails(ERRAND_EINVAL, er_store_load(store, &p, arena, &ret, &err));
    p = (struct errand_load_params){.schedules = &schedule, .schedules_n = 1};
    fails(ERRAND_EINVAL, er_store_load(store, &p, arena, &ret, &err));
}

TEST(only_named_jobs_can_have_moved)
{
    struct errand_filter all = {0};
    struct errand_change_params p = {.kind = ERRAND_CHANGE_MOVED, .filter = &all};
    struct errand_change_result ret;

    fails(ERRAND_EINVAL, er_store_change(store, &p, arena, &ret, &err));
}

TEST(texts_beside_the_jobs_have_bounds)
{
    size_t len = ER_TEXT_MAX + 1;
    struct errand_slice huge = {errand_arena_alloc(arena, len), len};
    struct errand_schedule schedule = {.name = "a", .spec = huge};
    struct errand_beat_params beat = {.worker = "w", .ttl_ms = 1, .info = huge};
    struct errand_definition definition = {.name = "a", .key = "a", .spec = huge};
    struct errand_push_batch batch = {.id = id_of("b"), .name = "", .options = huge};
    struct errand_push_job job = {.name = "a", .options = huge};
    struct errand_progress progress = {.note = huge};
    struct errand_extend_params extend = {.progress = &progress, .progress_n = 1};
    char key[10241] = "";
    struct errand_limit limit = {
        .name = "a", .scope = ERRAND_SCOPE_KEY, .target = key, .n = 1};

    fails(ERRAND_ETOOBIG, er_store_schedule_put(store, &schedule, &err));
    fails(ERRAND_ETOOBIG, er_store_beat(store, &beat, arena, NULL, &err));
    fails(ERRAND_ETOOBIG, er_store_define(store, &definition, 1, now, &err));
    fails(ERRAND_ETOOBIG, er_store_extend(store, &extend, arena, NULL, &err));
    fails(ERRAND_ETOOBIG, try_push((struct errand_push_params){.batch = &batch}));
    fails(ERRAND_ETOOBIG,
          try_push((struct errand_push_params){.jobs = &job, .jobs_n = 1}));
    /* a rate of no window, and of one that never ends */
    fails(ERRAND_EINVAL, er_store_limit_put(store, &limit, &err));
    limit.per_ms = INT64_MAX;
    fails(ERRAND_EINVAL, er_store_limit_put(store, &limit, &err));
    assert_non_null(strstr(err.message, "at most 366 days"));
    memset(key, 'k', sizeof key - 1);
    limit.per_ms = 1000;
    fails(ERRAND_EINVAL, er_store_limit_put(store, &limit, &err));
    assert_non_null(strstr(err.message, "limit key has 10240 bytes"));
}

TEST(long_errors_of_events_are_cut)
{
    size_t len = ER_TEXT_MAX;
    char *text = errand_arena_alloc(arena, len);
    struct errand_event e = {
        .type = "x", .name = "a", .queue = "q", .error = {text, len}};
    struct errand_events_params p = {.max = 1};
    struct errand_events_result ret;

    memset(text, 'x', len);
    ok(er_store_events_add(store, &e, 1, now, &err));
    ok(er_store_events_read(store, &p, arena, &ret, &err));
    assert_true(ret.events[0].error.len <= ER_EVENT_TEXT_MAX);
}

TEST_MAIN()
