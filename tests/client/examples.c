/* examples.c: the programs of examples/ do what they say. */
#include "support/test.h"

#include <limits.h>
#include <sys/wait.h>

#include "client/client.h"

static char folder[64];

static int run(const char *program, const char *arguments)
{
    char text[PATH_MAX];
    int status;

    snprintf(text, sizeof text, "cd %s && %s/examples/%s %s >out.txt 2>&1", folder,
             getenv("ERRAND_BUILD"), program, arguments);
    status = system(text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int64_t count(const char *file, const char *name, enum errand_state state)
{
    struct errand_filter filter = {.name = name, .states = 1u << state};
    struct errand_error err = {0};
    char url[128];
    int64_t n = -1;
    errand *e;

    snprintf(url, sizeof url, "sqlite:%s/%s", folder, file);
    if (!(e = errand_open(url, NULL, &err)) ||
        er_store_count(er_client_store(e), &filter, 0, &n, &err) < 0)
        fail_msg("%s", err.message);
    errand_close(e);
    return n;
}

static void need_sqlite(void)
{
    struct errand_error err = {0};
    errand *e = errand_open("sqlite:no/such/folder/x.db", NULL, &err);

    errand_close(e);
    if (strstr(err.message, "no store of the kind"))
        skip(); /* not built in */
}

static int setup(void **state __attribute__((unused)))
{
    strcpy(folder, "/tmp/errand-examples-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state __attribute__((unused)))
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

TEST_FIXTURE(setup, teardown)

TEST(the_dispatch_example_leaves_five_jobs)
{
    need_sqlite();
    assert_int_equal(run("dispatch", "sqlite:jobs.db"), 0);
    assert_int_equal(count("jobs.db", "send-welcome-email", ERRAND_SCHEDULED), 1);
    assert_int_equal(count("jobs.db", "sync-user", ERRAND_READY), 1);
    assert_int_equal(count("jobs.db", "process-order", ERRAND_READY), 3);
}

TEST(the_transaction_example_leaves_a_job_only_when_it_commits)
{
    need_sqlite();
    assert_int_equal(run("transaction", "shop.db rollback"), 0);
    assert_int_equal(count("shop.db", "process-order", ERRAND_READY), 0);
    assert_int_equal(run("transaction", "shop.db commit"), 0);
    assert_int_equal(count("shop.db", "process-order", ERRAND_READY), 1);
}

TEST(an_example_that_fails_says_so)
{
    assert_int_equal(run("dispatch", "nothing:x"), 1);
}

TEST_MAIN()
