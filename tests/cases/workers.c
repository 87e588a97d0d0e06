/* workers.c: case 20, workers and managers inside a program. With `host` as its first
 * argument this program is one that has a main of its own. */
#include "cases/cases.h"

static int on_enter(errand_job *job, struct errand_error *error)
{
    double seconds = 0.05;

    if (errand_job_has(job, "seconds"))
        errand_job_double(job, "seconds", &seconds, error);
    ledger("+%s", errand_job_queue(job));
    usleep((useconds_t)(seconds * 1e6));
    ledger("-%s", errand_job_queue(job));
    return ERRAND_DONE;
}
ERRAND_JOB(Enter, .handle = on_enter)

/* The most that were inside at the same time, as the ledger has it. */
static int most_inside(const char *queue)
{
    size_t len = strlen(queue);
    int inside = 0, most = 0;

    for (const char *p = ledger_read(); *p; p += strcspn(p, "\n") + 1) {
        if (strcspn(p, "\n") != len + 1 || memcmp(p + 1, queue, len) != 0)
            continue;
        inside += *p == '+' ? 1 : -1;
        most = inside > most ? inside : most;
    }
    return most;
}

/* ------------------------------------------------------------------ the program */

static errand_manager *manager;

static void on_term(int signal)
{
    (void)signal;
    errand_worker_ask(errand_manager_worker(manager), ERRAND_WORKER_STOP);
}

static int host_main(void)
{
    struct errand_worker_options options = {.lease = 1};
    struct sigaction action = {.sa_handler = on_term};

    manager = errand_manager_new(getenv("ERRAND_URL"), NULL, &options, &err);
    if (!manager || errand_manager_add(manager, "default", 3, &err) < 0 ||
        errand_manager_add(manager, "emails", 2, &err) < 0 ||
        errand_manager_start(manager, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    sigaction(SIGTERM, &action, NULL);
    puts("working");
    fflush(stdout);
    if (errand_worker_wait(errand_manager_worker(manager), -1, &err) < 0)
        return 1;
    errand_manager_free(manager);
    return 0;
}

static pid_t host_start(void)
{
    pid_t pid = start("host", "mine host");

    UNTIL(strstr(sh("cat host.out").out, "working"));
    return pid;
}

/* ------------------------------------------------------------------ 20 */

CASE(case_20_a_worker_starts_works_and_stops)
{
    const char *const queues[] = {"default", "emails", NULL};
    struct errand_worker_options options = {
        .queues = queues, .concurrency = 5, .max_jobs = 1000};
    struct errand_worker_status status;
    errand_worker *worker = NULL;
    struct errand_id mine, other;

    assert_int_equal(errand_worker_start(case_url, NULL, &options, &worker, &err), 0);
    errand_worker_status(worker, &status);
    assert_true(status.is_running);
    mine = push("enter", "{}", &(struct errand_options){.queue = "emails"});
    other = push("enter", "{}", &(struct errand_options){.queue = "reports"});
    until_state(mine, ERRAND_COMPLETED);
    assert_int_equal(errand_worker_stop(worker, &err), 0);
    errand_worker_status(worker, &status);
    assert_false(status.is_running);
    errand_worker_free(worker);
    assert_state(other, ERRAND_READY);
}

CASE(case_20_pools_keep_to_three_two_and_one)
{
    static const char *const names[] = {"default", "emails", "reports"};
    errand_manager *m = errand_manager_new(case_url, NULL, NULL, &err);

    for (int i = 0; i < 3; i++)
        assert_int_equal(errand_manager_add(m, names[i], 3 - i, &err), 0);
    for (int i = 0; i < 45; i++)
        push("enter", "{}", &(struct errand_options){.queue = names[i % 3]});
    assert_int_equal(errand_manager_start(m, &err), 0);
    UNTIL(count(ERRAND_COMPLETED, NULL) == 45);
    assert_int_equal(errand_manager_stop(m, &err), 0);
    errand_manager_free(m);
    for (int i = 0; i < 3; i++)
        assert_int_equal(most_inside(names[i]), 3 - i);
}

CASE_SHARED(case_20_term_lets_a_running_job_end_and_leaves_nothing_reserved)
{
    struct errand_id id = push("enter", "{\"seconds\":2}", NULL);
    pid_t pid = host_start();

    UNTIL(ledger_count("+default") == 1);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid), 0);
    assert_state(id, ERRAND_COMPLETED);
    assert_int_equal(count(ERRAND_RUNNING, NULL), 0);
    assert_ledger("+default\n-default\n");
}

CASE_SHARED(case_20_after_a_kill_the_job_runs_again_when_its_lease_is_over)
{
    struct errand_id id = push("enter", "{\"seconds\":1}", NULL);
    pid_t pid = host_start();

    UNTIL(ledger_count("+default") == 1);
    kill(pid, SIGKILL);
    assert_int_equal(ended(pid), 128 + SIGKILL);
    pid = host_start();
    until_state(id, ERRAND_COMPLETED);
    assert_int_equal(look(id)->job.attempts, 2);
    assert_int_equal(ledger_count("+default"), 2);
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid), 0);
}

CASE_SHARED(case_20_three_workers_run_each_job_once)
{
    pid_t pids[3];
    const int n = 300;

    for (int i = 0; i < n; i++)
        push("enter", "{\"seconds\":0.001}", NULL);
    for (int i = 0; i < 3; i++)
        pids[i] = start("worker", "mine queue:work --stop-when-empty --concurrency=2");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ended(pids[i]), 0);
    assert_int_equal(count(ERRAND_COMPLETED, NULL), n);
    assert_int_equal(ledger_count("+default"), n);
    assert_int_equal(ledger_count("-default"), n);
}

int main(int argc, char **argv)
{
    errand_runner_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], "host") == 0)
        return host_main();
    if (argc > 1 && strcmp(argv[1], "-t") != 0)
        return errand_main(argc, argv);
    return er_test_main(argc, argv);
}
