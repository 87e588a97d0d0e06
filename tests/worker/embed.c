/* embed.c: workers on a thread of a program that has a main of its own. */
#include "worker/work.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "client/client.h"
#include "errand.h"
#include "support/folder.h"

/* ------------------------------------------------------------------ the jobs */

static int on_quick(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}

ERRAND_JOB(Quick, .handle = on_quick)

/* Takes its time. */
static int on_slow(errand_job *job, struct errand_error *err)
{
    double seconds = 0.3;

    if (errand_job_has(job, "seconds"))
        errand_job_double(job, "seconds", &seconds, err);
    usleep((useconds_t)(seconds * 1e6));
    return ERRAND_DONE;
}

ERRAND_JOB(Slow, .handle = on_slow)

/* ------------------------------------------------------------------ helpers */

TEST_FIXTURE(work_setup, work_teardown)

static struct errand_error why;

static errand_worker *start(struct errand_worker_options options)
{
    errand_worker *worker = NULL;

    if (!options.concurrency)
        options.concurrency = 1;
    if (errand_worker_start(store_url, NULL, &options, &worker, &why) < 0)
        fail_msg("starting: %s", why.message);
    return worker;
}

static enum errand_worker_state worker_state(errand_worker *worker)
{
    struct errand_worker_status status;

    errand_worker_status(worker, &status);
    return status.state;
}

static void assert_ends(struct errand_id id, enum errand_state state)
{
    int rc = errand_wait(store, &id, 10000, &why);

    if (rc < 0)
        fail_msg("waiting: %s", why.message);
    assert_int_equal(rc, state);
}

static void until_begun(struct errand_id id)
{
    for (int i = 0; i < 5000; i++, usleep(2000)) {
        if (state_of(id) != ERRAND_RUNNING)
            continue;
        usleep(30000); /* from the store to its runner */
        return;
    }
    fail_msg("it never began");
}

/* ------------------------------------------------------------------ start and stop */

TEST(start_returns_when_it_works_and_stop_when_it_has_ended)
{
    errand_worker *worker = start((struct errand_worker_options){0});
    struct errand_worker_status status;

    errand_worker_status(worker, &status);
    assert_true(status.is_running);
    assert_int_equal(status.runners_n, 1);
    assert_true(status.started_ms > 0);
    assert_ends(push("quick", "1", NULL), ERRAND_COMPLETED);
    assert_int_equal(errand_worker_stop(worker, &why), 0);
    errand_worker_status(worker, &status);
    assert_int_equal(status.state, ERRAND_WORKER_ENDED);
    assert_false(status.is_running);
    assert_int_equal(status.ended_n, 1);
    assert_string_equal(status.warning, "");
    assert_int_equal(errand_worker_stop(worker, &why), 0); /* again: nothing to do */
    errand_worker_free(worker);
}

TEST(stop_lets_a_running_job_end)
{
    errand_worker *worker = start((struct errand_worker_options){0});
    struct errand_id slow = push("slow", "{}", NULL), waits = push("slow", "{}", NULL);

    until_begun(slow);
    assert_int_equal(errand_worker_stop(worker, &why), 0);
    assert_ends(slow, ERRAND_COMPLETED);
    errand_worker_free(worker);
    worker = start((struct errand_worker_options){0}); /* and on it goes */
    assert_ends(waits, ERRAND_COMPLETED);
    errand_worker_free(worker);
}

TEST(what_does_not_end_in_the_grace_is_handed_back)
{
    errand_worker *worker = start((struct errand_worker_options){.grace = 0.05});
    struct errand_id slow = push("slow", "{\"seconds\":30}", NULL);
    struct errand_job_detail *d;

    until_begun(slow);
    assert_int_equal(errand_worker_stop(worker, &why), 0);
    errand_worker_free(worker);
    d = look(slow);
    assert_int_equal(d->job.state, ERRAND_READY);
    assert_int_equal(d->job.attempts, 0);
    errand_detail_free(d);
}

TEST(a_worker_that_ends_by_itself_can_be_waited_for)
{
    errand_worker *worker;

    push("slow", "{}", NULL);
    worker = start((struct errand_worker_options){.stop_when_empty = true});
    assert_int_equal(errand_worker_wait(worker, 1, &why), ERRAND_ETIMEOUT);
    assert_int_equal(errand_worker_wait(worker, 10000, &why), 0);
    assert_int_equal(worker_state(worker), ERRAND_WORKER_ENDED);
    errand_worker_free(worker);
}

TEST(two_workers_run_in_one_process)
{
    static const char *const left[] = {"left", NULL}, *const right[] = {"right", NULL};
    errand_worker *a = start((struct errand_worker_options){.queues = left});
    errand_worker *b = start((struct errand_worker_options){.queues = right});
    const struct errand_options to_left = {.queue = "left"},
                                to_right = {.queue = "right"};
    struct errand_worker_status status;

    assert_ends(push("quick", "1", &to_left), ERRAND_COMPLETED);
    assert_ends(push("quick", "1", &to_right), ERRAND_COMPLETED);
    assert_ends(push("quick", "1", &to_right), ERRAND_COMPLETED);
    errand_worker_free(a);
    assert_ends(push("quick", "1", &to_right), ERRAND_COMPLETED);
    assert_int_equal(errand_worker_stop(b, &why), 0);
    errand_worker_status(b, &status);
    assert_int_equal(status.ended_n, 3);
    errand_worker_free(b);
}

/* ------------------------------------------------------------------ asking */

static errand_worker *asked;
static volatile sig_atomic_t signals_n;

static void on_term(int signal)
{
    (void)signal;
    signals_n++;
    errand_worker_ask(asked, ERRAND_WORKER_STOP);
}

TEST(signals_stay_with_the_program_and_its_handler_may_ask_to_stop)
{
    struct sigaction mine = {.sa_handler = on_term}, before, then[32], now;

    sigaction(SIGTERM, &mine, &before);
    for (int n = 1; n < 32; n++)
        sigaction(n, NULL, &then[n]);
    asked = start((struct errand_worker_options){0});
    for (int n = 1; n < 32; n++)
        if (sigaction(n, NULL, &now) == 0)
            assert_true(now.sa_handler == then[n].sa_handler);
    kill(getpid(), SIGTERM);
    assert_int_equal(errand_worker_wait(asked, 10000, &why), 0);
    assert_int_equal(signals_n, 1);
    errand_worker_free(asked);
    sigaction(SIGTERM, &before, NULL);
}

TEST(a_quiet_worker_takes_nothing_until_it_is_resumed)
{
    errand_worker *worker = start((struct errand_worker_options){0});
    struct errand_id id;

    errand_worker_ask(worker, ERRAND_WORKER_QUIET);
    usleep(50000); /* it is asked, not waited for */
    id = push("quick", "1", NULL);
    assert_int_equal(errand_wait(store, &id, 200, &why), ERRAND_ETIMEOUT);
    errand_worker_ask(worker, ERRAND_WORKER_RESUME);
    assert_ends(id, ERRAND_COMPLETED);
    errand_worker_free(worker);
}

TEST(asked_to_stop_now_it_waits_for_nobody)
{
    errand_worker *worker = start((struct errand_worker_options){0});
    struct errand_id slow = push("slow", "{\"seconds\":30}", NULL);

    until_begun(slow);
    errand_worker_ask(worker, ERRAND_WORKER_STOP_NOW);
    assert_int_equal(errand_worker_wait(worker, 5000, &why), 0);
    errand_worker_free(worker);
}

/* ------------------------------------------------------------------ what goes wrong */

static void assert_does_not_start(const char *url, struct errand_worker_options options,
                                  int code, const char *says)
{
    errand_worker *worker = (errand_worker *)&why;

    why = (struct errand_error){0};
    assert_int_equal(errand_worker_start(url, NULL, &options, &worker, &why), code);
    if (!strstr(why.message, says))
        fail_msg("'%s' is not in '%s'", says, why.message);
    assert_ptr_equal(worker, &why);
}

TEST(what_cannot_work_is_an_error_of_start)
{
    assert_does_not_start("nowhere:", (struct errand_worker_options){0}, ERRAND_EINVAL,
                          "nowhere");
    assert_does_not_start(store_url,
                          (struct errand_worker_options){.project = "/no/such/folder"},
                          ERRAND_ENOTFOUND, "/no/such/folder");
    setenv("TEST_RUNNER", "broken", 1);
    assert_does_not_start(store_url, (struct errand_worker_options){0}, ERRAND_EIO,
                          "exited with code 7");
    unsetenv("TEST_RUNNER");
}

/* It would start itself without end. */
TEST(a_program_whose_main_is_no_runner_is_told_so)
{
    setenv("TEST_RUNNER", "stray", 1);
    assert_does_not_start(store_url, (struct errand_worker_options){0}, ERRAND_EIO,
                          "errand_runner_main");
    unsetenv("TEST_RUNNER");
}

TEST(the_child_of_a_fork_leaves_the_worker_alone)
{
    errand_worker *worker = start((struct errand_worker_options){0});
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        int rc = errand_worker_stop(worker, NULL);

        errand_worker_free(worker);
        _exit(rc == ERRAND_EFORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ends(push("quick", "1", NULL), ERRAND_COMPLETED);
    errand_worker_free(worker);
    errand_worker_free(NULL);
}

/* ------------------------------------------------------------------ pools */

/* How many run at a time on a queue is seen from outside: each puts a file there. */
static int on_present(errand_job *job, struct errand_error *err)
{
    char path[300];
    const char *folder;

    if (errand_job_string(job, "folder", &folder, err) < 0)
        return ERRAND_FAIL;
    snprintf(path, sizeof path, "%s/%s-%s", folder, errand_job_queue(job),
             errand_job_id(job));
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    usleep(40000);
    unlink(path);
    return ERRAND_DONE;
}

ERRAND_JOB(Present, .handle = on_present)

static int present_n(const char *folder, const char *queue)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);
    int n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        n += strncmp(entry->d_name, queue, strlen(queue)) == 0;
    closedir(dir);
    return n;
}

static const char *const pool_names[] = {"default", "emails", "reports"};

static bool all_are_done(void)
{
    struct errand_filter left = {.states = 1u << ERRAND_READY | 1u << ERRAND_RUNNING};
    int64_t n;

    assert_int_equal(er_store_count(er_client_store(store), &left, 0, &n, &why), 0);
    return n == 0;
}

TEST(each_pool_of_a_manager_keeps_to_its_own_places)
{
    errand_manager *m = errand_manager_new(store_url, NULL, NULL, &why);
    char folder[FOLDER_MAX], data[FOLDER_MAX + 20];
    int most[3] = {0};

    assert_int_equal(folder_make(folder, "pools"), 0);
    snprintf(data, sizeof data, "{\"folder\":\"%s\"}", folder);
    for (int i = 0; i < 3; i++)
        assert_int_equal(errand_manager_add(m, pool_names[i], 3 - i, &why), 0);
    for (int i = 0; i < 30; i++)
        push("present", data, &(struct errand_options){.queue = pool_names[i % 3]});
    assert_int_equal(errand_manager_start(m, &why), 0);
    for (int i = 0; i < 5000 && !all_are_done(); i++, usleep(2000))
        for (int k = 0; k < 3; k++) {
            int n = present_n(folder, pool_names[k]);

            most[k] = n > most[k] ? n : most[k];
        }
    assert_true(all_are_done());
    for (int k = 0; k < 3; k++)
        assert_int_equal(most[k], 3 - k);
    assert_int_equal(errand_manager_stop(m, &why), 0);
    errand_manager_free(m);
    assert_int_equal(folder_remove(folder), 0);
}

TEST(a_pool_that_is_full_holds_nobody_up)
{
    errand_manager *m = errand_manager_new(store_url, NULL, NULL, &why);
    struct errand_id id = {{0}};

    for (int i = 0; i < 8; i++)
        push("slow", "{\"seconds\":1}", &(struct errand_options){.queue = "emails"});
    assert_int_equal(errand_manager_add(m, "emails", 1, &why), 0);
    assert_int_equal(errand_manager_add(m, "default,other", 1, &why), 0);
    assert_int_equal(errand_manager_start(m, &why), 0);
    for (int i = 0; i < 20; i++)
        id =
            push("quick", "1", &(struct errand_options){.queue = i % 2 ? "other" : NULL});
    assert_int_equal(errand_wait(store, &id, 900, &why), ERRAND_COMPLETED);
    errand_worker_ask(errand_manager_worker(m), ERRAND_WORKER_STOP_NOW);
    errand_manager_free(m);
}

TEST(a_manager_starts_again_after_a_stop_and_says_what_it_cannot_do)
{
    errand_manager *m = errand_manager_new(store_url, NULL, NULL, &why);

    assert_null(errand_manager_worker(m));
    assert_int_equal(errand_manager_stop(m, &why), 0);
    assert_int_equal(errand_manager_start(m, &why), ERRAND_EINVAL);
    assert_int_equal(errand_manager_add(m, "no way", 1, &why), ERRAND_EINVAL);
    assert_int_equal(errand_manager_add(m, "a,,b", 1, &why), ERRAND_EINVAL);
    assert_int_equal(errand_manager_add(m, "a", -1, &why), ERRAND_EINVAL);
    assert_int_equal(errand_manager_add(m, "default", 0, &why), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(errand_manager_start(m, &why), 0);
        assert_int_equal(errand_manager_start(m, &why), ERRAND_ECONFLICT);
        assert_int_equal(errand_manager_add(m, "b", 1, &why), ERRAND_ECONFLICT);
        assert_ends(push("quick", "1", NULL), ERRAND_COMPLETED);
        assert_int_equal(errand_manager_stop(m, &why), 0);
    }
    errand_manager_free(m);
    errand_manager_free(NULL);
}

/* What a program does that has not read the manual. */
static int stray_main(void)
{
    errand_worker *worker;
    struct errand_error err = {0};

    return errand_worker_start("memory:stray", NULL, NULL, &worker, &err) < 0 ? 3 : 0;
}

int main(int argc, char **argv)
{
    const char *kind = getenv("TEST_RUNNER");

    if (kind && argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return strcmp(kind, "stray") == 0 ? stray_main() : 7;
    errand_runner_main(argc, argv);
    return er_test_main(argc, argv);
}
