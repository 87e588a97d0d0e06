/* input.c: what an attacker and a clumsy user put in: text that speaks to terminals,
 * handlers that forge the runner's frames, files that are no store. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "break.h"

static void file_put(const struct world *w, const char *name, const void *bytes,
                     size_t len, mode_t mode)
{
    char path[300];
    int fd;

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_true((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) >= 0);
    assert_int_equal(write(fd, bytes, len), (long)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void folder_put(const struct world *w, const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void script_put(const struct world *w, const char *name, const char *text)
{
    folder_put(w, "app");
    folder_put(w, "app/Jobs");
    file_put(w, name, text, strlen(text), 0755);
}

/* No byte that a terminal could take for an order: line feeds and tabs alone. */
static void assert_harmless(const char *text)
{
    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') || *p == 127 ||
            ((unsigned char)*p == 0xc2 && (unsigned char)p[1] < 0xa0))
            fail_msg("byte 0x%02x in '%.80s'", (unsigned char)*p, p);
}

/* ------------------------------------------------------------------ secrets */

static const char peeking[] = "#!/bin/sh\n"
                              "# errand: tries=1\n"
                              "cat /proc/$PPID/environ && exit 1\n"
                              "cat /proc/$PPID/maps && exit 1\n"
                              "exit 0\n";

/* The environment of the supervisor may hold what a handler is not given. */
TEST(a_handler_cannot_look_into_its_supervisor)
{
    const char *const work[] = {"queue:work", "--stop-when-empty", NULL};
    char out[8192], path[200];
    struct world w;

    if (getuid() != 0)
        skip();
    world_make(&w, "peeking");
    script_put(&w, "app/Jobs/peek.sh", peeking);
    push_jobs(&w, "peek", "null", 1);
    snprintf(path, sizeof path, "%s/jobs.db", w.dir);
    assert_int_equal(chown(path, 65534, 65534), 0);
    snprintf(path, sizeof path, "%s/jobs.db-wake", w.dir);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(chown(w.dir, 65534, 65534), 0);
    assert_int_equal(world_run_as_nobody(&w, work, out, sizeof out), 0);
    assert_non_null(strstr(out, "peek"));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 1);
    world_free(&w);
}

/* ------------------------------------------------------------------ text */

static const char loud[] =
    "#!/bin/sh\n"
    "# errand: tries=1\n"
    "echo '{\"progress\":50,\"note\":\"\\u001b[31m\\u009b2J\"}' >&3\n"
    "printf '\\033]0;owned\\007 \\302\\233 \\377\\376 \\000\\n'\n"
    "printf '\\033[2Jlast words \\302\\2332J \\342\\200\\256 \\302'\n"
    "exit 1\n";

TEST(no_job_speaks_to_a_terminal)
{
    const char *const dispatch[] = {"queue:dispatch", "loud",
                                    "{\"a\":\"\\u001b[31m\\u202e\"}", NULL};
    const char *const work[] = {"queue:work", "--stop-when-empty", NULL};
    const char *const list[] = {"queue:list", NULL};
    const char *const failed[] = {"queue:failed", NULL};
    const char *inspect[] = {"queue:inspect", NULL, NULL};
    char out[65536], id[64];
    struct world w;

    world_make(&w, "loud");
    script_put(&w, "app/Jobs/loud.sh", loud);
    assert_int_equal(world_run(&w, dispatch, id, sizeof id), 0);
    id[strcspn(id, "\n")] = '\0';
    inspect[1] = id;
    assert_int_equal(world_run(&w, work, out, sizeof out), 0);
    assert_non_null(strstr(out, "last words"));
    assert_harmless(out);
    assert_int_equal(world_run(&w, list, out, sizeof out), 0);
    assert_harmless(out);
    assert_int_equal(world_run(&w, failed, out, sizeof out), 0);
    assert_harmless(out);
    assert_int_equal(world_run(&w, inspect, out, sizeof out), 0);
    assert_non_null(strstr(out, "last words"));
    assert_harmless(out);
    world_free(&w);
}

/* ------------------------------------------------------------------ forged frames */

static void forged(const char *how)
{
    const char *const work[] = {"queue:work", "--concurrency=1", "--lease=5", NULL};
    struct world w;
    char data[64];
    pid_t worker;

    world_make(&w, how);
    /* Quick ones first, so that the worker hands others ahead, in slots 21 and on. */
    push_jobs(&w, "forge", "{\"how\":\"nothing\"}", 10);
    push_jobs(&w, "work", "{\"ms\":0}", 10);
    snprintf(data, sizeof data, "{\"how\":\"%s\",\"slot\":22}", how);
    push_jobs(&w, "forge", data, 1);
    push_jobs(&w, "work", "{\"ms\":0}", 30);
    worker = world_start(&w, work);
    assert_true(world_drained(&w, PATIENCE_MS));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 50);
    assert_int_equal(world_count(&w, ERRAND_FAILED), 1);
    assert_int_equal(process_wait(worker, 1), -1);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, PATIENCE_MS), 0);
    /* Each job that counts as done did run. */
    assert_int_equal(world_judge(&w).started, 10 + 40 + 2);
    world_free(&w);
}

TEST(an_answer_for_a_later_job_costs_the_forger_alone)
{
    forged("later");
}

TEST(a_frame_without_measure_costs_the_forger_alone)
{
    forged("huge");
}

TEST(text_on_the_socket_costs_the_forger_alone)
{
    forged("text");
}

TEST(a_second_hello_costs_the_forger_alone)
{
    forged("hello");
}

/* ------------------------------------------------------------------ stores */

static void put_env(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* With ERRAND_SHIM_… set to this; -1: this build has no shim. */
static int shim_run(struct world *w, const char *const *args, const char *name,
                    const char *value, char *out, size_t size)
{
    const char *shim = getenv("ERRAND_BREAK_SHIM");
    int code;

    if (!shim)
        return -1;
    put_env("LD_PRELOAD", shim);
    put_env(name, value);
    code = world_run(w, args, out, size);
    put_env(name, NULL);
    put_env("LD_PRELOAD", NULL);
    return code;
}

/* T18. */
TEST(t18_a_network_file_system_is_refused_unless_forced)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    const char *const work[] = {"queue:work", "--once", NULL};
    char out[8192];
    struct world w;
    int code;

    world_make(&w, "t18-network");
    push_jobs(&w, "noop", "null", 1);
    if ((code = shim_run(&w, dispatch, "ERRAND_SHIM_FS", "0x6969", out, sizeof out)) <
        0) {
        world_free(&w);
        skip();
    }
    assert_int_equal(code, 1);
    assert_non_null(strstr(out, w.dir));
    assert_non_null(strstr(out, "network file system (NFS)"));
    assert_non_null(strstr(out, "local disk"));
    assert_int_equal(shim_run(&w, work, "ERRAND_SHIM_FS", "0x6969", out, sizeof out), 1);
    assert_non_null(strstr(out, "network file system (NFS)"));
    assert_int_equal(shim_run(&w, dispatch, "ERRAND_SHIM_FS", "0xef53", out, sizeof out),
                     0);
    assert_int_equal(world_count(&w, ERRAND_READY), 2);
    file_put(&w, "errand.yml", "force: true\n", 12, 0600);
    assert_int_equal(shim_run(&w, dispatch, "ERRAND_SHIM_FS", "0x6969", out, sizeof out),
                     0);
    world_free(&w);
}

/* T47 in small: the Nth call for memory of a dispatch fails, for every N there is. */
TEST(t47_a_dispatch_without_memory_says_so_or_is_done)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", "{\"a\":1}", NULL};
    const long step = scaled(7, 1);
    long done = 0, refused = 0;
    char out[8192], number[24];
    struct world w;

    world_make(&w, "t47");
    push_jobs(&w, "noop", "null", 1);
    if (!getenv("ERRAND_BREAK_SHIM")) {
        world_free(&w);
        skip();
    }
    for (long n = 1; n < 5000 && done < 20; n += step) {
        int code;
        snprintf(number, sizeof number, "%ld", n);
        code = shim_run(&w, dispatch, "ERRAND_SHIM_MALLOC", number, out, sizeof out);
        if (code != 0 && (code >= 128 || !strstr(out, "errand: ")))
            fail_msg("call %ld: exit %d, '%s'", n, code, out);
        refused += code != 0;
        done += code == 0;
        /* Said to be done is done, and nothing else is there. */
        assert_int_equal(world_count(&w, ERRAND_READY), 1 + done);
    }
    printf("  %ld refused, %ld done\n", refused, done);
    assert_true(refused > 0);
    world_free(&w);
}

static void copy_with(const struct world *w, const char *name, const char *bytes,
                      size_t len)
{
    char log[64];

    for (const char *const *end = (const char *const[]){"-wal", "-shm", NULL}; *end;
         end++) {
        char path[300];
        snprintf(log, sizeof log, "%s%s", name, *end);
        snprintf(path, sizeof path, "%s/%s", w->dir, log);
        unlink(path);
    }
    file_put(w, name, bytes, len, 0600);
}

/* The whole store, with nothing left in its log. */
static size_t store_bytes(struct world *w, char **ret)
{
    char path[300];

    snprintf(path, sizeof path, "%s/jobs.db", w->dir);
    return file_read(path, ret);
}

static void assert_one_of_ours(int code, const char *out, size_t page)
{
    if ((code != 0 && code != 1) || strstr(out, "out of memory") ||
        (code == 1 && !strstr(out, "jobs.db")))
        fail_msg("page %zu: exit %d, '%s'", page, code, out);
}

TEST(a_broken_page_is_told_and_crashes_nothing)
{
    const char *const looks[][4] = {{"queue:status", NULL},
                                    {"queue:list", "--json", NULL},
                                    {"queue:dispatch", "noop", NULL},
                                    {"queue:retry", "--all", NULL}};
    enum { PAGE = 4096 };
    static char out[1 << 20];
    size_t len;
    struct world w;
    char *bytes;

    world_make(&w, "broken-page");
    push_jobs(&w, "noop", "{\"a\":1}", 200);
    len = store_bytes(&w, &bytes);
    assert_true(len > 10 * PAGE);
    for (size_t page = 0; page < len / PAGE; page++) {
        char saved[64], *at = bytes + page * PAGE;
        memcpy(saved, at, sizeof saved);
        for (int i = 0; i < 4; i++)
            at[world_random(&w, sizeof saved)] = (char)world_random(&w, 256);
        copy_with(&w, "jobs.db", bytes, len);
        for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
            assert_one_of_ours(world_run(&w, looks[i], out, sizeof out), out, page);
        memcpy(at, saved, sizeof saved);
    }
    copy_with(&w, "jobs.db", bytes, len);
    assert_int_equal(world_count(&w, ERRAND_READY), 200);
    free(bytes);
    world_free(&w);
}

TEST(what_is_no_store_is_refused_and_left_as_it_was)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    const char *const migrate[] = {"migrate", NULL};
    static const char text[] = "this is my diary, not a database\n";
    char out[8192], *after;
    size_t len;
    struct world w;

    world_make(&w, "no-store");
    file_put(&w, "jobs.db", text, sizeof text - 1, 0600);
    assert_int_equal(world_run(&w, dispatch, out, sizeof out), 1);
    assert_non_null(strstr(out, "not a database"));
    assert_int_equal(world_run(&w, migrate, out, sizeof out), 1);
    len = store_bytes(&w, &after);
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(after, text, len);
    free(after);
    world_free(&w);
}

/* SQLite would empty it. */
TEST(a_log_without_its_database_is_not_thrown_away)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    static const char log[] = "committed jobs";
    char out[8192], path[300], *after;
    struct world w;

    world_make(&w, "lone-log");
    file_put(&w, "jobs.db-wal", log, sizeof log - 1, 0600);
    assert_int_equal(world_run(&w, dispatch, out, sizeof out), 1);
    assert_non_null(strstr(out, "jobs.db-wal"));
    snprintf(path, sizeof path, "%s/jobs.db-wal", w.dir);
    assert_int_equal(file_read(path, &after), sizeof log - 1);
    free(after);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(world_run(&w, dispatch, out, sizeof out), 0);
    world_free(&w);
}

/* Else it would be accepted into a file that nobody can open any more. */
TEST(a_store_that_was_removed_accepts_nothing)
{
    struct errand_error err = {0};
    char path[300];
    struct world w;
    errand *e;

    world_make(&w, "removed");
    assert_non_null(e = errand_open(w.url, NULL, &err));
    assert_int_equal(errand_dispatch(e, "noop", "null", NULL, NULL, &err), 0);
    snprintf(path, sizeof path, "%s/jobs.db", w.dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(errand_dispatch(e, "noop", "null", NULL, NULL, &err),
                     ERRAND_EUNAVAILABLE);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "removed"));
    errand_close(e);
    world_free(&w);
}

/* ulimit -f: the signal for it must not end the command in the middle. */
TEST(a_file_that_may_not_grow_is_an_error_and_no_crash)
{
    const char *const dispatch[] = {"queue:dispatch", "noop", NULL};
    struct rlimit before, small;
    char out[8192];
    struct world w;
    int code;

    world_make(&w, "small-files");
    push_jobs(&w, "noop", "null", 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 8192, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    code = world_run(&w, dispatch, out, sizeof out);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    printf("  %s", out);
    assert_true(code == 1 || code == 75);
    assert_non_null(strstr(out, "jobs.db"));
    assert_int_equal(world_count(&w, ERRAND_READY), 1);
    world_free(&w);
}

TEST_MAIN()
