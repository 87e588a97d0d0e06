/* input.c: what an attacker and a clumsy user put in: text that speaks to terminals,
 * handlers that forge the runner's frames, files that are no store. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
    assert_true(world_drained(&w, 20000));
    assert_int_equal(world_count(&w, ERRAND_COMPLETED), 50);
    assert_int_equal(world_count(&w, ERRAND_FAILED), 1);
    assert_int_equal(process_wait(worker, 1), -1);
    kill(worker, SIGTERM);
    assert_int_equal(process_wait(worker, 10000), 0);
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

TEST_MAIN()
