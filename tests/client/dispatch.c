/* dispatch.c: what a call may say about a job, and what the store then holds. */
#include "client/client_test.h"

#include <math.h>

/* ------------------------------------------------------------------ the plain case */

CLAIM(a_dispatched_job_is_ready_with_its_data_byte_for_byte)
{
    struct errand_id id = dispatched("send-email", " {\"to\": \"\\ud800\"} ", NULL);
    struct errand_job_detail *d = get(&id);

    assert_string_equal(d->job.id.text, id.text);
    assert_string_equal(d->job.name, "send-email");
    assert_string_equal(d->job.queue, "default");
    assert_int_equal(d->job.state, ERRAND_READY);
    assert_int_equal(d->job.tries, 3);
    assert_int_equal(d->job.priority, 0);
    assert_int_equal(d->job.attempts, 0);
    assert_slice(d->job.data, " {\"to\": \"\\ud800\"} ");
    assert_slice(d->job.options, "");
    errand_detail_free(d);
}

CLAIM(no_data_is_null)
{
    struct errand_id id = dispatched("send-email", NULL, NULL);
    struct errand_job_detail *d = get(&id);

    assert_slice(d->job.data, "null");
    errand_detail_free(d);
}

CLAIM(the_id_is_not_needed)
{
    assert_int_equal(dispatch("a", NULL, NULL, NULL), ERRAND_INSERTED);
    assert_int_equal(errand_dispatch(e, "a", NULL, NULL, NULL, NULL), ERRAND_INSERTED);
}

CLAIM(all_that_a_call_says_is_kept)
{
    const char *const tags[] = {"vip", "eu", NULL};
    struct errand_id id = dispatched("mail", "{}",
                                     &(struct errand_options){
                                         .queue = "emails",
                                         .tries = 7,
                                         .timeout = 1.5,
                                         .priority = -4,
                                         .backoff = ERRAND_BACKOFF(60, 300),
                                         .tags = tags,
                                     });
    struct errand_job_detail *d = get(&id);

    assert_string_equal(d->job.queue, "emails");
    assert_int_equal(d->job.tries, 7);
    assert_int_equal(d->job.priority, -4);
    assert_int_equal(d->job.tags_n, 2);
    assert_string_equal(d->job.tags[1], "eu");
    assert_slice(d->job.options, "{\"tries\":7,\"timeout\":1.5,\"backoff\":[60,300]}");
    errand_detail_free(d);
}

CLAIM(an_unknown_id_is_not_found)
{
    struct errand_job_detail *d = NULL;
    struct errand_id id = {"no-such-job"};

    assert_int_equal(errand_get(e, &id, &d, &err), ERRAND_ENOTFOUND);
    assert_null(d);
    errand_detail_free(NULL);
}

/* ------------------------------------------------------------------ bad data */

CLAIM(broken_data_is_refused_with_the_place)
{
    refuse("send-welcome-email", "{\"to\": ann@example.com}", NULL, ERRAND_EJSON,
           "data of 'send-welcome-email'");
    assert_non_null(strstr(err.message, "line 1, column 8, found 'a'"));
    refuse("a", "", NULL, ERRAND_EJSON, "data of 'a'");
    refuse("a", "{} {}", NULL, ERRAND_EJSON, "column 4");
    refuse("a", "\"\xff\"", NULL, ERRAND_EJSON, "UTF-8");
}

CLAIM(data_over_the_limit_is_refused)
{
    size_t len = (1 << 20) + 1;
    char *data = malloc(len + 1);

    memset(data, ' ', len);
    data[0] = '1';
    data[len] = '\0';
    refuse("a", data, NULL, ERRAND_ETOOBIG, "data of 'a'");
    data[len - 1] = '\0';
    assert_int_equal(dispatch("a", data, NULL, NULL), ERRAND_INSERTED);
    free(data);
}

CLAIM(data_too_deep_is_refused)
{
    char data[200];

    memset(data, '[', 65);
    memset(data + 65, ']', 65);
    data[130] = '\0';
    refuse("a", data, NULL, ERRAND_ETOOBIG, "64");
}

CLAIM(a_class_may_take_more_or_less_than_the_configuration)
{
    char *data = malloc((2 << 20) + 1);

    memset(data, ' ', 2 << 20);
    data[0] = '1';
    data[2 << 20] = '\0';
    publish("Upload", "upload", "{\"max_data\":4194304}");
    publish("Tiny", "tiny", "{\"max_data\":4}");
    assert_int_equal(dispatch("upload", data, NULL, NULL), ERRAND_INSERTED);
    refuse("tiny", "12345", NULL, ERRAND_ETOOBIG, "data of 'tiny'");
    free(data);
}

/* ------------------------------------------------------------------ bad options */

CLAIM(a_bad_option_is_refused_by_name_and_value)
{
    const int E = ERRAND_EINVAL;

    refuse("a", "1", &(struct errand_options){.delay_ms = -5}, E, "delay_ms: -5");
    refuse("a", "1", &(struct errand_options){.delay_ms = INT64_MAX}, E, "hundred years");
    refuse("a", "1", &(struct errand_options){.delay_ms = 5, .run_at_ms = 5}, E, "both");
    refuse("a", "1", &(struct errand_options){.tries = -2}, E, "tries: -2");
    refuse("a", "1", &(struct errand_options){.tries = 1001}, E, "1001");
    refuse("a", "1", &(struct errand_options){.timeout = NAN}, E, "timeout: nan");
    refuse("a", "1", &(struct errand_options){.timeout = INFINITY}, E, "timeout: inf");
    refuse("a", "1", &(struct errand_options){.timeout = -1}, E, "timeout: -1");
    refuse("a", "1", &(struct errand_options){.queue = "no way"}, E, "no way");
    refuse("a", "1", &(struct errand_options){.queue = ""}, E, "queue");
    refuse("a", "1", &(struct errand_options){.backoff = ERRAND_BACKOFF(-1)}, E,
           "backoff");
    refuse("a", "1", &(struct errand_options){.backoff = {.jitter = 2}}, E, "jitter");
    refuse("a", "1", &(struct errand_options){.unique = ""}, E, "unique");
    refuse("a", "1", &(struct errand_options){.unique_for = 5}, E, "unique");
    refuse("a", "1", &(struct errand_options){.unique = "k", .unique_for = NAN}, E,
           "unique_for: nan");
    refuse("a", "1", &(struct errand_options){.unique = "k", .unique_until = 9}, E, "9");
    refuse("a", "1", &(struct errand_options){.id = {"a b"}}, E, "id of 'a'");
    refuse("a", "1", &(struct errand_options){.tags = (const char *[]){"x y", NULL}}, E,
           "x y");
    refuse("", "1", NULL, E, "job name");
    refuse("a b", "1", NULL, E, "job name 'a b'");
    refuse(NULL, "1", NULL, E, "job name");
}

CLAIM(a_key_longer_than_512_bytes_is_refused)
{
    char key[514];

    memset(key, 'k', 513);
    key[513] = '\0';
    refuse("a", "1", &(struct errand_options){.unique = key}, ERRAND_EINVAL, "513 bytes");
}

CLAIM(a_command_is_a_list_of_words)
{
    struct errand_id id = dispatched(
        "run", "null", &(struct errand_options){.command = "[\"/bin/echo\",\"a b\"]"});
    struct errand_job_detail *d = get(&id);

    assert_non_null(memmem(d->job.options.ptr, d->job.options.len, "/bin/echo", 9));
    errand_detail_free(d);
    refuse("run", "1", &(struct errand_options){.command = "echo hi"}, ERRAND_EJSON,
           "command");
    refuse("run", "1", &(struct errand_options){.command = "[]"}, ERRAND_EINVAL,
           "command");
    refuse("run", "1", &(struct errand_options){.command = "{\"a\":1}"}, ERRAND_EINVAL,
           "command");
    refuse("run", "1", &(struct errand_options){.command = "[\"/bin/echo\",1]"},
           ERRAND_EINVAL, "command");
    refuse("run", "1", &(struct errand_options){.command = "[\"\"]"}, ERRAND_EINVAL,
           "command");
}

CLAIM(no_retry_is_one_attempt)
{
    struct errand_id id =
        dispatched("a", NULL, &(struct errand_options){.tries = ERRAND_NO_RETRY});
    struct errand_job_detail *d = get(&id);

    assert_int_equal(d->job.tries, 1);
    errand_detail_free(d);
}

/* ------------------------------------------------------------------ time */

CLAIM(a_delay_counts_from_now)
{
    struct errand_job_detail *d;
    struct errand_id id;

    clock_of_test.fixed_ms = INT64_C(4102444800000); /* 2100 */
    id = dispatched("a", NULL, &(struct errand_options){.delay_ms = 60000});
    d = get(&id);
    assert_int_equal(d->job.state, ERRAND_SCHEDULED);
    assert_int_equal(d->job.run_at_ms, INT64_C(4102444860000));
    errand_detail_free(d);
}

CLAIM(an_instant_in_the_past_is_now)
{
    struct errand_id id = dispatched("a", NULL, &(struct errand_options){.run_at_ms = 5});
    struct errand_id future = dispatched(
        "a", NULL, &(struct errand_options){.run_at_ms = INT64_C(4102444800000)});
    struct errand_job_detail *d = get(&id);

    assert_int_equal(d->job.state, ERRAND_READY);
    errand_detail_free(d);
    d = get(&future);
    assert_int_equal(d->job.state, ERRAND_SCHEDULED);
    assert_int_equal(d->job.run_at_ms, INT64_C(4102444800000));
    errand_detail_free(d);
}

/* ------------------------------------------------------------------ ids and keys */

CLAIM(an_id_of_the_callers_inserts_once)
{
    const struct errand_options mine = {.id = {"order/17"}};
    struct errand_id id = {{0}};

    assert_int_equal(dispatch("a", "1", &mine, &id), ERRAND_INSERTED);
    assert_string_equal(id.text, "order/17");
    memset(&id, 0, sizeof id);
    assert_int_equal(dispatch("a", "2", &mine, &id), ERRAND_DUPLICATE);
    assert_string_equal(id.text, "order/17");
    struct errand_job_detail *d = get(&id);
    assert_slice(d->job.data, "1");
    errand_detail_free(d);
}

CLAIM(a_key_is_held_until_the_job_is_done)
{
    const struct errand_options once = {.unique = "user:1"};
    struct errand_id first = dispatched("a", "1", &once), id;

    assert_int_equal(dispatch("a", "2", &once, &id), ERRAND_DUPLICATE);
    assert_string_equal(id.text, first.text);
    assert_true(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(dispatch("a", "3", &once, &id), ERRAND_INSERTED);
}

CLAIM(a_key_with_a_time_outlives_the_job)
{
    const struct errand_options once = {.unique = "user:1", .unique_for = 3600};
    struct errand_id first = dispatched("a", "1", &once), id;

    assert_true(work_one(e, ERRAND_OUT_DONE));
    assert_int_equal(dispatch("a", "2", &once, &id), ERRAND_DUPLICATE);
    assert_string_equal(id.text, first.text);
}

CLAIM(a_key_may_replace_the_waiting_job)
{
    const struct errand_options last = {.unique = "user:1",
                                        .unique_policy = ERRAND_UNIQUE_REPLACE};
    struct errand_id first = dispatched("a", "1", &last), id;
    struct errand_job_detail *d;

    assert_int_equal(dispatch("a", "2", &last, &id), ERRAND_REPLACED);
    assert_string_equal(id.text, first.text);
    d = get(&id);
    assert_slice(d->job.data, "2");
    errand_detail_free(d);
}

CLAIM(a_key_given_at_the_call_is_shared_by_all_jobs)
{
    const struct errand_options once = {.unique = "user:1"};

    dispatched("a", "1", &once);
    assert_int_equal(dispatch("b", "1", &once, NULL), ERRAND_DUPLICATE);
}

CLAIM(a_template_is_filled_from_the_data_and_kept_apart_by_class)
{
    struct errand_job_detail *d;
    struct errand_id id, other;

    publish("Sync", "sync", "{\"unique\":\"user:{userId}\"}");
    publish("Send", "send", "{\"unique\":\"user:{userId}\"}");
    id = dispatched("Sync", "{\"userId\":1}", NULL);
    assert_int_equal(dispatch("sync", "{\"userId\":1}", NULL, NULL), ERRAND_DUPLICATE);
    dispatched("Sync", "{\"userId\":2}", NULL);
    dispatched("Send", "{\"userId\":1}", NULL);
    /* The key as the store has it. */
    assert_int_equal(dispatch("other", NULL,
                              &(struct errand_options){.unique = "sync:user:1"}, &other),
                     ERRAND_DUPLICATE);
    assert_string_equal(other.text, id.text);
    d = get(&id);
    assert_slice(d->job.options, "");
    errand_detail_free(d);
}

CLAIM(data_without_what_the_key_needs_is_refused)
{
    publish("Sync", "sync", "{\"unique\":\"user:{userId}\"}");
    refuse("Sync", "{\"id\":1}", NULL, ERRAND_EINVAL, "user:{userId}");
    assert_non_null(strstr(err.message, "'Sync'"));
    assert_int_equal(
        dispatch("Sync", "{\"id\":1}", &(struct errand_options){.unique = "mine"}, NULL),
        ERRAND_INSERTED);
}

/* ------------------------------------------------------------------ definitions */

CLAIM(what_is_published_routes_a_job)
{
    struct errand_job_detail *d;
    struct errand_id id;

    publish("SendEmail", "sendemail",
            "{\"queue\":\"emails\",\"tries\":9,\"priority\":2,\"timeout\":7}");
    id = dispatched("send-email", NULL, NULL);
    d = get(&id);
    assert_string_equal(d->job.name, "send-email");
    assert_string_equal(d->job.queue, "emails");
    assert_int_equal(d->job.tries, 9);
    assert_int_equal(d->job.priority, 2);
    assert_slice(d->job.options, ""); /* the time-out is decided when it starts */
    errand_detail_free(d);
    id = dispatched("send-email", NULL,
                    &(struct errand_options){.queue = "now", .tries = 2});
    d = get(&id);
    assert_string_equal(d->job.queue, "now");
    assert_int_equal(d->job.tries, 2);
    assert_int_equal(d->job.priority, 2);
    errand_detail_free(d);
}

CLAIM(definitions_are_read_again_after_a_second_and_not_for_each_job)
{
    struct errand_job_detail *d;
    struct errand_id id;

    clock_of_test.fixed_ms = 1000000;
    dispatched("mail", NULL, NULL);
    publish("mail", "mail", "{\"queue\":\"emails\"}");
    clock_of_test.fixed_ms += 999;
    id = dispatched("mail", NULL, NULL);
    d = get(&id);
    assert_string_equal(d->job.queue, "default");
    errand_detail_free(d);
    clock_of_test.fixed_ms += 1;
    id = dispatched("mail", NULL, NULL);
    d = get(&id);
    assert_string_equal(d->job.queue, "emails");
    errand_detail_free(d);
}

CLAIM(a_failed_hook_is_asked_for_unless_it_is_known_that_there_is_none)
{
    struct errand_push_job job;
    struct errand_slice data = {"1", 1};

    publish("with", "with", "{\"hooks\":[\"failed\"]}");
    publish("without", "without", "{\"tries\":2}");
    assert_int_equal(er_client_resolve(e, "with", data, NULL, test_arena, &job, &err), 0);
    assert_true(job.has_failed_hook);
    assert_int_equal(er_client_resolve(e, "without", data, NULL, test_arena, &job, &err),
                     0);
    assert_false(job.has_failed_hook);
    assert_int_equal(er_client_resolve(e, "unknown", data, NULL, test_arena, &job, &err),
                     0);
    assert_true(job.has_failed_hook);
}

/* What was resolved must not change when the definitions are read again. */
CLAIM(a_resolved_job_survives_the_next_look_at_the_definitions)
{
    struct errand_push_job job, other;
    struct errand_slice data = {"1", 1};

    clock_of_test.fixed_ms = 1000000;
    publish("mail", "mail", "{\"queue\":\"emails\",\"tags\":[\"x\"]}");
    assert_int_equal(er_client_resolve(e, "mail", data, NULL, test_arena, &job, &err), 0);
    clock_of_test.fixed_ms += 5000;
    assert_int_equal(er_client_resolve(e, "b", data, NULL, test_arena, &other, &err), 0);
    assert_string_equal(job.queue, "emails");
    assert_string_equal(job.tags[0], "x");
}

/* ------------------------------------------------------------------ configuration */

CLAIM(the_levels_are_call_class_queue_configuration_default)
{
    static struct er_config_queue queues[] = {
        {.name = "emails",
         .options = {.has = ER_OPT_TRIES | ER_OPT_PRIORITY, .tries = 5, .priority = 7}}};
    struct er_config config = {
        .url = test_url,
        .defaults = {.has = ER_OPT_TRIES | ER_OPT_QUEUE, .tries = 4, .queue = "work"},
        .queues = queues,
        .queues_n = 1};
    struct errand_push_job job;
    struct errand_slice data = {"1", 1};
    errand *c = NULL;

    publish("Mail", "mail", "{\"queue\":\"emails\"}");
    publish("Own", "own", "{\"queue\":\"emails\",\"tries\":6}");
    assert_int_equal(er_client_open(&config, &c, &err), 0);
    assert_int_equal(er_client_resolve(c, "own", data,
                                       &(struct errand_options){.tries = 9}, test_arena,
                                       &job, &err),
                     0);
    assert_int_equal(job.tries, 9);
    assert_int_equal(er_client_resolve(c, "own", data, NULL, test_arena, &job, &err), 0);
    assert_int_equal(job.tries, 6);
    assert_int_equal(job.priority, 7);
    assert_int_equal(er_client_resolve(c, "mail", data, NULL, test_arena, &job, &err), 0);
    assert_int_equal(job.tries, 5);
    assert_int_equal(er_client_resolve(c, "none", data, NULL, test_arena, &job, &err), 0);
    assert_int_equal(job.tries, 4);
    assert_string_equal(job.queue, "work");
    errand_close(c);
    assert_int_equal(er_client_resolve(e, "none", data, NULL, test_arena, &job, &err), 0);
    assert_int_equal(job.tries, 3);
}

CLAIM(a_program_may_set_queue_and_tries_for_all_its_jobs)
{
    struct errand_push_job job;
    struct errand_slice data = {"1", 1};
    errand *c = errand_open(
        test_url,
        &(struct errand_config){.queue = "mine", .tries = ERRAND_NO_RETRY, .max_data = 3},
        &err);

    assert_non_null(c);
    assert_int_equal(er_client_resolve(c, "a", data, NULL, test_arena, &job, &err), 0);
    assert_string_equal(job.queue, "mine");
    assert_int_equal(job.tries, 1);
    assert_int_equal(errand_dispatch(c, "a", "1234", NULL, NULL, &err), ERRAND_ETOOBIG);
    errand_close(c);
}

TEST(a_wrong_configuration_is_refused_by_name)
{
    static const struct {
        struct errand_config config;
        const char *says;
    } wrong[] = {
        {{.busy_ms = -1}, "busy_ms: -1"},
        {{.max_data = (16 << 20) + 1}, "max_data: 16777217"},
        {{.max_depth = -3}, "max_depth: -3"},
        {{.keep_completed_ms = -7}, "keep_completed_ms: -7"},
        {{.keep_completed_n = -7}, "keep_completed_n: -7"},
        {{.timeout = -1}, "timeout: -1"},
        {{.tries = -4}, "-4"},
        {{.queue = "a b"}, "a b"},
        {{.backoff = {.base = -2}}, "backoff"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(errand_open("memory:", &wrong[i].config, &err));
        assert_int_equal(err.code, ERRAND_EINVAL);
        if (!strstr(err.message, wrong[i].says))
            fail_msg("'%s' is not in '%s'", wrong[i].says, err.message);
    }
    assert_null(errand_open(NULL, NULL, &err));
    assert_non_null(strstr(err.message, "sqlite:"));
    assert_null(errand_open("nothing://x", NULL, &err));
    assert_null(errand_open("nothing://x", NULL, NULL));
    errand_close(NULL);
}

/* ------------------------------------------------------------------ bulk */

CLAIM(bulk_inserts_all_and_answers_in_order)
{
    enum { N = 500 };
    static struct errand_dispatch_item items[N];
    static struct errand_id ids[N];
    static char data[N][16];

    for (int i = 0; i < N; i++) {
        int len = snprintf(data[i], sizeof data[i], "%d", i);
        items[i] =
            (struct errand_dispatch_item){.name = "a", .data = {data[i], (size_t)len}};
    }
    assert_int_equal(errand_dispatch_bulk(e, items, N, ids, &err), N);
    for (int i = 0; i < N; i += 99) {
        struct errand_job_detail *d = get(&ids[i]);
        assert_slice(d->job.data, data[i]);
        errand_detail_free(d);
    }
    assert_int_equal(errand_dispatch_bulk(e, items, 3, NULL, &err), 3);
    assert_int_equal(errand_dispatch_bulk(e, NULL, 0, NULL, &err), 0);
}

CLAIM(bulk_is_all_or_nothing_and_names_the_wrong_one)
{
    const struct errand_dispatch_item items[] = {
        {.name = "a"}, {.name = "b", .data = {"{", 1}}, {.name = "c"}};
    struct errand_filter all = {0};
    int64_t n = -1;

    assert_int_equal(errand_dispatch_bulk(e, items, 3, NULL, &err), ERRAND_EJSON);
    assert_non_null(strstr(err.message, "job 2 of 3: data of 'b'"));
    assert_int_equal(er_store_count(er_client_store(e), &all, 0, &n, &err), 0);
    assert_int_equal(n, 0);
}

CLAIM(bulk_counts_no_duplicates_and_answers_the_first_id)
{
    const struct errand_options once = {.unique = "k"};
    const struct errand_dispatch_item items[] = {
        {.name = "a", .options = &once}, {.name = "b", .options = &once}, {.name = "c"}};
    struct errand_id ids[3];

    assert_int_equal(errand_dispatch_bulk(e, items, 3, ids, &err), 2);
    assert_string_equal(ids[0].text, ids[1].text);
    assert_string_not_equal(ids[0].text, ids[2].text);
}

/* ------------------------------------------------------------------ events */

static struct errand_events_result follow(int64_t after)
{
    struct errand_events_params p = {.after = after, .max = 10, .follow_ms = 60000};
    struct errand_events_result r = {0};

    assert_int_equal(er_store_events_read(er_client_store(e), &p, test_arena, &r, &err),
                     0);
    return r;
}

CLAIM(who_follows_hears_of_what_is_dispatched)
{
    const struct errand_dispatch_item items[] = {{.name = "b"}, {.name = "c"}};
    const struct errand_options later = {.queue = "q", .unique = "k", .delay_ms = 60000};
    struct errand_events_result r;
    struct errand_id id;

    dispatched("before", NULL, NULL); /* nobody follows: no event */
    r = follow(-1);
    id = dispatched("a", NULL, &later);
    assert_int_equal(dispatch("a", NULL, &later, NULL), ERRAND_DUPLICATE);
    assert_int_equal(errand_dispatch_bulk(e, items, 2, NULL, &err), 2);
    r = follow(r.last);
    assert_int_equal(r.events_n, 3);
    assert_string_equal(r.events[0].type, "job:dispatched");
    assert_string_equal(r.events[0].id.text, id.text);
    assert_string_equal(r.events[0].queue, "q");
    assert_in_range(r.events[0].delay_ms, 50000, 60000);
    assert_int_equal(r.events[0].attempt, 0);
    assert_string_equal(r.events[1].name, "b");
    assert_int_equal(r.events[1].delay_ms, -1);
    assert_string_equal(r.events[2].name, "c");
}

TEST_MAIN()
