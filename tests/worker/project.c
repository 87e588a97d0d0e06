/* project.c: what a program and its project can run, as the supervisor sees it: without
 * loading a job file in its own process. */
#include "worker/runner.h"

#include <fcntl.h>
#include <unistd.h>

#include "errand/job.h"
#include "support/test.h"
#include "worker/place.h"

static int handle(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
static void failed(errand_job *job, const struct errand_error *error)
{
    (void)job;
    (void)error;
}
ERRAND_JOB(LinkedIn, .handle = handle, .failed = failed, .queue = "fast", .tries = 7,
           .timeout = 1.5, .backoff = ERRAND_BACKOFF(60, 300), .unique = "user:{id}")

static struct errand_arena *arena;
static struct er_jobs_about jobs;

static int setup(void **state)
{
    (void)state;
    place_make();
    unsetenv("CC");
    arena = er_arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    place_remove();
    return 0;
}
TEST_FIXTURE(setup, teardown)

static void describe(void)
{
    struct errand_error err = {0};

    if (er_project_describe(place, arena, &jobs, &err) < 0)
        fail_msg("%s", err.message);
}

static const struct er_job_about *found(const char *name)
{
    const struct er_job_about *job = er_jobs_about_find(&jobs, name);

    if (!job)
        fail_msg("no job '%s'", name);
    return job;
}

static void assert_error(const char *name, const char *part)
{
    const struct er_job_about *job = found(name);

    if (!job->error || !strstr(job->error, part))
        fail_msg("error of '%s' is: %s", name, job->error ? job->error : "none");
}

TEST(linked_classes_are_known_with_their_options)
{
    const struct er_job_about *job;

    assert_int_equal(er_project_describe(NULL, arena, &jobs, NULL), 0);
    assert_int_equal(jobs.jobs_n, 1);
    job = found("linked-in");
    assert_string_equal(job->name, "LinkedIn");
    assert_string_equal(job->key, "linkedin");
    assert_string_equal(job->path, "");
    assert_int_equal(job->source, ER_JOB_LINKED);
    assert_null(job->error);
    assert_string_equal(job->options.queue, "fast");
    assert_int_equal(job->options.tries, 7);
    assert_int_equal(job->options.timeout_ms, 1500);
    assert_int_equal(job->options.backoff.list_n, 2);
    assert_string_equal(job->options.unique, "user:{id}");
    assert_int_equal(job->options.unique_until, ERRAND_UNIQUE_DONE);
    assert_int_equal(job->options.hooks, ER_HOOK_FAILED);
    assert_false(job->options.has & ER_OPT_PRIORITY);
}

TEST(executables_are_known_by_their_header_line)
{
    const struct er_job_about *job;
    char path[256];

    place_write("app/Jobs/send-report.sh",
                "#!/bin/sh\n# errand: queue=reports tries=2 timeout=90 hooks=failed\n",
                0755);
    place_write("app/Jobs/plain", "#!/bin/sh\n", 0755);
    assert_int_equal(er_project_scan(place, arena, &jobs, NULL), 0);
    assert_int_equal(jobs.jobs_n, 2);
    job = found("SendReport");
    snprintf(path, sizeof path, "%s/app/Jobs/send-report.sh", place);
    assert_string_equal(job->name, "send-report");
    assert_string_equal(job->path, path);
    assert_int_equal(job->source, ER_JOB_EXECUTABLE);
    assert_string_equal(job->options.queue, "reports");
    assert_int_equal(job->options.tries, 2);
    assert_int_equal(job->options.timeout_ms, 90000);
    assert_int_equal(job->options.hooks, ER_HOOK_FAILED);
    assert_int_equal(found("plain")->options.has, 0);
}

TEST(what_is_no_job_is_left_alone)
{
    char path[256];

    place_write("app/Jobs/.hidden", "#!/bin/sh\n", 0755);
    place_write("app/Jobs/old.sh~", "#!/bin/sh\n", 0755);
    place_write("app/Jobs/shared.h", "", 0755);
    place_write("app/Jobs/Later.ts", "", 0755);
    place_write("app/Jobs/notes.txt", "remember\n", 0644);
    snprintf(path, sizeof path, "%s/app/Jobs/sub", place);
    assert_int_equal(mkdir(path, 0755), 0);
    place_write("app/Jobs/sub/inner.sh", "#!/bin/sh\n", 0755);
    describe();
    assert_int_equal(jobs.jobs_n, 1); /* the linked one */
}

TEST(a_script_that_cannot_run_says_how_to_mend_it)
{
    place_write("app/Jobs/forgotten.sh", "#!/bin/sh\n", 0644);
    place_write("app/Jobs/open.sh", "#!/bin/sh\n", 0777);
    place_write("app/Jobs/wrong.sh", "#!/bin/sh\n# errand: tries=many\n", 0755);
    place_write("app/Jobs/my job.sh", "#!/bin/sh\n", 0755);
    describe();
    assert_error("forgotten", "mend it: chmod +x app/Jobs/forgotten.sh");
    assert_error("open", "mend it: chmod go-w app/Jobs/open.sh");
    assert_error("wrong", "app/Jobs/wrong.sh: line 2");
    assert_int_equal(jobs.jobs_n, 5);
    assert_non_null(jobs.jobs[0].error); /* "my job" has no key and comes first */
}

TEST(a_c_file_is_described_by_a_child_and_then_from_its_cache)
{
    const struct er_job_about *job;

    place_count_compiler();
    place_job("mail.c", "SendMail", "[1]");
    describe();
    job = found("send-mail");
    assert_null(job->error);
    assert_int_equal(job->source, ER_JOB_C_FILE);
    assert_string_equal(job->options.queue, "files");
    assert_int_equal(place_calls(), 1);

    describe();
    assert_null(found("send-mail")->error);
    assert_int_equal(place_calls(), 1);

    place_job("mail.c", "SendLetter", "[1]");
    describe();
    assert_null(er_jobs_about_find(&jobs, "send-mail"));
    assert_null(found("send-letter")->error);
    assert_int_equal(place_calls(), 2);
}

TEST(a_c_file_that_does_not_compile_is_known_by_its_file_name)
{
    place_job("good.c", "Good", "[1]");
    place_write("app/Jobs/resize.c", "int broken(\n", 0644);
    for (int i = 0; i < 2; i++) {
        describe();
        assert_error("resize", "app/Jobs/resize.c:1:");
        assert_null(found("good")->error);
    }
}

TEST(two_owners_of_one_name_are_an_error_that_names_both)
{
    place_job("linked_in.c", "linked_in", "[1]");
    place_write("app/Jobs/linked-in.sh", "#!/bin/sh\n", 0755);
    describe();
    assert_int_equal(jobs.jobs_n, 3);
    assert_null(found("LinkedIn")->error);
    assert_null(found("linked_in")->error);
    assert_string_equal(found("linked_in")->path, "");
    for (size_t i = 0; i < 3; i++)
        if (jobs.jobs[i].path[0])
            assert_non_null(
                strstr(jobs.jobs[i].error, "is also 'LinkedIn' of the program"));
}

static void damage(const char *path)
{
    assert_int_equal(truncate(path, 20), 0);
}

TEST(a_cache_that_is_damaged_is_made_again)
{
    place_job("mail.c", "SendMail", "[1]");
    describe();
    place_each(".json", damage);
    describe();
    assert_null(found("send-mail")->error);
}

TEST(a_project_that_is_not_there_is_an_error_that_names_it)
{
    struct errand_error err = {0};

    assert_true(er_project_describe("/nowhere/at/all", arena, &jobs, &err) < 0);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

TEST(jobs_that_print_when_loaded_do_not_spoil_the_description)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)ER_DESCRIBE_ARG, place, NULL};
    char text[4096];

    place_write("app/Jobs/noise.c",
                "#include <errand.h>\n#include <stdio.h>\n"
                "static int h(errand_job *j, struct errand_error *e)"
                "{ (void)j; (void)e; return 0; }\n"
                "__attribute__((constructor)) static void f(void) { puts(\"noise\"); }\n"
                "ERRAND_JOB(Noise, .handle = h)\n",
                0644);
    describe();
    assert_null(found("noise")->error);
    assert_int_equal(place_output(argv, text, sizeof text), 0);
    assert_non_null(strstr(text, "\"name\":\"Noise\""));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_DESCRIBE_ARG) == 0)
        return er_describe_main(argc, argv);
    return er_test_main(argc, argv);
}
