/* exec.c: executables as jobs: what they get, and what is made of what they do. */
#include <signal.h>
#include <sys/wait.h>

#include "worker/place.h"
#include "worker/work.h"

static int setup(void **state)
{
    place_make();
    return work_setup(state);
}

static int teardown(void **state)
{
    place_remove();
    return work_teardown(state);
}

TEST_FIXTURE(setup, teardown)

/* Runs `script` as a job with these lines, once, and answers what is known of it. */
static struct errand_job_detail *run(const char *script, const char *data, int attempts)
{
    struct errand_id id;

    place_write("app/Jobs/thing.sh", script, 0755);
    id = push("thing", data, NULL);
    work((struct errand_worker_options){.project = place, .max_jobs = attempts});
    return look(id);
}

static void assert_file(const char *name, const char *text)
{
    char path[256], bytes[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", place, name);
    assert_non_null(f = fopen(path, "r"));
    n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    bytes[n] = '\0';
    assert_string_equal(bytes, text);
}

/* ------------------------------------------------------------------ what it gets */

TEST(data_comes_on_standard_input_byte_for_byte)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\ncat > got\n", "{\"a\" : 1,\n \"b\":\"\\u0000\"}", 1);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_file("got", "{\"a\" : 1,\n \"b\":\"\\u0000\"}");
    errand_detail_free(job);
}

TEST(the_environment_says_which_attempt_it_is)
{
    struct errand_job_detail *job = run(
        "#!/bin/sh\necho $ERRAND_JOB_ID $ERRAND_JOB_NAME $ERRAND_QUEUE $ERRAND_ATTEMPT "
        "$ERRAND_TRIES\necho deadline $ERRAND_DEADLINE\n",
        "{}", 1);
    char line[256];

    snprintf(line, sizeof line, "%s thing default 1 3\ndeadline 2", job->job.id.text);
    assert_holds(job->attempts[0].log, line);
    errand_detail_free(job);
}

/* T22: nothing of the supervisor's is open in it. */
TEST(it_finds_four_descriptors_and_no_more)
{
    struct errand_job_detail *job = run("#!/bin/sh\nexec ls /proc/self/fd\n", "{}", 1);

    assert_is(job->attempts[0].log, "0\n1\n2\n3\n4\n"); /* 4: that folder */
    errand_detail_free(job);
}

TEST(secrets_of_errand_are_not_handed_on)
{
    struct errand_job_detail *job;

    setenv("ERRAND_API_TOKEN", "hush", 1);
    setenv("ERRAND_URL", "redis://:hush@host/0", 1);
    setenv("HARMLESS", "yes", 1);
    job = run("#!/bin/sh\nenv\n", "{}", 1);
    unsetenv("ERRAND_API_TOKEN");
    unsetenv("ERRAND_URL");
    assert_holds(job->attempts[0].log, "HARMLESS=yes");
    assert_null(memmem(job->attempts[0].log.ptr, job->attempts[0].log.len, "hush", 4));
    errand_detail_free(job);
}

TEST(with_an_allow_list_only_that_is_inherited)
{
    static const char *const allow[] = {"PATH", NULL};
    struct errand_job_detail *job;
    struct errand_id id;

    setenv("HARMLESS", "yes", 1);
    place_write("app/Jobs/thing.sh", "#!/bin/sh\nenv\n", 0755);
    id = push("thing", "{}", NULL);
    work((struct errand_worker_options){
        .project = place, .max_jobs = 1, .env_allow = allow});
    job = look(id);
    assert_holds(job->attempts[0].log, "PATH=");
    assert_null(
        memmem(job->attempts[0].log.ptr, job->attempts[0].log.len, "HARMLESS", 8));
    errand_detail_free(job);
}

TEST(a_job_that_does_not_read_its_data_is_none_the_worse)
{
    static char data[1 << 20];
    struct errand_job_detail *job;

    memset(data, ' ', sizeof data - 1);
    data[0] = '[';
    data[sizeof data - 2] = ']';
    job = run("#!/bin/sh\nexit 0\n", data, 1);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ what it says */

TEST(the_last_json_line_on_descriptor_three_is_the_result)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\necho '{\"n\":1}' >&3\necho not json >&3\n"
            "echo '{\"progress\":40,\"note\":\"half\"}' >&3\nprintf '{\"n\":2}' >&3\n",
            "{}", 1);

    assert_is(job->job.result, "{\"n\":2}");
    errand_detail_free(job);
}

TEST(of_a_result_that_cannot_be_kept_the_log_tells)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\nhead -c 70000 /dev/zero | tr '\\0' 7 >&3\n"
            "echo >&3\necho nor this >&3\n",
            "{}", 1);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_int_equal(job->job.result.len, 0);
    assert_is(job->attempts[0].log,
              "[left out: the result has 70000 bytes, more than the 65536 kept]\n");
    errand_detail_free(job);
}

/* For the builds with sanitizers: a number that no int can hold. */
TEST(progress_without_measure_is_cut_to_what_there_is)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\nfor n in 1e300 -1e300 1e999 -0.0; do "
            "echo \"{\\\"progress\\\":$n}\" >&3; done\necho 7 >&3\n",
            "{}", 1);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_is(job->job.result, "7");
    errand_detail_free(job);
}

TEST(of_a_hundred_megabytes_of_output_the_ends_are_kept)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\necho first\nhead -c 100000000 /dev/zero | tr '\\0' x\necho\n"
            "echo last >&2\n",
            "{}", 1);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_true(job->attempts[0].log.len <= 65536);
    assert_holds(job->attempts[0].log, "first\nxxx");
    assert_holds(job->attempts[0].log, "bytes left out");
    assert_holds(job->attempts[0].log, "xxx\nlast\n");
    errand_detail_free(job);
}

TEST(exit_65_is_for_good)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\necho no such address\nexit 65\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].exit_code, 65);
    assert_is(job->job.error, "exited with code 65: no such address");
    errand_detail_free(job);
}

TEST(what_is_no_program_is_told_so)
{
    struct errand_job_detail *job = run("echo no first line\n", "{}", 1);
    char text[512];

    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_START);
    snprintf(text, sizeof text, "%.*s", (int)job->attempts[0].error.len,
             job->attempts[0].error.ptr);
    assert_non_null(strstr(text, "app/Jobs/thing.sh', whose first line names no program, "
                                 "as #!/bin/sh does: Exec format error"));
    errand_detail_free(job);
}

TEST(exit_75_asks_for_another_try)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=2 backoff=0.02\nexit 75\n", "{}", 2);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts_n, 2);
    assert_int_equal(job->attempts[0].outcome, ERRAND_OUT_RETRY);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_ERROR);
    errand_detail_free(job);
}

TEST(a_snooze_on_descriptor_three_costs_no_attempt)
{
    struct errand_job_detail *job = run("#!/bin/sh\n# errand: tries=1\n"
                                        "[ -e runs ] && exec echo 2 >>runs\n"
                                        "echo 1 >runs; echo '{\"snooze\":0.02}' >&3\n",
                                        "{}", 2);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    assert_int_equal(job->job.attempts, 1);
    assert_file("runs", "1\n2\n");
    errand_detail_free(job);
}

TEST(a_snooze_with_an_exit_that_fails_says_when_the_next_try_is)
{
    struct errand_job_detail *job = run("#!/bin/sh\n# errand: tries=2 backoff=5\n"
                                        "echo '{\"snooze\":3600}' >&3\nexit 75\n",
                                        "{}", 1);
    int64_t wait_ms = job->job.run_at_ms - job->attempts[0].ended_ms;

    assert_int_equal(job->attempts[0].outcome, ERRAND_OUT_RETRY);
    assert_int_equal(wait_ms, 3600000);
    errand_detail_free(job);
}

TEST(a_snooze_for_ever_is_a_failed_attempt)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=1\necho '{\"snooze\":1e12}' >&3\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_is(job->job.error,
              "it could not be put off: snooze: 1e+12 s is not from 0 to one year");
    errand_detail_free(job);
}

TEST(any_other_exit_is_a_failed_attempt)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=1\necho oh no >&2\nexit 3\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_EXIT);
    assert_is(job->job.error, "exited with code 3: oh no");
    errand_detail_free(job);
}

TEST(a_signal_is_a_failed_attempt_with_its_name)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=1\nkill -SEGV $$\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].signal, SIGSEGV);
    assert_holds(job->job.error, "killed by signal 11 (SIGSEGV)");
    errand_detail_free(job);
}

TEST(a_file_whose_interpreter_is_missing_is_a_failed_start)
{
    struct errand_job_detail *job = run("#!/no/such/shell\n# errand: tries=1\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_START);
    assert_holds(job->job.error, "No such file");
    errand_detail_free(job);
}

/* ------------------------------------------------------------------ its end */

TEST(a_time_out_ends_the_whole_group)
{
    struct errand_job_detail *job = run(
        "#!/bin/sh\n# errand: tries=1 timeout=0.2\nsleep 100 &\nsleep 100\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_int_equal(job->attempts[0].cause, ERRAND_CAUSE_TIMEOUT);
    assert_is(job->job.error, "timed out after 0.2 s");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    errand_detail_free(job);
}

/* Killed is not gone at once: whoever is its parent by now buries it, and that may be us.
 */
static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        waitpid(pid, NULL, WNOHANG);
        if (kill(pid, 0) < 0)
            return true;
        usleep(10000);
    }
    return false;
}

TEST(what_it_leaves_behind_does_not_outlive_it)
{
    struct errand_job_detail *job = run("#!/bin/sh\nsleep 100 &\necho $!\n", "{}", 1);
    long pid;

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    pid = strtol(job->attempts[0].log.ptr, NULL, 10);
    assert_true(pid > 1);
    assert_true(is_gone_soon((pid_t)pid));
    errand_detail_free(job);
}

TEST(its_failed_hook_gets_data_and_error)
{
    struct errand_id id;

    place_write(
        "app/Jobs/thing.sh",
        "#!/bin/sh\n# errand: tries=1 hooks=failed\n"
        "if [ \"$1\" = failed ]; then cat > hook; exit 0; fi\necho broken\nexit 1\n",
        0755);
    id = push("thing", "{\"a\":1}", NULL);
    work((struct errand_worker_options){.project = place, .stop_when_empty = true});
    assert_state(id, ERRAND_FAILED);
    assert_file("hook", "{\"data\":{\"a\":1},\"error\":\"exited with code 1: broken\"}");
}

TEST(its_timed_out_hook_runs_beside_the_stopping)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=1 timeout=0.2 hooks=timed-out\n"
            "if [ \"$1\" = timed-out ]; then cat > hook; exit 0; fi\nexec sleep 100\n",
            "{\"a\":1}", 1);

    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_file("hook", "{\"data\":{\"a\":1},\"error\":\"\"}");
    errand_detail_free(job);
}

TEST(a_command_is_run_in_the_project_folder)
{
    struct errand_id id = push(
        "run", "{}",
        &(struct errand_options){.command = "[\"sh\",\"-c\",\"pwd; echo $0\",\"a b\"]"});
    struct errand_job_detail *job;
    char text[128];

    work((struct errand_worker_options){.project = place, .max_jobs = 1});
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_COMPLETED);
    snprintf(text, sizeof text, "%s\na b\n", place);
    assert_is(job->attempts[0].log, text);
    errand_detail_free(job);
}

TEST(a_command_that_does_not_exist_is_a_failed_start)
{
    struct errand_id id =
        push("run", "{}",
             &(struct errand_options){.command = "[\"no-such-program\"]", .tries = 1});
    struct errand_job_detail *job;

    work_attempts(1);
    job = look(id);
    assert_int_equal(job->job.state, ERRAND_FAILED);
    assert_is(job->job.error, "no program 'no-such-program' in PATH");
    errand_detail_free(job);
}

TEST(memory_is_limited_when_asked)
{
    struct errand_job_detail *job =
        run("#!/bin/sh\n# errand: tries=1 memory=32\nulimit -v\n", "{}", 1);

    assert_int_equal(job->job.state, ERRAND_COMPLETED);
#ifndef __SANITIZE_ADDRESS__
    assert_is(job->attempts[0].log, "32768\n");
#endif
    errand_detail_free(job);
}

WORK_MAIN()
