/* disk.c: a full disk, a file that cannot be written, another program that holds the
 * lock. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "break.h"

/* A store on a file system of `size`; false where we may not mount (then the test is
 * skipped, and says so). */
static bool mounted_world(struct world *w, const char *claim, const char *size)
{
    char options[64];

    world_make(w, claim);
    snprintf(options, sizeof options, "size=%s", size);
    return mount("none", w->dir, "tmpfs", MS_NOSUID, options) == 0;
}

static void unmounted_free(struct world *w)
{
    pid_t left[8];

    for (int i = 0; i < 50 && world_processes(w, left, 8); i++)
        sleep_ms(100);
    assert_int_equal(umount2(w->dir, MNT_DETACH), 0);
    world_free(w);
}

/* Dispatches jobs of 2 KiB until the store says no; how many it took. */
static long fill(errand *e, struct errand_error *err)
{
    char data[2100] = "\"";
    long n = 0;

    memset(data + 1, 'x', 2048);
    data[2049] = '"';
    while (n < 100000 && errand_dispatch(e, "noop", data, NULL, NULL, err) == 0)
        n++;
    return n;
}

/* Waits until nothing is left that could run now. The two are counted one after the other
 * and leases may run out in between, so it counts until neither has moved. */
static void work_off(struct world *w)
{
    int64_t until = mono_ms() + PATIENCE_MS;

    for (int still = 0; still < 3 && mono_ms() < until; sleep_ms(100))
        still = world_count(w, ERRAND_READY) + world_count(w, ERRAND_RUNNING) > 0
                    ? 0
                    : still + 1;
    assert_int_equal(world_count(w, ERRAND_READY), 0);
    assert_int_equal(world_count(w, ERRAND_RUNNING), 0);
}

/* T16. */
TEST(t16_a_full_disk_refuses_clearly_and_loses_nothing)
{
    const char *const work[] = {"queue:work", "--concurrency=3", "--lease=5", NULL};
    static char large[100000];
    const char *const dispatch[] = {"queue:dispatch", "noop", large, NULL};
    struct errand_error err = {0};
    char out[8192], ballast[200];
    struct world w;
    pid_t worker;
    errand *e;
    long n;
    int fd;

    if (!mounted_world(&w, "t16", "8m")) {
        world_free(&w);
        skip();
    }
    snprintf(ballast, sizeof ballast, "%s/ballast", w.dir);
    assert_true((fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
    close(fd);
    assert_non_null(e = errand_open(w.url, NULL, &err));
    for (int i = 0; i < 3; i++)
        assert_int_equal(errand_dispatch(e, "work", "{\"ms\":2000}", NULL, NULL, &err),
                         0);
    worker = world_start(&w, work);
    for (int64_t until = mono_ms() + PATIENCE_MS;
         world_count(&w, ERRAND_RUNNING) < 3 && mono_ms() < until;)
        sleep_ms(20);
    assert_int_equal(
        errand_dispatch(e, "quiet", "null",
                        &(struct errand_options){.queue = "later", .delay_ms = 3600000},
                        NULL, &err),
        0);
    n = fill(e, &err);
    printf("  %ld jobs, then: %s\n", n, err.message);
    assert_int_equal(err.code, ERRAND_EFULL);
    assert_true(err.retryable);
    memset(large, '1', sizeof large - 1);
    assert_int_equal(world_run(&w, dispatch, out, sizeof out), 75);
    assert_non_null(strstr(out, "full"));
    sleep_ms(5000);
    assert_int_equal(process_wait(worker, 1), -1); /* no crash */
    assert_int_equal(unlink(ballast), 0);
    work_off(&w); /* the delayed one stays */
    assert_int_equal(world_count(&w, ERRAND_FAILED), 0);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    errand_close(e);
    assert_true(world_said(&w, "full") <= 20); /* how often it complained */
    unmounted_free(&w);
}

TEST(t18_a_store_that_cannot_be_written_says_so_with_its_path)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    const char *const list[] = {"queue:status", NULL};
    char out[8192], file[200];
    struct world w;
    int code;

    if (getuid() != 0)
        skip();
    world_make(&w, "t18");
    push_jobs(&w, "noop", "null", 3);
    snprintf(file, sizeof file, "%s/jobs.db", w.dir);
    assert_int_equal(chmod(w.dir, 0755), 0);
    assert_int_equal(chmod(file, 0444), 0);
    code = world_run_as_nobody(&w, dispatch, out, sizeof out);
    printf("  read-only file: %s", out);
    assert_true(code == 1 || code == 75);
    assert_non_null(strstr(out, file));
    code = world_run_as_nobody(&w, list, out, sizeof out);
    printf("  looking at it: %s", out);
    assert_int_equal(chmod(file, 0000), 0);
    code = world_run_as_nobody(&w, dispatch, out, sizeof out);
    printf("  no permission: %s", out);
    assert_int_not_equal(code, 0);
    assert_non_null(strstr(out, file));
    world_free(&w);
}

/* A real `mount -o remount,ro` is refused while files are open for writing, so the shim
 * answers as the kernel does after an error of the disk. */
TEST(t18_a_file_system_that_turns_read_only_stops_nothing_for_good)
{
    const char *const work[] = {"queue:work", "--concurrency=1", "--lease=5", NULL};
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    const char *shim = getenv("ERRAND_BREAK_SHIM");
    char out[8192], mark[200];
    struct world w;
    pid_t worker;

    if (!shim)
        skip();
    world_make(&w, "t18-read-only");
    snprintf(mark, sizeof mark, "%s/read-only", w.dir);
    push_jobs(&w, "noop", "null", 1);
    setenv("LD_PRELOAD", shim, 1);
    setenv("ERRAND_SHIM_READONLY", mark, 1);
    worker = world_start(&w, work);
    assert_true(world_drained(&w, PATIENCE_MS));
    close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_not_equal(world_run(&w, dispatch, out, sizeof out), 0);
    printf("  %s", out);
    assert_non_null(strstr(out, w.dir));
    assert_non_null(strstr(out, "Read-only file system"));
    push_jobs(&w, "noop", "null", 5); /* from where it can still be written */
    sleep_ms(1500);
    assert_int_equal(process_wait(worker, 1), -1);
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 1);
    assert_int_equal(unlink(mark), 0);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 6);
    unsetenv("LD_PRELOAD");
    unsetenv("ERRAND_SHIM_READONLY");
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    world_free(&w);
}

/* T20. */
TEST(t20_a_lock_held_for_long_reaches_no_caller)
{
    const char *const work[] = {"queue:work", "--concurrency=2", "--lease=60", NULL};
    const long seconds = scaled(6, 20);
    pid_t workers[8], producers[4];
    const int workers_n = is_long() ? 8 : 3;
    struct verdict v;
    sqlite3 *db;
    struct world w;

    world_make(&w, "t20");
    er_store_close(world_store(&w));
    for (int i = 0; i < workers_n; i++)
        workers[i] = world_start(&w, work);
    for (int i = 0; i < 4; i++)
        producers[i] = world_produce(&w, 500, 1, "Work");
    sleep_ms(200);
    assert_int_equal(sqlite3_open(w.url + strlen("sqlite:"), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 30000);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    sleep_ms(seconds * 1000);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    for (int i = 0; i < 4; i++)
        assert_int_equal(process_wait(producers[i], PATIENCE_MS), 0);
    assert_true(world_drained(&w, PATIENCE_MS));
    for (int i = 0; i < workers_n; i++) {
        kill(workers[i], SIGTERM);
        assert_int_equal(process_wait(workers[i], PATIENCE_MS), 0);
    }
    v = world_judge(&w);
    assert_int_equal(v.accepted, 2000);
    assert_int_equal(v.completed, 2000);
    assert_int_equal(v.twice, 0);
    world_free(&w);
}

/* T22. The host forks with an open handle: the child is told so, the parent is unharmed.
 */
TEST(t22_a_fork_of_the_host_harms_nothing)
{
    struct errand_error err = {0};
    struct world w;
    errand *e;

    world_make(&w, "t22-fork");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    for (int i = 0; i < (int)scaled(100, 1000); i++) {
        int status;
        pid_t pid;
        assert_int_equal(errand_dispatch(e, "noop", "null", NULL, NULL, &err), 0);
        if ((pid = fork()) == 0) {
            int rc = errand_dispatch(e, "noop", "null", NULL, NULL, NULL);
            errand_close(e);
            _exit(rc == ERRAND_EFORKED ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
        assert_int_equal(errand_dispatch(e, "noop", "null", NULL, NULL, &err), 0);
    }
    errand_close(e);
    assert_int_equal(world_count(&w, ERRAND_READY), scaled(200, 2000));
    {
        const char *const args[] = {"queue:work", "--stop-when-empty", NULL};
        assert_int_equal(process_wait(world_start(&w, args), PATIENCE_MS), 0);
    }
    world_judge(&w);
    world_free(&w);
}

TEST_MAIN()
