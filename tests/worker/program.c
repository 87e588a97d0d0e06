/* program.c: a program of a user's own (examples/c-program) is its own command and its
 * own runner, linked with either library. */
#include "worker/drive.h"

#include "errand/job.h"
#include "worker/place.h"

static struct drive d;
static char program[4096];

static int setup(void **state)
{
    (void)state;
    place_make();
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
    place_remove();
    return 0;
}
TEST_FIXTURE(setup, teardown)

static void program_named(const char *name)
{
    const char *build = getenv("ERRAND_BUILD");

    snprintf(program, sizeof program, "%s/examples/%s", build ? build : "build", name);
}

static void run_jobs_of(const char *name)
{
    const char *about;
    struct er_frame_done done;

    program_named(name);
    place_job("mail.c", "SendMail", "[1]");
    place_write("words.txt", "one two\nthree\n", 0644);
    drive_start_program(&d, program, place, true);
    about = drive_hello(&d);
    assert_has(about, "\"name\":\"CountWords\",\"file\":\"\"");
    assert_has(about, "\"name\":\"ChargeCard\"");
    assert_has(about, "\"name\":\"SendMail\",\"file\":\"app/Jobs/mail.c\"");
    assert_has(about, "\"errors\":[]");

    drive_give(&d, 0, "count-words", "{\"file\":\"/nowhere\"}");
    done = drive_done(&d);
    assert_int_equal(done.verdict, ERRAND_RETRY);
    assert_text(done.error, "/nowhere: No such file or directory");
    drive_give(&d, 1, "send-mail", "{}");
    assert_text(drive_done(&d).result, "[1]"); /* the job file calls into the program */
    drive_stop(&d);
}

TEST(a_program_with_the_shared_library_runs_its_own_jobs_and_job_files)
{
    run_jobs_of("c-program");
}

TEST(a_program_with_the_static_library_runs_its_own_jobs_and_job_files)
{
    run_jobs_of("c-program-static");
}

TEST(it_describes_itself)
{
    char *argv[] = {program, (char *)ER_DESCRIBE_ARG, place, NULL};
    char text[4096];

    program_named("c-program");
    assert_int_equal(place_output(argv, text, sizeof text), 0);
    assert_has(text, "\"queue\":\"money\",\"tries\":5");
    assert_has(text, "\"hooks\":[\"failed\"]");
}

TEST(it_is_the_whole_command)
{
    char *argv[] = {program, (char *)"--version", NULL};
    char text[4096];

    program_named("c-program");
    assert_int_equal(place_output(argv, text, sizeof text), 0);
    assert_has(text, "0.");
}

TEST_MAIN()
