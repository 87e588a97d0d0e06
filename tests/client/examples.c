/* examples.c: the programs of examples/ do what they say. */
#include "support/test.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"
#include "support/folder.h"

static char folder[FOLDER_MAX];

/* Its exit status; what it prints goes nowhere. */
static int run(const char *program, char *first, char *second)
{
    char path[PATH_MAX];
    char *argv[] = {path, first, second, NULL};
    int status;
    pid_t pid;

    snprintf(path, sizeof path, "%s/examples/%s", getenv("ERRAND_BUILD"), program);
    if ((pid = fork()) == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
            chdir(folder) < 0)
            _exit(127);
        execv(path, argv);
        _exit(127);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
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
    return folder_make(folder, "examples");
}

static int teardown(void **state __attribute__((unused)))
{
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

TEST(the_dispatch_example_leaves_five_jobs)
{
    need_sqlite();
    assert_int_equal(run("dispatch", "sqlite:jobs.db", NULL), 0);
    assert_int_equal(count("jobs.db", "send-welcome-email", ERRAND_SCHEDULED), 1);
    assert_int_equal(count("jobs.db", "sync-user", ERRAND_READY), 1);
    assert_int_equal(count("jobs.db", "process-order", ERRAND_READY), 3);
}

TEST(the_transaction_example_leaves_a_job_only_when_it_commits)
{
    need_sqlite();
    assert_int_equal(run("transaction", "shop.db", "rollback"), 0);
    assert_int_equal(count("shop.db", "process-order", ERRAND_READY), 0);
    assert_int_equal(run("transaction", "shop.db", "commit"), 0);
    assert_int_equal(count("shop.db", "process-order", ERRAND_READY), 1);
}

TEST(an_example_that_fails_says_so)
{
    assert_int_equal(run("dispatch", "nothing:x", NULL), 1);
}

TEST_MAIN()
