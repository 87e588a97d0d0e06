/* failpoint.c: the points are read once per process, so each claim has its own child. */
#include "support/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"

/* Passes `name` n times in a child under this setting: a digit each pass, or the exit
 * status in `*ret_status` when the child did not come back. */
static void passes(const char *setting, const char *name, int n, char *ret,
                   int *ret_status)
{
    int fds[2], status;
    ssize_t len;
    pid_t pid;

    (void)name; /* a build without failpoints looks at none */
    assert_int_equal(pipe(fds), 0);
    assert_true((pid = fork()) >= 0);
    if (pid == 0) {
        if (setting)
            setenv("ERRAND_FAILPOINTS", setting, 1);
        else
            unsetenv("ERRAND_FAILPOINTS");
        for (int i = 0; i < n; i++) {
            char answer = er_failpoint(name) ? '1' : '0';
            if (write(fds[1], &answer, 1) != 1)
                _exit(99);
        }
        _exit(0);
    }
    close(fds[1]);
    len = read(fds[0], ret, (size_t)n);
    /* The child may write byte by byte: read on to the end. */
    for (ssize_t more = len; more > 0 && len < n; len += more)
        if ((more = read(fds[0], ret + len, (size_t)(n - len))) < 0)
            more = 0;
    ret[len > 0 ? len : 0] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret_status = status;
}

static void assert_passes(const char *setting, const char *name, const char *expected,
                          int exit_code)
{
    char got[16];
    int status;

#ifndef ERRAND_FAILPOINTS
    (void)exit_code;
    passes(setting, name, 5, got, &status);
    assert_string_equal(got, "00000");
    expected = expected + 5;
    skip();
#else
    passes(setting, name, 5, got, &status);
    assert_string_equal(got, expected);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), exit_code);
#endif
}

TEST(without_a_setting_nothing_fails)
{
    assert_passes(NULL, "in-settle", "00000", 0);
    assert_passes("", "in-settle", "00000", 0);
}

TEST(an_error_happens_once_at_the_first_pass)
{
    assert_passes("in-settle=error", "in-settle", "10000", 0);
}

TEST(a_number_says_which_pass_fails)
{
    assert_passes("in-settle=error@3", "in-settle", "00100", 0);
}

TEST(other_names_pass)
{
    assert_passes("in-settle=error", "in-settl", "00000", 0);
    assert_passes("in-settle=error", "in-settle2", "00000", 0);
}

TEST(exit_ends_the_process_as_kill_would)
{
    assert_passes("after-reserve=exit@2", "after-reserve", "0", 137);
}

TEST(several_points_are_told_apart)
{
    assert_passes("a=error@2;b=error@4;", "b", "00010", 0);
}

/* A test that injects nothing because of a slip in its setting must not pass. */
TEST(a_setting_that_cannot_be_read_ends_the_process)
{
#ifdef ERRAND_FAILPOINTS
    const char *bad[] = {"in-settle", "in-settle=explode"};
    char got[16];
    int status;

    for (size_t i = 0; i < 2; i++) {
        passes(bad[i], "in-settle", 1, got, &status);
        assert_true(WIFSIGNALED(status));
        assert_string_equal(got, "");
    }
#else
    skip();
#endif
}

TEST_MAIN()
