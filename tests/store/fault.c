/* fault.c: every writing operation fails once, before its commit or after it, on its
 * first, second and third use, and the caller repeats it: nothing is lost, and nothing is
 * done twice where an id, a token or a name makes the call repeatable.
 *
 * A driver calls er_failpoint("NAME-before-commit") and ("NAME-after-commit") with the
 * operation's name in the vtable. Failpoints are read once a process, so each case runs
 * in a child of its own. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "store/fault.h"
#include "store/support.h"

enum { SKIPPED = 77 };

#ifdef ERRAND_FAILPOINTS

/* ------------------------------------------------------------------ running them */

/* In a child, which leaves by _exit: cmocka's own end of a failed assertion would run the
 * parent's tests again. */
static void run_case(size_t i, const char *where, int nth)
{
    char point[96];

    snprintf(point, sizeof point, "%s-%s-commit=error@%d", fault_cases[i].operation,
             where, nth);
    setenv("ERRAND_FAILPOINTS", point, 1);
    is_after = strcmp(where, "after") == 0;
    store_setup(NULL);
    fault_cases[i].run();
    assert_int_equal(faults, 1);
    store_teardown(NULL);
}

static size_t case_i;
static const char *case_where;
static int case_nth;

static void child_test(void **state)
{
    (void)state;
    run_case(case_i, case_where, case_nth);
}

/* What a child says is shown when it fails. */
static int in_child(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(child_test)};
    FILE *said = tmpfile();
    int status = -1, c;
    pid_t pid;

    assert_non_null(said);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fileno(said), STDOUT_FILENO);
        dup2(fileno(said), STDERR_FILENO);
        status = cmocka_run_group_tests(tests, NULL, NULL);
        fflush(NULL);
        _exit(status ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rewind(said);
    while (status && (c = getc(said)) != EOF)
        fputc(c, stderr);
    fclose(said);
    return status;
}

static void all_cases(const char *where)
{
    int failures = 0;

    case_where = where;
    for (case_i = 0; case_i < fault_cases_n; case_i++)
        for (case_nth = 1 + fault_cases[case_i].first; case_nth <= 3; case_nth++)
            if (in_child() != 0) {
                print_error("%s, call %d fails %s its commit\n",
                            fault_cases[case_i].operation, case_nth, where);
                failures++;
            }
    assert_int_equal(failures, 0);
}

TEST(a_call_that_fails_before_its_commit_has_done_nothing)
{
    all_cases("before");
}

TEST(a_call_that_fails_after_its_commit_can_be_repeated)
{
    all_cases("after");
}

TEST_MAIN()

#else

int main(void)
{
    printf("needs a build with -Dfailpoints=true\n");
    return SKIPPED;
}

#endif
