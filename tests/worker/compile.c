/* compile.c: C job files of a project, compiled and loaded by real runners. */
#include "worker/drive.h"
#include "worker/place.h"

#include <time.h>
#include <unistd.h>

#include "errand/job.h"

static int linked(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    return ERRAND_DONE;
}
ERRAND_JOB(LinkedIn, .handle = linked)

static struct drive d, other;

static int setup(void **state)
{
    (void)state;
    unsetenv("CC");
    unsetenv("ERRAND_FAILPOINTS");
    place_make();
    return 0;
}

static void drive_kill(struct drive *drive)
{
    if (drive->pid > 0) {
        kill(drive->pid, SIGKILL);
        waitpid(drive->pid, NULL, 0);
        drive->pid = 0;
    }
}

static int teardown(void **state)
{
    (void)state;
    drive_kill(&d);
    drive_kill(&other);
    place_remove();
    return 0;
}
TEST_FIXTURE(setup, teardown)

static const char *start(struct drive *drive)
{
    drive_start(drive, place, true);
    return drive_hello(drive);
}

static const char *answer(struct drive *drive, const char *name)
{
    static char text[256];
    struct er_frame_done done;

    drive_give(drive, 0, name, "{}");
    done = drive_done(drive);
    if (done.verdict != ERRAND_DONE)
        snprintf(text, sizeof text, "verdict %d: %.*s", done.verdict, (int)done.error.len,
                 done.error.ptr);
    else
        snprintf(text, sizeof text, "%.*s", (int)done.result.len,
                 done.result.len ? done.result.ptr : "");
    return text;
}

TEST(a_job_file_is_compiled_and_runs)
{
    const char *about;

    place_job("mail.c", "SendMail", "[1]");
    about = start(&d);
    assert_has(about, "{\"name\":\"LinkedIn\",\"file\":\"\"");
    assert_has(about, "{\"name\":\"SendMail\",\"file\":\"app/Jobs/mail.c\"");
    assert_has(about, "\"queue\":\"files\"");
    assert_has(about, "\"errors\":[]");
    assert_string_equal(answer(&d, "send-mail"), "[1]");
    assert_string_equal(answer(&d, "linked-in"), "");
    drive_stop(&d);
}

TEST(an_unchanged_file_is_compiled_once)
{
    place_count_compiler();
    place_job("mail.c", "SendMail", "[1]");
    for (int i = 0; i < 3; i++) {
        start(&d);
        assert_string_equal(answer(&d, "SendMail"), "[1]");
        drive_stop(&d);
    }
    assert_int_equal(place_calls(), 1);
}

TEST(runners_that_start_together_compile_once)
{
    place_count_compiler();
    place_job("mail.c", "SendMail", "[1]");
    drive_start(&d, place, true);
    drive_start(&other, place, true);
    drive_hello(&d);
    drive_hello(&other);
    assert_string_equal(answer(&d, "SendMail"), "[1]");
    assert_string_equal(answer(&other, "SendMail"), "[1]");
    assert_int_equal(place_calls(), 1);
    drive_stop(&d);
    drive_stop(&other);
}

TEST(a_changed_file_is_fresh_in_a_new_runner_and_old_in_the_old)
{
    place_job("mail.c", "SendMail", "[1]");
    start(&d);
    place_job("mail.c", "SendMail", "[2]");
    start(&other);
    assert_string_equal(answer(&other, "SendMail"), "[2]");
    assert_string_equal(answer(&d, "SendMail"), "[1]");
    drive_stop(&d);
    drive_stop(&other);
}

TEST(a_compile_error_names_file_and_line_and_hurts_nobody_else)
{
    const char *about;

    place_job("good.c", "Good", "[1]");
    place_write("app/Jobs/bad.c",
                "#include <errand.h>\n"
                "static int handle(errand_job *job, struct errand_error *err)\n"
                "{\n"
                "    return undeclared_thing;\n"
                "}\n"
                "ERRAND_JOB(Bad, .handle = handle)\n",
                0644);
    about = start(&d);
    assert_has(about, "{\"file\":\"app/Jobs/bad.c\",\"name\":\"bad\",\"message\":"
                      "\"app/Jobs/bad.c:4:");
    assert_has(about, "undeclared_thing");
    assert_null(strstr(about, "\\n")); /* one line: no source, no notes */
    assert_string_equal(answer(&d, "Good"), "[1]");
    assert_string_equal(answer(&d, "LinkedIn"), "");
    drive_stop(&d);
}

TEST(the_same_error_is_not_compiled_again_until_the_file_changes)
{
    place_count_compiler();
    place_write("app/Jobs/bad.c", "#error no\n", 0644);
    for (int i = 0; i < 3; i++) {
        assert_has(start(&d), "app/Jobs/bad.c:1:2: error: #error no");
        drive_stop(&d);
    }
    assert_int_equal(place_calls(), 1);
    place_job("bad.c", "NowGood", "[3]");
    assert_has(start(&d), "\"errors\":[]");
    assert_string_equal(answer(&d, "now-good"), "[3]");
    assert_int_equal(place_calls(), 2);
    drive_stop(&d);
}

/* The date is set by hand: two writes in one tick of the clock have one date. */
static void header_write(const char *text, int age_s)
{
    struct timespec now, times[2];
    char path[256];

    place_write("app/Jobs/answer.h", text, 0644);
    snprintf(path, sizeof path, "%s/app/Jobs/answer.h", place);
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= age_s;
    times[0] = times[1] = now;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

TEST(a_changed_header_compiles_what_includes_it)
{
    place_count_compiler();
    header_write("#define ANSWER \"[1]\"\n", 100);
    place_write("app/Jobs/ask.c",
                "#include <errand.h>\n"
                "#include \"answer.h\"\n"
                "static int handle(errand_job *job, struct errand_error *err)\n"
                "{\n"
                "    return errand_job_result(job, ANSWER, err);\n"
                "}\n"
                "ERRAND_JOB(Ask, .handle = handle)\n",
                0644);
    start(&d);
    assert_string_equal(answer(&d, "ask"), "[1]");
    drive_stop(&d);
    start(&d);
    assert_int_equal(place_calls(), 1);
    drive_stop(&d);
    header_write("#define ANSWER \"[2]\"\n", -1);
    start(&d);
    assert_string_equal(answer(&d, "ask"), "[2]");
    drive_stop(&d);
    assert_int_equal(place_calls(), 2);
}

TEST(a_file_that_registers_nothing_is_an_error)
{
    place_write("app/Jobs/empty.c", "int errand_nothing;\n", 0644);
    assert_has(start(&d), "app/Jobs/empty.c: registers no job; write ERRAND_JOB(");
    drive_stop(&d);
}

TEST(two_files_of_one_name_are_an_error_that_names_both)
{
    const char *about;

    place_job("a.c", "SendMail", "[1]");
    place_job("b.c", "send_mail", "[2]");
    about = start(&d);
    assert_has(about, "app/Jobs/b.c: job 'send_mail' is also 'SendMail' of app/Jobs/a.c");
    assert_string_equal(answer(&d, "send-mail"), "[1]");
    drive_stop(&d);
}

TEST(files_that_others_may_write_are_refused_with_the_remedy)
{
    place_job("good.c", "Good", "[1]");
    place_job("open.c", "Open", "[1]");
    place_job("open.c", "Open", "[1]");
    place_write("app/Jobs/open.c", "", 0666);
    assert_has(start(&d),
               "app/Jobs/open.c may be written by other users (mode 0666), who "
               "could run code as you; mend it: chmod go-w app/Jobs/open.c");
    assert_string_equal(answer(&d, "Good"), "[1]");
    drive_stop(&d);
}

TEST(a_folder_that_others_may_write_is_refused_with_the_remedy)
{
    char path[256];

    place_job("good.c", "Good", "[1]");
    snprintf(path, sizeof path, "%s/app/Jobs", place);
    assert_int_equal(chmod(path, 0777), 0);
    assert_has(start(&d), "mend it: chmod go-w app/Jobs\"");
    assert_string_equal(answer(&d, "Good"), "verdict 1: this program has no job 'Good'");
    assert_string_equal(answer(&d, "LinkedIn"), "");
    drive_stop(&d);
}

/* What lies there is loaded as code: it is refused even when nothing needs compiling. */
TEST(a_build_folder_that_others_may_write_is_refused_with_the_remedy)
{
    char path[256];

    place_job("good.c", "Good", "[1]");
    start(&d);
    drive_stop(&d);
    snprintf(path, sizeof path, "%s/.errand/build", place);
    assert_int_equal(chmod(path, 0777), 0);
    assert_has(start(&d), ".errand/build may be written by other users (mode 0777)");
    assert_string_equal(answer(&d, "Good"), "verdict 1: this program has no job 'Good'");
    drive_stop(&d);
}

static void constructor_write(const char *file, const char *body)
{
    char path[128], text[512];

    snprintf(path, sizeof path, "app/Jobs/%s", file);
    snprintf(text, sizeof text,
             "#include <stdlib.h>\n#include <unistd.h>\n"
             "__attribute__((constructor)) static void at_load(void) { %s; }\n",
             body);
    place_write(path, text, 0644);
}

TEST(a_file_that_crashes_exits_or_hangs_when_loaded_is_kept_out)
{
    const char *about;

    setenv("ERRAND_FAILPOINTS", "vet-soon=error", 1);
    place_count_compiler();
    place_job("good.c", "Good", "[1]");
    constructor_write("crash.c", "abort()");
    constructor_write("leave.c", "exit(3)");
    constructor_write("hang.c", "for (;;) pause()");
    for (int i = 0; i < 2; i++) {
        about = start(&d);
        assert_has(about, "app/Jobs/crash.c: it crashes when it is loaded (signal 6");
        assert_has(about,
                   "app/Jobs/leave.c: it ends the program when it is loaded (exit 3)");
#ifdef ERRAND_FAILPOINTS
        assert_has(about, "app/Jobs/hang.c: loading it took longer than");
#endif
        assert_string_equal(answer(&d, "Good"), "[1]");
        drive_stop(&d);
    }
    assert_int_equal(place_calls(), 4); /* the second start believed the first */
}

/* What it wrote would come before HELLO, and no runner would ever start. */
TEST(a_file_that_writes_to_the_socket_when_loaded_is_kept_out)
{
    const char *about;

    place_job("good.c", "Good", "[1]");
    constructor_write("speak.c", "(void)!write(3, \"hello\", 5)");
    constructor_write("answer.c", "(void)!write(3, \"+{}\", 3); _exit(0)");
    about = start(&d);
    assert_has(about, "app/Jobs/speak.c: ");
    assert_has(about, "app/Jobs/answer.c: it ends the program when it is loaded");
    assert_string_equal(answer(&d, "Good"), "[1]");
    drive_stop(&d);
}

TEST(a_library_that_is_missing_is_named)
{
    place_write(
        "app/Jobs/lost.c",
        "extern int nowhere_to_be_found(void);\n"
        "__attribute__((constructor)) static void f(void) { nowhere_to_be_found(); "
        "}\n",
        0644);
    assert_has(start(&d), "app/Jobs/lost.c: ");
    drive_stop(&d);
    assert_has(start(&d), "nowhere_to_be_found");
    drive_stop(&d);
}

TEST(what_the_linker_says_is_told_as_well)
{
    setenv("LDLIBS", "-lno-such-library", 1);
    place_job("mail.c", "SendMail", "[1]");
    assert_has(start(&d), "-lno-such-library");
    unsetenv("LDLIBS");
    drive_stop(&d);
}

TEST(without_a_compiler_the_error_says_what_to_install)
{
    setenv("CC", "no-such-compiler", 1);
    place_job("mail.c", "SendMail", "[1]");
    assert_has(start(&d), "there is no C compiler 'no-such-compiler' on this machine");
    assert_string_equal(answer(&d, "LinkedIn"), "");
    drive_stop(&d);
}

TEST(a_project_without_jobs_is_no_error)
{
    char path[256];

    snprintf(path, sizeof path, "%s/app/Jobs", place);
    assert_int_equal(rmdir(path), 0);
    assert_has(start(&d), "\"errors\":[]");
    drive_stop(&d);
}

TEST(what_a_file_prints_when_loaded_is_no_log_of_a_job)
{
    place_write("app/Jobs/noise.c",
                "#include <errand.h>\n"
                "#include <stdio.h>\n"
                "static int handle(errand_job *job, struct errand_error *err)\n"
                "{\n"
                "    (void)job, (void)err;\n"
                "    return ERRAND_DONE;\n"
                "}\n"
                "__attribute__((constructor)) static void f(void) { puts(\"noise\"); }\n"
                "ERRAND_JOB(Noise, .handle = handle)\n",
                0644);
    assert_has(start(&d), "\"errors\":[]");
    assert_string_equal(answer(&d, "noise"), ""); /* DONE with no LOG before it */
    drive_stop(&d);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    return er_test_main(argc, argv);
}
