/* chain.c: chains and flows as a program makes them. */
#include "client/flow_test.h"

#include <sqlite3.h>

static struct errand_id chain(const char *const *names, size_t n,
                              const struct errand_batch_options *options)
{
    struct errand_dispatch_item links[8];
    struct errand_id id = {{0}};

    for (size_t i = 0; i < n; i++)
        links[i] = item(names[i]);
    if (errand_chain(e, links, n, options, &id, &err) != (int)n)
        fail_msg("%s", err.message);
    return id;
}
#define CHAIN(options, ...)                   \
    chain((const char *const[]){__VA_ARGS__}, \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), options)

static void retry_failed(void)
{
    struct errand_filter failed = {.states = 1u << ERRAND_FAILED};
    struct errand_change_params p = {.kind = ERRAND_CHANGE_RETRY, .filter = &failed};
    struct errand_change_result r = {0};

    assert_int_equal(er_store_change(er_client_store(e), &p, test_arena, &r, &err), 0);
    assert_int_equal(r.changed_n, 1);
}

/* ------------------------------------------------------------------ chains */

CLAIM(links_run_one_after_the_other)
{
    struct errand_id id = CHAIN(NULL, "a", "b", "c");

    assert_result(id, 0, 0, 0, 3);
    assert_work(DONE, "a");
    assert_work(DONE, "b");
    assert_result(id, 2, 0, 0, 1);
    assert_work(DONE, "c");
    assert_result(id, 3, 0, 0, 0);
    assert_idle();
}

CLAIM(a_link_that_fails_cancels_those_behind_it)
{
    struct errand_id id = CHAIN(NULL, "a", "b", "c", "d");

    assert_work(DONE, "a");
    assert_work(FAIL, "b");
    assert_idle();
    assert_result(id, 1, 1, 2, 0);
}

CLAIM(retrying_the_failed_link_resumes_the_chain)
{
    struct errand_id id = CHAIN(NULL, "a", "b", "c");

    assert_work(DONE, "a");
    assert_work(FAIL, "b");
    retry_failed();
    assert_result(id, 1, 0, 0, 2);
    assert_work(DONE, "b");
    assert_work(DONE, "c");
    assert_result(id, 3, 0, 0, 0);
}

CLAIM(the_catch_of_a_chain_runs_once)
{
    const struct errand_dispatch_item rescue = item("rescue"), tidy = item("tidy");

    CHAIN((&(struct errand_batch_options){.on_failure = &rescue, .finally = &tidy}), "a",
          "b", "c");
    assert_work(FAIL, "a");
    assert_work(DONE, "rescue");
    assert_work(DONE, "tidy");
    assert_idle();
    retry_failed();
    assert_work(FAIL, "a");
    assert_idle();
}

CLAIM(the_catch_of_a_chain_that_succeeds_never_runs)
{
    const struct errand_dispatch_item rescue = item("rescue"), cheer = item("cheer");

    CHAIN((&(struct errand_batch_options){.on_failure = &rescue, .on_success = &cheer}),
          "a", "b");
    assert_work(DONE, "a");
    assert_work(DONE, "b");
    assert_work(DONE, "cheer");
    assert_idle();
}

CLAIM(a_chain_with_an_id_of_the_callers_is_stored_once)
{
    const struct errand_dispatch_item links[] = {item("a"), item("b")}, tidy = item("t");
    const struct errand_batch_options o = {.id = {"order-7"}, .finally = &tidy};
    struct errand_id id = {{0}};
    struct errand_job_detail *second;

    assert_int_equal(errand_chain(e, links, 2, &o, &id, &err), 2);
    assert_string_equal(id.text, "order-7");
    assert_int_equal(errand_chain(e, links, 2, &o, &id, &err), 0);
    assert_int_equal(stored_n(), 3);
    second = get(&(struct errand_id){"order-7/2"});
    assert_string_equal(second->parents[0].id.text, "order-7/1");
    assert_string_equal(second->parents[0].name, "a");
    errand_detail_free(second);
    second = get(&(struct errand_id){"order-7:finally"});
    assert_true(second->parents[0].is_batch);
    errand_detail_free(second);
}

CLAIM(two_jobs_of_one_id_are_refused)
{
    const struct errand_options mine = {.id = {"mine"}}, last = {.id = {"c:finally"}};
    const struct errand_dispatch_item same[] = {{"a", errand_text("1"), &mine},
                                                {"x", errand_text("2"), NULL},
                                                {"b", errand_text("3"), &mine}},
                                      tidy = item("tidy");
    const struct errand_dispatch_item taken = {"a", errand_text("1"), &last};
    const struct errand_batch_options o = {.id = {"c"}, .finally = &tidy};

    assert_refused(errand_chain(e, same, 3, NULL, NULL, &err), ERRAND_EINVAL,
                   "jobs 1 and 3 of it have the same id 'mine'");
    assert_refused(errand_batch(e, same, 3, &o, NULL, &err), ERRAND_EINVAL,
                   "jobs 1 and 3 of it have the same id 'mine'");
    assert_refused(errand_batch(e, &taken, 1, &o, NULL, &err), ERRAND_EINVAL,
                   "jobs 1 and 2 of it have the same id 'c:finally'");
}

CLAIM(each_link_has_its_own_options)
{
    const char *const tags[] = {"t", NULL};
    const struct errand_dispatch_item links[] = {
        {"a", errand_text("{\"n\":1}"), NULL},
        {"b", errand_text("{\"n\":2}"),
         &(struct errand_options){.queue = "mail", .tries = 7, .tags = tags}}};
    const struct errand_batch_options o = {.id = {"c"}};
    struct errand_job_detail *d;

    assert_int_equal(errand_chain(e, links, 2, &o, NULL, &err), 2);
    d = get(&(struct errand_id){"c/2"});
    assert_string_equal(d->job.queue, "mail");
    assert_int_equal(d->job.tries, 7);
    assert_slice(d->job.data, "{\"n\":2}");
    assert_int_equal(d->job.tags_n, 1);
    errand_detail_free(d);
}

CLAIM(what_is_wrong_with_a_chain_is_told_with_the_number_of_the_link)
{
    struct errand_dispatch_item links[] = {item("a"), item("b")};
    const struct errand_dispatch_item bad = item("b c");
    const struct errand_batch_options failures = {.allow_failures = true},
                                      catches = {.on_failure = &bad},
                                      odd_id = {.id = {"a b"}},
                                      long_id = {
                                          .id = {
                                              "1234567890123456789012345678901234567890"
                                              "12345678901"}};

    assert_refused(errand_chain(e, links, 0, NULL, NULL, &err), ERRAND_EINVAL,
                   "without links");
    assert_refused(errand_chain(e, links, 2, &failures, NULL, &err), ERRAND_EINVAL,
                   "allow_failures");
    assert_refused(errand_chain(e, links, 2, &catches, NULL, &err), ERRAND_EINVAL,
                   "on_failure: ");
    assert_refused(errand_chain(e, links, 2, &odd_id, NULL, &err), ERRAND_EINVAL, "id");
    assert_refused(errand_chain(e, links, 2, &long_id, NULL, &err), ERRAND_EINVAL,
                   "51 bytes, 50 are allowed");
    links[1].data = errand_text("{oops}");
    assert_refused(errand_chain(e, links, 2, NULL, NULL, &err), ERRAND_EJSON,
                   "link 2 of 2: data of 'b'");
    links[1] = item(NULL);
    assert_refused(errand_chain(e, links, 2, NULL, NULL, &err), ERRAND_EINVAL,
                   "link 2 of 2: it has no name");
    links[1] = item("b");
    links[1].options = &(struct errand_options){.delay_ms = -1};
    assert_refused(errand_chain(e, links, 2, NULL, NULL, &err), ERRAND_EINVAL,
                   "link 2 of 2: delay_ms");
    links[1].options = &(struct errand_options){.transaction = &links};
    assert_refused(errand_chain(e, links, 2, NULL, NULL, &err), ERRAND_EINVAL,
                   "options of the whole");
}

/* ------------------------------------------------------------------ flows */

#define AFTER(...) ((const char *const[]){__VA_ARGS__, NULL})

CLAIM(a_node_waits_for_all_it_names)
{
    const struct errand_flow_node nodes[] = {
        {.name = "join", .job = "join-both", .after = AFTER("left", "right")},
        {.name = "left", .after = AFTER("start")},
        {.name = "right", .after = AFTER("start")},
        {.name = "start"}};
    const struct errand_batch_options o = {.id = {"f"}};
    struct errand_id id;

    assert_int_equal(errand_flow(e, nodes, 4, &o, &id, &err), 4);
    assert_int_equal(errand_flow(e, nodes, 4, &o, &id, &err), 0);
    assert_work(DONE, "start");
    assert_work(DONE, "left");
    assert_result(id, 2, 0, 0, 2);
    assert_work(DONE, "right");
    assert_work(DONE, "join-both");
    assert_result(id, 4, 0, 0, 0);
}

CLAIM(nodes_for_a_failure_are_not_missed_when_all_goes_well)
{
    const struct errand_dispatch_item yes = item("yes"), no = item("no");
    const struct errand_flow_node nodes[] = {
        {.name = "pay"},
        {.name = "ship", .after = AFTER("pay")},
        {.name = "refund", .after_failure = AFTER("ship")},
        {.name = "excuse", .after = AFTER("refund")},
        {.name = "tidy", .after_end = AFTER("ship", "excuse")}};
    const struct errand_batch_options o = {.on_success = &yes, .on_failure = &no};
    struct errand_id id;

    assert_int_equal(errand_flow(e, nodes, 5, &o, &id, &err), 5);
    assert_work(DONE, "pay");
    assert_work(DONE, "ship");
    assert_work(DONE, "tidy");
    assert_work(DONE, "yes");
    assert_idle();
    assert_result(id, 3, 0, 0, 0);
    assert_int_equal(errand_flow(e, nodes, 5, &o, &id, &err), 5);
    assert_work(DONE, "pay");
    assert_work(FAIL, "ship");
    assert_work(DONE, "refund");
    assert_work(DONE, "excuse");
    assert_work(DONE, "tidy");
    assert_work(DONE, "no");
    assert_idle();
    assert_result(id, 2, 1, 0, 0);
}

CLAIM(nodes_that_wait_for_each_other_are_named)
{
    const struct errand_flow_node nodes[] = {{.name = "a", .after = AFTER("c")},
                                             {.name = "b", .after = AFTER("a")},
                                             {.name = "c", .after_end = AFTER("b")}};
    const struct errand_flow_node self[] = {{.name = "a", .after = AFTER("a")}};
    const struct errand_batch_options o = {.id = {"f"}};

    assert_refused(errand_flow(e, nodes, 3, &o, NULL, &err), ERRAND_EINVAL,
                   "job 1 ('a', f/a) waits for job 3 ('c', f/c) waits for job 2 ('b', "
                   "f/b) waits for job 1");
    assert_refused(errand_flow(e, self, 1, &o, NULL, &err), ERRAND_EINVAL,
                   "job 1 ('a', f/a) waits for job 1");
}

CLAIM(what_is_wrong_with_a_flow_is_told_with_the_node)
{
    const struct errand_flow_node
        twice[] = {{.name = "a"}, {.name = "a"}},
        unknown[] = {{.name = "fetch"}, {.name = "b", .after = AFTER("fetsh")}},
        other[] = {{.name = "a", .after = AFTER("b")}}, nameless[] = {{.job = "a"}},
        slash[] = {{.name = "a/b"}}, data[] = {{.name = "a", .data = errand_text("{")}},
        own[] = {{.name = "a", .options = &(struct errand_options){.id = {"mine"}}}},
        longest[] = {{.name = "a23456789012345678901234567"}};

    assert_refused(errand_flow(e, twice, 0, NULL, NULL, &err), ERRAND_EINVAL,
                   "without nodes");
    assert_refused(errand_flow(e, twice, 2, NULL, NULL, &err), ERRAND_EINVAL,
                   "two nodes are called 'a'");
    assert_refused(errand_flow(e, unknown, 2, NULL, NULL, &err), ERRAND_EINVAL,
                   "'b' waits for 'fetsh', which is no node of this flow; did you mean "
                   "'fetch'?");
    assert_refused(errand_flow(e, other, 1, NULL, NULL, &err), ERRAND_EINVAL,
                   "'a' waits for 'b', which is no node of this flow");
    assert_null(strstr(err.message, "did you mean"));
    assert_refused(errand_flow(e, nameless, 1, NULL, NULL, &err), ERRAND_EINVAL,
                   "node 1 has no name");
    assert_refused(errand_flow(e, slash, 1, NULL, NULL, &err), ERRAND_EINVAL, "'a/b'");
    assert_refused(errand_flow(e, data, 1, NULL, NULL, &err), ERRAND_EJSON, "node 'a': ");
    assert_refused(errand_flow(e, own, 1, NULL, NULL, &err), ERRAND_EINVAL, "node 'a': ");
    assert_refused(errand_flow(e, longest, 1, NULL, NULL, &err), ERRAND_EINVAL,
                   "has 27 bytes, 26 are left");
}

CLAIM(a_store_without_transactions_cannot_take_a_chain_into_one)
{
    const struct errand_dispatch_item links[] = {item("a"), item("b")};
    const struct errand_batch_options o = {.transaction = &err};

    if (strstr(test_url, "memory:") != test_url)
        return; /* tests/client/wait.c has those that can */
    assert_refused(errand_chain(e, links, 2, &o, NULL, &err), ERRAND_EUNSUPPORTED,
                   "transaction");
}

static void chain_in_a_transaction(const char *end, int64_t stored)
{
    const struct errand_dispatch_item links[] = {item("a"), item("b")}, tidy = item("t");
    struct errand_batch_options o = {.id = {"c"}, .finally = &tidy};
    sqlite3 *db;

    assert_int_equal(sqlite3_open(test_url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    o.transaction = db;
    assert_int_equal(errand_chain(e, links, 2, &o, NULL, &err), 2);
    assert_int_equal(stored_n(), 0);
    assert_int_equal(sqlite3_exec(db, end, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(stored_n(), stored);
}

static void chain_in_both_transactions(void)
{
    chain_in_a_transaction("ROLLBACK", 0);
    chain_in_a_transaction("COMMIT", 3);
    assert_work(DONE, "a");
    assert_work(DONE, "b");
    assert_work(DONE, "t");
}

TEST(a_chain_lives_and_dies_with_the_callers_transaction)
{
    client_test_run("sqlite", chain_in_both_transactions);
}

TEST_MAIN()
