/* handlers.h: the job classes of the runner under test, and the runner of each test. */
#ifndef ER_TESTS_WORKER_HANDLERS_H
#define ER_TESTS_WORKER_HANDLERS_H

#include "worker/drive.h"

#include <time.h>

#include "errand/job.h"

/* ------------------------------------------------------------------ handlers */

static int noop(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(Noop, .handle = noop, .queue = "tiny", .tries = 5)

/* Says what it was given as its result. */
static int echo(errand_job *job, struct errand_error *err)
{
    char json[512];

    snprintf(json, sizeof json, "[\"%s\",\"%s\",\"%s\",%d,%d,%s]", errand_job_id(job),
             errand_job_name(job), errand_job_queue(job), errand_job_attempt(job),
             errand_job_tries(job), errand_job_data(job).ptr);
    return errand_job_result(job, json, err) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(EchoBack, .handle = echo)

static int values(errand_job *job, struct errand_error *err)
{
    const char *what, *text;
    long long number;
    double real;
    bool yes;
    int rc = -1;

    if (errand_job_string(job, "what", &what, err) < 0)
        return ERRAND_FAIL;
    if (strcmp(what, "int") == 0 && (rc = errand_job_int(job, "v", &number, err)) == 0)
        printf("%lld", number);
    if (strcmp(what, "double") == 0 &&
        (rc = errand_job_double(job, "v", &real, err)) == 0)
        printf("%g", real);
    if (strcmp(what, "bool") == 0 && (rc = errand_job_bool(job, "v", &yes, err)) == 0)
        printf("%s", yes ? "yes" : "no");
    if (strcmp(what, "text") == 0 && (rc = errand_job_string(job, "v", &text, err)) == 0)
        printf("%s", text);
    if (strcmp(what, "has") == 0)
        rc = printf("%s", errand_job_has(job, "v") ? "yes" : "no") < 0;
    return rc < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(Values, .handle = values)

/* {"do": "…"}: what handlers do that they should not, and what they may. */
static int act(errand_job *job, struct errand_error *err)
{
    const char *what = "";
    long long n = 0;

    errand_job_string(job, "do", &what, NULL);
    errand_job_int(job, "n", &n, NULL);
    if (strcmp(what, "retry") == 0)
        return errand_error_set(err, 7, "try %lld later", n), ERRAND_RETRY;
    if (strcmp(what, "fail-silently") == 0)
        return ERRAND_FAIL;
    if (strcmp(what, "nonsense") == 0)
        return 99;
    if (strcmp(what, "snooze") == 0)
        return errand_job_snooze(job, 1.5, err) < 0 ? ERRAND_FAIL : ERRAND_SNOOZE;
    if (strcmp(what, "snooze-blindly") == 0)
        return ERRAND_SNOOZE;
    if (strcmp(what, "bad-result") == 0)
        return errand_job_result(job, "{\"a\":}", err) < 0 ? ERRAND_FAIL : ERRAND_DONE;
    if (strcmp(what, "abort") == 0)
        abort();
    if (strcmp(what, "exit") == 0)
        exit((int)n);
    if (strcmp(what, "print") == 0)
        printf("out "), fflush(stdout), fprintf(stderr, "err "), printf("end\n");
    if (strcmp(what, "log") == 0)
        errand_job_log(job, "line %lld", n);
    if (strcmp(what, "flood") == 0)
        for (long long i = 0; i < n; i++)
            printf("line %07lld\n", i);
    if (strcmp(what, "words-and-abort") == 0)
        printf("last words\n"), abort();
    if (strcmp(what, "sleep") == 0)
        usleep((useconds_t)n * 1000);
    if (strcmp(what, "burn") == 0)
        for (clock_t end = clock() + n * (CLOCKS_PER_SEC / 1000); clock() < end;)
            ;
    if (strcmp(what, "wait-to-stop") == 0)
        while (!errand_job_stopping(job))
            usleep(1000);
    if (strcmp(what, "progress") == 0)
        for (int i = 0; i <= 100; i++)
            errand_job_progress(job, i, i == 100 ? "all" : "some", NULL);
    if (strcmp(what, "fork-and-return") == 0) {
        pid_t child = fork();
        if (child != 0)
            waitpid(child, NULL, 0);
    }
    if (strcmp(what, "close-socket") == 0)
        close(ER_FD_SOCKET);
    return ERRAND_DONE;
}

static void act_failed(errand_job *job, const struct errand_error *error)
{
    printf("failed hook of %s: %s\n", errand_job_id(job), error->message);
}

static void act_timed_out(errand_job *job)
{
    printf("timed out hook of attempt %d\n", errand_job_attempt(job));
}
ERRAND_JOB(Act, .handle = act, .failed = act_failed, .timed_out = act_timed_out)

static int descriptors(errand_job *job, struct errand_error *err)
{
    char open_ones[64] = "[";
    size_t len = 1;

    for (int fd = 0; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            len += (size_t)snprintf(open_ones + len, sizeof open_ones - len, "%s%d",
                                    len > 1 ? "," : "", fd);
    snprintf(open_ones + len, sizeof open_ones - len, "]");
    return errand_job_result(job, open_ones, err) < 0 ? ERRAND_FAIL : ERRAND_DONE;
}
ERRAND_JOB(Descriptors, .handle = descriptors)

/* ------------------------------------------------------------------ fixture */

static struct drive d;

static int setup(void **state)
{
    (void)state;
    drive_start(&d, NULL, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (d.pid > 0) {
        kill(d.pid, SIGKILL);
        waitpid(d.pid, NULL, 0);
        d.pid = 0;
    }
    return 0;
}
TEST_FIXTURE(setup, teardown)

static struct er_frame_done run(const char *name, const char *data)
{
    drive_give(&d, 0, name, data);
    return drive_done(&d);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    return er_test_main(argc, argv);
}

#endif
