/* Waking: another process hears of a commit at once, and nobody is left registered. */
#include "store/sqlite/files.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

TEST_FIXTURE(files_setup, files_teardown)

enum { PATIENCE_MS = 10000 };

/* A child that does one thing when it is told to. No connection is open at the fork. */
static pid_t child_start(void (*act)(void), int *ret_go)
{
    int fds[2];
    pid_t pid;
    char go;

    assert_int_equal(pipe(fds), 0);
    if ((pid = fork()) == 0) {
        close(fds[1]);
        if (read(fds[0], &go, 1) != 1)
            _exit(1);
        act();
        _exit(0);
    }
    close(fds[0]);
    *ret_go = fds[1];
    return pid;
}

static void child_go(pid_t pid, int go)
{
    int status;

    assert_int_equal(write(go, "x", 1), 1);
    close(go);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool is_readable(struct errand_conn *conn, int timeout_ms)
{
    struct pollfd p = {.fd = driver->wait_fd(conn, &err), .events = POLLIN};

    assert_true(p.fd >= 0);
    return poll(&p, 1, timeout_ms) == 1;
}

static void push_by_library(void)
{
    struct errand_conn *conn = open_ok();

    push_ok(conn);
    driver->close(conn);
}

static void push_by_sql(void)
{
    sqlite3 *db = plain_open(file);

    plain_exec(db, "INSERT INTO push(name) VALUES('plain')");
    sqlite3_close(db);
}

static void wakes(void (*act)(void))
{
    struct errand_conn *conn;
    int go;
    pid_t pid;

    driver->close(open_ok());
    pid = child_start(act, &go);
    conn = open_ok();
    assert_int_equal(driver->wait_arm(conn, ERRAND_WAIT_READY, &err), 0);
    assert_int_equal(reserve(conn, 1).jobs_n, 0);
    assert_false(is_readable(conn, 0));
    child_go(pid, go);
    /* Plain SQL may need three looks: the event of the log comes before the commit. */
    for (int looks = 0; looks < 5; looks++) {
        assert_true(is_readable(conn, PATIENCE_MS));
        assert_int_equal(driver->wait_arm(conn, ERRAND_WAIT_READY, &err), 0);
        if (reserve(conn, 1).jobs_n == 1)
            break;
    }
    assert_int_equal(count(conn, 1u << ERRAND_RUNNING), 1);
    driver->close(conn);
}

TEST(a_push_of_another_process_wakes)
{
    wakes(push_by_library);
}

TEST(plain_sql_of_another_process_wakes)
{
    wakes(push_by_sql);
}

/* Is anybody registered as asleep? */
static bool somebody_sleeps(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 8};
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s-wake", file);
    fd = open(path, O_RDWR);
    assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
    close(fd);
    return lock.l_type != F_UNLCK;
}

static void arm_and_die(void)
{
    struct errand_conn *conn = open_ok();

    if (driver->wait_arm(conn, ERRAND_WAIT_READY, &err) == 0 && somebody_sleeps())
        kill(getpid(), SIGKILL);
}

TEST(a_sleeper_that_was_killed_is_not_registered)
{
    int status, go;
    pid_t pid = child_start(arm_and_die, &go);

    assert_int_equal(write(go, "x", 1), 1);
    close(go);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_false(somebody_sleeps());
}

TEST(arming_for_nothing_says_that_nobody_sleeps)
{
    struct errand_conn *conn = open_ok();

    assert_int_equal(driver->wait_arm(conn, ERRAND_WAIT_READY | ERRAND_WAIT_ENDED, &err),
                     0);
    assert_true(somebody_sleeps());
    assert_int_equal(driver->wait_arm(conn, 0, &err), 0);
    assert_false(somebody_sleeps());
    driver->close(conn);
}

/* An idle look writes nothing, or two idle workers would wake each other for ever. */
TEST(a_look_that_finds_nothing_changes_nothing)
{
    struct errand_conn *conn = open_ok();
    struct stat before, after;
    char path[128];

    push_ok(conn);
    reserve(conn, 1);
    reserve(conn, 1);
    snprintf(path, sizeof path, "%s-wal", file);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(reserve(conn, 1).jobs_n, 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    driver->close(conn);
}

TEST_MAIN()
