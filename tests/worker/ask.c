/* ask.c: what a running job asks of the store: other jobs, and what its parents left. */
#include <sys/wait.h>

#include "client/client.h"
#include "errand/flow.h"
#include "errand/testing.h"
#include "worker/work.h"

TEST_FIXTURE(work_setup, work_teardown)

enum { MANY = 300 };

/* ------------------------------------------------------------------ job classes */

static int on_leaf(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Leaf, .handle = on_leaf)

/* Answers with its data. */
static int on_echo(errand_job *job, struct errand_error *err)
{
    return errand_job_result(job, errand_job_data(job).ptr, err);
}
ERRAND_JOB(Echo, .handle = on_echo)

static int on_hopeless(errand_job *job, struct errand_error *err)
{
    (void)job;
    errand_error_set(err, 7, "no such user");
    return ERRAND_FAIL;
}
ERRAND_JOB(Hopeless, .handle = on_hopeless)

/* Three jobs, and only the second attempt gets to its end. */
static int on_spread(errand_job *job, struct errand_error *err)
{
    struct errand_id id;
    int first = errand_job_dispatch(job, "Leaf", "{\"n\":1}", NULL, &id, err);

    if (first < 0 || errand_job_dispatch(job, "Leaf", "{\"n\":2}", NULL, NULL, err) < 0)
        return ERRAND_FAIL;
    if (first != (errand_job_attempt(job) == 1 ? ERRAND_INSERTED : ERRAND_DUPLICATE))
        return ERRAND_FAIL;
    errand_job_log(job, "%s", id.text);
    if (errand_job_attempt(job) == 1)
        return ERRAND_RETRY;
    return errand_job_dispatch(job, "Leaf", "{\"n\":3}",
                               &(struct errand_options){
                                   .id = {"third"}, .queue = "slow", .delay_ms = 3600000},
                               NULL, err) == ERRAND_INSERTED
               ? ERRAND_DONE
               : ERRAND_FAIL;
}
ERRAND_JOB(Spread, .handle = on_spread, .backoff = ERRAND_BACKOFF(0.02))

/* Adds two members, once. */
static int on_grow(errand_job *job, struct errand_error *err)
{
    if (errand_job_batch_add(job, "Leaf", NULL, NULL, NULL, err) < 0 ||
        errand_job_batch_add(job, "Leaf", NULL, NULL, NULL, err) < 0)
        return ERRAND_FAIL;
    return errand_job_attempt(job) == 1 ? ERRAND_RETRY : ERRAND_DONE;
}
ERRAND_JOB(Grow, .handle = on_grow, .backoff = ERRAND_BACKOFF(0.02))

/* Says what it hears when it asks for what cannot be. */
static int on_clumsy(errand_job *job, struct errand_error *err)
{
    const struct errand_dispatch_item bad[] = {{"Leaf", {0}, NULL},
                                               {"Leaf", errand_text("{"), NULL}};
    const char *json;
    int codes[6];

    codes[0] = errand_job_dispatch(job, "Leaf", "{oops}", NULL, NULL, err);
    codes[1] = errand_job_dispatch(job, "no name", NULL, NULL, NULL, err);
    codes[2] = errand_job_batch_add(job, "Leaf", NULL, NULL, NULL, err);
    codes[3] = errand_job_dispatch_bulk(job, bad, 2, false, NULL, err);
    codes[4] = errand_job_dispatch(job, "Leaf", NULL,
                                   &(struct errand_options){.delay_ms = -1}, NULL, err);
    codes[5] = errand_job_parent_result(job, NULL, &json, err);
    if (codes[0] != ERRAND_EJSON || codes[1] != ERRAND_EINVAL ||
        codes[2] != ERRAND_EINVAL || codes[3] != ERRAND_EJSON ||
        codes[4] != ERRAND_EINVAL || codes[5] != ERRAND_ENOTFOUND)
        return ERRAND_FAIL;
    return ERRAND_DONE;
}
ERRAND_JOB(Clumsy, .handle = on_clumsy)

/* A result made of those of its parents, by name: {"left":…,"right":…}. */
static int on_join(errand_job *job, struct errand_error *err)
{
    const char *left, *right;
    char text[200];

    if (errand_job_parent_result(job, "left", &left, err) < 0 ||
        errand_job_parent_result(job, "right", &right, err) < 0)
        return ERRAND_FAIL;
    snprintf(text, sizeof text, "{\"left\":%s,\"right\":%s}", left, right);
    return errand_job_result(job, text, err);
}
ERRAND_JOB(Join, .handle = on_join)

/* One more than the link before it left. */
static int on_next(errand_job *job, struct errand_error *err)
{
    const char *before = "0";
    char text[24];
    int rc = errand_job_parent_result(job, NULL, &before, err);

    if (rc < 0 && rc != ERRAND_ENOTFOUND)
        return ERRAND_FAIL;
    snprintf(text, sizeof text, "%ld", strtol(before, NULL, 10) + 1);
    return errand_job_result(job, text, err);
}
ERRAND_JOB(Next, .handle = on_next)

/* For the end of a batch: which of its members failed. */
static int on_report(errand_job *job, struct errand_error *err)
{
    const struct errand_parent *p;
    char text[400];
    size_t n;

    if (errand_job_parents(job, &p, &n, err) < 0 || n != 1 || !p->is_batch ||
        p->failures_n != 1)
        return ERRAND_FAIL;
    snprintf(text, sizeof text, "[\"%s\",%d,%d,%d,\"%s\",%.*s,\"%.*s\"]", p->name,
             (int)p->total, (int)p->successful, (int)p->failed, p->failures[0].name,
             (int)p->failures[0].data.len, p->failures[0].data.ptr,
             (int)p->failures[0].error.len, p->failures[0].error.ptr);
    return errand_job_result(job, text, err);
}
ERRAND_JOB(Report, .handle = on_report)

/* For a failure in a flow: what went wrong. */
static int on_excuse(errand_job *job, struct errand_error *err)
{
    const struct errand_parent *p;
    char text[200];
    size_t n;

    if (errand_job_parents(job, &p, &n, err) < 0 || n != 1 || p->state != ERRAND_FAILED ||
        strcmp(p->node, "pay") != 0 || p->result.len)
        return ERRAND_FAIL;
    snprintf(text, sizeof text, "\"%.*s\"", (int)p->error.len, p->error.ptr);
    return errand_job_result(job, text, err);
}
ERRAND_JOB(Excuse, .handle = on_excuse)

/* Many at once, with as much data as there may be. */
static int on_flood(errand_job *job, struct errand_error *err)
{
    static struct errand_dispatch_item items[MANY];
    static struct errand_id ids[MANY];
    static char big[1000000];

    memset(big, '1', sizeof big - 1);
    for (int i = 0; i < MANY; i++)
        items[i] = (struct errand_dispatch_item){.name = "Leaf"};
    items[7].data = errand_text(big);
    if (errand_job_dispatch_bulk(job, items, MANY, false, ids, err) != MANY ||
        strcmp(ids[0].text, ids[MANY - 1].text) == 0)
        return ERRAND_FAIL;
    return ERRAND_DONE;
}
ERRAND_JOB(Flood, .handle = on_flood)

/* A child of its own must keep its hands off the socket. */
static int on_fork(errand_job *job, struct errand_error *err)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(errand_job_dispatch(job, "Leaf", NULL, NULL, NULL, NULL) == ERRAND_EFORKED
                  ? 0
                  : 1);
    waitpid(pid, &status, 0);
    return status == 0 && errand_job_dispatch(job, "Leaf", NULL, NULL, NULL, err) == 0
               ? ERRAND_DONE
               : ERRAND_FAIL;
}
ERRAND_JOB(Forks, .handle = on_fork)

static void on_failed(errand_job *job, const struct errand_error *error)
{
    (void)error;
    errand_job_dispatch(job, "Leaf", "\"from the hook\"", NULL, NULL, NULL);
}
ERRAND_JOB(Hooked, .handle = on_hopeless, .failed = on_failed)

/* ------------------------------------------------------------------ helpers */

static int64_t count_of(const char *name, enum errand_state state)
{
    struct errand_filter filter = {.name = name, .states = 1u << state};
    struct errand_error err = {0};
    int64_t n;

    assert_int_equal(er_store_count(er_client_store(store), &filter, 0, &n, &err), 0);
    return n;
}

static void assert_left(struct errand_id id, const char *json)
{
    struct errand_job_detail *job = look(id);

    if (job->job.state != ERRAND_COMPLETED)
        fail_msg("%s is %s: %.*s", job->job.name, errand_state_name(job->job.state),
                 (int)job->job.error.len, job->job.error.ptr);
    assert_is(job->job.result, json);
    errand_detail_free(job);
}

static void retry(struct errand_id id)
{
    struct errand_change_params p = {.kind = ERRAND_CHANGE_RETRY, .ids = &id, .ids_n = 1};
    struct errand_change_result r = {0};
    struct errand_arena *arena = er_arena_new();
    struct errand_error err = {0};

    assert_int_equal(er_store_change(er_client_store(store), &p, arena, &r, &err), 0);
    assert_int_equal(r.changed_n, 1);
    er_arena_free(arena);
}

/* ------------------------------------------------------------------ dispatching */

TEST(what_a_job_dispatches_is_stored_once_however_often_it_runs)
{
    struct errand_id id = push("Spread", NULL, NULL);
    struct errand_job_detail *third;

    work_attempts(4);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), 2);
    third = look((struct errand_id){"third"});
    assert_string_equal(third->job.queue, "slow");
    assert_int_equal(third->job.state, ERRAND_SCHEDULED);
    assert_is(third->job.data, "{\"n\":3}");
    errand_detail_free(third);
}

TEST(a_member_adds_members_to_its_own_batch)
{
    const struct errand_dispatch_item members[] = {{"Grow", {0}, NULL}};
    const struct errand_dispatch_item tidy = {"Leaf", {0}, NULL};
    const struct errand_batch_options o = {.finally = &tidy};
    struct errand_batch_result *r;
    struct errand_error err = {0};
    struct errand_id id;

    assert_int_equal(errand_batch(store, members, 1, &o, &id, &err), 1);
    work_attempts(5);
    assert_int_equal(errand_batch_get(store, &id, &r, &err), 0);
    assert_int_equal(r->total, 3);
    assert_int_equal(r->successful, 3);
    errand_batch_result_free(r);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), 3);
}

TEST(a_handler_hears_why_a_job_was_not_stored)
{
    struct errand_id id = push("Clumsy", NULL, NULL);

    work_all();
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count_of("Leaf", ERRAND_READY), 0);
}

TEST(many_jobs_and_much_data_go_in_one_call)
{
    struct errand_id id = push("Flood", NULL, NULL);

    work_all();
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), MANY);
}

/* Jobs that were given ahead stand in the stream between a question and its answer. */
TEST(those_given_ahead_are_not_lost_while_one_asks)
{
    for (int i = 0; i < MANY; i++)
        push(i % 3 ? "Leaf" : "Forks", NULL, NULL);
    work((struct errand_worker_options){.stop_when_empty = true, .concurrency = 1});
    assert_int_equal(count_of("Forks", ERRAND_COMPLETED), MANY / 3);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), MANY);
}

TEST(a_hook_dispatches_anew_for_each_failure)
{
    struct errand_id id = push("Hooked", NULL, NULL);

    work_all();
    assert_state(id, ERRAND_FAILED);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), 1);
    usleep(2000); /* another failure is one at another time */
    retry(id);
    work_all();
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), 2);
}

/* ------------------------------------------------------------------ parents */

TEST(a_link_reads_what_the_one_before_it_left)
{
    const struct errand_dispatch_item links[] = {
        {"Next", {0}, NULL}, {"Next", {0}, NULL}, {"Next", {0}, NULL}};
    const struct errand_batch_options o = {.id = {"c"}};
    struct errand_error err = {0};

    assert_int_equal(errand_chain(store, links, 3, &o, NULL, &err), 3);
    work_all();
    assert_left((struct errand_id){"c/3"}, "3");
}

TEST(a_node_reads_results_by_name)
{
    static const char *const both[] = {"left", "right", NULL};
    const struct errand_flow_node nodes[] = {
        {.name = "left", .job = "Echo", .data = errand_text("{\"a\":\"l\"}")},
        {.name = "right", .job = "Echo", .data = errand_text("[2]")},
        {.name = "join", .job = "Join", .after = both}};
    const struct errand_batch_options o = {.id = {"f"}};
    struct errand_error err = {0};

    assert_int_equal(errand_flow(store, nodes, 3, &o, NULL, &err), 3);
    work_all();
    assert_left((struct errand_id){"f/join"}, "{\"left\":{\"a\":\"l\"},\"right\":[2]}");
}

TEST(the_failure_job_of_a_batch_learns_what_failed)
{
    const struct errand_dispatch_item members[] = {
        {"Echo", errand_text("{\"userId\":1}"), NULL},
        {"Hopeless", errand_text("{\"userId\":2}"), NULL}};
    const struct errand_dispatch_item report = {
        "Report", {0}, &(struct errand_options){.id = {"report"}}};
    const struct errand_batch_options o = {
        .name = "import", .allow_failures = true, .on_failure = &report};
    struct errand_error err = {0};

    assert_int_equal(errand_batch(store, members, 2, &o, NULL, &err), 2);
    work_all();
    assert_left((struct errand_id){"report"},
                "[\"import\",2,1,1,\"Hopeless\",{\"userId\":2},\"no such user\"]");
}

TEST(a_node_for_a_failure_learns_its_error)
{
    static const char *const pay[] = {"pay", NULL};
    const struct errand_flow_node nodes[] = {
        {.name = "pay", .job = "Hopeless"},
        {.name = "excuse", .job = "Excuse", .after_failure = pay}};
    const struct errand_batch_options o = {.id = {"f"}};
    struct errand_error err = {0};

    assert_int_equal(errand_flow(store, nodes, 2, &o, NULL, &err), 2);
    work_all();
    assert_left((struct errand_id){"f/excuse"}, "\"no such user\"");
}

/* ------------------------------------------------------------------ in this process */

TEST(a_drained_job_asks_as_one_in_a_worker_does)
{
    const struct errand_dispatch_item links[] = {
        {"Next", {0}, NULL}, {"Grow", {0}, NULL}, {"Next", {0}, NULL}};
    const struct errand_batch_options o = {.id = {"c"}};
    struct errand_error err = {0};
    struct errand_drained drained;

    assert_int_equal(errand_chain(store, links, 3, &o, NULL, &err), 3);
    assert_int_equal(errand_drain(store, NULL, &drained, &err), 0);
    usleep(30000); /* Grow tries again after 20 ms */
    assert_int_equal(errand_drain(store, NULL, &drained, &err), 0);
    assert_left((struct errand_id){"c/1"}, "1");
    assert_state((struct errand_id){"c/3"}, ERRAND_COMPLETED);
    assert_int_equal(count_of("Leaf", ERRAND_COMPLETED), 2);
}

WORK_MAIN()
