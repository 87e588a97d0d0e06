/* spawn.c: what a child is when it starts. */
#include "worker/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "support/test.h"
#include "worker/capture.h"

static struct errand_arena *arena;

static int setup(void **state)
{
    (void)state;
    return (arena = er_arena_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}

TEST_FIXTURE(setup, teardown)

static struct er_child start(const char *script, int out)
{
    char *argv[] = {"sh", "-c", (char *)script, NULL};
    char **envp = er_environ_build(NULL, NULL, arena);
    struct errand_error err = {0};
    struct er_child child = {.pidfd = -1};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct er_spawn spawn = {.path = "/bin/sh",
                             .argv = argv,
                             .envp = envp,
                             .fds = {null, out < 0 ? null : out, null},
                             .fds_n = 3};

    if (er_spawn(&spawn, &child, &err) < 0)
        fail_msg("%s", err.message);
    close(null);
    return child;
}

static int end(struct er_child *child)
{
    struct rusage usage;
    int status = -1;

    assert_int_equal(
        poll(&(struct pollfd){.fd = child->pidfd, .events = POLLIN}, 1, 10000), 1);
    assert_true(er_child_reap(child, &status, &usage));
    er_child_done(child);
    return status;
}

/* What the script prints. */
static const char *said(const char *script)
{
    static char text[8192];
    struct er_child child;
    size_t len = 0;
    ssize_t n;
    int pair[2];

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    child = start(script, pair[1]);
    close(pair[1]);
    while ((n = read(pair[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    close(pair[0]);
    text[len] = '\0';
    end(&child);
    return text;
}

TEST(a_child_leads_a_session_of_its_own)
{
    long pid, session;

    assert_int_equal(
        sscanf(said("cut -d' ' -f1,6 /proc/$$/stat"), "%ld %ld", &pid, &session), 2);
    assert_int_equal(pid, session);
    assert_int_not_equal(session, getsid(0));
}

TEST(a_child_gains_no_privileges_and_leaves_no_core)
{
    assert_string_equal(
        said("grep NoNewPrivs /proc/self/status | tr -d '\\t'; ulimit -c"),
        "NoNewPrivs:1\n0\n");
}

TEST(signals_are_as_for_a_fresh_program)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigset_t block, mask;
    const char *text;

    sigaction(SIGPIPE, &ignore, &before);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &mask);
    text = said("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'");
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGPIPE, &before, NULL);
    assert_string_equal(text, "SigBlk:0000000000000000\nSigIgn:0000000000000000\n");
}

TEST(only_the_descriptors_given_are_open)
{
    int open_here =
        open("/dev/null", O_RDONLY); /* not close-on-exec, as in a careless host */
    const char *text = said("exec ls /proc/self/fd");

    close(open_here);
    assert_string_equal(text, "0\n1\n2\n3\n"); /* 3: that folder */
}

TEST(a_program_that_cannot_be_executed_is_an_error_here)
{
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    struct errand_error err = {0};
    struct er_child child;
    struct er_spawn spawn = {.path = "/no/such/program", .argv = argv, .envp = envp};

    assert_int_equal(er_spawn(&spawn, &child, &err), ERRAND_EIO);
    assert_int_equal(err.sys, ENOENT);
    assert_non_null(strstr(err.message, "/no/such/program"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

TEST(a_signal_reaches_the_whole_group)
{
    struct er_child child = start("sleep 100 & sleep 100", -1);
    int status;

    er_child_signal(&child, SIGKILL);
    status = end(&child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* The parent is a process of its own, so that this test outlives it. */
TEST(a_child_dies_with_its_parent)
{
    int pair[2];
    char byte;
    pid_t parent;

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    if ((parent = fork()) == 0) {
        close(pair[0]);
        start("exec sleep 100", pair[1]); /* holds the writing end */
        kill(getpid(), SIGKILL);
    }
    close(pair[1]);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(poll(&(struct pollfd){.fd = pair[0], .events = POLLIN}, 1, 5000), 1);
    assert_int_equal(read(pair[0], &byte, 1), 0); /* end of file: nobody is left */
    close(pair[0]);
}

TEST(what_runs_away_is_found_by_its_mark)
{
    struct er_child child;
    pid_t known[1];
    int pair[2];
    char byte;

    er_adopt_begin();
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    child = start("setsid sleep 100 & exit 0", pair[1]);
    close(pair[1]);
    end(&child);
    known[0] = 1;
    /* It becomes our child when its parent is gone; that may take a moment. */
    for (int i = 0; i < 1000; i++) {
        er_adopt_sweep(known, 1);
        if (poll(&(struct pollfd){.fd = pair[0], .events = POLLIN}, 1, 5) == 1)
            break;
    }
    assert_int_equal(read(pair[0], &byte, 1), 0);
    close(pair[0]);
    for (int i = 0; i < 1000 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
        usleep(1000);
}

/* ------------------------------------------------------------------ capture */

TEST(what_is_short_is_kept_whole)
{
    struct er_capture c;
    struct errand_slice text;

    er_capture_init(&c);
    er_capture_add(&c, "hello ", 6);
    er_capture_add(&c, "world", 5);
    text = er_capture_text(&c, arena);
    assert_int_equal(text.len, 11);
    assert_memory_equal(text.ptr, "hello world", 11);
    er_capture_done(&c);
}

/* Whatever the sizes of the pieces: the first bytes, the last bytes, and a mark. */
TEST(what_is_long_keeps_both_ends)
{
    static const size_t pieces[] = {1, 7, 100, 4096, 32767, 65536, 200000};
    static char bytes[200000];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 26);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct er_capture c;
        struct errand_slice text;

        er_capture_init(&c);
        for (size_t at = 0; at < sizeof bytes; at += pieces[p])
            er_capture_add(&c, bytes + at,
                           pieces[p] < sizeof bytes - at ? pieces[p] : sizeof bytes - at);
        text = er_capture_text(&c, arena);
        assert_true(text.len <= 65536);
        assert_memory_equal(text.ptr, bytes, ER_CAPTURE_HALF);
        assert_memory_equal(text.ptr + text.len - ER_CAPTURE_HALF,
                            bytes + sizeof bytes - ER_CAPTURE_HALF, ER_CAPTURE_HALF);
        er_capture_done(&c);
    }
}

TEST(the_last_line_is_what_counts)
{
    struct errand_slice text = {"one\ntwo\n\n", 9};
    struct errand_slice line = er_last_line(text, 100);

    assert_int_equal(line.len, 3);
    assert_memory_equal(line.ptr, "two", 3);
    assert_int_equal(er_last_line((struct errand_slice){0}, 100).len, 0);
    assert_int_equal(er_last_line(text, 2).len, 2);
}

TEST_MAIN()
