/* program.c: a program of the user's own that calls errand_main: this one. With arguments
 * it is the command with two job classes linked in, without it is the test. */
#include "cli/shell.h"

#include <errand.h>

static int greet(errand_job *job, struct errand_error *err)
{
    const char *name = "world";
    char result[128];

    if (errand_job_has(job, "name") && errand_job_string(job, "name", &name, err) < 0)
        return ERRAND_FAIL;
    errand_job_log(job, "greeting %s", name);
    snprintf(result, sizeof result, "{\"greeted\":\"%s\"}", name);
    return errand_job_result(job, result, err) < 0 ? ERRAND_RETRY : ERRAND_DONE;
}

static int crash(errand_job *job, struct errand_error *err)
{
    (void)job;
    (void)err;
    abort();
}

ERRAND_JOB(SendGreeting, .handle = greet, .queue = "greetings", .tries = 7)
ERRAND_JOB(Crash, .handle = crash, .tries = 1)

static int setup(void **state)
{
    char path[PATH_MAX + 16], self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    shell_setup(state);
    assert_true(n > 0);
    self[n] = '\0';
    snprintf(path, sizeof path, "%s/../bin/mine", shell_folder);
    assert_int_equal(symlink(self, path), 0);
    sh("touch errand.yml");
    return 0;
}

TEST_FIXTURE(setup, shell_teardown)

TEST(it_has_every_command)
{
    assert_string_equal(
        sh("mine help --markdown | cmp - \"$ERRAND_SOURCE/docs/commands.md\"").out, "");
    assert_code(sh("mine queue:lst"), 2);
}

TEST(its_classes_decide_when_it_dispatches)
{
    struct run r =
        sh("mine queue:dispatch send-greeting >/dev/null; mine queue:list --json");
    json_t *job = json_line(r, 0);

    assert_string_equal(r.err, "");
    assert_json_string(job, "queue", "greetings");
    assert_json_int(job, "tries", 7);
    json_decref(job);
}

TEST(its_classes_are_worked_by_itself)
{
    struct run r = sh("mine queue:dispatch send-greeting '{\"name\":\"Ann\"}' --id=j && "
                      "mine queue:dispatch crash --id=k && "
                      "mine queue:work --stop-when-empty; mine queue:inspect j --json");
    json_t *job = json_line(r, 2);

    assert_json_string(job, "state", "completed");
    assert_json_string(json_object_get(job, "result"), "greeted", "Ann");
    json_decref(job);
    assert_has(sh("mine queue:inspect k").out, "killed by SIGABRT");
}

TEST(its_classes_run_here_and_now)
{
    struct run r = sh("mine queue:dispatch send-greeting '{\"name\":\"Bo\"}' --sync");

    assert_code(r, 0);
    assert_string_equal(r.out, "{\"greeted\":\"Bo\"}\n");
    assert_has(r.err, "greeting Bo");
    r = sh("mine queue:dispatch crash --sync");
    assert_code(r, 1);
    assert_has(r.err, "killed by SIGABRT");
}

TEST(its_classes_and_its_files_are_one_list)
{
    struct run r = sh("mine make:job backup --lang=sh >/dev/null; mine doctor");

    assert_has(r.out, "jobs: 3, all can run");
}

int main(int argc, char **argv)
{
    bool is_test = argc == 1 || strcmp(argv[1], "-t") == 0;

    return is_test ? er_test_main(argc, argv) : errand_main(argc, argv);
}
